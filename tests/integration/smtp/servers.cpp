// SPDX-License-Identifier: Apache-2.0
// Real servers: what is sent, and what they refuse.
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "base/json.hpp"
#include "fixture.hpp"
#include "net/ping_run.hpp"
#include "support/catch.hpp"
#include "support/define.hpp"
#include "support/overheard.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

std::vector<Server*> both() { return {&exim(), &aiosmtp()}; }

std::string text_at(const Value& map, std::string_view name) { return std::string{map.as_map().at(name).as_string()}; }
const List& list_at(const Value& map, std::string_view name) { return map.as_map().at(name).as_list(); }

std::string people(const Value& mail, std::string_view header) {
    std::string all;
    for (const Value& one : list_at(mail, header)) all += "[" + text_at(one, "name") + "|" + text_at(one, "address") + "]";
    return all;
}

std::string run_of(char c, std::size_t count, const char* tail) {
    std::string text(count, c);
    text += tail;
    return text;
}

std::string unix_lines(std::string text) {
    std::erase(text, '\r');
    return text;
}

/// All that a message can have.
MailMessage rich_message() {
    MailMessage message;
    message.from = {"Jörg Müller (Einkauf), \"JM\"", "joerg@example.com"};
    message.to = parse_mail_addresses("Jane Doe <jane@example.com>, \"Doe, John\" <john@example.com>, 山田太郎 <taro@example.com>");
    message.cc = {{"Ein Name, der so lang ist, dass er über mehr als eine Zeile geht, und Umlaute hat: äöüßÄÖÜ", "long@example.com"}};
    message.bcc = {{"Hidden", "hidden@example.com"}};
    message.reply_to = {{"", "desk@example.com"}};
    message.subject = "Bericht über Größen: äöü €, 日本語, and a long tail that is folded, because it goes on and on and on for more than one line";
    message.text = ".\n..two dots\nEine Zeile mit Umlauten: äöüß\nFrom here\n" + run_of('x', 1500, "") + "\nblank at the end \n.\nlast line\n";
    message.html = "<html><body><p>Grüße</p>\n<img src=\"cid:logo.1\"></body></html>\n";
    MailAttachment logo = MailAttachment::bytes("logo.png", std::string{"\x89PNG\r\n\x1a\n\0", 9});
    logo.content_id = "logo.1";
    message.inline_parts = {logo};
    std::string bytes;
    for (int i = 0; i < 100'000; ++i) bytes += static_cast<char>(i * 7 + i / 251);
    message.attachments = {MailAttachment::bytes("Größen 2026 – Übersicht für alle Abteilungen, Entwurf.xlsx", bytes),
                           MailAttachment::bytes("plain.txt", "only text\n"), MailAttachment::bytes("with \"quotes\".csv", "1;2\r\n")};
    message.in_reply_to = "first@example.com";
    message.headers = {{"X-Note", "Größe 17 =?no?= word"}};
    return message;
}

}  // namespace

TEST_CASE("a message comes out as it went in: names, texts, files", "[smtp][integration]") {
    for (Server* server : both()) {
        for (const SmtpTls security : {SmtpTls::offered, SmtpTls::implicit}) {
            SmtpClient client{options_for(*server, security)};
            const MailMessage message = rich_message();
            const SmtpReceipt receipt = client.send(message, {}, 30s);
            CHECK(receipt.complete());
            CHECK(receipt.recipients.size() == 5);
            CHECK(receipt.reply.code == 250);
            const Value mail = read_mail(*server, receipt.message_id);
            INFO(json::encode(mail).substr(0, 3000));
            CHECK(list_at(mail, "defects").empty());
            CHECK(mail.as_map().at("ascii").as_bool());
            CHECK(mail.as_map().at("longest_line").as_int64() <= 200);  // a file's name in one piece; all else is folded
            CHECK(text_at(mail, "subject") == message.subject);
            CHECK(people(mail, "from") == "[Jörg Müller (Einkauf), \"JM\"|joerg@example.com]");
            CHECK(people(mail, "to") == "[Jane Doe|jane@example.com][Doe, John|john@example.com][山田太郎|taro@example.com]");
            CHECK(people(mail, "cc") == "[" + message.cc[0].name + "|long@example.com]");
            CHECK(people(mail, "bcc").empty());
            CHECK(people(mail, "reply-to") == "[|desk@example.com]");
            CHECK(text_at(mail, "in_reply_to") == "<first@example.com>");
            CHECK(text_at(mail, "x_note") == "Größe 17 =?no?= word");
            const std::string raw = raw_mail(*server, receipt.message_id);
            CHECK(raw.find("Hidden") == std::string::npos);

            const Value& body = mail.as_map().at("body");
            REQUIRE(text_at(body, "type") == "multipart/mixed");
            const List& parts = list_at(body, "parts");
            REQUIRE(parts.size() == 4);
            const List& alternatives = list_at(parts[0], "parts");
            REQUIRE(alternatives.size() == 2);
            CHECK(unix_lines(text_at(alternatives[0], "text")) == message.text);
            REQUIRE(text_at(alternatives[1], "type") == "multipart/related");
            const List& related = list_at(alternatives[1], "parts");
            REQUIRE(related.size() == 2);
            CHECK(unix_lines(text_at(related[0], "text")) == message.html);
            CHECK(text_at(related[1], "id") == "<logo.1>");
            CHECK(base64::decode(text_at(related[1], "data")) == message.inline_parts[0].data);
            for (std::size_t i = 0; i < 3; ++i) {
                const Value& part = parts[i + 1];
                CHECK(text_at(part, "name") == message.attachments[i].name);
                CHECK(text_at(part, "disposition") == "attachment");
                CHECK(list_at(part, "defects").empty());
                CHECK(base64::decode(text_at(part, "data")) == message.attachments[i].data);
            }
        }
    }
}

TEST_CASE("each text by itself comes out as it went in", "[smtp][integration]") {
    const std::vector<std::string> texts{
        "plain\n",     "Umlaute: äöü\n", "日本語の長い文章です。\n二行目\n", "no line end ä",         ".\n",
        ".x\n.\n..\n", "a = b =20 =\n",  "blanks   \ntabs\t\n\n\n",          run_of('y', 5000, "\n"), "From me\n>From you\n",
        "\n"};
    SmtpClient client{options_for(aiosmtp())};
    for (const std::string& text : texts) {
        MailMessage message = message_to("jane@example.com", "a text");
        message.text = text;
        const Value mail = read_mail(aiosmtp(), client.send(message, {}, 20s).message_id);
        std::string came = unix_lines(text_at(mail.as_map().at("body"), "text"));
        if (!text.ends_with('\n') && came.ends_with('\n')) came.pop_back();  // the end of the message ends its last line
        CHECK(came == text);
    }
}

TEST_CASE("what is a whole message already arrives byte for byte", "[smtp][integration]") {
    SmtpClient client{options_for(aiosmtp())};
    std::string raw = "Message-ID: <raw.1@example.com>\r\nSubject: raw\r\n\r\n.\r\n..\r\n.x\r\nbytes: \xe4\xf6\xfc\x01\x7f\r\n";
    raw += run_of('z', 900, "\r\n");
    SmtpEnvelope envelope;
    envelope.sender = "a@example.com";
    envelope.recipients = {{"jane@example.com", SmtpNotify::unset, {}}};
    envelope.eight_bit = true;
    const auto source = text_source(raw);
    const SmtpReceipt receipt = client.send_raw(envelope, *source, 20s);
    CHECK(receipt.bytes == raw.size());
    CHECK(raw_mail(aiosmtp(), "raw.1@example.com") == raw);
}

TEST_CASE("the envelope is what the message says, and the return path what the call says", "[smtp][integration]") {
    SmtpClient client{options_for(exim())};
    MailMessage message = message_to("jane@example.com", "envelope");
    message.bcc = {{"", "hidden@example.com"}};
    SmtpSendOptions options;
    options.return_path = "bounces@example.com";
    options.reports = {SmtpNotify::failure | SmtpNotify::delay, SmtpReturn::headers, "id+1=x"};
    const SmtpReceipt receipt = client.send(message, options, 20s);
    const std::string raw = raw_mail(exim(), receipt.message_id);
    CHECK(raw.find("Return-path: <bounces@example.com>") != std::string::npos);
    CHECK(raw.find("hidden@example.com") < raw.find("\nFrom:"));  // of the envelope, which Exim writes first
    CHECK(exim().directory().read("log/main").find("bounces@example.com") != std::string::npos);
}

TEST_CASE("addresses that are not ASCII go where the server has SMTPUTF8", "[smtp][integration]") {
    for (Server* server : both()) {
        SmtpClient client{options_for(*server)};
        MailMessage message = message_to("Jörg <jörg@müller.example>", "Grüße");
        const SmtpReceipt receipt = client.send(message, {}, 20s);
        const Value mail = read_mail(*server, receipt.message_id);
        CHECK(people(mail, "to") == "[Jörg|jörg@müller.example]");
    }
}

TEST_CASE("each way to log in, and a password that is wrong", "[smtp][integration]") {
    for (const SmtpTls security : {SmtpTls::offered, SmtpTls::required, SmtpTls::implicit, SmtpTls::none}) {
        for (const SmtpAuth way : {SmtpAuth::automatic, SmtpAuth::plain, SmtpAuth::login, SmtpAuth::cram_md5}) {
            INFO("way " << static_cast<int>(way) << ", security " << static_cast<int>(security));
            SmtpOptions options = options_for(exim(), security);
            options.auth = way;
            SmtpClient client{options};
            const SmtpServerInfo info = client.connect(20s);
            CHECK(info.pipelining);
            CHECK(info.tls.has_value() == (security != SmtpTls::none));
            CHECK(client.send(message_to("jane@example.com", "log-in"), {}, 20s).complete());

            options.password = Secret{std::string{"wrong-word"}};
            const Error error = error_of([&] { SmtpClient{options}.connect(20s); });
            INFO(error.what());
            CHECK(error.name() == "SMTP-AUTH-ERROR");
            CHECK(error.reason() == Reason::denied);
            CHECK(error.phase() == Phase::auth);
            CHECK(detail_of(error).reply.code == 535);
            CHECK(error.connection() == "out");
        }
    }
}

TEST_CASE("a token logs in under TLS, and one that is refused says why", "[smtp][integration]") {
    SmtpOptions options = options_for(aiosmtp(), SmtpTls::required);
    options.password.reset();
    options.token = Secret{k_password};
    SmtpClient client{options};
    CHECK(client.send(message_to("jane@example.com", "token"), {}, 20s).complete());

    options.token = Secret{std::string{"wrong-token"}};
    const Error error = error_of([&] { SmtpClient{options}.connect(20s); });
    INFO(error.what());
    CHECK(error.name() == "SMTP-AUTH-ERROR");
    CHECK(error.message().find("401") != std::string_view::npos);
    CHECK(error.message().find("wrong-token") == std::string_view::npos);

    options.security = SmtpTls::none;
    CHECK(error_of([&] { SmtpClient{options}.connect(20s); }).name() == "SMTP-AUTH-ERROR");
}

TEST_CASE("a token that is refused is renewed once", "[smtp][integration]") {
    int asked = 0;
    OAuth2Options how;
    how.grant = OAuth2Grant::client_credentials;
    how.client_id = "me";
    how.client_secret = Secret{std::string{"secret"}};
    how.token_url = "https://login.example/token";
    const bool good_comes = GENERATE(true, false);
    auto tokens = std::make_shared<TokenSource>(how, [&](TokenRequest, Deadline, Callback<TokenAnswer> callback) {
        const std::string token = ++asked > 1 && good_comes ? std::string{k_password} : "old-token";
        std::thread{[token, callback = std::move(callback)]() mutable {
            TokenAnswer answer;
            answer.status = 200;
            answer.content_type = "application/json";
            answer.body = Secret{"{\"access_token\":\"" + token + "\",\"token_type\":\"Bearer\",\"expires_in\":3600}"};
            callback(std::move(answer));
        }}.detach();
        return Operation{};
    });
    SmtpOptions options = options_for(aiosmtp(), SmtpTls::required);
    options.password.reset();
    options.tokens = tokens;
    SmtpClient client{options};
    if (good_comes) {
        CHECK(client.send(message_to("jane@example.com", "renewed"), {}, 20s).complete());
    } else {
        CHECK(error_of([&] { client.send(message_to("jane@example.com", "renewed"), {}, 20s); }).name() == "SMTP-AUTH-ERROR");
    }
    CHECK(asked == 2);
}

#ifndef QCONN_WITHOUT_HTTP
TEST_CASE("a definition says where tokens come from, for clients and pings", "[smtp][integration]") {
    const Server oauth{"oauth"};
    const Server server{"aiosmtp", {.environment = {"OAUTH_RESOURCE=http://" + oauth.address() + "/resource"}}};
    const auto defined = [&](const std::string& secret) {
        return define("smtptls://jane%40example.com@" + server.address(),
                      "from: jane@example.com\nssl_ca_file: " + tls_file("ca.crt") +
                          "\noauth2_grant_type: client_credentials\noauth2_client_id: " + std::string{k_user} + "\noauth2_client_secret: " + secret +
                          "\noauth2_token_use_basic_auth: true\noauth2_token_url: http://" + oauth.address() + "/token");
    };
    const Checked good = defined(std::string{k_password});
    INFO(good.text());
    REQUIRE(good.valid);
    for (const PingDepth depth : {PingDepth::standard, PingDepth::auth, PingDepth::full}) {
        const PingResult result = net::run_ping_blocking(Runtime{}, good.ping(depth), good.definition.name, 20s, true);
        INFO((result.error ? result.error->what() : "ok"));
        CHECK(result.ok);
    }
    const Checked wrong = defined("canary-of-the-secret");
    const PingResult result = net::run_ping_blocking(Runtime{}, wrong.ping(PingDepth::auth), wrong.definition.name, 20s, true);
    REQUIRE(result.error);
    CHECK(result.error->message().find("canary") == std::string_view::npos);
    CHECK(result.error->phase() == Phase::auth);
}
#endif

TEST_CASE("TLS that must be and is not there", "[smtp][integration]") {
    Server plain{"exim", {.environment = {"SMTP_TLS=off", "SMTP_OPEN=1"}}};
    SmtpOptions options = options_for(plain, SmtpTls::required);
    const Error error = error_of([&] { SmtpClient{options}.connect(20s); });
    INFO(error.what());
    CHECK(error.name() == "SMTP-TLS-REQUIRED");
    CHECK(error.phase() == Phase::tls);
    // Where it need not be, it goes without.
    options.security = SmtpTls::offered;
    SmtpClient client{options};
    CHECK_FALSE(client.connect(20s).tls);

    SmtpOptions untrusted = options_for(exim());
    untrusted.tls.ca_file.clear();
    CHECK(error_of([&] { SmtpClient{untrusted}.connect(20s); }).reason() == Reason::certificate_untrusted);
    SmtpOptions wrong = options_for(exim(), SmtpTls::implicit);
    wrong.port = exim().port();  // clear text where TLS is expected
    CHECK(error_of([&] { SmtpClient{wrong}.connect(20s); }).phase() == Phase::tls);
}

TEST_CASE("one recipient of three is refused: nobody gets it, or the others do", "[smtp][integration]") {
    for (Server* server : both()) {
        SmtpClient client{options_for(*server)};
        const MailMessage message = message_to("jane@example.com, reject@example.com, john@example.com", "three");
        const Error error = error_of([&] { client.send(message, {}, 20s); });
        INFO(error.what());
        CHECK(error.name() == "SMTP-RECIPIENT-REFUSED");
        CHECK(error.reason() == Reason::not_found);
        CHECK_FALSE(error.retryable());
        const SmtpErrorDetail detail = detail_of(error);
        CHECK(detail.sent == SmtpSent::no);
        REQUIRE(detail.recipients.size() == 3);
        CHECK(detail.recipients[0].accepted());
        CHECK_FALSE(detail.recipients[1].accepted());
        CHECK(detail.recipients[1].address == "reject@example.com");
        CHECK(detail.recipients[1].status == "5.1.1");
        CHECK(detail.recipients[2].accepted());

        SmtpSendOptions partial;
        partial.partial = true;
        const SmtpReceipt receipt = client.send(message, partial, 20s);
        CHECK_FALSE(receipt.complete());
        CHECK(receipt.recipients[2].accepted());
        CHECK(people(read_mail(*server, receipt.message_id), "to").find("reject") != std::string::npos);

        const Error all = error_of([&] { client.send(message_to("reject@example.com, reject@example.org", "none"), partial, 20s); });
        CHECK(all.name() == "SMTP-RECIPIENT-REFUSED");
    }
}

TEST_CASE("a server that refuses for now says so", "[smtp][integration]") {
    for (Server* server : both()) {
        SmtpClient client{options_for(*server)};
        const Error error = error_of([&] { client.send(message_to("defer@example.com", "later"), {}, 20s); });
        CHECK(error.name() == "SMTP-RECIPIENT-REFUSED");
        CHECK(error.retryable());
        CHECK(detail_of(error).status == "4.7.1");
        const Error mixed = error_of([&] { client.send(message_to("defer@example.com, reject@example.com", "later"), {}, 20s); });
        CHECK_FALSE(mixed.retryable());  // it would be refused again
        // The session serves the next message.
        CHECK(client.send(message_to("jane@example.com", "now"), {}, 20s).complete());
    }
}

TEST_CASE("a sender that is refused, and a size", "[smtp][integration]") {
    SmtpClient client{options_for(exim())};
    MailMessage message = message_to("jane@example.com", "sender");
    message.from = {"", "badsender@example.com"};
    const Error error = error_of([&] { client.send(message, {}, 20s); });
    INFO(error.what());
    CHECK(error.name() == "SMTP-SENDER-REFUSED");
    CHECK(detail_of(error).reply.code == 550);

    Server small{"aiosmtp", {.environment = {"SMTP_SIZE=20000"}}};
    SmtpOptions options = options_for(small);
    Overheard overheard;
    options.on_dialogue = overheard.listener();
    SmtpClient limited{options};
    MailMessage large = message_to("jane@example.com", "large");
    large.attachments = {MailAttachment::bytes("x.bin", std::string(30'000, 'x'))};
    const Error size = error_of([&] { limited.send(large, {}, 20s); });
    CHECK(size.name() == "SMTP-SIZE-ERROR");
    CHECK(size.reason() == Reason::limit);
    CHECK(overheard.has_line("> EHLO"));
    CHECK_FALSE(overheard.has_line("> MAIL FROM"));  // nothing was said of it
    // Where the size is not known before, the server says it.
    large.attachments = {MailAttachment::from("x.bin", function_source([left = 30'000](char* to, std::size_t most) mutable {
                                                  const std::size_t n = std::min(most, static_cast<std::size_t>(left));
                                                  std::fill_n(to, n, 'x');
                                                  left -= static_cast<int>(n);
                                                  return n;
                                              }))};
    const Error late = error_of([&] { limited.send(large, {}, 20s); });
    INFO(late.what());
    CHECK(late.name() == "SMTP-SIZE-ERROR");
    CHECK(detail_of(late).sent == SmtpSent::no);
    CHECK(limited.send(message_to("jane@example.com", "small"), {}, 20s).complete());
}

TEST_CASE("who is not logged in where that must be is refused", "[smtp][integration]") {
    SmtpOptions options = options_for(exim());
    options.username.clear();
    options.password.reset();
    SmtpClient client{options};
    const Error error = error_of([&] { client.send(message_to("jane@example.com", "x"), {}, 20s); });
    CHECK(error.name() == "SMTP-RECIPIENT-REFUSED");
    CHECK(error.reason() == Reason::permission);
}

TEST_CASE("many messages of one call: each has its own outcome, and one session carries them", "[smtp][integration]") {
    for (Server* server : both()) {
        SmtpClient client{options_for(*server)};
        std::vector<MailMessage> messages;
        for (int i = 0; i < 30; ++i) {
            const char* to = i % 10 == 3 ? "reject@example.com" : i % 10 == 6 ? "jane@example.com, defer@example.com" : "jane@example.com";
            messages.push_back(message_to(to, "number " + std::to_string(i)));
            if (i == 8) messages.back().subject = "a\nb";
        }
        const auto outcomes = client.send_all(messages, {}, 60s);
        REQUIRE(outcomes.size() == messages.size());
        for (int i = 0; i < 30; ++i) {
            INFO(i);
            const auto& one = outcomes[static_cast<std::size_t>(i)];
            const bool good = i % 10 != 3 && i % 10 != 6 && i != 8;
            REQUIRE(one.has_value() == good);
            if (good && i % 9 != 0) continue;  // a few are looked at
            if (good)
                CHECK(text_at(read_mail(*server, one->message_id), "subject") == "number " + std::to_string(i));
            else
                CHECK(one.error().name() == (i == 8 ? "SMTP-MESSAGE-ERROR" : "SMTP-RECIPIENT-REFUSED"));
        }
    }
}

TEST_CASE("a session under TLS is used again for the next message", "[smtp][integration]") {
    for (Server* server : both()) {
        for (const SmtpTls security : {SmtpTls::required, SmtpTls::implicit}) {
            int greetings = 0;
            SmtpOptions options = options_for(*server, security);
            options.on_dialogue = [&greetings](const DialogueLine& line) {
                greetings += line.kind == DialogueLine::Kind::received && line.text.starts_with("220 localhost") ? 1 : 0;
            };
            SmtpClient client{options};
            for (int i = 0; i < 4; ++i) CHECK(client.send(message_to("jane@example.com", "again"), {}, 20s).complete());
            CHECK(greetings == 1);
        }
    }
}

TEST_CASE("the dialogue with an SMTP server is seen, but for secrets and messages", "[smtp][integration]") {
    for (Server* server : both()) {
        for (const SmtpAuth auth : {SmtpAuth::plain, SmtpAuth::login}) {
            Overheard overheard;
            SmtpOptions options = options_for(*server, SmtpTls::required);
            options.auth = auth;
            options.log = options.dbglog = true;
            options.on_dialogue = overheard.listener();
            MailMessage message = message_to("jane@example.com", "seen");
            message.text = "not for the log";
            {
                SmtpClient client{options, overheard.runtime()};
                const SmtpReceipt receipt = client.send(message, {}, 20s);
                INFO(overheard.lines());
                CHECK(overheard.has_line("* connected to 127.0.0.1:"));
                CHECK(overheard.has_line("< 220 "));
                CHECK(overheard.has_line("> STARTTLS"));
                CHECK(overheard.has_line(auth == SmtpAuth::plain ? "> AUTH PLAIN <masked>" : "> <masked>"));
                CHECK(overheard.has_line("< 235 "));
                CHECK(overheard.has_line("* logged in as " + options.username + ", under TLSv1."));
                CHECK(overheard.has_line("> RCPT TO:<jane@example.com>"));
                CHECK(overheard.has_line("* the message: " + std::to_string(receipt.bytes) + " bytes"));
            }
            INFO(overheard.log());
            CHECK(overheard.has_line("> QUIT"));
            CHECK(overheard.has_line("* the session has ended"));
            CHECK(overheard.has_record("info smtp-logged-in * logged in as "));
            CHECK(overheard.has_record("info smtp-sent > DATA"));
            CHECK(overheard.has_record("debug smtp-received < 354"));
            CHECK(overheard.has_record("debug smtp-noted * the message: "));
            const std::string password{options.password->reveal()};
            CHECK_FALSE(overheard.shows(password));
            CHECK_FALSE(overheard.shows(base64::encode(password)));
            CHECK_FALSE(overheard.shows(base64::encode(std::string{'\0'} + options.username + '\0' + password)));
            CHECK_FALSE(overheard.shows("not for the log"));
        }
    }
}

TEST_CASE("a kept SMTP session is listened to from when somebody does until nobody does", "[smtp][integration]") {
    SmtpClient client{options_for(exim())};
    const MailMessage message = message_to("jane@example.com", "kept");
    client.send(message, {}, 20s);
    const Overheard overheard;
    client.set_dialogue_listener(overheard.listener());
    client.send(message, {}, 20s);
    const std::string lines = overheard.lines();
    INFO(lines);
    CHECK(overheard.has_line("> MAIL FROM"));
    CHECK_FALSE(overheard.has_line("> EHLO"));
    client.set_dialogue_listener({});
    client.send(message, {}, 20s);
    CHECK(overheard.lines() == lines);
}

TEST_CASE("verify gives the server's answer", "[smtp][integration]") {
    SmtpClient client{options_for(aiosmtp())};
    CHECK(client.verify("jane@example.com", 20s).code == 252);
    CHECK(error_of([&] { client.verify("a\r\nMAIL FROM:<x@y>", 20s); }).name() == "SMTP-MESSAGE-ERROR");
}
