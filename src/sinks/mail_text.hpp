// SPDX-License-Identifier: Apache-2.0
/// What a mail about events says. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <qconn/mail/mail_message.hpp>

#include "monitor/backlog.hpp"

namespace qconn::sinks {

/// @param most  events that are told one by one
MailMessage mail_of(const std::vector<monitor::Backlog::Item>& events, std::size_t most, const std::string& subject_prefix);

}  // namespace qconn::sinks
