// SPDX-License-Identifier: Apache-2.0
/// Transfer encodings and encoded words, read as they are found in the world.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace qconn::mail {

/// What a decoder found wrong; offsets are into what it was given, npos: nothing.
struct DecodingProblems {
    std::size_t strange{std::string_view::npos};   ///< characters that do not belong there
    std::size_t length{std::string_view::npos};    ///< it ends too early
    std::size_t trailing{std::string_view::npos};  ///< something comes behind its end
};

/// RFC 2045 section 6.8. Characters that are no base64 are skipped; ends behind the padding.
std::string decode_base64(std::string_view text, DecodingProblems& problems);
/// Section 6.7. What is neither a byte in hexadecimal digits nor a soft line end stays as it is.
/// @param word  of an encoded word (RFC 2047): `_` is a blank
std::string decode_quoted_printable(std::string_view text, bool word, DecodingProblems& problems);
/// From the line `begin MODE NAME` on.
std::string decode_uuencode(std::string_view text, DecodingProblems& problems);

/// RFC 2047, wherever such a word stands. White space between two of them goes. Other 8-bit text as guessed_utf8().
std::string decode_words(std::string_view unfolded);

/// `%E4` (RFC 2231); what is no such thing stays.
std::string decode_percent(std::string_view text);

}  // namespace qconn::mail
