// SPDX-License-Identifier: Apache-2.0
// What is said and heard of POP3, without I/O.
#include <algorithm>
#include <string>
#include <vector>

#include "auth/sasl.hpp"
#include "base/base64.hpp"
#include "mail/pop3_dialogue.hpp"
#include "mail/pop3_reply.hpp"
#include "mail/pop3_settings.hpp"
#include "support/catch.hpp"
#include "support/overheard.hpp"

using namespace qconn;
using namespace qconn::mail::pop3;

namespace {

std::shared_ptr<LoginPlan> plan(LoginDepth depth, Pop3Tls security = Pop3Tls::none) {
    auto made = std::make_shared<LoginPlan>();
    made->job = {"in", "mail.example:110", "connecting", {}};
    made->security = security;
    made->username = "edi";
    made->password = Secret{std::string{"s3cret-word"}};
    made->depth = depth;
    return made;
}

/// What is said when these are the answers, one after the other; each in pieces of one byte.
struct Talk {
    explicit Talk(std::shared_ptr<const LoginPlan> p, net::SessionLog log = {}) : dialogue{std::move(p), std::move(log)} {
        take(dialogue.begin(said));
    }
    Talk& hear(std::string_view answer) {
        for (const char c : std::string{answer} + "\r\n") {
            input += c;
            const auto step = dialogue.feed(input, false, said);
            input.erase(0, step.used);
            take(step);
        }
        return *this;
    }
    Talk& handshake() {
        take(dialogue.begin(said));
        return *this;
    }
    void take(const Dialogue::Step& step) {
        want = step.want;
        if (step.error) error = step.error;
    }

    LoginDialogue dialogue;
    std::string input;
    std::string said;
    Dialogue::Want want{};
    std::optional<Error> error;
};

/// What comes of an answer of several lines: `|` and what is behind its end, or `?` where it has none.
std::string undotted(std::string_view text) {
    DotReader reader;
    std::string out;
    const std::size_t used = reader.feed(text, [&](std::string_view bytes) { out += bytes; });
    return out + (reader.is_done() ? "|" + std::string{text.substr(used)} : std::string{"?"});
}

Pop3Options options() {
    Pop3Options made;
    made.host = "mail.example";
    made.username = "edi";
    made.password = Secret{std::string{"word"}};
    return made;
}

Error error_of_login(const Pop3Options& given) {
    try {
        login_of(given, LoginDepth::session);
    } catch (const Error& error) { return error; }
    return Error{Errc::system, "NO-ERROR", ""};
}

}  // namespace

TEST_CASE("a POP3 ping to a depth says as much as is needed and good-bye", "[mail]") {
    CHECK(Talk{plan(LoginDepth::greeting)}.hear("+OK hello").said == "QUIT\r\n");
    CHECK(Talk{plan(LoginDepth::tls)}.hear("+OK hello").said == "QUIT\r\n");
    Talk login{plan(LoginDepth::login)};
    login.hear("+OK hello").hear("-ERR what?").hear("+OK").hear("+OK in");
    CHECK(login.said == "CAPA\r\nUSER edi\r\nPASS s3cret-word\r\nQUIT\r\n");
    CHECK(login.want == Dialogue::Want::done);
    CHECK(login.dialogue.evidence() == "+OK hello; logged in as edi");
    Talk full{plan(LoginDepth::request)};
    full.hear("+OK").hear("-ERR").hear("+OK").hear("+OK").hear("+OK");
    CHECK(full.said == "CAPA\r\nUSER edi\r\nPASS s3cret-word\r\nNOOP\r\nQUIT\r\n");
    Talk session{plan(LoginDepth::session)};
    session.hear("+OK").hear("-ERR").hear("+OK").hear("+OK");
    CHECK(session.said == "CAPA\r\nUSER edi\r\nPASS s3cret-word\r\n");
}

TEST_CASE("with STLS nothing of the log-in is said before the handshake, and what came behind in clear is thrown away", "[mail]") {
    LoginDialogue dialogue{plan(LoginDepth::login, Pop3Tls::required)};
    std::string said;
    dialogue.begin(said);
    const std::string injected = "+OK hello\r\n+OK go\r\n+OK injected\r\n+OK injected\r\n";
    const auto step = dialogue.feed(injected, false, said);
    CHECK(step.want == Dialogue::Want::start_tls);
    CHECK(step.used == injected.size());
    CHECK(said == "STLS\r\n");
    dialogue.begin(said);
    CHECK(said == "STLS\r\nCAPA\r\n");

    Talk refused{plan(LoginDepth::login, Pop3Tls::required)};
    refused.hear("+OK hello").hear("-ERR what?");
    REQUIRE(refused.error);
    CHECK(refused.error->code() == Pop3Errc::tls_required);
    CHECK(refused.said == "STLS\r\n");
}

TEST_CASE("who listens to a log-in of POP3 sees no secret, nor what is made of it", "[mail]") {
    const test::Overheard overheard;
    const auto log = std::make_shared<net::DialogueLog>(net::DialogueLog::Options{"pop3", "in", false, false, overheard.listener()}, Log{});
    log->add_secret(Secret{std::string{"s3cret-word"}});
    const auto talk = [&log](Pop3Auth auth) {
        auto made = plan(LoginDepth::login);
        made->auth = auth;
        return Talk{made, net::SessionLog{log}};
    };
    talk(Pop3Auth::user).hear("+OK").hear("-ERR").hear("+OK").hear("-ERR s3cret-word is wrong");
    const std::string digest = talk(Pop3Auth::apop).hear("+OK <1@x>").hear("-ERR").said.substr(std::string{"CAPA\r\nAPOP edi "}.size(), 32);
    talk(Pop3Auth::apop).hear("+OK <1@x>").hear("-ERR").hear("-ERR " + digest + " is wrong");
    const std::string answer = base64::encode(sasl::cram_md5("<1@x>", "edi", "s3cret-word").reveal());
    talk(Pop3Auth::cram_md5).hear("+OK").hear("-ERR").hear("+ " + base64::encode("<1@x>")).hear("-ERR " + answer + " is wrong");
    const std::string plain = base64::encode(sasl::plain({}, "edi", "s3cret-word").reveal());
    talk(Pop3Auth::plain).hear("+OK").hear("-ERR").hear("+ " + base64::encode("x s3cret-word")).hear("-ERR " + plain + " is wrong");
    INFO(overheard.lines());
    CHECK(overheard.has_line("> USER edi\n< +OK\n> PASS <masked>\n< -ERR <masked> is wrong\n"));
    CHECK(overheard.has_line("> APOP edi <masked>\n< -ERR <masked> is wrong\n"));
    CHECK(overheard.has_line("> AUTH CRAM-MD5\n< + <masked>\n> <masked>\n< -ERR <masked> is wrong\n"));
    CHECK(overheard.has_line("> AUTH PLAIN <masked>\n"));
    for (const std::string& secret : {std::string{"s3cret"}, digest, answer, plain, base64::encode("x s3cret-word")})
        CHECK_FALSE(overheard.shows(secret));
}

TEST_CASE("the way to log in follows from what the server offers", "[mail]") {
    Talk apop{plan(LoginDepth::session)};
    apop.hear("+OK ready <1896.697170952@dbc.mtview.ca.us>").hear("-ERR");
    // RFC 1939 has the digest of "tanstaaf"; this is that of s3cret-word.
    CHECK(apop.said.starts_with("CAPA\r\nAPOP edi "));
    CHECK(apop.said.size() == std::string{"CAPA\r\nAPOP edi "}.size() + 32 + 2);

    Talk cram{plan(LoginDepth::session)};
    cram.hear("+OK").hear("+OK").hear("SASL PLAIN CRAM-MD5").hear(".").hear("+ " + base64::encode("<1@x>"));
    CHECK(cram.said == "CAPA\r\nAUTH CRAM-MD5\r\n" + base64::encode(sasl::cram_md5("<1@x>", "edi", "s3cret-word").reveal()) + "\r\n");

    Talk plain{plan(LoginDepth::session, Pop3Tls::implicit)};
    plain.hear("+OK <1@x>").hear("+OK").hear("USER").hear("SASL PLAIN CRAM-MD5").hear(".");
    CHECK(plain.said == "CAPA\r\nAUTH PLAIN " + base64::encode(sasl::plain({}, "edi", "s3cret-word").reveal()) + "\r\n");

    auto long_one = plan(LoginDepth::session, Pop3Tls::implicit);
    long_one->password = Secret{std::string(300, 'p')};
    Talk two_steps{long_one};
    two_steps.hear("+OK").hear("+OK").hear("SASL PLAIN").hear(".");
    CHECK(two_steps.said == "CAPA\r\nAUTH PLAIN\r\n");
    two_steps.hear("+");
    CHECK(two_steps.said.size() > 400);
}

TEST_CASE("APOP is the digest that RFC 1939 shows", "[mail]") {
    auto rfc = plan(LoginDepth::session);
    rfc->username = "mrose";
    rfc->password = Secret{std::string{"tanstaaf"}};
    Talk talk{rfc};
    talk.hear("+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>").hear("-ERR");
    CHECK(talk.said == "CAPA\r\nAPOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n");
}

TEST_CASE("no password goes in clear to a server that offers no log-in before TLS", "[mail]") {
    Talk talk{plan(LoginDepth::session)};
    talk.hear("+OK").hear("+OK").hear("STLS").hear("UIDL").hear(".");
    REQUIRE(talk.error);
    CHECK(talk.error->code() == Pop3Errc::tls_required);
    CHECK(talk.said == "CAPA\r\n");
}

TEST_CASE("refusals of a log-in are told apart", "[mail]") {
    const auto refusal = [](std::string_view answer) {
        Talk talk{plan(LoginDepth::session)};
        talk.hear("+OK").hear("-ERR").hear("+OK").hear(answer);
        return talk.error.value();
    };
    CHECK(refusal("-ERR no").code() == Pop3Errc::auth);
    CHECK(refusal("-ERR [AUTH] no").reason() == Reason::denied);
    CHECK(refusal("-ERR [IN-USE] no").code() == Pop3Errc::in_use);
    CHECK(refusal("-ERR mailbox is locked by another session").code() == Pop3Errc::in_use);
    CHECK(refusal("-ERR [LOGIN-DELAY] wait").code() == Pop3Errc::login_delay);
    CHECK(refusal("-ERR [LOGIN-DELAY] wait").retryable());
    CHECK(refusal("-ERR [SYS/TEMP] disk").retryable());
    CHECK_FALSE(refusal("-ERR [SYS/PERM] disk").retryable());
    CHECK(refusal("-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.").code() == Pop3Errc::tls_required);
    const Error repeats = refusal("-ERR s3cret-word is wrong");
    CHECK(std::string{repeats.what()}.find("s3cret") == std::string::npos);
    CHECK(repeats.detail<Pop3ErrorDetail>()->answer == "<masked> is wrong");
    CHECK(repeats.detail<Pop3ErrorDetail>()->command == "PASS");
}

TEST_CASE("to a ping a mailbox that somebody works in is up, as its log-in was good", "[mail]") {
    for (const LoginDepth depth : {LoginDepth::login, LoginDepth::request}) {
        Talk ping{plan(depth)};
        ping.hear("+OK").hear("-ERR").hear("+OK").hear("-ERR [IN-USE] locked");
        CHECK_FALSE(ping.error);
        CHECK(ping.want == Dialogue::Want::done);
        CHECK(ping.said.ends_with("QUIT\r\n"));
        CHECK(ping.dialogue.evidence().find("another session") != std::string::npos);
    }
}

TEST_CASE("what is no POP3 is told so, and a line without end is not waited for", "[mail]") {
    Talk http{plan(LoginDepth::session)};
    http.hear("HTTP/1.1 400 Bad Request");
    CHECK(http.error.value().code() == Pop3Errc::connect);
    CHECK(http.error->reason() == Reason::bad_answer);
    LoginDialogue dialogue{plan(LoginDepth::session)};
    std::string out;
    const auto step = dialogue.feed(std::string(k_longest_line + 1, 'x'), false, out);
    CHECK(step.want == Dialogue::Want::failed);
}

TEST_CASE("dots before dots are taken away, wherever the pieces are cut", "[mail]") {
    CHECK(undotted("a\r\n.\r\n") == "a\r\n|");
    CHECK(undotted(".\r\n") == "|");
    CHECK(undotted("..\r\n...\r\n..a\r\n.\r\n") == ".\r\n..\r\n.a\r\n|");
    CHECK(undotted("a\n.\n") == "a\n|");
    CHECK(undotted("a.\r\n.b\r\n.\r\n+OK") == "a.\r\nb\r\n|+OK");
    CHECK(undotted("a\r\n.") == "a\r\n?");
    CHECK(undotted("a\r\n.\r") == "a\r\n?");
    const std::string text = "x\r\n..y\r\nz..\r\n.\r\n+OK next\r\n";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        DotReader reader;
        std::string out;
        std::string input = text.substr(0, cut);
        const auto emit = [&](std::string_view bytes) { out += bytes; };
        input.erase(0, reader.feed(input, emit));
        if (!reader.is_done()) {
            input += text.substr(cut);
            input.erase(0, reader.feed(input, emit));
        }
        REQUIRE(reader.is_done());
        REQUIRE(out == "x\r\n.y\r\nz..\r\n");
    }
}

TEST_CASE("what a mail has behind a bare LF neither ends an answer nor loses a dot", "[mail]") {
    const std::string text = "a\n.\nb\n..c\n.\r\n+OK forged\r\n..d\r\n.\r\n+OK";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        DotReader reader{true};
        std::string out;
        std::string input = text.substr(0, cut);
        const auto emit = [&](std::string_view bytes) { out += bytes; };
        input.erase(0, reader.feed(input, emit));
        if (!reader.is_done()) {
            input += text.substr(cut);
            input.erase(0, reader.feed(input, emit));
        }
        REQUIRE(reader.is_done());
        REQUIRE(out == "a\n.\nb\n..c\n.\r\n+OK forged\r\n.d\r\n");
    }
}

TEST_CASE("lists, counts and capabilities are read, and what is none is left out", "[mail]") {
    CHECK(stat_of("2 320").value() == Pop3Stat{2, 320});
    CHECK(stat_of("2 320 more").value() == Pop3Stat{2, 320});
    CHECK_FALSE(stat_of("two"));
    CHECK_FALSE(stat_of("2"));
    CHECK_FALSE(stat_of("-2 5"));
    auto entries = sizes_of("1 10\r\n2 20\r\nnonsense\r\n0 5\r\n3 30\r\n");
    REQUIRE(entries.size() == 3);
    join_uids(entries, uids_of("1 a\r\n3 c c\r\n9 z\r\n"));
    CHECK(entries == std::vector<Pop3Entry>{{1, 10, "a"}, {2, 20, ""}, {3, 30, "c c"}});
    const auto all =
        capabilities_of("TOP\r\nuidl\r\nSASL plain XOAUTH2\r\nLOGIN-DELAY 60\r\nEXPIRE NEVER\r\nIMPLEMENTATION Shlemazle v1\r\nPIPELINING\r\n");
    CHECK(all.top);
    CHECK(all.uidl);
    CHECK(all.pipelining);
    CHECK(all.sasl == std::vector<std::string>{"PLAIN", "XOAUTH2"});
    CHECK(all.login_delay == 60U);
    CHECK_FALSE(all.expire);
    CHECK(all.implementation == "Shlemazle v1");
    CHECK(timestamp_of("ready <1@x> <no blank here>").empty());
    CHECK(timestamp_of("ready <1@x>") == "<1@x>");
    CHECK(response_code_of("[in-use] x") == "IN-USE");
    CHECK(response_code_of("[never ends").empty());
}

TEST_CASE("options that do not go together are refused by name", "[mail]") {
    CHECK(login_of(options(), LoginDepth::session).username == "edi");
    Pop3Options none = options();
    none.host.clear();
    CHECK(error_of_login(none).name() == "POP3-URL-ERROR");
    Pop3Options both = options();
    both.token = Secret{std::string{"t"}};
    CHECK(error_of_login(both).name() == "POP3-CONFIG-ERROR");
    Pop3Options neither = options();
    neither.password.reset();
    CHECK(error_of_login(neither).code() == Pop3Errc::config);
    Pop3Options nobody = options();
    nobody.username.clear();
    CHECK(error_of_login(nobody).code() == Pop3Errc::config);
    Pop3Options line = options();
    line.username = "a\r\nDELE 1";
    CHECK(error_of_login(line).code() == Pop3Errc::config);
    Pop3Options no_token = options();
    no_token.auth = Pop3Auth::xoauth2;
    CHECK(error_of_login(no_token).code() == Pop3Errc::config);
}
