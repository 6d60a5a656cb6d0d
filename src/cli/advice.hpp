// SPDX-License-Identifier: Apache-2.0
/// What to do about a failure.
#pragma once

#include <string_view>

#include <qconn/base/error.hpp>

namespace qconn::cli {

/// One or two sentences for an operator, from where and why it failed. Never empty.
/// @param error  its name, alone or before its words ("SSH-HOST-KEY-CHANGED: …"): some are known better than by phase and reason
std::string_view advice(Phase phase, Reason reason, std::string_view error = {}) noexcept;
std::string_view advice(const Error& error) noexcept;

}  // namespace qconn::cli
