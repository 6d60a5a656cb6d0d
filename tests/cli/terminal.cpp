// SPDX-License-Identifier: Apache-2.0
// What a person at a terminal sees.
#include <algorithm>
#include <csignal>
#include <filesystem>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"

using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

Launch at_terminal(const Estate& estate, std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    environment.emplace_back("TERM=xterm");
    Launch launch = estate.launch(std::move(arguments), std::move(environment));
    launch.terminal = true;
    return launch;
}

/// A script of bash at a terminal, for which qconn is the tool.
Launch at_shell(const Estate& estate, const std::string& script) {
    const std::string path = "PATH=" + std::filesystem::path{QCONN_TOOL}.parent_path().string() + ":/usr/bin:/bin";
    return {"/bin/bash", {"--norc", "-c", script}, {"TERM=xterm", path}, estate.directory.path(), true};
}

/// What the screen showed at the end.
std::string last_frame(const std::string& out) { return out.substr(out.rfind("\x1b[H"), out.rfind("\x1b[J") - out.rfind("\x1b[H")); }

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
    const std::string last = last_frame(outcome.out);
    CHECK(last.find("z-dead") < last.find("a-files"));
    CHECK(has(last, "connect, refused"));
    CHECK(has(last, "do: The host answers but nothing listens on this port"));
}

TEST_CASE("q ends monitor, and the terminal is as it was", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    Process process{at_shell(estate, "qconn monitor --interval 100ms --no-colour; echo code $?; read -r line; echo got $line")};
    CHECK(process.wait_for("1 connection: 1 up"));
    CHECK_FALSE(process.in_line_mode());

    process.type("xq");

    CHECK(process.wait_for("code 0"));
    CHECK(process.in_line_mode());
    CHECK(has(process.pending(), "\x1b[?25h\x1b[?1049l"));
    CHECK(has(process.pending(), "watched 1 connection: 1 up"));
    process.type("mine\n");
    CHECK(process.wait_for("got mine"));
}

TEST_CASE("p pings all that is down without waiting for its time", "[cli][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("shop", "http://" + nginx.address());
    nginx.stop();
    Process process{at_terminal(estate, {"monitor", "--interval", "1h", "--fast", "100ms", "--no-colour"})};
    CHECK(process.wait_for("q ends"));
    process.type("p");
    CHECK(process.wait_for("1 connection: 1 down", 60s));
    nginx.start();

    process.type("p");

    CHECK(process.wait_for("1 connection: 1 up"));
    CHECK(process.wait_for("pinged 1 that were down"));
    process.type("q");
    CHECK(process.finish().code == 0);
}

TEST_CASE("whatever signal ends monitor, the terminal is as it was", "[cli][integration]") {
    const int signal = GENERATE(SIGINT, SIGTERM, SIGQUIT);
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    Process process{at_terminal(estate, {"monitor", "--interval", "100ms", "--no-colour"})};
    CHECK(process.wait_for("1 connection: 1 up"));
    CHECK_FALSE(process.in_line_mode());

    process.signal(signal);

    CHECK(process.wait_for("watched 1 connection: "));
    CHECK(process.wait_for("\x1b[?25h\x1b[?1049l"));
    CHECK(process.finish().code == 0);
}

TEST_CASE("Ctrl-Z gives the terminal back, fg shows the screen again", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    Process process{at_shell(estate, "set -m; qconn monitor --interval 100ms --no-colour; echo stopped; read -r line; fg; echo code $?")};
    CHECK(process.wait_for("1 connection: 1 up"));

    process.type("\x1a");
    CHECK(process.wait_for("stopped\r\n"));
    CHECK(process.in_line_mode());
    const std::string before = process.take();
    CHECK(before.rfind("\x1b[?1049l") > before.rfind("\x1b[?1049h"));
    process.type("\n");
    CHECK(process.wait_for("\x1b[?1049h"));
    CHECK(process.wait_for("1 connection: 1 up"));

    process.type("q");
    CHECK(process.wait_for("code 0"));
    CHECK(process.in_line_mode());
}

TEST_CASE("the screen follows the size of the terminal", "[cli][integration]") {
    const Estate estate;
    for (int i = 0; i < 30; ++i) estate.add("files-" + std::to_string(i), "file://" + estate.directory.path());
    Process process{at_terminal(estate, {"monitor", "--interval", "100ms", "--no-colour"})};
    CHECK(process.wait_for("30 connections: 30 up"));
    process.take();

    process.resize(6, 30);

    CHECK(process.wait_for("... and 29 more"));
    const Outcome outcome = [&] {
        process.type("q");
        return process.finish();
    }();
    const std::string last = last_frame(outcome.out);
    CHECK(std::count(last.begin(), last.end(), '\n') <= 6);
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
