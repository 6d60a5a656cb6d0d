// SPDX-License-Identifier: Apache-2.0
/// Retrieve, hand over, delete: Pop3Client::process.
#pragma once

#include <memory>

#include "mail/pop3_gate.hpp"
#include "mail/pop3_session.hpp"

namespace qconn::mail::pop3 {

/// @param handler  lives as long, like the options
Task<Pop3Processed> process(Call& call, std::shared_ptr<const Settings> settings, std::shared_ptr<Gate> gate, const Pop3Handler& handler,
                            const Pop3ProcessOptions& options);

}  // namespace qconn::mail::pop3
