// SPDX-License-Identifier: Apache-2.0
/// Mail that came, taken apart: RFC 5322 and MIME (RFC 2045 to 2049, 2231), as it is found in the world.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/mail/mail_address.hpp>

namespace qconn {

namespace mail {
struct MimeTree;
}

/// How much of a mail is looked into. What goes beyond is not lost: it stays part of the body of what holds it, and there is a defect.
struct MailLimits {
    /// Parts within parts, and mails within mails.
    std::size_t depth{50};
    /// In all.
    std::size_t parts{10'000};
    /// Of the headers of one part, in bytes; further ones are left out.
    std::size_t header_size{1U << 20U};
    /// Of one part; likewise.
    std::size_t headers{10'000};
    /// Kept in ParsedMail::defects; further ones are left out.
    std::size_t defects{1'000};
};

/// What is wrong with a mail that can be read all the same.
enum class MailDefectKind : std::uint8_t {
    no_header_end,        ///< the body begins without an empty line
    bad_header,           ///< a line among the headers that is none
    header_limit,         ///< MailLimits::header_size or headers: some are left out
    no_boundary,          ///< a multipart without the parameter, or with an empty one: its body is taken as one piece
    boundary_not_found,   ///< a multipart in which its boundary does not occur: likewise
    boundary_not_closed,  ///< the mail, or the part around it, ends first: it may have been cut
    too_deep,             ///< MailLimits::depth: left as one piece
    too_many_parts,       ///< MailLimits::parts: likewise
    bad_content_type,     ///< taken as text/plain
    encoded_multipart,    ///< a multipart with base64 or quoted-printable: the encoding is disregarded
    encoded_message,      ///< a message/rfc822 with base64 or quoted-printable: it is not looked into; parse_mail(part.body()) does that
    unknown_encoding,     ///< a Content-Transfer-Encoding that nobody knows: taken as binary
    base64_characters,    ///< characters that are no base64 were skipped
    base64_length,        ///< it ends within a group of four characters
    base64_trailing,      ///< something comes behind the padding (lists add lines): left out
    quoted_printable,     ///< `=` with neither two digits nor a line end: left as it is
    uuencode,             ///< lines that are too short, or no end
    charset_unknown,      ///< no such charset here: bytes above 7F became U+FFFD
    charset_guessed,      ///< what is declared (or nothing) cannot be: taken as UTF-8 where that fits, else as windows-1252
    charset_invalid,      ///< bytes that the charset does not have became U+FFFD
    envelope_line,        ///< a line "From …" of a mailbox file stands before the headers, or among them
};
QCONN_API std::string_view to_string(MailDefectKind kind) noexcept;

struct MailDefect {
    MailDefectKind kind{};
    /// Where, in bytes from the beginning of the mail.
    std::size_t offset{0};

    friend bool operator==(const MailDefect&, const MailDefect&) = default;
};

/// A moment, and the zone that it was written in.
struct MailDate {
    std::chrono::sys_seconds time{};
    /// Of the writer's clock to UTC.
    std::chrono::minutes offset{0};
    friend bool operator==(const MailDate&, const MailDate&) = default;
};

/// One header field; views into the mail.
struct MailHeader {
    /// As it is written.
    std::string_view name;
    /// As it is written, folds included, without the blank behind the colon and the last line end.
    std::string_view raw;

    /// Without folds, encoded words decoded (RFC 2047), 8-bit text as UTF-8 where it is, else as windows-1252. UTF-8.
    QCONN_API std::string decoded() const;
    /// Its addresses, those of groups included, what is no address left out.
    QCONN_API std::vector<MailAddress> addresses() const;
    /// Nothing where it is no date.
    QCONN_API std::optional<MailDate> date() const;
};

/// What a text comes to that was decoded.
struct DecodedText {
    /// UTF-8, always.
    std::string text;
    std::vector<MailDefect> defects;
};

/// One part of a mail, or the mail itself. A small handle: good as long as the ParsedMail that it is of, or a copy of that.
class QCONN_API MailPart {
public:
    /// In order.
    std::vector<MailHeader> headers() const;
    /// The first of that name, in any case; name and raw are empty where there is none.
    MailHeader header(std::string_view name) const noexcept;
    bool has_header(std::string_view name) const noexcept;
    std::vector<MailHeader> headers_of(std::string_view name) const;

    /// `text/plain`, in lower case. What it has to be where nothing is said, or nothing of use: text/plain, in a digest message/rfc822.
    std::string_view content_type() const noexcept;
    /// Of the Content-Type, decoded (RFC 2231, and RFC 2047 although that must not be there); nothing where there is none.
    std::optional<std::string> parameter(std::string_view name) const;
    /// All of them, names in lower case, in order.
    std::vector<std::pair<std::string, std::string>> parameters() const;
    /// Of the Content-Type, in lower case; empty: none is named.
    std::string charset() const;
    /// `attachment`, `inline`, in lower case; empty: nothing is said.
    std::string disposition() const;
    /// From the disposition, else the parameter `name` of the type; UTF-8; empty: none. Directories are no part of it: what is before the last slash
    /// or backslash, control characters, and names of dots only are left out. Still the sender's word: do not overwrite anything with it.
    std::string file_name() const;
    /// Without angle brackets; empty: none.
    std::string content_id() const;
    /// `base64`, `7bit`, in lower case; empty: nothing is said.
    std::string_view transfer_encoding() const noexcept;

    bool is_multipart() const noexcept;
    /// It holds a mail (message/rfc822 and others of message/): its only child. Not message/delivery-status, whose children are groups of fields.
    bool is_message() const noexcept;
    /// It has a body of its own.
    bool is_leaf() const noexcept;
    bool is_text() const noexcept { return content_type().starts_with("text/"); }
    /// The sender calls it one, or gives it a file name, or it is neither text nor holds parts.
    bool is_attachment() const;

    std::vector<MailPart> children() const;
    /// Nothing for the mail itself.
    std::optional<MailPart> parent() const;
    /// 0: the mail itself.
    std::size_t depth() const noexcept;

    /// Headers and body, as they came.
    std::string_view raw() const noexcept;
    /// As it came; of a multipart everything between its headers and its end.
    std::string_view raw_body() const noexcept;
    /// What is before the first boundary, and behind the last; empty for what is no multipart.
    std::string_view preamble() const noexcept;
    std::string_view epilogue() const noexcept;
    /// Where it begins, in bytes from the beginning of the mail.
    std::size_t offset() const noexcept;

    /// The body without its transfer encoding. Of a multipart as it came.
    /// @param defects  null, or where what is wrong with it is added
    std::string body(std::vector<MailDefect>* defects = nullptr) const;
    /// The body as UTF-8: transfer encoding and charset decoded; line ends as they are in it.
    DecodedText text() const;

private:
    friend class ParsedMail;
    MailPart(const mail::MimeTree& tree, std::size_t index) noexcept : tree_{&tree}, index_{index} {}
    const mail::MimeTree* tree_;
    std::size_t index_;
};

/// A mail that was taken apart. A value type; copies share what they hold, and are cheap.
/// @note Immutable: for any number of threads at a time.
class QCONN_API ParsedMail {
public:
    /// The bytes that were parsed.
    std::string_view bytes() const noexcept;
    MailPart root() const noexcept;
    /// All, each before those that it holds.
    std::vector<MailPart> parts() const;
    /// What parsing found. What decoding of bodies finds is told by that.
    const std::vector<MailDefect>& defects() const noexcept;

    std::string subject() const;
    std::vector<MailAddress> from() const;
    std::optional<MailAddress> sender() const;
    std::vector<MailAddress> reply_to() const;
    std::vector<MailAddress> to() const;
    std::vector<MailAddress> cc() const;
    std::vector<MailAddress> bcc() const;
    std::optional<MailDate> date() const;
    /// Without angle brackets; empty: none.
    std::string message_id() const;
    /// Likewise, oldest first.
    std::vector<std::string> in_reply_to() const;
    std::vector<std::string> references() const;
    /// Of the header of that name; empty: there is none.
    std::string decoded(std::string_view name) const;

    /// The part that a reader would show: text/plain or text/html that is no attachment; the last of its alternatives, the first of a
    /// multipart/mixed, the root of a multipart/related. Mails within are not looked into.
    std::optional<MailPart> text_part() const;
    std::optional<MailPart> html_part() const;
    /// What they say; nothing where there is no such part.
    std::optional<std::string> text() const;
    std::optional<std::string> html() const;
    /// Parts with a body, and mails within, other than text_part(), html_part() and alternatives to them. Also those that the HTML shows (they have a
    /// content_id()), and signatures.
    std::vector<MailPart> attachments() const;

private:
    friend QCONN_API ParsedMail parse_mail(std::string bytes, const MailLimits& limits);
    explicit ParsedMail(std::shared_ptr<const mail::MimeTree> tree) noexcept : tree_{std::move(tree)} {}
    std::shared_ptr<const mail::MimeTree> tree_;
};

/// Takes a mail apart; never fails: anything is a mail, with more or fewer defects. Bodies are not decoded before they are asked for. The time is
/// proportional to the size.
/// @param bytes  lines end in CRLF or LF; a first line "From …" of a mailbox file is skipped. Moved in: no copy is made.
QCONN_API ParsedMail parse_mail(std::string bytes, const MailLimits& limits = {});

}  // namespace qconn
