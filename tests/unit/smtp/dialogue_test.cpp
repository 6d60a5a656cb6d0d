// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "mail/smtp_dialogue.hpp"
#include "mail/smtp_settings.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::mail;

namespace {

std::shared_ptr<SmtpLoginPlan> plan(SmtpDepth depth, SmtpTls security = SmtpTls::offered) {
    auto made = std::make_shared<SmtpLoginPlan>();
    made->job = {"out", "mail.example:25", "connecting", {}};
    made->security = security;
    made->ehlo_name = "me.example";
    made->username = "edi";
    made->password = Secret{std::string{"s3cret-word"}};
    made->depth = depth;
    return made;
}

/// What is said when these are the answers, one after the other; each in pieces of one byte.
struct Talk {
    explicit Talk(std::shared_ptr<const SmtpLoginPlan> p, net::SessionLog log = {}) : dialogue{std::move(p), std::move(log)} {
        take(dialogue.begin(said));
    }
    Talk& hear(std::string_view reply) {
        said.clear();
        std::string input;
        for (const char c : std::string{reply} + "\r\n") {
            input += c;
            const auto step = dialogue.feed(input, false, said);
            input.erase(0, step.used);
            take(step);
        }
        return *this;
    }
    Talk& handshake() {
        said.clear();
        take(dialogue.begin(said));
        return *this;
    }
    void take(const Dialogue::Step& step) {
        want = step.want;
        if (step.error) error = step.error;
    }

    SmtpLogin dialogue;
    std::string said;
    Dialogue::Want want{};
    std::optional<Error> error;
};

constexpr const char* k_hello = "220 mail.example ESMTP";
std::string encoded(std::string_view text) { return base64::encode(text); }
const std::string k_plain = "AUTH PLAIN " + base64::encode(std::string{"\0edi\0s3cret-word", 16}) + "\r\n";

}  // namespace

TEST_CASE("a ping to a depth says as much as is needed and good-bye to SMTP", "[smtp]") {
    CHECK(Talk{plan(SmtpDepth::greeting)}.hear(k_hello).said == "QUIT\r\n");

    Talk tls{plan(SmtpDepth::tls)};
    CHECK(tls.hear(k_hello).said == "EHLO me.example\r\n");
    CHECK(tls.hear("250-mail.example\r\n250 STARTTLS").said == "STARTTLS\r\n");
    tls.hear("220 go");
    CHECK(tls.want == Dialogue::Want::start_tls);
    CHECK(tls.handshake().said == "QUIT\r\n");
    CHECK(tls.want == Dialogue::Want::done);

    Talk login{plan(SmtpDepth::login)};
    login.hear(k_hello);
    CHECK(login.hear("250-mail.example\r\n250 AUTH PLAIN").said == k_plain);
    CHECK(login.hear("235 welcome").said == "QUIT\r\n");
    CHECK(login.dialogue.exposed_password());
    CHECK(login.dialogue.evidence().find("logged in as edi (PLAIN)") != std::string::npos);

    Talk full{plan(SmtpDepth::full)};
    full.hear(k_hello).hear("250-mail.example\r\n250 AUTH PLAIN");
    CHECK(full.hear("235 welcome").said == "NOOP\r\n");
    CHECK(full.hear("250 ok").said == "QUIT\r\n");
    CHECK(full.want == Dialogue::Want::done);
}

TEST_CASE("after STARTTLS the greeting counts, and nothing else that was said in clear", "[smtp]") {
    Talk talk{plan(SmtpDepth::session)};
    talk.hear(k_hello).hear("250-mail.example\r\n250-STARTTLS\r\n250-PIPELINING\r\n250 AUTH LOGIN");
    // What somebody on the way has put behind the answer is not taken for one under TLS.
    std::string said;
    const std::string injected = "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n";
    const auto step = talk.dialogue.feed(injected, false, said);
    CHECK(step.want == Dialogue::Want::start_tls);
    CHECK(step.used == injected.size());
    CHECK(talk.handshake().said == "EHLO me.example\r\n");
    CHECK_FALSE(talk.dialogue.info().pipelining);
    CHECK(talk.dialogue.info().auth.empty());
    CHECK(talk.hear("250-mail.example\r\n250 AUTH PLAIN").said == k_plain);
    talk.hear("235 ok");
    CHECK(talk.want == Dialogue::Want::done);
    CHECK(talk.said.empty());
    CHECK_FALSE(talk.dialogue.exposed_password());
}

TEST_CASE("TLS that is required and not offered, or refused, is an error, and no password was said", "[smtp]") {
    Talk hidden{plan(SmtpDepth::session, SmtpTls::required)};
    CHECK(hidden.hear(k_hello).hear("250-mail.example\r\n250 AUTH PLAIN").said.empty());
    REQUIRE(hidden.error);
    CHECK(hidden.error->code() == SmtpErrc::tls_required);
    CHECK(hidden.error->phase() == Phase::tls);
    CHECK(hidden.error->connection() == "out");

    Talk old{plan(SmtpDepth::session, SmtpTls::required)};
    CHECK(old.hear("220 old").hear("500 what").said == "HELO me.example\r\n");
    old.hear("250 hello");
    REQUIRE(old.error);
    CHECK(old.error->code() == SmtpErrc::tls_required);

    Talk refused{plan(SmtpDepth::session, SmtpTls::required)};
    refused.hear(k_hello).hear("250-mail.example\r\n250 STARTTLS").hear("454 not now");
    REQUIRE(refused.error);
    CHECK(refused.error->code() == SmtpErrc::tls_required);
    CHECK(refused.error->retryable());

    Talk none{plan(SmtpDepth::session, SmtpTls::none)};
    CHECK(none.hear(k_hello).hear("250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN").said == k_plain);
}

TEST_CASE("HELO is said only where EHLO is refused", "[smtp]") {
    auto nobody = plan(SmtpDepth::session);
    nobody->username.clear();
    Talk talk{nobody};
    CHECK(talk.hear("220 SMTP").said == "EHLO me.example\r\n");
    CHECK(talk.hear("502 no").said == "HELO me.example\r\n");
    talk.hear("250 hello");
    CHECK(talk.want == Dialogue::Want::done);
    Talk later{nobody};
    later.hear("220 SMTP").hear("421 busy");
    REQUIRE(later.error);
    CHECK(later.error->code() == SmtpErrc::connect);
    CHECK(later.error->reason() == Reason::limit);
}

TEST_CASE("the way to log in is one that the server offers, without TLS one that keeps the password", "[smtp]") {
    Talk md5{plan(SmtpDepth::session)};
    md5.hear(k_hello);
    CHECK(md5.hear("250-mail.example\r\n250 AUTH PLAIN LOGIN CRAM-MD5").said == "AUTH CRAM-MD5\r\n");
    md5.hear("334 " + encoded("<1@mail.example>"));
    CHECK(md5.said.find("AUTH") == std::string::npos);
    const auto answer = base64::decode(md5.said);
    REQUIRE(answer);
    CHECK(answer->starts_with("edi "));
    CHECK(answer->size() == 36);
    CHECK_FALSE(md5.dialogue.exposed_password());

    Talk secure{plan(SmtpDepth::session, SmtpTls::implicit)};
    secure.hear(k_hello);
    CHECK(secure.hear("250-mail.example\r\n250 AUTH CRAM-MD5 LOGIN").said == "AUTH LOGIN\r\n");
    CHECK(secure.hear("334 VXNlcm5hbWU6").said == encoded("edi") + "\r\n");
    CHECK(secure.hear("334 UGFzc3dvcmQ6").said == encoded("s3cret-word") + "\r\n");
    CHECK(secure.hear("235 ok").want == Dialogue::Want::done);

    auto careful = plan(SmtpDepth::session);
    careful->cleartext_password = false;
    Talk held{careful};
    CHECK(held.hear(k_hello).hear("250-mail.example\r\n250 AUTH PLAIN LOGIN").said.empty());
    REQUIRE(held.error);
    CHECK(held.error->code() == SmtpErrc::auth);
    CHECK(held.error->message().find("cleartext_password") != std::string_view::npos);

    Talk none{plan(SmtpDepth::session)};
    none.hear(k_hello).hear("250 mail.example");
    REQUIRE(none.error);
    CHECK(none.error->code() == SmtpErrc::auth);

    auto forced = plan(SmtpDepth::session);
    forced->auth = SmtpAuth::plain;
    CHECK(Talk{forced}.hear(k_hello).hear("250 mail.example").said == k_plain);
}

TEST_CASE("a mechanism that is refused as such gives way to the next, a password does not", "[smtp]") {
    Talk talk{plan(SmtpDepth::session, SmtpTls::implicit)};
    talk.hear(k_hello).hear("250-mail.example\r\n250 AUTH PLAIN LOGIN");
    CHECK(talk.hear("534 5.7.9 too weak").said == "AUTH LOGIN\r\n");
    talk.hear("334 VXNlcm5hbWU6").hear("334 UGFzc3dvcmQ6").hear("535 5.7.8 s3cret-word is wrong");
    REQUIRE(talk.error);
    CHECK(talk.error->code() == SmtpErrc::auth);
    CHECK(talk.error->reason() == Reason::denied);
    CHECK(talk.error->phase() == Phase::auth);
    CHECK_FALSE(talk.error->retryable());
    CHECK(std::string{talk.error->what()}.find("s3cret-word") == std::string::npos);
    const auto* detail = talk.error->detail<SmtpErrorDetail>();
    REQUIRE(detail != nullptr);
    CHECK(detail->status == "5.7.8");
    CHECK(detail->command == "AUTH LOGIN");
    CHECK(detail->reply.lines[0].find("s3cret-word") == std::string::npos);
}

TEST_CASE("a token goes under TLS only, and what the server says of one that it refuses is told", "[smtp]") {
    auto with_token = plan(SmtpDepth::session, SmtpTls::implicit);
    with_token->password = {};
    with_token->token = Secret{std::string{"t0ken-word"}};
    Talk talk{with_token};
    talk.hear(k_hello);
    CHECK(talk.hear("250-mail.example\r\n250 AUTH PLAIN XOAUTH2").said == "AUTH XOAUTH2 " +
                                                                              encoded("user=edi\x01"
                                                                                      "auth=Bearer t0ken-word\x01\x01") +
                                                                              "\r\n");
    CHECK(talk.hear("334 " + encoded("{\"status\":\"401\",\"token\":\"t0ken-word\"}")).said == "\r\n");
    talk.hear("535 5.7.8 no");
    REQUIRE(talk.error);
    CHECK(talk.dialogue.token_refused());
    CHECK(talk.error->message().find("401") != std::string_view::npos);
    CHECK(std::string{talk.error->what()}.find("t0ken-word") == std::string::npos);

    auto open = std::make_shared<SmtpLoginPlan>(*with_token);
    open->security = SmtpTls::offered;
    Talk clear{open};
    CHECK(clear.hear(k_hello).hear("250-mail.example\r\n250 AUTH XOAUTH2").said.empty());
    REQUIRE(clear.error);
    CHECK(clear.error->code() == SmtpErrc::auth);
}

TEST_CASE("who listens to the dialogue sees no secret", "[smtp]") {
    std::string lines;
    for (const char* offer : {"PLAIN", "LOGIN", "CRAM-MD5"}) {
        const auto log = std::make_shared<net::DialogueLog>(
            net::DialogueLog::Options{"smtp", "out", false, false,
                                      [&lines](const DialogueLine& line) { lines.append(line.mark()).append(line.text).append("\n"); }},
            Log{});
        log->add_secret(Secret{std::string{"s3cret-word"}});
        Talk talk{plan(SmtpDepth::session, SmtpTls::implicit), net::SessionLog{log}};
        talk.hear(k_hello).hear(std::string{"250-mail.example\r\n250 AUTH "} + offer);
        talk.hear("334 " + encoded("Username:")).hear("334 " + encoded("Password:")).hear("235 s3cret-word is right");
    }
    INFO(lines);
    CHECK(lines.find("s3cret-word") == std::string::npos);
    CHECK(lines.find(encoded("s3cret-word")) == std::string::npos);
    CHECK(lines.find("> AUTH PLAIN <masked>") != std::string::npos);
    CHECK(lines.find("> <masked>") != std::string::npos);
    CHECK(lines.find("< 250-mail.example") != std::string::npos);
    CHECK(lines.find("< 250 AUTH LOGIN") != std::string::npos);
}

TEST_CASE("greetings that refuse, and what is no SMTP", "[smtp]") {
    Talk refused{plan(SmtpDepth::session)};
    refused.hear("554 5.7.1 go away");
    REQUIRE(refused.error);
    CHECK(refused.error->name() == "SMTP-CONNECT-ERROR");
    CHECK(refused.error->message().find("go away") != std::string_view::npos);
    Talk ssh{plan(SmtpDepth::session)};
    ssh.hear("SSH-2.0-OpenSSH_9.2");
    REQUIRE(ssh.error);
    CHECK(ssh.error->reason() == Reason::bad_answer);
}

TEST_CASE("options that cannot work are refused when a client is made", "[smtp]") {
    const auto code_of = [](auto change) {
        SmtpOptions options;
        options.host = "mail.example";
        change(options);
        try {
            login_of(options, SmtpDepth::session);
        } catch (const Error& error) { return std::string{error.name()}; }
        return std::string{"good"};
    };
    CHECK(code_of([](SmtpOptions&) {}) == "good");
    CHECK(code_of([](SmtpOptions& o) { o.host.clear(); }) == "SMTP-URL-ERROR");
    CHECK(code_of([](SmtpOptions& o) { o.username = "edi"; }) == "SMTPCLIENT-INVALID-AUTHENTICATION");
    CHECK(code_of([](SmtpOptions& o) { o.password = Secret{std::string{"x"}}; }) == "SMTPCLIENT-INVALID-AUTHENTICATION");
    CHECK(code_of([](SmtpOptions& o) { o.token = Secret{std::string{"x"}}; }) == "SMTPCLIENT-INVALID-AUTHENTICATION");
    CHECK(code_of([](SmtpOptions& o) { o.ehlo_name = "a\r\nb"; }) == "SMTP-URL-ERROR");
    CHECK(code_of([](SmtpOptions& o) { o.from.address = "x"; }) == "SMTP-MESSAGE-ERROR");
}
