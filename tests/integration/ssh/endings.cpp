// SPDX-License-Identifier: Apache-2.0
// Commands that do not come to their end: deadlines, cancellation, servers that go.
#include <signal.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "integration/ssh/ssh_fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/free_port.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_enough = 30s;

SshCommand command_of(std::string text) {
    SshCommand command;
    command.command = std::move(text);
    return command;
}

}  // namespace

TEST_CASE("a server that refuses is told as any other", "[ssh][integration]") {
    SshOptions options = options_for(shared_sshd());
    options.port = free_port();
    const Error error = error_of([&] { SshClient{options}.run("true", k_enough); });
    CHECK(error.phase() == Phase::connect);
    CHECK(error.reason() == Reason::refused);
    CHECK(error.connection() == "drop");
}

TEST_CASE("a server that never speaks ends with the deadline, or with the time of the connection", "[ssh][integration]") {
    const SilentServer silent;
    SshOptions options = options_for(shared_sshd());
    options.port = silent.port();
    {
        SshClient client{options};
        const auto begun = Clock::now();
        const Error error = error_of([&] { client.run("true", 500ms); });
        CHECK(error.name() == "TIMEOUT");
        CHECK(error.phase() == Phase::protocol);
        CHECK(error.reason() == Reason::timeout);
        CHECK(std::string{error.message()}.find("greeting") != std::string::npos);
        CHECK(Clock::now() - begun < 5s);
    }
    options.connect_timeout = 400ms;
    SshClient client{options};
    const Error error = error_of([&] { client.run("true", k_enough); });
    CHECK(error.name() == "TIMEOUT");
    CHECK(error.phase() == Phase::protocol);
}

TEST_CASE("a command ends with its deadline, and the session serves the next", "[ssh][integration]") {
    SshClient client{options_for(shared_sshd())};
    client.connect(k_enough);
    const auto begun = Clock::now();
    const Error error = error_of([&] { client.run("sleep 60", 500ms); });
    CHECK(error.name() == "TIMEOUT");
    CHECK(Clock::now() - begun < 5s);
    CHECK(client.run("echo on", k_enough).output == "on\n");
}

TEST_CASE("a cancelled command ends at once, and its channel is closed", "[ssh][integration]") {
    SshClient client{options_for(shared_sshd())};
    client.connect(k_enough);
    for (int i = 0; i < 25; ++i) {  // more than the server has places for
        Outcomes<SshResult> outcomes;
        Operation operation = client.async_run(command_of("cat /dev/zero"), {}, outcomes.callback());
        if (i % 2 == 0) std::this_thread::sleep_for(20ms);
        operation.cancel();
        REQUIRE(outcomes.wait(1));
        CHECK(outcomes.results().front().error().name() == "CANCELLED");
        CHECK(operation.done());
    }
    CHECK(client.run("echo on", k_enough).output == "on\n");
}

TEST_CASE("a client that goes ends its calls as cancelled", "[ssh][integration]") {
    auto client = std::make_unique<SshClient>(options_for(shared_sshd()));
    client->connect(k_enough);
    Outcomes<SshResult> outcomes;
    client->async_run(command_of("sleep 60"), {}, outcomes.callback());
    SshCommand flood = command_of("cat /dev/zero");
    flood.output = function_sink([](std::string_view) {});
    client->async_run(flood, {}, outcomes.callback());
    std::this_thread::sleep_for(200ms);
    client.reset();
    REQUIRE(outcomes.wait(2));
    for (const auto& result : outcomes.results()) CHECK(result.error().name() == "CANCELLED");
}

TEST_CASE("a server that is killed breaks the command, and the next call logs in anew", "[ssh][integration]") {
    Server server{"sshd", sshd_options()};
    SshClient client{options_for(server)};
    Outcomes<SshResult> outcomes;
    client.async_run(command_of("sleep 60"), {}, outcomes.callback());
    SshCommand flood = command_of("cat /dev/zero");
    const auto bytes = std::make_shared<std::atomic<std::size_t>>(0);
    flood.output = function_sink([bytes](std::string_view piece) { *bytes += piece.size(); });
    client.async_run(flood, {}, outcomes.callback());
    REQUIRE(wait_until([&] { return *bytes > 1'000'000; }));
    kill_all(server);
    REQUIRE(outcomes.wait(2));
    for (const auto& result : outcomes.results()) {
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error().name() == "SSH-SESSION-ERROR");
        CHECK((result.error().reason() == Reason::closed || result.error().reason() == Reason::reset));
        CHECK(result.error().connection() == "drop");
    }
    CHECK(error_of([&] { client.run("true", k_enough); }).reason() == Reason::refused);
    server.start();
    CHECK(client.run("echo on", k_enough).output == "on\n");
}

TEST_CASE("a session that died while nobody used it is replaced by the call that finds it so", "[ssh][integration]") {
    Server server{"sshd", sshd_options()};
    SshClient client{options_for(server)};
    for (int i = 0; i < 3; ++i) {
        CHECK(client.run("echo on", k_enough).output == "on\n");
        kill_all(server);
        server.start();
    }
}

TEST_CASE("a frozen server ends calls with their deadline, and the session by its signs of life", "[ssh][integration]") {
    Server server{"sshd", sshd_options()};
    SshOptions options = options_for(server);
    options.keep_alive = 500ms;
    options.connect_timeout = 2s;
    SshClient client{options};
    client.connect(k_enough);
    std::this_thread::sleep_for(1700ms);  // answered signs of life do no harm
    CHECK(client.run("echo on", k_enough).output == "on\n");
    Outcomes<SshResult> outcomes;
    client.async_run(command_of("sleep 60"), {}, outcomes.callback());
    std::this_thread::sleep_for(500ms);
    server.freeze();
    signal_sessions(server, SIGSTOP);

    const Error timed_out = error_of([&] { client.run("true", 300ms); });
    const auto begun = Clock::now();
    REQUIRE(outcomes.wait(1));
    const Error dead = error_of([&] { client.run("sleep 1", k_enough); });
    const auto took = Clock::now() - begun;
    signal_sessions(server, SIGCONT);
    server.thaw();

    CHECK(timed_out.name() == "TIMEOUT");
    CHECK(took < 10s);
    CHECK(dead.reason() == Reason::timeout);
    CHECK(outcomes.results().front().error().name() == "SSH-SESSION-ERROR");
    CHECK(outcomes.results().front().error().reason() == Reason::timeout);
    CHECK(client.run("echo on", k_enough).output == "on\n");
}

TEST_CASE("a session that is not used is given up after its time", "[ssh][integration]") {
    SshOptions options = options_for(shared_sshd());
    options.max_idle = 300ms;
    SshClient client{options};
    client.connect(k_enough);
    const std::size_t open = open_descriptors();
    CHECK(wait_until([&] { return open_descriptors() < open; }, 10s));
    CHECK(client.run("sleep 1; echo on", k_enough).output == "on\n");
}

TEST_CASE("nothing is left of clients", "[ssh][integration]") {
    const Runtime runtime;
    const auto use = [&](SshOptions options) {
        SshClient client{std::move(options), runtime};
        try {
            client.run("true", 2s);
        } catch (const Error&) {}
    };
    SshOptions refused = options_for(shared_sshd());
    refused.port = free_port();  // keeps a descriptor of the test's own
    use(options_for(shared_sshd()));
    const std::size_t open = open_descriptors();
    CAPTURE(list_descriptors());
    SshOptions wrong = options_for(shared_sshd());
    wrong.password = Secret{"wrong"};
    SshOptions unknown = options_for(shared_sshd());
    unknown.known_hosts = {"/dev/null"};
    for (int i = 0; i < 3; ++i) {
        for (const SshOptions& options : {options_for(shared_sshd()), wrong, refused, unknown}) use(options);
    }
    const bool all_closed = wait_until([&] { return open_descriptors() <= open; }, 10s);
    CAPTURE(list_descriptors());
    CHECK(all_closed);
}

TEST_CASE("a blocking call on an I/O thread is refused", "[ssh][integration]") {
    const Runtime runtime;
    SshClient client{options_for(shared_sshd()), runtime};
    Outcomes<std::string> outcomes;
    auto tell = std::make_shared<Callback<std::string>>(outcomes.callback());
    runtime.post([&client, tell] { (*tell)(std::string{error_of([&] { client.run("true"); }).name()}); });
    REQUIRE(outcomes.wait(1));
    CHECK(*outcomes.results().front() == "INVALID-ARGUMENT");
}
