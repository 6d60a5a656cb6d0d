// SPDX-License-Identifier: Apache-2.0
// Commands: what they read, write and end with.
#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <qconn/base/byte_stream.hpp>

#include "integration/ssh/ssh_fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_enough = 30s;

SshResult run(const SshCommand& command) { return SshClient{options_for(shared_sshd())}.run(command, k_enough); }
SshResult run(const std::string& text) {
    SshCommand command;
    command.command = text;
    return run(command);
}

/// Counts, and looks whether every byte is the same.
struct Counted {
    std::size_t bytes{0};
    bool zeros{true};
    std::shared_ptr<ByteSink> sink() {
        return function_sink([this](std::string_view piece) {
            bytes += piece.size();
            zeros = zeros && std::all_of(piece.begin(), piece.end(), [](char c) { return c == '\0'; });
        });
    }
};

}  // namespace

TEST_CASE("a command gives its output, its errors and its status", "[ssh][integration]") {
    const SshResult result = run("echo out; echo err >&2; exit 3");
    CHECK(result.output == "out\n");
    CHECK(result.errors == "err\n");
    CHECK(result.status == 3);
    CHECK(result.signal.empty());
    CHECK_FALSE(result.ok());
    CHECK(run("true").ok());
    CHECK(run("exit 255").status == 255);
    CHECK(run("no-such-command-at-all").status == 127);
}

TEST_CASE("a signal that ends a command is told", "[ssh][integration]") {
    const SshResult result = run("kill -TERM $$");
    CHECK_FALSE(result.status.has_value());
    CHECK(result.signal == "TERM");
    CHECK_FALSE(result.ok());
    CHECK(run("kill -KILL $$").signal == "KILL");
}

TEST_CASE("a command reads what it is given, and its end", "[ssh][integration]") {
    SshCommand command;
    command.command = "cat";
    command.input = text_source("some words\n");
    CHECK(run(command).output == "some words\n");
    CHECK(run("cat").output.empty());  // its input ends at once

    std::string large(20'000'000, 'x');
    for (std::size_t i = 0; i < large.size(); i += 997) large[i] = static_cast<char>('a' + i % 26);
    command.input = text_source(large);
    const std::string back = run(command).output;
    CHECK(back.size() == large.size());
    CHECK((back == large));
    command.command = "head -c 10";  // which does not read all
    command.input = text_source(large);
    CHECK(run(command).output == large.substr(0, 10));
}

TEST_CASE("100 MB of output pass through a sink", "[ssh][integration]") {
    Counted counted;
    SshCommand command;
    command.command = "head -c 100000000 /dev/zero; echo done >&2";
    command.output = counted.sink();
    const SshResult result = run(command);
    CHECK(counted.bytes == 100'000'000);
    CHECK(counted.zeros);
    CHECK(result.output.empty());
    CHECK(result.errors == "done\n");
    CHECK(result.ok());
}

TEST_CASE("a sink that is slow loses nothing", "[ssh][integration]") {
    std::size_t bytes = 0;
    SshCommand command;
    command.command = "head -c 20000000 /dev/zero";
    command.output = function_sink([&](std::string_view piece) {
        bytes += piece.size();
        std::this_thread::sleep_for(2ms);
    });
    CHECK(run(command).ok());
    CHECK(bytes == 20'000'000);
}

TEST_CASE("more output than is allowed is an error, and the session stays", "[ssh][integration]") {
    SshClient client{options_for(shared_sshd())};
    SshCommand command;
    command.command = "head -c 1000000 /dev/zero";
    command.max_output = 999'999;
    const Error error = error_of([&] { client.run(command, k_enough); });
    CHECK(error.name() == "SSH-LIMIT-ERROR");
    CHECK(error.reason() == Reason::limit);
    command.max_output = 1'000'000;
    CHECK(client.run(command, k_enough).output.size() == 1'000'000);
}

TEST_CASE("variables of the environment are set where the server takes them", "[ssh][integration]") {
    SshCommand command;
    command.command = "echo $LC_QCONN,$OTHER";
    command.environment = {{"LC_QCONN", "one two"}, {"OTHER", "x"}};
    const SshResult result = run(command);
    CHECK(result.output == "one two,\n");
    CHECK(result.refused_environment == std::vector<std::string>{"OTHER"});
}

TEST_CASE("what source and sink throw ends the command, as it is", "[ssh][integration]") {
    SshClient client{options_for(shared_sshd())};
    SshCommand command;
    command.command = "yes";
    command.output = function_sink([](std::string_view) { throw std::runtime_error{"the disk is gone"}; });
    Error error = error_of([&] { client.run(command, k_enough); });
    CHECK(error.name() == "SSH-STREAM-ERROR");
    CHECK(std::string{error.message()}.find("the disk is gone") != std::string::npos);

    command = {};
    command.command = "cat";
    command.input = function_source([](char*, std::size_t) -> std::size_t { throw make_error(Errc::limit, "own words"); });
    error = error_of([&] { client.run(command, k_enough); });
    CHECK(error.name() == "LIMIT-EXCEEDED");
    Outcomes<SshResult> outcomes;
    client.async_run(command, k_enough, outcomes.callback());
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results().front().error().name() == "LIMIT-EXCEEDED");
    CHECK(client.run("echo on", k_enough).output == "on\n");
}

TEST_CASE("several commands run beside each other in one session", "[ssh][integration]") {
    const Server& server = shared_sshd();
    SshClient client{options_for(server)};
    client.connect(k_enough);
    const auto logins = [&] { return count_in(server.log(), "Accepted password"); };
    const std::size_t before = logins();
    Outcomes<SshResult> outcomes;
    const auto begun = Clock::now();
    for (int i = 0; i < 8; ++i) {
        SshCommand command;
        command.command = "sleep 3; echo " + std::to_string(i) + "; head -c 3000000 /dev/zero";
        client.async_run(std::move(command), k_enough, outcomes.callback());
    }
    REQUIRE(outcomes.wait(8));
    CHECK(Clock::now() - begun < 20s);
    std::size_t bytes = 0;
    for (const auto& result : outcomes.results()) bytes += result ? result->output.size() : 0;
    CHECK(bytes == 8 * 3'000'002);
    CHECK(logins() == before);
}

TEST_CASE("a server without a place for a channel says so, and the next call is served", "[ssh][integration]") {
    const Server server{"sshd", sshd_options({"SSHD_OPTIONS=MaxSessions 1"})};
    SshClient client{options_for(server)};
    Outcomes<SshResult> outcomes;
    SshCommand command;
    command.command = "sleep 1";
    client.async_run(command, k_enough, outcomes.callback());
    client.connect(k_enough);
    const Error error = error_of([&] {
        std::this_thread::sleep_for(300ms);
        client.run("true", k_enough);
    });
    CHECK(error.name() == "SSH-CHANNEL-ERROR");
    CHECK(std::string{error.message()}.find("MaxSessions") != std::string::npos);
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results().front().has_value());
    CHECK(client.run("echo on", k_enough).output == "on\n");
}

TEST_CASE("a quoted word reaches a command as it is", "[ssh][integration]") {
    const std::string word = "it's $HOME `id` \"x\" \\ * \t;\n&";
    CHECK(run("printf %s " + ssh_quote(word)).output == word);
    CHECK(run("printf %s " + ssh_quote("")).output.empty());
}

TEST_CASE("check() opens a channel and leaves nothing behind", "[ssh][integration]") {
    SshClient client{options_for(shared_sshd())};
    for (int i = 0; i < 30; ++i) client.check(k_enough);  // the server has places for 20
    CHECK(client.run("echo on", k_enough).output == "on\n");
}
