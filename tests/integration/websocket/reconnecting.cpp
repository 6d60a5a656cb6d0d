// SPDX-License-Identifier: Apache-2.0
// Connections that are made anew, and what is told of that.
#include <qconn/testing/fault_proxy.hpp>

#include <atomic>
#include <thread>

#include "integration/websocket/fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

WebSocketOptions reconnecting(const std::string& path) {
    WebSocketOptions options = to(raw_server(), path);
    options.reconnect = {true, 20ms, 100ms, 0};
    return options;
}

void note_events(WebSocketOptions& options, Lines& events) {
    options.handlers.on_event = [&events](const WebSocketEvent& event) {
        using What = WebSocketEvent::What;
        if (event.what == What::open) events.add("open");
        if (event.what == What::closed) events.add("closed " + std::to_string(event.close->code));
        if (event.what == What::reconnect) events.add("reconnect");
        if (event.what == What::gave_up) events.add("gave up");
    };
}

}  // namespace

TEST_CASE("a connection that broke is made anew, and the set-up goes first on each", "[websocket][integration]") {
    Lines events;
    Lines setups;
    WebSocketOptions options = reconnecting("/do/counts");
    note_events(options, events);
    options.handlers.on_setup = [&](WebSocketSetup& setup) {
        setups.add(setup.is_first() ? "first" : "again");
        setup.send("subscribe");
    };
    WebSocketClient client{options};
    for (int round = 0; round < 5; ++round) {
        client.send("hello", k_limit);
        CHECK(client.receive(k_limit).data == "1:subscribe");
        CHECK(client.receive(k_limit).data == "2:hello");
        client.send("cut", k_limit);
        const std::size_t wanted = 1 + 3 * (static_cast<std::size_t>(round) + 1);
        REQUIRE(events.wait(wanted));  // open, closed, reconnect, open …
    }
    CHECK(setups.all().front() == "first");
    CHECK(setups.all().back() == "again");
    const auto seen = events.all();
    REQUIRE(seen.size() >= 6);
    CHECK(std::vector<std::string>(seen.begin(), seen.begin() + 5) ==
          std::vector<std::string>{"open", "closed 1006", "reconnect", "open", "closed 1006"});
    CHECK(client.close(1000, {}, k_limit).clean);
    std::this_thread::sleep_for(150ms);
    CHECK_FALSE(client.is_open());
}

TEST_CASE("who receives waits on over a reconnect, and messages for the time between wait for the next connection", "[websocket][integration]") {
    Server server{"websocket"};
    WebSocketOptions options = to(server);
    options.reconnect = {true, 20ms, 100ms, 0};
    WebSocketClient client{options};
    client.connect(k_limit);
    Outcomes<WebSocketMessage> received;
    client.async_receive({}, received.callback());
    server.kill();
    REQUIRE(wait_until([&] { return !client.is_open(); }));
    Outcomes<void> sent;
    client.async_send(WebSocketKind::text, "in between", {}, sent.callback());
    std::this_thread::sleep_for(100ms);
    CHECK(sent.count() == 0);
    server.start();
    REQUIRE(received.wait(1));
    CHECK(received.results()[0].value().data == "in between");
    CHECK(sent.results()[0].has_value());
}

TEST_CASE("after so many tries in a row it gives up, and says why", "[websocket][integration]") {
    Lines events;
    Server server{"websocket"};
    WebSocketOptions options = to(server);
    options.reconnect = {true, 10ms, 20ms, 3};
    note_events(options, events);
    WebSocketClient client{options};
    client.connect(k_limit);
    Outcomes<WebSocketMessage> received;
    client.async_receive({}, received.callback());
    server.stop();
    REQUIRE(received.wait(1));
    CHECK(received.results()[0].error().phase() == Phase::connect);
    CHECK(events.all() == std::vector<std::string>{"open", events.all()[1], "reconnect", "reconnect", "reconnect", "gave up"});
}

TEST_CASE("a first connection that cannot be made is an error at once", "[websocket][integration]") {
    WebSocketOptions options = reconnecting("/hs/ok");
    WebSocketClient client{options};
    CHECK(error_of([&] { client.connect(k_limit); }).name() == "WEBSOCKET-ERROR");
    CHECK(error_of([&] { client.send("x", k_limit); }).name() == "WEBSOCKET-ERROR");
    CHECK(error_of([&] { client.receive(k_limit); }).name() == "WEBSOCKET-ERROR");
}

TEST_CASE("without reconnecting a break is told once, and the next call connects anew", "[websocket][integration]") {
    WebSocketClient client{to(raw_server(), "/do/counts")};
    client.send("cut", k_limit);
    REQUIRE(wait_until([&] { return !client.is_open(); }));
    CHECK(error_of([&] { client.receive(k_limit); }).name() == "WEBSOCKET-CLOSED");
    client.send("hello", k_limit);
    CHECK(client.receive(k_limit).data == "1:hello");
}

TEST_CASE("a set-up that fails ends the connection, and its words are in the error", "[websocket][integration]") {
    WebSocketOptions options = to(python_server());
    options.handlers.on_setup = [](WebSocketSetup&) { throw std::runtime_error{"nothing to subscribe to"}; };
    WebSocketClient client{options};
    const Error error = error_of([&] { client.connect(k_limit); });
    CHECK(error.name() == "WEBSOCKET-SETUP-ERROR");
    CHECK(has(error.message(), "nothing to subscribe to"));
}

TEST_CASE("every message that was sent with a callback is told what became of it, whenever the network is cut", "[websocket][integration]") {
    testing::FaultProxy proxy{npm_plain_server().port()};
    WebSocketOptions options = to(npm_plain_server());
    options.url = "ws://" + proxy.address() + "/";
    options.reconnect = {true, 5ms, 20ms, 0};
    options.max_queue = 1 << 20;
    std::atomic<int> came{0};
    options.handlers.on_message = [&](WebSocketKind, std::string_view) { ++came; };
    Outcomes<void> sent;
    {
        WebSocketClient client{options};
        client.connect(k_limit);
        const std::string text(1000, 'x');
        for (int i = 0; i < 2000; ++i) {
            client.async_send(WebSocketKind::text, text, k_limit, sent.callback());
            if (i % 100 == 50) proxy.cut();
            if (i % 10 == 0) std::this_thread::sleep_for(1ms);
        }
        CHECK(sent.wait(2000));
        CHECK(client.queued() == 0);
        CHECK(wait_until([&] {
            client.try_send(WebSocketKind::text, "still there?");
            return came > 0;
        }));
    }
    CHECK(sent.count() == 2000);
}
