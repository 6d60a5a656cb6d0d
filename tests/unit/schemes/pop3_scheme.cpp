// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <variant>

#include <qconn/mail/pop3_client.hpp>
#include <qconn/net/ping_plan.hpp>

#include "support/define.hpp"

using namespace qconn;
using namespace std::chrono_literals;
using test::define;

namespace {

Pop3Options pop3_options_for(std::string_view url, std::string_view lines = {}) {
    const auto checked = define(url, lines);
    INFO(checked.text());
    REQUIRE(checked.valid);
    return checked.client<Pop3Client>()->options();
}

}  // namespace

TEST_CASE("user and password of a POP3 connection stand in the URL or in the options", "[schemes][mail]") {
    const Pop3Options url = pop3_options_for("pop3s://username@example.com:pass/w@rd@pop.gmail.com");
    CHECK(url.host == "pop.gmail.com");
    CHECK(url.username == "username@example.com");
    CHECK(url.password->reveal() == "pass/w@rd");
    CHECK(url.security == Pop3Tls::implicit);
    CHECK(url.port == 0);

    const Pop3Options both = pop3_options_for("pop3://mail.example:1110", "username: edi\npassword: secret\ntls: true");
    CHECK(both.username == "edi");
    CHECK(both.password->reveal() == "secret");
    CHECK(both.security == Pop3Tls::required);
    CHECK(both.port == 1110);

    const Pop3Options token = pop3_options_for("pop3s://edi@mail.example", "token: t0ken");
    CHECK(token.token->reveal() == "t0ken");
    CHECK_FALSE(token.password);
}

TEST_CASE("what stands twice, or is missing, makes a POP3 connection invalid", "[schemes][mail]") {
    CHECK_FALSE(define("pop3://edi:secret@mail.example", "username: edi").valid);
    CHECK_FALSE(define("pop3://edi:secret@mail.example", "password: x").valid);
    CHECK_FALSE(define("pop3://edi:secret@mail.example", "token: x").valid);
    CHECK_FALSE(define("pop3://edi@mail.example", "password: x\ntoken: y").valid);
    CHECK_FALSE(define("pop3://edi@mail.example").valid);
    CHECK_FALSE(define("pop3://mail.example", "password: x").valid);
    CHECK_FALSE(define("pop3://edi:secret@mail.example", "auth: xoauth2").valid);
    CHECK_FALSE(define("pop3://edi@mail.example", "token: y\nauth: apop").valid);
    CHECK(define("pop3://edi@mail.example", "password: x").valid);
    CHECK(define("pop3://edi@mail.example", "token: x").text().find("token-in-clear") != std::string::npos);
    CHECK(define("pop3://edi:x@mail.example", "ssl_verify_cert: false").text().find("unused-option") != std::string::npos);
}

TEST_CASE("the defaults of the POP3 table are those of Pop3Options", "[schemes][mail]") {
    const Pop3Options made = pop3_options_for("pop3://edi:x@mail.example");
    const Pop3Options plain;
    CHECK(made.connect_timeout == plain.connect_timeout);
    CHECK(made.io_timeout == plain.io_timeout);
    CHECK(made.max_mail_size == plain.max_mail_size);
    CHECK(made.pipeline == plain.pipeline);
    CHECK(made.auth == plain.auth);
    CHECK(made.security == plain.security);
    CHECK_FALSE(made.log);
    CHECK_FALSE(made.dbglog);
    CHECK(plain.connect_timeout == 30s);
    CHECK(plain.io_timeout == 15s);
    const Pop3Options logged = pop3_options_for("pop3://edi:x@mail.example", "log: true\ndbglog: true\npipeline: 1\nauth: cram-md5");
    CHECK(logged.log);
    CHECK(logged.dbglog);
    CHECK(logged.pipeline == 1);
    CHECK(logged.auth == Pop3Auth::cram_md5);
}
