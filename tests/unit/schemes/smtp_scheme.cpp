// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <variant>

#include <qconn/mail/smtp_client.hpp>
#include <qconn/net/ping_plan.hpp>

#include "mail/smtp_settings.hpp"
#include "support/define.hpp"

using namespace qconn;
using namespace std::chrono_literals;
using test::define;

namespace {

SmtpOptions mail_options(std::string_view url, std::string_view lines = {}) {
    const auto checked = define(url, lines);
    INFO(checked.text());
    REQUIRE(checked.valid);
    return checked.client<SmtpClient>()->options();
}

bool is_valid(std::string_view url, std::string_view lines = {}) { return define(url, lines).valid; }

}  // namespace

TEST_CASE("each scheme of mail has its port and its way to TLS, and the option security changes both", "[schemes][smtp]") {
    struct Row {
        const char* url;
        const char* security;
        std::uint16_t port;
        SmtpTls tls;
    };
    for (const Row& row :
         {Row{"smtp://h", "", 25, SmtpTls::offered}, Row{"smtptls://h", "", 25, SmtpTls::required}, Row{"smtps://h", "", 465, SmtpTls::implicit},
          Row{"esmtp://h", "", 587, SmtpTls::offered}, Row{"esmtptls://h", "", 587, SmtpTls::required}, Row{"esmtps://h", "", 465, SmtpTls::implicit},
          Row{"smtp://h:2525", "", 2525, SmtpTls::offered}, Row{"smtps://h:2525", "", 2525, SmtpTls::implicit},
          Row{"smtp://h", "ssl", 465, SmtpTls::implicit}, Row{"esmtp://h", "tls", 587, SmtpTls::required},
          Row{"smtps://h", "tls", 25, SmtpTls::required}, Row{"esmtptls://h", "ssl", 465, SmtpTls::implicit},
          Row{"esmtp://h", "default", 587, SmtpTls::offered}, Row{"smtp://h", "none", 25, SmtpTls::none}}) {
        INFO(row.url << " " << row.security);
        const SmtpOptions options = mail_options(row.url, *row.security != '\0' ? std::string{"security: "} + row.security : "");
        CHECK(mail::port_of(options) == row.port);
        CHECK(options.security == row.tls);
    }
    CHECK_FALSE(is_valid("smtps://h", "security: none"));
    CHECK_FALSE(is_valid("smtp://h", "security: sometimes"));
}

TEST_CASE("the log-in of mail is in the URL, in the options, or in both together", "[schemes][smtp]") {
    const SmtpOptions url = mail_options("smtp://edi:se/c%20ret@mail.example");
    CHECK(url.username == "edi");
    CHECK(url.password->reveal() == "se/c%20ret");
    CHECK(url.label == "test");
    const SmtpOptions options = mail_options("smtp://mail.example", "username: edi\npassword: secret");
    CHECK(options.username == "edi");
    CHECK(options.password->reveal() == "secret");
    const SmtpOptions token = mail_options("smtps://edi@mail.example", "token: abc");
    CHECK(token.username == "edi");
    CHECK_FALSE(token.password);
    CHECK(token.token.reveal() == "abc");
    CHECK(mail_options("smtp://mail.example").username.empty());

    CHECK_FALSE(is_valid("smtp://edi@mail.example"));
    CHECK_FALSE(is_valid("smtp://mail.example", "username: edi"));
    CHECK_FALSE(is_valid("smtp://mail.example", "password: secret"));
    CHECK_FALSE(is_valid("smtp://mail.example", "token: abc"));
    CHECK_FALSE(is_valid("smtp://edi:secret@mail.example", "auth: xoauth2"));
    CHECK_FALSE(is_valid("smtp:///x"));
    CHECK(define("smtp://edi:secret@mail.example", "username: other\npassword: x").code() == "unused-option");
}

TEST_CASE("every option of mail reaches the client, and the defaults are those of SmtpOptions", "[schemes][smtp]") {
    const SmtpOptions made = mail_options("smtp://mail.example");
    const SmtpOptions plain;
    CHECK(made.connect_timeout == plain.connect_timeout);
    CHECK(made.timeout == plain.timeout);
    CHECK(made.outcome_timeout == plain.outcome_timeout);
    CHECK(made.max_sessions == plain.max_sessions);
    CHECK(made.idle_time == plain.idle_time);
    CHECK(made.cleartext_password == plain.cleartext_password);
    CHECK(made.log == plain.log);
    CHECK(made.dbglog == plain.dbglog);
    CHECK(made.auth == plain.auth);
    CHECK(made.from.address.empty());

    const SmtpOptions all =
        mail_options("smtp://mail.example",
                     "from: 'Reports <reports@example.com>'\nauth: cram-md5\nusername: edi\npassword: secret\nehlo_name: me.example\n"
                     "connect_timeout: 1\ntimeout: 2\noutcome_timeout: 3\nmax_sessions: 4\nidle_time: 5\nlog: true\ndbglog: true\n"
                     "cleartext_password: false\nlocal_port: 40000\nssl_verify_cert: false");
    CHECK(all.from == MailAddress{"Reports", "reports@example.com"});
    CHECK(all.auth == SmtpAuth::cram_md5);
    CHECK(all.ehlo_name == "me.example");
    CHECK(all.connect_timeout == 1ms);
    CHECK(all.timeout == 2ms);
    CHECK(all.outcome_timeout == 3ms);
    CHECK(all.max_sessions == 4);
    CHECK(all.idle_time == 5ms);
    CHECK(all.log);
    CHECK(all.dbglog);
    CHECK_FALSE(all.cleartext_password);
    CHECK(all.socket.local_port == 40'000);
    CHECK_FALSE(all.tls.verify);
    CHECK_FALSE(is_valid("smtp://mail.example", "from: nobody"));
    CHECK(define("smtp://mail.example", "http_version: '1.1'").code() == "unused-option");
}

TEST_CASE("pings of mail go as deep as they are asked to", "[schemes][smtp]") {
    const auto net_of = [](std::string_view url, PingDepth depth, std::string_view lines = {}) {
        const PingPlan plan = define(url, lines).ping(depth);
        const auto* const net = std::get_if<std::shared_ptr<const NetPing>>(&plan.what);
        REQUIRE(net != nullptr);
        return **net;
    };
    const NetPing offered = net_of("smtp://h", PingDepth::standard);
    CHECK(offered.endpoint.port == 25);
    CHECK(offered.dialogue);
    CHECK(offered.start_tls != nullptr);
    CHECK(offered.endpoint.tls == nullptr);
    CHECK(net_of("smtp://h", PingDepth::connect).start_tls == nullptr);
    CHECK(net_of("smtp://h", PingDepth::full, "security: none").start_tls == nullptr);
    const NetPing implicit = net_of("esmtps://h", PingDepth::tls);
    CHECK(implicit.endpoint.tls != nullptr);
    CHECK(implicit.start_tls == nullptr);
    CHECK_FALSE(net_of("smtps://h", PingDepth::connect).dialogue);
    const PingPlan quiet = define("smtp://h", "disable_automatic_pings: true").ping();
    CHECK(std::holds_alternative<std::shared_ptr<const BlockingPing>>(quiet.what));
}
