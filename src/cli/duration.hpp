// SPDX-License-Identifier: Apache-2.0
/// Times on the command line.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace qconn::cli {

/// `100ms`, `1s`, `1.5s`, `2m`, `1h`, `1d`; a bare number is seconds. Absent where it is none of these, negative, or above a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;

/// @throws UsageError naming the option and the spellings that are taken
std::chrono::milliseconds duration_option(std::string_view option, const std::string& text);

/// An instant: RFC 3339 (`2026-05-01T22:00:00Z`, `2026-05-01 22:00+02:00`), or `22:00`: the next time that it is so late in the zone of this process.
std::optional<std::chrono::system_clock::time_point> parse_instant(std::string_view text, std::chrono::system_clock::time_point now);

/// @throws UsageError naming the option and the spellings that are taken
std::chrono::system_clock::time_point instant_option(std::string_view option, const std::string& text);

}  // namespace qconn::cli
