// SPDX-License-Identifier: Apache-2.0
/// Header fields as they go over the line: folded (RFC 5322 section 2.2.3), with encoded words (RFC 2047) and parameters (RFC 2231).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/mail/mail_address.hpp>

namespace qconn::mail {

/// Lines are not longer than this where they can be broken (RFC 5322 section 2.1.1).
inline constexpr std::size_t k_line_length = 78;

/// Writes one header field: words with a blank or a fold before each. What is given to it has no line ends; that is the caller's affair.
class HeaderWriter {
public:
    HeaderWriter(std::string& out, std::string_view name);
    HeaderWriter(const HeaderWriter&) = delete;
    HeaderWriter& operator=(const HeaderWriter&) = delete;
    ~HeaderWriter() = default;

    /// Room that is left in this line for a word, without the blank before it.
    std::size_t room() const noexcept { return column_ + 1 < k_line_length ? k_line_length - column_ - 1 : 0; }
    /// An empty one is a blank, never a fold.
    void word(std::string_view text);
    /// At the end of the last word.
    void glue(std::string_view text);
    /// A word, and so much room for what is glued to it.
    void word(std::string_view text, std::size_t more);
    void end();

private:
    std::string& out_;
    std::size_t column_;
    bool begun_{false};
};

/// As encoded words of at most 75 characters, the first of at most `first`.
/// @param text  UTF-8
std::vector<std::string> encoded_words(std::string_view text, std::size_t first);

/// `Subject: …`: text as it stands where that can be, else encoded words.
void append_text_header(std::string& out, std::string_view name, std::string_view value);
/// `To: …`. Nothing where there are none.
void append_address_header(std::string& out, std::string_view name, const std::vector<MailAddress>& addresses);
/// Of words that are not to be changed: identifiers, dates.
void append_plain_header(std::string& out, std::string_view name, std::string_view value);
/// `; filename="…"`, for what is not ASCII in RFC 2231's form, followed by a form in ASCII for programs that do not know that.
void append_parameter(HeaderWriter& header, std::string_view name, std::string_view value);

}  // namespace qconn::mail
