// SPDX-License-Identifier: Apache-2.0
// AMQP over WebSocket, with a server that was written from its specification.
#ifndef QCONN_WITHOUT_WEBSOCKET
#include <algorithm>
#include <atomic>
#include <sstream>
#include <thread>

#include "integration/amqp/fixture.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// One for all cases.
struct WebSocketPeer {
    std::uint16_t plain{free_port()};
    std::uint16_t secured{free_port()};
    Server server{"amqpraw", {.environment = {"AMQP_WS_PORT=" + std::to_string(plain), "AMQP_WS_TLS_PORT=" + std::to_string(secured)}}};
};

WebSocketPeer& websocket_peer() {
    static WebSocketPeer one;
    return one;
}

AmqpOptions over_websocket(const std::string& path, bool tls = false) {
    WebSocketPeer& peer = websocket_peer();
    AmqpOptions options = to(peer.server, tls);
    options.hosts = {{"127.0.0.1", tls ? peer.secured : peer.plain}};
    options.websocket_path = path;
    options.label = "over websocket";
    return options;
}

std::string bytes_of(std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < size; ++i) out += static_cast<char>('a' + i % 26);
    return out;
}

}  // namespace

TEST_CASE("over WebSocket messages go both ways, small and large, plain and under TLS", "[amqp][integration]") {
    const bool tls = GENERATE(false, true);
    AmqpOptions options = over_websocket("/amqp", tls);
    AmqpClient client{options};
    const AmqpInfo info = client.connect(soon());
    CHECK(info.tls.has_value() == tls);
    const std::string address = tls ? "ws/secured" : "ws/plain";
    AmqpSender sender = client.open_sender(sending_to(address), soon());
    const std::string large = bytes_of(3'000'000);
    for (int i = 0; i < 200; ++i) sender.async_send(AmqpMessage::of_text(std::to_string(i)), {}, [](const Result<AmqpOutcome>&) {});
    sender.send(AmqpMessage::of_bytes(large), soon());
    AmqpReceiver receiver = client.open_receiver(receiving_from(address), soon());
    for (int i = 0; i < 200; ++i) CHECK(receiver.receive(soon()).message.text() == std::to_string(i));
    CHECK(receiver.receive(soon()).message.text() == large);
    client.ping(soon());
    client.close(soon());
    CHECK_FALSE(client.is_open());
}

TEST_CASE("over WebSocket a connection that is cut is made anew, with its links", "[amqp][integration]") {
    AmqpOptions options = over_websocket("/amqp");
    options.reconnect.delay = 10ms;
    AmqpClient client{options};
    AmqpSender sender = client.open_sender(sending_to("ws/again"), soon());
    sender.send(AmqpMessage::of_text("before"), soon());
    Seen seen;
    AmqpHandlers handlers;
    handlers.on_connect = [&](const AmqpInfo&) { seen.add("connected"); };
    handlers.on_disconnect = [&](const Error* error, bool) { seen.add(error != nullptr ? "lost" : "closed"); };
    client.set_handlers(handlers);
    websocket_peer().server.stop();
    REQUIRE(seen.wait(1));
    CHECK(seen.all().front() == "lost");
    websocket_peer().server.start();
    sender.send(AmqpMessage::of_text("after"), Deadline{60s});
    CHECK(seen.all().back() == "connected");
    client.close(soon());
}

TEST_CASE("over WebSocket whatever a peer does, each call ends, with what was wrong", "[amqp][integration]") {
    struct Role {
        std::string name;
        bool legal;
        std::string told;
    };
    std::vector<Role> all;
    const auto control = [](const std::string& line) { return raw_amqp_control(websocket_peer().server, line); };
    control("clear");
    std::istringstream lines{control("roles")};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        std::string name;
        std::string kind;
        if (words >> name >> kind && name.rfind("ws-", 0) == 0) all.push_back({name, kind == "legal", {}});
    }
    REQUIRE(all.size() > 30);
    std::atomic<std::size_t> next{0};
    const auto use = [](Role& role) {
        const auto begin = Clock::now();
        AmqpOptions options = over_websocket('/' + role.name);
        options.virtual_host = role.name;
        options.label = role.name;
        options.connect_timeout = 1s;
        options.timeout = 2s;
        options.reconnect.enabled = false;
        AmqpClient client{options};
        AmqpSender sender;
        const auto step = [&](const char* what, const std::function<void()>& work) {
            try {
                work();
                role.told += std::string{what} + " ok; ";
                return true;
            } catch (const Error& error) {
                role.told += std::string{what} + ' ' + std::string{error.name()} + ": " + std::string{error.message()} + "; ";
                return false;
            }
        };
        if (step("connect", [&] { client.connect(); }) && step("open", [&] { sender = client.open_sender(sending_to("q-" + role.name)); }))
            for (int i = 0; i < 3; ++i)
                if (!step("send", [&] { sender.send(AmqpMessage::of_text("m")); })) break;
        step("close", [&] { client.close(); });
        if (Clock::now() - begin > 40s) role.told += "TOO LATE";
    };
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
            for (std::size_t i = next++; i < all.size(); i = next++) use(all[i]);
        });
    }
    for (std::thread& one : threads) one.join();
    for (const Role& role : all) {
        CAPTURE(role.name, role.told);
        if (std::getenv("QCONN_SHOW") != nullptr) WARN(role.name << (role.legal ? " (legal): " : ": ") << role.told);
        CHECK(role.told.find("TOO LATE") == std::string::npos);
        // Those that are legal and end nothing.
        static const std::vector<std::string> k_passing{"ws-bytes", "ws-odd",   "ws-joined", "ws-fragments",   "ws-fragments-pings",
                                                        "ws-empty", "ws-pings", "ws-pongs",  "ws-slow-upgrade"};
        if (std::find(k_passing.begin(), k_passing.end(), role.name) != k_passing.end())
            CHECK(role.told == "connect ok; open ok; send ok; send ok; send ok; close ok; ");
    }
    CHECK(control("breaches") == "");
}
#endif
