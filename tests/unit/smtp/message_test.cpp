// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <string>
#include <vector>

#include <qconn/base/byte_stream.hpp>
#include <qconn/mail/mail_message.hpp>
#include <qconn/mail/smtp_error.hpp>

#include "mail/mail_message.hpp"
#include "support/catch.hpp"
#include "support/text.hpp"

using namespace qconn;
using mail::compose;
using mail::ComposeSeed;
using test::has;

namespace {

const ComposeSeed& seed() {
    static const ComposeSeed fixed{std::chrono::sys_days{std::chrono::year{2026} / 11 / 27} + std::chrono::hours{14}, "0123456789abcdef"};
    return fixed;
}

MailMessage simple() {
    MailMessage message;
    message.from = {"Reports", "reports@example.com"};
    message.to = {{"", "jane@example.com"}};
    message.subject = "Hello";
    message.text = "Good morning\n";
    return message;
}

std::string read_all(ByteSource& source, std::size_t piece = 4096) {
    std::string out, block(piece, '\0');
    for (std::size_t n = source.read(block.data(), piece); n > 0; n = source.read(block.data(), piece)) out.append(block, 0, n);
    return out;
}
std::string text_of(const MailMessage& message) { return read_all(*compose(message, {}, seed()).content); }

std::string problem(const std::function<void(MailMessage&)>& change) {
    MailMessage message = simple();
    change(message);
    try {
        compose(message, {}, seed());
    } catch (const Error& error) {
        CHECK(error.code() == SmtpErrc::message);
        return std::string{error.message()};
    }
    return "nothing";
}

}  // namespace

TEST_CASE("a plain message is a plain message", "[smtp]") {
    CHECK(text_of(simple()) ==
          "Date: Fri, 27 Nov 2026 14:00:00 +0000\r\n"
          "From: Reports <reports@example.com>\r\n"
          "To: jane@example.com\r\n"
          "Subject: Hello\r\n"
          "Message-ID: <0123456789abcdef@example.com>\r\n"
          "MIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=us-ascii\r\n"
          "Content-Transfer-Encoding: 7bit\r\n"
          "\r\n"
          "Good morning\r\n");
}

TEST_CASE("text, HTML, what it shows and files stand in each other as mail programs expect", "[smtp]") {
    MailMessage message = simple();
    message.html = "<p>Good <img src=\"cid:logo\"></p>";
    MailAttachment logo = MailAttachment::bytes("logo.png", "PNG");
    logo.content_id = "logo";
    message.inline_parts = {logo};
    message.attachments = {MailAttachment::bytes("a.csv", "1;2\n")};
    const std::string text = text_of(message);
    INFO(text);
    std::size_t at = 0;
    for (const char* part :
         {"Content-Type: multipart/mixed; boundary=\"=_0123456789abcdef.1\"\r\n\r\n--=_0123456789abcdef.1\r\n",
          "Content-Type: multipart/alternative; boundary=\"=_0123456789abcdef.2\"\r\n\r\n--=_0123456789abcdef.2\r\n",
          "Content-Type: text/plain; charset=us-ascii\r\n", "\r\n\r\nGood morning\r\n\r\n--=_0123456789abcdef.2\r\n",
          "Content-Type: multipart/related; type=\"text/html\";\r\n boundary=\"=_0123456789abcdef.3\"\r\n", "Content-Type: text/html",
          "\r\n--=_0123456789abcdef.3\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: inline; "
          "filename=logo.png\r\nContent-ID: <logo>\r\n\r\nUE5H\r\n",
          "\r\n--=_0123456789abcdef.3--\r\n", "\r\n--=_0123456789abcdef.2--\r\n", "\r\n--=_0123456789abcdef.1\r\nContent-Type: text/csv\r\n",
          "filename=a.csv\r\n\r\nMTsyCg==\r\n", "\r\n--=_0123456789abcdef.1--\r\n"}) {
        INFO(part);
        at = text.find(part, at);
        REQUIRE(at != std::string::npos);
    }
}

TEST_CASE("its size is known before, and it can be read in pieces of any size, twice", "[smtp]") {
    MailMessage message = simple();
    const std::string large(200'000, 'x');
    message.attachments = {MailAttachment::bytes("large.bin", large), MailAttachment::from("two.bin", text_source(large)),
                           MailAttachment::bytes("small.bin", "abc"), MailAttachment::bytes("empty.bin", "")};
    const auto composed = compose(message, {}, seed());
    const auto size = composed.content->size();
    const std::string whole = read_all(*composed.content);
    REQUIRE(size);
    CHECK(*size == whole.size());
    REQUIRE(composed.content->seek(0));
    CHECK(read_all(*composed.content, 7) == whole);
    message.attachments.push_back(MailAttachment::from("unknown.bin", function_source([](char*, std::size_t) { return std::size_t{0}; })));
    CHECK_FALSE(compose(message, {}, seed()).content->size());
}

TEST_CASE("recipients are To, Cc and Bcc, each once, and Bcc is in no header", "[smtp]") {
    MailMessage message = simple();
    message.cc = {{"Cc", "cc@example.com"}, {"", "jane@example.com"}};
    message.bcc = {{"Hidden", "hidden@example.com"}};
    const auto composed = compose(message, {}, seed());
    CHECK(composed.recipients == std::vector<std::string>{"jane@example.com", "cc@example.com", "hidden@example.com"});
    const std::string text = read_all(*composed.content);
    CHECK_FALSE(has(text, "idden"));
    CHECK_FALSE(has(text, "Bcc"));

    message.to.clear();
    message.cc.clear();
    CHECK(has(text_of(message), "\r\nTo: undisclosed-recipients:;\r\n"));
}

TEST_CASE("threads, priority, further headers and senders", "[smtp]") {
    MailMessage message = simple();
    message.sender = {"", "robot@example.com"};
    message.reply_to = {{"", "desk@example.com"}};
    message.message_id = "<own@id>";
    message.in_reply_to = "first@id";
    message.references = {"zeroth@id", "<first@id>"};
    message.priority = MailPriority::high;
    message.headers = {{"X-Order", "Größe 17"}, {"Auto-Submitted", "auto-generated"}};
    const auto composed = compose(message, {}, seed());
    CHECK(composed.sender == "robot@example.com");
    CHECK(composed.message_id == "own@id");
    const std::string text = read_all(*composed.content);
    for (const char* line : {"Sender: robot@example.com\r\n", "Reply-To: desk@example.com\r\n", "Message-ID: <own@id>\r\n",
                             "In-Reply-To: <first@id>\r\n", "References: <zeroth@id> <first@id>\r\n", "Importance: high\r\n", "X-Priority: 1\r\n",
                             "X-Order: =?UTF-8?Q?Gr=C3=B6=C3=9Fe_17?=\r\n", "Auto-Submitted: auto-generated\r\n"}) {
        INFO(line);
        CHECK(has(text, line));
    }
    CHECK(compose(
              [] {
                  MailMessage one = simple();
                  one.from = {};
                  return one;
              }(),
              {"Default", "default@example.com"}, seed())
              .sender == "default@example.com");
}

TEST_CASE("addresses that are not ASCII are known to need SMTPUTF8, where they are seen", "[smtp]") {
    MailMessage message = simple();
    CHECK_FALSE(compose(message, {}, seed()).utf8_headers);
    message.bcc = {{"", "jörg@example.com"}};
    CHECK_FALSE(compose(message, {}, seed()).utf8_headers);  // of the envelope only
    message.to = {{"Jörg", "jörg@müller.example"}};
    CHECK(compose(message, {}, seed()).utf8_headers);
    CHECK(has(text_of(message), "To: =?UTF-8?Q?J=C3=B6rg?= <jörg@müller.example>\r\n"));
}

TEST_CASE("no part of a message makes another header", "[smtp]") {
    for (const char* evil : {"x\r\nBcc: evil@example.com", "x\nBcc: evil@example.com", "x\rBcc: y"}) {
        const std::string text = evil;
        CHECK(has(problem([&](MailMessage& m) { m.subject = text; }), "the subject has a line break"));
        CHECK(has(problem([&](MailMessage& m) { m.to[0].name = text; }), "the name in To has a line break"));
        CHECK(has(problem([&](MailMessage& m) { m.to[0].address = text; }), "the address in To has a line break"));
        CHECK(has(problem([&](MailMessage& m) { m.from.name = text; }), "the name in From has a line break"));
        CHECK(has(problem([&](MailMessage& m) { m.bcc = {{text, "a@b"}}; }), "the name in Bcc has a line break"));
        CHECK(has(problem([&](MailMessage& m) { m.headers = {{"X-A", text}}; }), "the header X-A has a line break"));
        CHECK(has(problem([&](MailMessage& m) { m.headers = {{text, "x"}}; }), "is no name of a header"));
        CHECK(has(problem([&](MailMessage& m) { m.message_id = text; }), "message_id must be"));
        CHECK(has(problem([&](MailMessage& m) { m.in_reply_to = text; }), "in_reply_to must be"));
        CHECK(has(problem([&](MailMessage& m) { m.references = {text}; }), "references must be"));
        CHECK(
            has(problem([&](MailMessage& m) { m.attachments = {MailAttachment::bytes(text, "x")}; }), "the name of an attachment has a line break"));
        CHECK(has(problem([&](MailMessage& m) { m.attachments = {MailAttachment::bytes("x", "x", text)}; }), "the content type"));
        CHECK(has(problem([&](MailMessage& m) {
                      m.html = "x";
                      m.inline_parts = {MailAttachment::bytes("x", "x")};
                      m.inline_parts[0].content_id = text;
                  }),
                  "content_id"));
    }
    CHECK(has(problem([](MailMessage& m) { m.subject = std::string{"a\0b", 3}; }), "NUL"));
}

TEST_CASE("a message that nobody can send is refused with the reason", "[smtp]") {
    CHECK(has(problem([](MailMessage& m) { m.to.clear(); }), "no recipient"));
    CHECK(has(problem([](MailMessage& m) { m.from = {}; }), "no sender"));
    CHECK(has(problem([](MailMessage& m) { m.to[0].address = "Jane <jane@example.com>"; }), "is no address"));
    CHECK(has(problem([](MailMessage& m) { m.subject = "\xff"; }), "not UTF-8"));
    CHECK(has(problem([](MailMessage& m) { m.text = "\xff"; }), "the text is not UTF-8"));
    CHECK(has(problem([](MailMessage& m) { m.headers = {{"bCc", "a@b"}}; }), "field bcc"));
    CHECK(has(problem([](MailMessage& m) { m.headers = {{"Content-Type", "x/y"}}; }), "not set by hand"));
    CHECK(has(problem([](MailMessage& m) { m.inline_parts = {MailAttachment::bytes("x", "x")}; }), "HTML"));
    CHECK(has(problem([](MailMessage& m) {
                  m.html = "x";
                  m.inline_parts = {MailAttachment::bytes("x", "x")};
              }),
              "content_id"));
    CHECK(has(problem([](MailMessage& m) { m.attachments = {MailAttachment::bytes("x", "x", "message/rfc822")}; }), "octet-stream"));
    CHECK(has(problem([](MailMessage& m) {
                  m.attachments = {MailAttachment::file("/etc/hostname")};
                  m.attachments[0].data = "x";
              }),
              "more than one"));
    MailMessage missing = simple();
    missing.attachments = {MailAttachment::file("/nowhere/x.txt")};
    CHECK_THROWS_AS(compose(missing, {}, seed()), Error);
}

TEST_CASE("dates are those of RFC 5322, types those of names", "[smtp]") {
    using namespace std::chrono;
    CHECK(mail::mail_date(sys_days{year{2024} / 2 / 29} + 23h + 59min + 58s) == "Thu, 29 Feb 2024 23:59:58 +0000");
    CHECK(mail::mail_date(sys_days{year{1970} / 1 / 1}) == "Thu, 1 Jan 1970 00:00:00 +0000");
    CHECK(mail::content_type_of("a.PDF") == "application/pdf");
    CHECK(mail::content_type_of("a") == "application/octet-stream");
    CHECK(mail::content_type_of("a.") == "application/octet-stream");
}

TEST_CASE("two messages have two identifiers", "[smtp]") {
    const MailMessage message = simple();
    CHECK(mail_text(message) != mail_text(message));
    CHECK(mail::ComposeSeed::make().random.size() == 32);
}
