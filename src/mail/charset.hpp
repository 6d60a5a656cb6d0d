// SPDX-License-Identifier: Apache-2.0
/// From the charsets of mails to UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace qconn::mail {

/// How a text came to be UTF-8.
struct CharsetOutcome {
    bool unknown{false};  ///< no such charset here
    bool guessed{false};  ///< another one than was declared was taken
    bool invalid{false};  ///< some bytes became U+FFFD
};

/// @param charset  as it is declared, in any case; empty: nothing is. Names that mails have and iconv has not are known too
std::string to_utf8(std::string_view bytes, std::string_view charset, CharsetOutcome& outcome);

/// Of nothing declared: UTF-8 where it is that, else windows-1252.
std::string guessed_utf8(std::string_view bytes);

}  // namespace qconn::mail
