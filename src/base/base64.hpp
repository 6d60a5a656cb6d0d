// SPDX-License-Identifier: Apache-2.0
/// Base64 of RFC 4648, section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qconn::base64 {

std::string encode(std::string_view bytes);
/// The same at `out`, where four characters for each three bytes that were begun have room. @returns the end
char* encode(std::string_view bytes, char* out) noexcept;

/// White space anywhere is skipped and padding may be missing; nothing where there is any other character, text behind the padding, a lone
/// last character, or bits that no encoder leaves behind.
std::optional<std::string> decode(std::string_view text);

}  // namespace qconn::base64
