// SPDX-License-Identifier: Apache-2.0
#include "ftp/dialogue.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::ftp;

namespace {

std::shared_ptr<LoginPlan> plan(LoginDepth depth, FtpTls security = FtpTls::none) {
    auto made = std::make_shared<LoginPlan>();
    made->job = {"in", "files.example:21", "connecting", {}};
    made->security = security;
    made->username = "edi";
    made->password = Secret{std::string{"s3cret-word"}};
    made->path = "/in";
    made->depth = depth;
    return made;
}

/// What is said when these are the answers, one after the other; each in pieces of one byte.
struct Talk {
    explicit Talk(std::shared_ptr<const LoginPlan> p) : dialogue{std::move(p)} { take(dialogue.begin(said)); }
    Talk& hear(std::string_view reply) {
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
        take(dialogue.begin(said));
        return *this;
    }
    void take(const Dialogue::Step& step) {
        want = step.want;
        if (step.error) error = step.error;
    }

    LoginDialogue dialogue;
    std::string said;
    Dialogue::Want want{};
    std::optional<Error> error;
};

}  // namespace

TEST_CASE("a ping to a depth says as much as is needed and good-bye", "[ftp]") {
    CHECK(Talk{plan(LoginDepth::greeting)}.hear("220 hello").said == "QUIT\r\n");
    CHECK(Talk{plan(LoginDepth::tls)}.hear("220 hello").said == "QUIT\r\n");
    Talk login{plan(LoginDepth::login)};
    login.hear("220-hello").hear("220 all").hear("331 and?").hear("230 in");
    CHECK(login.said == "USER edi\r\nPASS s3cret-word\r\nQUIT\r\n");
    CHECK(login.want == Dialogue::Want::done);
    Talk full{plan(LoginDepth::directory)};
    full.hear("120 wait").hear("220 hello").hear("230 in").hear("250 there");
    CHECK(full.said == "USER edi\r\nCWD /in\r\nQUIT\r\n");
    CHECK(full.want == Dialogue::Want::done);
    CHECK(full.dialogue.evidence() == "220 hello; logged in as edi; in /in");
}

TEST_CASE("with TLS nothing of the log-in is said before the handshake and the protection of data", "[ftp]") {
    Talk talk{plan(LoginDepth::login, FtpTls::required)};
    talk.hear("220 hello").hear("234 go");
    CHECK(talk.said == "AUTH TLS\r\n");
    CHECK(talk.want == Dialogue::Want::start_tls);
    talk.handshake().hear("200 ok");
    CHECK(talk.said == "AUTH TLS\r\nPBSZ 0\r\nPROT P\r\n");
    talk.hear("200 ok");
    CHECK(talk.said == "AUTH TLS\r\nPBSZ 0\r\nPROT P\r\nUSER edi\r\n");
    Talk implicit{plan(LoginDepth::tls, FtpTls::implicit)};
    implicit.hear("220 hello").hear("200 ok").hear("200 ok");
    CHECK(implicit.said == "PBSZ 0\r\nPROT P\r\nQUIT\r\n");
}

TEST_CASE("what is awaited names the option, where a server may wait for TLS from the first byte", "[ftp]") {
    const auto awaited = [](FtpTls security, bool implicit_port) {
        const auto made = plan(LoginDepth::login, security);
        made->implicit_port = implicit_port;
        return std::string{LoginDialogue{made}.awaited()};
    };
    CHECK(awaited(FtpTls::none, false) == "the greeting");
    CHECK(awaited(FtpTls::implicit, true) == "the greeting");
    for (const std::string& text : {awaited(FtpTls::required, false), awaited(FtpTls::none, true)}) {
        CHECK(text.starts_with("the greeting"));
        CHECK(text.find("implicit_tls") != std::string::npos);
    }
    Talk talk{plan(LoginDepth::login, FtpTls::required)};
    talk.hear("220 hello");
    CHECK(talk.dialogue.awaited() == "the answer to AUTH TLS");
}

TEST_CASE("what comes in clear behind the answer to AUTH TLS is thrown away", "[ftp]") {
    LoginDialogue dialogue{plan(LoginDepth::login, FtpTls::required)};
    std::string said;
    dialogue.begin(said);
    dialogue.feed("220 hello\r\n", false, said);
    const std::string_view injected = "234 go\r\n200 ok\r\n200 ok\r\n230 in\r\n";
    const auto step = dialogue.feed(injected, false, said);
    CHECK(step.want == Dialogue::Want::start_tls);
    CHECK(step.used == injected.size());
    CHECK(said == "AUTH TLS\r\n");
}

TEST_CASE("each refusal of a log-in has its name, phase and reason", "[ftp]") {
    struct Sample {
        std::vector<const char*> replies;
        FtpTls security;
        FtpErrc code;
        Phase phase;
        Reason reason;
    };
    const Sample samples[] = {
        {{"421 busy"}, FtpTls::none, FtpErrc::connect, Phase::protocol, Reason::limit},
        {{"530 go away"}, FtpTls::none, FtpErrc::connect, Phase::protocol, Reason::status},
        {{"SSH-2.0-x"}, FtpTls::none, FtpErrc::connect, Phase::protocol, Reason::bad_answer},
        {{"220 x", "502 no TLS"}, FtpTls::required, FtpErrc::auth_tls, Phase::tls, Reason::unsupported},
        {{"220 x", "530 no"}, FtpTls::none, FtpErrc::login, Phase::auth, Reason::denied},
        {{"220 x", "331 x", "530 no"}, FtpTls::none, FtpErrc::login, Phase::auth, Reason::denied},
        {{"220 x", "331 x", "332 account"}, FtpTls::none, FtpErrc::login, Phase::auth, Reason::status},
        {{"220 x", "331 x", "530 Too many users"}, FtpTls::none, FtpErrc::login, Phase::auth, Reason::limit},
        {{"220 x", "230 x", "550 /in: No such file"}, FtpTls::none, FtpErrc::cwd, Phase::protocol, Reason::not_found},
        {{"220 x", "230 x", "550 Permission denied"}, FtpTls::none, FtpErrc::cwd, Phase::protocol, Reason::permission},
        {{"220 x", "200 x", "536 no"}, FtpTls::implicit, FtpErrc::secure_data, Phase::tls, Reason::unsupported},
        {{"220 x", "500 x"}, FtpTls::implicit, FtpErrc::secure_data, Phase::tls, Reason::unsupported},
    };
    for (const Sample& one : samples) {
        INFO(one.replies.back());
        Talk talk{plan(LoginDepth::directory, one.security)};
        for (const char* reply : one.replies) {
            REQUIRE_FALSE(talk.error);
            talk.hear(reply);
        }
        REQUIRE(talk.error);
        CHECK(talk.error->code() == one.code);
        CHECK(talk.error->phase() == one.phase);
        CHECK(talk.error->reason() == one.reason);
        CHECK(talk.error->connection() == "in");
    }
}

TEST_CASE("a server that asks for TLS is told of in the error", "[ftp]") {
    Talk talk{plan(LoginDepth::login)};
    talk.hear("220 x").hear("530 Non-anonymous sessions must use encryption.");
    CHECK(std::string{talk.error->what()}.find("use ftps") != std::string::npos);
}

TEST_CASE("a server that repeats the password does not get it into a message", "[ftp]") {
    Talk talk{plan(LoginDepth::login)};
    talk.hear("220 x").hear("331 x").hear("530 PASS s3cret-word is wrong");
    REQUIRE(talk.error);
    CHECK(std::string{talk.error->what()}.find("s3cret-word") == std::string::npos);
    CHECK(talk.error->detail<FtpErrorDetail>()->reply.text().find("s3cret-word") == std::string::npos);
}

TEST_CASE("a session learns what the server can do and where it is", "[ftp]") {
    Talk talk{plan(LoginDepth::session)};
    talk.hear("220 x").hear("230 in").hear("211-Features:").hear(" UTF8").hear(" MLST modify*;").hear(" MFMT").hear("211 End");
    CHECK(talk.said == "USER edi\r\nFEAT\r\nOPTS UTF8 ON\r\n");
    talk.hear("501 what").hear("200 type").hear("250 there").hear("257 \"/home/in\" is it");
    CHECK(talk.said == "USER edi\r\nFEAT\r\nOPTS UTF8 ON\r\nTYPE I\r\nCWD /in\r\nPWD\r\n");
    CHECK(talk.want == Dialogue::Want::done);
    CHECK(talk.dialogue.features().mlst);
    CHECK(talk.dialogue.features().mfmt);
    CHECK(talk.dialogue.directory() == "/home/in");
}
