// SPDX-License-Identifier: Apache-2.0
/// Small questions asked of text all over the library. ASCII rules throughout, whatever the locale.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qconn {

/// Where nothing is found in a text.
inline constexpr auto npos = std::string_view::npos;

}  // namespace qconn

namespace qconn::text {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
/// -1 where it is no hex digit.
constexpr int hex_digit(char c) noexcept {
    if (is_digit(c)) return c - '0';
    const char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/// A byte below the blank, or 7F.
bool has_control(std::string_view text) noexcept;
std::string to_lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b) noexcept;
/// Without white space at both ends.
std::string_view trim(std::string_view text) noexcept;
/// Every separator separates; always at least one part.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Length of the well-formed UTF-8 sequence at the start of a text that is not empty, 0 where there is none.
std::size_t sequence_length(std::string_view s) noexcept;
/// Offset of the first byte that is not part of well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms); npos where all is.
std::size_t invalid_utf8(std::string_view text) noexcept;
inline bool valid_utf8(std::string_view text) noexcept { return invalid_utf8(text) == std::string_view::npos; }
/// Code points of well-formed UTF-8.
std::size_t utf8_length(std::string_view text) noexcept;
/// At most `limit` bytes of it, cut between characters, with "…" where something was cut.
std::string shorten(std::string_view text, std::size_t limit);
/// Printable on one line: control characters and invalid bytes as \xNN, newlines as \n.
std::string printable(std::string_view text);
std::string to_hex(std::string_view bytes);

}  // namespace qconn::text
