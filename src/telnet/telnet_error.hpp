// SPDX-License-Identifier: Apache-2.0
/// From what failed to Error.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/telnet/telnet_error.hpp>

#include "net/job.hpp"

namespace qconn::telnet {

std::string_view error_name(TelnetErrc code) noexcept;

/// The end of what came, for messages and details.
std::string last_of(std::string_view text);

/// `running "show version" at switch.example:23 failed: the prompt did not come in time; what came last: "…"`
/// @param last  what was received last, secrets masked; empty: nothing, or it is no matter
Error failure(const net::Job& job, TelnetErrc code, Phase phase, Reason reason, std::string_view what, std::string_view last = {});

}  // namespace qconn::telnet
