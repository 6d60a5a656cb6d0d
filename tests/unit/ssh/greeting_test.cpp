// SPDX-License-Identifier: Apache-2.0
#include "ssh/greeting.hpp"

#include <string>

#include "support/catch.hpp"

using namespace qconn;
using Want = Dialogue::Want;

namespace {

/// Feeds it in pieces of that size; what is not used is offered again.
Dialogue::Step talk(const std::string& text, std::size_t piece, bool closed = false) {
    const auto greeting = ssh::make_greeting();
    std::string out;
    Dialogue::Step step = greeting->begin(out);
    CHECK(out == "SSH-2.0-qconn\r\n");
    std::string input;
    for (std::size_t at = 0; at < text.size() && step.want == Want::read; at += piece) {
        input += text.substr(at, piece);
        step = greeting->feed(input, false, out);
        input.erase(0, step.used);
    }
    if (closed && step.want == Want::read) step = greeting->feed(input, true, out);
    return step;
}

}  // namespace

TEST_CASE("a greeting is found, whole or in pieces, also behind other lines", "[ssh]") {
    for (std::size_t piece = 1; piece < 40; ++piece) {
        CHECK(talk("SSH-2.0-OpenSSH_9.2\r\n", piece).want == Want::done);
        CHECK(talk("hello\r\nworld\nSSH-1.99-x\nrest", piece).want == Want::done);
        CHECK(talk("SSH-2.0-OpenSSH_9.2", piece).want == Want::read);
    }
}

TEST_CASE("what is no greeting fails, with a reason", "[ssh]") {
    CHECK(talk("SSH-1.5-old\r\n", 100).error->reason() == Reason::unsupported);
    CHECK(talk("220 smtp ready\r\n", 100, true).error->reason() == Reason::closed);
    CHECK(talk(std::string(20'000, 'x'), 1000).error->reason() == Reason::bad_answer);
    std::string lines;
    for (int i = 0; i < 5000; ++i) lines += "line\r\n";
    CHECK(talk(lines, 1000).error->reason() == Reason::bad_answer);
    CHECK(talk("", 1, true).error->phase() == Phase::protocol);
}

TEST_CASE("what a server greets with is shown on one line", "[ssh]") {
    const auto greeting = ssh::make_greeting();
    std::string out;
    greeting->begin(out);
    greeting->feed("SSH-2.0-\x1b[31mred\n", false, out);
    CHECK(greeting->evidence() == "SSH-2.0-\\x1b[31mred");
}
