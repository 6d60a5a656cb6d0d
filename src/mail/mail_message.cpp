// SPDX-License-Identifier: Apache-2.0
#include "mail/mail_message.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <random>
#include <unordered_set>
#include <utility>

#include "base/text.hpp"
#include "mail/body_encoding.hpp"
#include "mail/header_encoding.hpp"
#include "mail/mail_address.hpp"
#include "mail/smtp_error.hpp"

namespace qconn {

MailAttachment MailAttachment::file(std::string path, std::string name, std::string content_type) {
    MailAttachment out;
    out.name = std::move(name);
    out.content_type = std::move(content_type);
    out.path = std::move(path);
    return out;
}
MailAttachment MailAttachment::bytes(std::string name, std::string data, std::string content_type) {
    MailAttachment out;
    out.name = std::move(name);
    out.content_type = std::move(content_type);
    out.data = std::move(data);
    return out;
}
MailAttachment MailAttachment::from(std::string name, std::shared_ptr<ByteSource> source, std::string content_type) {
    MailAttachment out;
    out.name = std::move(name);
    out.content_type = std::move(content_type);
    out.source = std::move(source);
    return out;
}

namespace mail {
namespace {

struct TypeOfExtension {
    std::string_view extension;
    std::string_view type;
};
/// What recipients open, or show by themselves.
constexpr std::array<TypeOfExtension, 30> k_types_of_extensions{{
    {"bmp", "image/bmp"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eml", "application/octet-stream"},  // message/rfc822 must not be in base64
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"ics", "text/calendar"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"json", "application/json"},
    {"log", "text/plain"},
    {"md", "text/markdown"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"svg", "image/svg+xml"},
    {"txt", "text/plain"},
    {"webp", "image/webp"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "application/xml"},
    {"yaml", "application/yaml"},
    {"zip", "application/zip"},
}};

/// Made by fields of MailMessage, by MIME, or against what Bcc is for.
constexpr std::array<std::string_view, 17> k_reserved_headers{"bcc",
                                                              "cc",
                                                              "content-disposition",
                                                              "content-id",
                                                              "content-type",
                                                              "date",
                                                              "from",
                                                              "in-reply-to",
                                                              "message-id",
                                                              "mime-version",
                                                              "priority",
                                                              "references",
                                                              "reply-to",
                                                              "sender",
                                                              "subject",
                                                              "to",
                                                              "content-transfer-encoding"};

bool has_break(std::string_view text) noexcept { return text.find_first_of(std::string_view{"\r\n\0", 3}) != npos; }

void require_text(std::string_view what, std::string_view value) {
    if (has_break(value)) throw message_error(std::string{what} + " has a line break or a NUL in it, which would make other headers of it");
    if (!text::valid_utf8(value)) throw message_error(std::string{what} + " is not UTF-8");
}

/// Checked and known of. @returns whether it needs SMTPUTF8
bool require_address(std::string_view what, const MailAddress& one) {
    require_text(std::string{"the name in "}.append(what), one.name);
    require_text(std::string{"the address in "}.append(what), one.address);
    if (!is_address(one.address))
        throw message_error("\"" + text::printable(text::shorten(one.address, 100)) + "\" in " + std::string{what} +
                            " is no address; an address is local@domain, and its display name is a field of its own");
    return needs_utf8(one.address);
}

/// An identifier between its brackets.
std::string bare_id(std::string_view what, std::string_view id) {
    id = text::trim(id);
    if (id.size() > 1 && id.front() == '<' && id.back() == '>') id = id.substr(1, id.size() - 2);
    const bool good =
        !id.empty() && std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7F && c != '<' && c != '>'; }) && id.size() <= 900;
    if (!good) throw message_error(std::string{what} + " must be of printable ASCII characters without blanks, between < and > or without them");
    return std::string{id};
}

/// Pieces of text, and files in base64 between them.
class MessageSource final : public ByteSource {
public:
    /// To be written to until the next add().
    std::string& text() {
        if (pieces_.empty() || pieces_.back().file != nullptr) pieces_.emplace_back();
        return pieces_.back().text;
    }
    void add(std::shared_ptr<ByteSource> file) { pieces_.emplace_back().file = std::move(file); }

    std::optional<std::uint64_t> size() const override {
        std::uint64_t all = 0;
        for (const Piece& piece : pieces_) {
            if (piece.file == nullptr) {
                all += piece.text.size();
                continue;
            }
            const auto known = piece.file->size();
            if (!known) return std::nullopt;
            all += base64_lines_size(*known);
        }
        return all;
    }

    std::size_t read(char* to, std::size_t most) override {
        while (at_ < pieces_.size()) {
            Piece& piece = pieces_[at_];
            if (piece.file != nullptr && offset_ == piece.text.size()) encode(piece);
            const std::size_t n = std::min(most, piece.text.size() - offset_);
            if (n > 0) {
                std::memcpy(to, piece.text.data() + offset_, n);
                offset_ += n;
                return n;
            }
            ++at_;
            offset_ = 0;
        }
        return 0;
    }

    bool seek(std::uint64_t position) override {
        if (position != 0) return false;
        for (Piece& piece : pieces_) {
            if (piece.file == nullptr) continue;
            if (!piece.file->seek(0)) return false;
            piece.text.clear();
        }
        at_ = offset_ = 0;
        return true;
    }

private:
    struct Piece {
        std::string text;  // of a file: a part of it, as it is sent
        std::shared_ptr<ByteSource> file;
    };

    /// The next lines of a file; none at its end.
    void encode(Piece& piece) {
        constexpr std::size_t k_block = k_base64_line * 1024;
        raw_.resize(k_block);
        std::size_t have = 0;
        while (have < k_block) {
            const std::size_t n = piece.file->read(raw_.data() + have, k_block - have);
            if (n == 0) break;
            have += n;
        }
        piece.text.clear();
        append_base64_lines(piece.text, std::string_view{raw_}.substr(0, have));
        offset_ = 0;
    }

    std::vector<Piece> pieces_;
    std::size_t at_{0};
    std::size_t offset_{0};
    std::string raw_;
};

/// Bytes that are kept for it.
class KeptBytes final : public ByteSource {
public:
    explicit KeptBytes(std::string bytes) : bytes_{std::move(bytes)} {}
    std::optional<std::uint64_t> size() const override { return bytes_.size(); }
    std::size_t read(char* to, std::size_t most) override {
        const std::size_t n = std::min(most, bytes_.size() - at_);
        if (n > 0) std::memcpy(to, bytes_.data() + at_, n);
        at_ += n;
        return n;
    }
    bool seek(std::uint64_t position) override {
        if (position > bytes_.size()) return false;
        at_ = static_cast<std::size_t>(position);
        return true;
    }

private:
    const std::string bytes_;
    std::size_t at_{0};
};

/// Writes the body: which parts there are, one in the other.
class BodyComposer {
public:
    BodyComposer(MessageSource& out, const MailMessage& message, const std::string& random) : out_{out}, message_{message}, random_{random} {}

    void write() {
        if (message_.attachments.empty()) {
            texts();
            return;
        }
        const std::string boundary = begin("multipart/mixed", {});
        next(boundary);
        texts();
        for (const MailAttachment& one : message_.attachments) {
            next(boundary);
            file(one, "attachment");
        }
        end(boundary);
    }

private:
    void texts() {
        if (message_.html.empty()) {
            text(message_.text, "plain");
        } else if (message_.text.empty()) {
            html();
        } else {
            const std::string boundary = begin("multipart/alternative", {});
            next(boundary);
            text(message_.text, "plain");
            next(boundary);
            html();
            end(boundary);
        }
    }
    void html() {
        if (message_.inline_parts.empty()) {
            text(message_.html, "html");
            return;
        }
        const std::string boundary = begin("multipart/related", "text/html");
        next(boundary);
        text(message_.html, "html");
        for (const MailAttachment& one : message_.inline_parts) {
            next(boundary);
            file(one, "inline");
        }
        end(boundary);
    }

    /// The headers of a part that has parts. @returns its boundary
    std::string begin(std::string_view type, std::string_view root) {
        // "=_" stands in no quoted-printable and no base64 (RFC 2045 section 6.7), and in other texts hardly with these digits behind it.
        std::string boundary = "=_" + random_ + '.' + std::to_string(++parts_);
        HeaderWriter header{out_.text(), "Content-Type"};
        header.word(type);
        if (!root.empty()) {
            header.glue(";");
            header.word("type=\"" + std::string{root} + "\"", 1);
        }
        header.glue(";");
        header.word("boundary=\"" + boundary + "\"");
        header.end();
        return boundary;
    }
    void next(const std::string& boundary) { out_.text().append("\r\n--").append(boundary).append("\r\n"); }
    void end(const std::string& boundary) { out_.text().append("\r\n--").append(boundary).append("--\r\n"); }

    void text(const std::string& content, std::string_view kind) {
        const TransferEncoding encoding = encoding_for(content);
        std::string& out = out_.text();
        out.append("Content-Type: text/").append(kind);
        out.append(encoding == TransferEncoding::seven_bit ? "; charset=us-ascii\r\n" : "; charset=utf-8\r\n");
        out.append("Content-Transfer-Encoding: ").append(to_string(encoding)).append("\r\n\r\n");
        switch (encoding) {
            case TransferEncoding::seven_bit: append_with_crlf(out, content); break;
            case TransferEncoding::quoted_printable: append_quoted_printable(out, content); break;
            case TransferEncoding::base64: {
                std::string lines;
                append_with_crlf(lines, content);  // in a text line ends are CRLF, whatever its encoding (RFC 2045 section 6.8)
                append_base64_lines(out, lines);
                break;
            }
        }
    }

    void file(const MailAttachment& one, std::string_view disposition) {
        std::string name = one.name;
        if (name.empty()) name = one.path.substr(one.path.find_last_of('/') + 1);
        const std::string type = one.content_type.empty() ? std::string{content_type_of(name)} : one.content_type;
        std::string& out = out_.text();
        {
            HeaderWriter header{out, "Content-Type"};
            header.word(type);
            header.end();
        }
        out.append("Content-Transfer-Encoding: base64\r\n");
        {
            HeaderWriter header{out, "Content-Disposition"};
            header.word(disposition);
            if (!name.empty()) append_parameter(header, "filename", name);
            header.end();
        }
        if (!one.content_id.empty()) append_plain_header(out, "Content-ID", "<" + one.content_id + ">");
        out.append("\r\n");
        if (one.source != nullptr)
            out_.add(one.source);
        else if (!one.path.empty())
            out_.add(file_source(one.path));
        else if (one.data.size() <= k_kept_apart)
            append_base64_lines(out_.text(), one.data);
        else
            out_.add(std::make_shared<KeptBytes>(one.data));
    }

    static constexpr std::size_t k_kept_apart = std::size_t{64} * 1024;
    MessageSource& out_;
    const MailMessage& message_;
    const std::string& random_;
    int parts_{0};
};

void check_attachment(const MailAttachment& one, bool shown) {
    require_text("the name of an attachment", one.name.empty() ? one.path.substr(one.path.find_last_of('/') + 1) : one.name);
    const int ways = (one.path.empty() ? 0 : 1) + (one.source == nullptr ? 0 : 1) + (one.data.empty() ? 0 : 1);
    if (ways > 1) throw message_error("an attachment has more than one of path, source and data");
    if (!one.content_type.empty()) {
        const bool printable = std::all_of(one.content_type.begin(), one.content_type.end(), [](char c) { return c >= ' ' && c < 0x7F; });
        const std::string type = text::to_lower(one.content_type);
        if (!printable || type.find('/') == npos || one.content_type.size() > 200)
            throw message_error("the content type of an attachment is not of the form type/subtype");
        // A part that has parts, or is a message, must not be in base64 (RFC 2045 section 6.4).
        if (type.starts_with("multipart/") || type.starts_with("message/"))
            throw message_error("an attachment cannot have the content type " + type + "; send it as application/octet-stream");
    }
    if (shown && one.content_id.empty()) throw message_error("a part that the HTML text is to show has no content_id");
    if (!one.content_id.empty() && bare_id("the content_id of an attachment", one.content_id) != one.content_id)
        throw message_error("a content_id is written without brackets");
}

/// The addresses of a header, known to the envelope.
struct AddressList {
    std::string_view header;
    const std::vector<MailAddress>& addresses;
    bool receives;
    bool is_shown;
};

}  // namespace

ComposeSeed ComposeSeed::make() {
    thread_local std::mt19937_64 random{[] {
        std::random_device device;
        std::seed_seq seed{device(), device(), device(), device(), device(), device()};
        return std::mt19937_64{seed};
    }()};
    std::array<char, 33> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx%016llx", static_cast<unsigned long long>(random()),
                  static_cast<unsigned long long>(random()));
    return {std::chrono::system_clock::now(), digits.data()};
}

std::string mail_date(std::chrono::system_clock::time_point time) {
    constexpr std::array<const char*, 7> k_days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> k_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%s, %u %s %04d %02d:%02d:%02d +0000", k_days[std::chrono::weekday{day}.c_encoding()],
                  static_cast<unsigned>(date.day()), k_months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return text.data();
}

std::string_view content_type_of(std::string_view name) noexcept {
    const std::size_t dot = name.rfind('.');
    if (dot != npos) {
        for (const TypeOfExtension& one : k_types_of_extensions) {
            if (text::iequals(name.substr(dot + 1), one.extension)) return one.type;
        }
    }
    return "application/octet-stream";
}

ComposedMessage compose(const MailMessage& message, const MailAddress& default_from, const ComposeSeed& seed) {
    ComposedMessage out;
    const std::vector<MailAddress> from{message.from.address.empty() && message.from.name.empty() ? default_from : message.from};
    std::vector<MailAddress> sender;
    if (!message.sender.address.empty()) sender.push_back(message.sender);
    if (from.front().address.empty()) throw message_error("the message has no sender, and neither has the connection (option from)");
    out.sender = sender.empty() ? from.front().address : sender.front().address;

    const std::array<AddressList, 6> lists{{{"From", from, false, true},
                                            {"Sender", sender, false, true},
                                            {"Reply-To", message.reply_to, false, true},
                                            {"To", message.to, true, true},
                                            {"Cc", message.cc, true, true},
                                            {"Bcc", message.bcc, true, false}}};
    std::unordered_set<std::string_view> known;
    for (const AddressList& list : lists) {
        for (const MailAddress& one : list.addresses) {
            const bool utf8 = require_address(list.header, one);
            out.utf8_headers = out.utf8_headers || (utf8 && list.is_shown);
            if (list.receives && known.insert(one.address).second) out.recipients.push_back(one.address);
        }
    }
    if (out.recipients.empty()) throw message_error("the message has no recipient: to, cc and bcc are empty");
    require_text("the subject", message.subject);
    for (const auto& [what, value] : {std::pair{"the text", &message.text}, std::pair{"the HTML text", &message.html}}) {
        if (!text::valid_utf8(*value)) throw message_error(std::string{what} + " is not UTF-8; send other encodings as an attachment");
    }
    if (!message.inline_parts.empty() && message.html.empty()) throw message_error("inline parts are shown by an HTML text, and there is none");
    for (const MailAttachment& one : message.inline_parts) check_attachment(one, true);
    for (const MailAttachment& one : message.attachments) check_attachment(one, false);
    for (const auto& [name, value] : message.headers) {
        const bool good =
            !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
        if (!good) throw message_error("\"" + text::printable(text::shorten(name, 100)) + "\" is no name of a header");
        const std::string lower = text::to_lower(name);
        if (std::find(k_reserved_headers.begin(), k_reserved_headers.end(), lower) != k_reserved_headers.end())
            throw message_error(
                "the header " + name + " is not set by hand: " +
                (lower == "bcc" ? "recipients that nobody sees are in the field bcc" : "the message has a field for it, or makes it"));
        require_text("the header " + name, value);
    }

    if (message.message_id.empty()) {
        // Of the sender's domain, as RFC 5322 section 3.6.4 recommends; one that is no ASCII has no place there.
        std::string domain = from.front().address.substr(from.front().address.rfind('@') + 1);
        if (needs_utf8(domain) || domain.front() == '[') domain = "localhost";
        out.message_id = seed.random + "@" + domain;
    } else {
        out.message_id = bare_id("message_id", message.message_id);
    }

    const auto content = std::make_shared<MessageSource>();
    std::string& head = content->text();
    append_plain_header(head, "Date", mail_date(message.date.value_or(seed.now)));
    for (const AddressList& list : lists) {
        if (list.is_shown) append_address_header(head, list.header, list.addresses);
    }
    if (message.to.empty() && message.cc.empty()) head += "To: undisclosed-recipients:;\r\n";
    append_text_header(head, "Subject", message.subject);
    append_plain_header(head, "Message-ID", "<" + out.message_id + ">");
    std::vector<std::string> references;
    for (const std::string& one : message.references) references.push_back("<" + bare_id("references", one) + ">");
    if (!message.in_reply_to.empty()) {
        const std::string id = "<" + bare_id("in_reply_to", message.in_reply_to) + ">";
        append_plain_header(head, "In-Reply-To", id);
        if (references.empty()) references.push_back(id);
    }
    if (!references.empty()) append_plain_header(head, "References", text::join(references, " "));
    if (message.priority != MailPriority::normal) {
        const bool high = message.priority == MailPriority::high;
        head.append(high ? "Importance: high\r\nX-Priority: 1\r\n" : "Importance: low\r\nX-Priority: 5\r\n");
    }
    for (const auto& [name, value] : message.headers) append_text_header(head, name, value);
    head += "MIME-Version: 1.0\r\n";
    BodyComposer{*content, message, seed.random}.write();
    out.content = content;
    return out;
}

}  // namespace mail

std::shared_ptr<ByteSource> mail_source(const MailMessage& message) { return mail::compose(message, {}, mail::ComposeSeed::make()).content; }

std::string mail_text(const MailMessage& message) {
    const auto source = mail_source(message);
    std::string text;
    std::array<char, 16 * 1024> block;  // NOLINT: filled by read
    for (std::size_t n = source->read(block.data(), block.size()); n > 0; n = source->read(block.data(), block.size())) text.append(block.data(), n);
    return text;
}

}  // namespace qconn
