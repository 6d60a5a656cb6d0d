// SPDX-License-Identifier: Apache-2.0
#include "telnet/transcript.hpp"

#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace qconn;
using telnet::Transcript;

namespace {

struct Scene {
    explicit Scene(std::size_t size) : transcript{dialogue, size} { dialogue->add_secret(Secret{std::string{"hush-hush"}}); }
    std::vector<std::string> lines;
    const std::shared_ptr<net::DialogueLog> dialogue = std::make_shared<net::DialogueLog>(
        net::DialogueLog::Options{"telnet", "box", false, false,
                                  [this](const DialogueLine& line) { lines.push_back(std::string{line.mark()} + std::string{line.text}); }},
        Log{LogLevel::off, {}});
    Transcript transcript;
};

}  // namespace

TEST_CASE("a transcript keeps the last of what was said, without secrets", "[telnet]") {
    Scene scene{100};
    Transcript& log = scene.transcript;
    log.received("login: ");
    log.sent("edi\n", true);
    log.received("echoed hush-");  // in two pieces
    log.received("hush\nPassword: ");
    log.sent_secret(true);
    CHECK(log.text() == "login: edi\nechoed <masked>\nPassword: <masked>\n");
    log.sent("not shown, as it is echoed\n", false);
    CHECK(log.text().find("not shown") == std::string::npos);
    for (int i = 0; i < 1'000; ++i) log.received("hush-hush line " + std::to_string(i) + "\n");
    CHECK(log.text().size() <= 100);
    CHECK(log.text().ends_with("<masked> line 999\n"));
    CHECK(log.text().find("hush") == std::string::npos);
    CHECK(Scene{0}.transcript.text().empty());
    CHECK(scene.lines.empty());  // of no session
}

TEST_CASE("lines are told whole, what is asked before it is answered", "[telnet]") {
    Scene scene{0};
    Transcript& log = scene.transcript;
    const net::SessionLog session = log.begin_session();
    log.received("one\ntw");
    log.received("o hush-");
    log.received("hush\nlogin: ");
    log.sent("edi\n", true);
    log.sent_secret(false);
    session.noted("< WILL ECHO");
    CHECK(scene.lines == std::vector<std::string>{"< one", "< two <masked>", "< login: ", "> edi", "> <masked>", "* < WILL ECHO"});
}

TEST_CASE("of a line that does not end no part of a secret is told", "[telnet]") {
    for (std::size_t before = 4'080; before < 4'100; ++before) {
        Scene scene{0};
        scene.transcript.begin_session();
        const std::string line = std::string(before, 'x') + "hush-hush" + std::string(100'000, 'y');
        for (std::size_t at = 0; at < line.size(); at += 7) scene.transcript.received(std::string_view{line}.substr(at, 7));
        CHECK(scene.lines.empty());
        scene.transcript.received("\nnext\n");
        REQUIRE(scene.lines.size() == 2);
        CHECK(scene.lines[0].size() <= 4'096 + std::string_view{"< …"}.size());
        CHECK(scene.lines[0].find("hus") == std::string::npos);
        CHECK(scene.lines[1] == "< next");
    }
}
