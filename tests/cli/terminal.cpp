// SPDX-License-Identifier: Apache-2.0
// What a person at a terminal sees.
#include <csignal>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"

using namespace qconn::test;

namespace {

Launch at_terminal(const Estate& estate, std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    environment.emplace_back("TERM=xterm");
    Launch launch = estate.launch(std::move(arguments), std::move(environment));
    launch.terminal = true;
    return launch;
}

}  // namespace

TEST_CASE("on a terminal there are colours, --no-colour and NO_COLOR switch them off", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());

    CHECK(has(Process{at_terminal(estate, {"list"})}.finish().out, "\x1b[32mok"));
    CHECK_FALSE(has(Process{at_terminal(estate, {"list", "--no-colour"})}.finish().out, "\x1b["));
    CHECK_FALSE(has(Process{at_terminal(estate, {"list"}, {"NO_COLOR=1"})}.finish().out, "\x1b["));
}

TEST_CASE("monitor shows a table, what needs attention first, and leaves the screen as it was", "[cli][integration]") {
    const Estate estate;
    estate.add("a-files", "file://" + estate.directory.path());
    estate.add("z-dead", "http://127.0.0.1:" + std::to_string(free_port()));
    Process process{at_terminal(estate, {"monitor", "--interval", "100ms", "--no-colour"})};

    CHECK(process.wait_for("\x1b[?1049h"));
    CHECK(process.wait_for("2 connections: 1 down, 1 up"));
    const std::string& text = process.pending();
    const auto table = text.rfind("NAME");
    REQUIRE(table != std::string::npos);
    process.signal(SIGINT);
    const Outcome outcome = process.finish();

    CHECK(outcome.code == 0);
    const auto left = outcome.out.rfind("\x1b[?1049l");
    REQUIRE(left != std::string::npos);
    CHECK(has(outcome.out.substr(left), "watched 2 connections: 1 down, 1 up"));
    const std::string last = outcome.out.substr(outcome.out.rfind("\x1b[H"));
    CHECK(last.find("z-dead") < last.find("a-files"));
    CHECK(has(last, "refused"));
}

TEST_CASE("Ctrl-C at the terminal ends monitor", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    Process process{{"/bin/sh",
                     {"-c", std::string{QCONN_TOOL} + " monitor --interval 100ms --no-colour; echo code $?"},
                     {"TERM=xterm"},
                     estate.directory.path(),
                     true}};
    CHECK(process.wait_for("1 connection: 1 up"));

    process.type("\x03");

    CHECK(process.wait_for("watched 1 connection: "));
}
