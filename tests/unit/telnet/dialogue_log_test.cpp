// SPDX-License-Identifier: Apache-2.0
#include "telnet/dialogue_log.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace qconn;
using telnet::DialogueLog;

TEST_CASE("a transcript keeps the last of what was said, without secrets", "[telnet]") {
    DialogueLog log{"box", 100, false, false, Log{LogLevel::off, {}}};
    log.add_secret(Secret{std::string{"hush-hush"}});
    log.received("login: ");
    log.sent("edi\n", true);
    log.received("echoed hush-");  // in two pieces
    log.received("hush\nPassword: ");
    log.sent_secret(true);
    CHECK(log.transcript() == "login: edi\nechoed <masked>\nPassword: <masked>\n");
    log.sent("not shown, as it is echoed\n", false);
    CHECK(log.transcript().find("not shown") == std::string::npos);
    for (int i = 0; i < 1'000; ++i) log.received("hush-hush line " + std::to_string(i) + "\n");
    const std::string transcript = log.transcript();
    CHECK(transcript.size() <= 100);
    CHECK(transcript.ends_with("<masked> line 999\n"));
    CHECK(transcript.find("hush") == std::string::npos);
    CHECK(DialogueLog{"box", 0, false, false, Log{LogLevel::off, {}}}.transcript().empty());
}

TEST_CASE("lines are logged whole, what is asked before it is answered", "[telnet]") {
    std::vector<std::string> lines;
    const Log to{LogLevel::debug, [&](const LogRecord& record) { lines.push_back(std::string{record.connection} + " " + std::string{record.text}); }};
    DialogueLog log{"box", 0, true, true, to};
    log.add_secret(Secret{std::string{"hush-hush"}});
    log.received("one\ntw");
    log.received("o hush-");
    log.received("hush\nlogin: ");
    log.sent("edi\n", true);
    log.sent_secret(false);
    log.noted("< WILL ECHO");
    log.told("telnet-logged-in", "logged in as edi");
    CHECK(lines == std::vector<std::string>{"box < one", "box < two <masked>", "box < login: ", "box > edi", "box > <masked>", "box * < WILL ECHO",
                                            "box logged in as edi"});
    lines.clear();
    DialogueLog silent{"box", 0, false, false, to};
    silent.received("x\n");
    silent.sent("x\n", true);
    silent.told("x", "x");
    CHECK(lines.empty());
}
