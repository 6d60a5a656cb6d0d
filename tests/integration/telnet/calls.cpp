// SPDX-License-Identifier: Apache-2.0
// Both forms of calls: their order, their ends.
#include <qconn/telnet/telnet_client.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("the asynchronous forms do what the blocking ones do", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    Outcomes<std::string> texts;
    Outcomes<void> nothing;
    Outcomes<TelnetMatch> matches;
    Outcomes<std::uint64_t> sizes;
    std::string got;
    const auto sink = function_sink([&got](std::string_view piece) { got += piece; });

    // All at once: they are carried out in their order.
    client.async_login(20s, texts.callback());
    client.async_run("show version", 20s, texts.callback());
    client.async_run("show version", sink, 20s, sizes.callback());
    client.async_send_line("ask", 20s, nothing.callback());
    client.async_expect({TelnetPattern::literal("[y/n] ")}, 20s, matches.callback());
    client.async_send("n\n", 20s, nothing.callback());
    client.async_expect({"switch>"}, 20s, matches.callback());
    client.async_read(20s, texts.callback());
    client.async_close(20s, nothing.callback());

    REQUIRE(nothing.wait(3));
    REQUIRE(texts.wait(3));
    REQUIRE(matches.wait(2));
    REQUIRE(sizes.wait(1));
    for (const auto& one : nothing.results()) CHECK(one);
    const std::string version = "Switch Software, Version 12.2\n  uptime is 3 weeks\n";
    CHECK(has(*texts.results()[0], "Username:"));
    CHECK(*texts.results()[1] == version);
    CHECK(texts.results()[2]->empty());
    CHECK(*sizes.results()[0] == version.size());
    CHECK(got == version);
    CHECK(matches.results()[1]->before == "n\ngiven up\n");
    CHECK_FALSE(client.session().is_open);
}

TEST_CASE("calls of several threads are carried out whole, one after the other", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i) {
        threads.emplace_back([&client, &good, i] {
            for (int n = 0; n < 5; ++n) {
                const std::string word = "word" + std::to_string(i) + "-" + std::to_string(n);
                if (client.run("printf " + word, 60s) == word) ++good;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(good == 30);
}

TEST_CASE("a call that is cancelled ends at once, and so does one that waits for its turn", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    client.login(20s);
    Outcomes<std::string> first;
    Outcomes<std::string> second;
    Operation running = client.async_run("hang", 60s, first.callback());
    Operation waiting = client.async_run("show version", 60s, second.callback());

    waiting.cancel();
    REQUIRE(second.wait(1));
    CHECK(second.results()[0].error().name() == "CANCELLED");
    CHECK(first.count() == 0);
    running.cancel();
    REQUIRE(first.wait(1));
    CHECK(first.results()[0].error().name() == "CANCELLED");
}

TEST_CASE("destroying a client ends its calls as cancelled, of both forms", "[telnet][integration]") {
    auto client = std::make_unique<TelnetClient>(telnet_options(device()));
    client->login(20s);
    Outcomes<std::string> outcomes;
    client->async_run("hang", 60s, outcomes.callback());
    REQUIRE(wait_until([&] { return has(client->transcript(), "hang\n"); }));
    std::string name;
    TelnetClient* used = client.get();
    std::thread blocked{[&] { name = error_of([&] { used->run("show version", 60s); }).name(); }};
    std::this_thread::sleep_for(100ms);

    client.reset();

    blocked.join();
    CHECK(name == "CANCELLED");
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results()[0].error().name() == "CANCELLED");
}

TEST_CASE("a blocking call on an I/O thread is refused, and a command with line breaks too", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    Outcomes<std::string> names;
    client.async_login(20s, [&client, tell = names.callback()](Result<std::string>) mutable {
        tell(std::string{error_of([&] { client.run("show version", 1s); }).name()});
    });
    REQUIRE(names.wait(1));
    CHECK(*names.results()[0] == "INVALID-ARGUMENT");
    CHECK(error_of([&] { client.run("two\nlines", 5s); }).name() == "INVALID-ARGUMENT");
}

TEST_CASE("what a sink throws ends the call", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    const auto sink = function_sink([](std::string_view) { throw std::runtime_error{"the disk is full"}; });
    const Error error = error_of([&] { client.run("show version", *sink, 20s); });
    CHECK(says(error, "the disk is full"));
    CHECK(client.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
}
