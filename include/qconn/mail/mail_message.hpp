// SPDX-License-Identifier: Apache-2.0
/// Mail that is to be sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/byte_stream.hpp>
#include <qconn/base/export.hpp>
#include <qconn/mail/mail_address.hpp>

namespace qconn {

/// A file that goes with a message. A value type; exactly one of path, source and data is where its bytes come from (data where neither of the
/// others is set).
struct QCONN_API MailAttachment {
    /// As the recipient sees it; any UTF-8. Empty: the last part of `path`.
    std::string name{};
    /// "application/pdf". Empty: by the name's extension, else application/octet-stream.
    std::string content_type{};
    /// A file of this machine. It is opened when the message is sent, read while it is sent, and never in memory as a whole.
    std::string path{};
    /// Read while the message is sent; by one call, once.
    std::shared_ptr<ByteSource> source{};
    std::string data{};
    /// Of parts of an HTML text: `<img src="cid:logo">` shows the one whose content_id is "logo". Without brackets. Unique in the message.
    std::string content_id{};

    static MailAttachment file(std::string path, std::string name = {}, std::string content_type = {});
    static MailAttachment bytes(std::string name, std::string data, std::string content_type = {});
    static MailAttachment from(std::string name, std::shared_ptr<ByteSource> source, std::string content_type = {});
};

enum class MailPriority : std::uint8_t { normal, high, low };

/// A message, as a person thinks of it; what goes over the line is made of it while it is sent (RFC 5322, 2045-2047, 2231): ASCII throughout, lines
/// of at most 78 characters where that is possible, names and subject as encoded words, texts as they are, quoted-printable or base64, whichever is
/// shortest, files in base64. A value type; checked when it is sent.
struct MailMessage {
    /// Name empty and address empty: the sender of the connection (SmtpOptions::from).
    MailAddress from{};
    /// Who sent it, where that is not who wrote it. Empty address: no such header.
    MailAddress sender{};
    std::vector<MailAddress> to{};
    std::vector<MailAddress> cc{};
    /// Get the message too, and stand nowhere in it.
    std::vector<MailAddress> bcc{};
    std::vector<MailAddress> reply_to{};
    std::string subject{};

    /// UTF-8; any line ends. With `html` too, recipients see one of the two.
    std::string text{};
    std::string html{};
    /// What `html` shows from inside the message, by content_id.
    std::vector<MailAttachment> inline_parts{};
    std::vector<MailAttachment> attachments{};

    /// With or without brackets. Empty: one is made, of random characters and the domain of `from`.
    std::string message_id{};
    /// Unset: now.
    std::optional<std::chrono::system_clock::time_point> date{};
    /// Of the message that this answers; with or without brackets.
    std::string in_reply_to{};
    /// Of the thread, oldest first.
    std::vector<std::string> references{};
    MailPriority priority{MailPriority::normal};
    /// Further headers, values in UTF-8. Those that the fields above make, Bcc, and those of MIME are refused.
    std::vector<std::pair<std::string, std::string>> headers{};
};

/// The message as it would be sent, with CRLF at the ends of lines and without dot stuffing; for files and other ways to send it. Its size is known
/// where those of all attachments are.
/// @throws Error SMTP-MESSAGE-ERROR where it cannot be sent: no sender, an address that is none, a line break or NUL in a header, text that is not
/// UTF-8; SYSTEM-ERROR where a file cannot be opened
QCONN_API std::shared_ptr<ByteSource> mail_source(const MailMessage& message);
/// The same in memory. @throws Error likewise
QCONN_API std::string mail_text(const MailMessage& message);

}  // namespace qconn
