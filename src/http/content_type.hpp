// SPDX-License-Identifier: Apache-2.0
/// What a Content-Type says (RFC 9110 section 8.3), and text in the charset that it names. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qconn::http {

/// The part before the parameters, as it stands there.
std::string_view media_type(std::string_view content_type) noexcept;
/// The charset parameter in lower case, or empty.
std::string charset_of(std::string_view content_type);
/// Whether text of that charset (in lower case) is UTF-8 as it is; true for none.
bool is_utf8_name(std::string_view charset) noexcept;
/// `text` as UTF-8. Nothing where the charset is not known or the text is not of it.
std::optional<std::string> to_utf8(std::string_view text, const std::string& charset);

}  // namespace qconn::http
