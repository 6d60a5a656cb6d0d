// SPDX-License-Identifier: Apache-2.0
/// Times on the command line.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace qconn::cli {

/// `100ms`, `1s`, `1.5s`, `2m`, `1h`; a bare number is seconds. Absent where it is none of these, negative, or above a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;

/// @throws UsageError naming the option and the spellings that are taken
std::chrono::milliseconds duration_option(std::string_view option, const std::string& text);

}  // namespace qconn::cli
