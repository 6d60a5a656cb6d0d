// SPDX-License-Identifier: Apache-2.0
// Messages there and back, at two independent servers, plain and under TLS, compressed and not.
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

struct Way {
    const char* name;
    Server& (*server)();
    bool tls;
    bool deflate;
};
const Way k_ways[] = {{"python, compressed", python_server, false, true}, {"python, TLS, compressed", python_server, true, true},
                      {"python", python_plain_server, false, false},      {"npm, compressed", npm_server, false, true},
                      {"npm, TLS, compressed", npm_server, true, true},   {"npm, TLS", npm_plain_server, true, false}};

std::string text_of_size(std::size_t size) {
    std::string text;
    while (text.size() < size) text += "line " + std::to_string(text.size()) + ": lörem ipsum dolor sit ämet\n";
    while (text.size() > size && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
    text.resize(size);
    return text;
}

std::string bytes_of_size(std::size_t size) {
    std::string bytes;
    std::uint32_t state = 17;
    while (bytes.size() < size) {
        state = state * 1664525 + 1013904223;
        bytes += static_cast<char>(state >> 24U);
    }
    return bytes;
}

}  // namespace

TEST_CASE("messages of every size come back as they were sent", "[websocket][integration]") {
    std::vector<std::pair<std::string, std::string>> all;
    for (const std::size_t size : {0, 1, 125, 126, 127, 1000, 65535, 65536, 70000, 1'000'000})
        all.emplace_back(text_of_size(size), bytes_of_size(size));
    for (const Way& way : k_ways) {
        INFO(way.name);
        WebSocketClient client{to(way.server(), "/", way.tls)};
        const WebSocketInfo info = client.connect(k_limit);
        CHECK(info.compressed == way.deflate);
        CHECK(info.tls.has_value() == way.tls);
        CHECK(client.is_open());
        for (const auto& [text, bytes] : all) {
            if (bytes.size() > 100'000 && way.tls && way.deflate) continue;  // either shows it
            client.send(text, k_limit);
            const WebSocketMessage answer = client.receive(k_limit);
            CHECK(answer.kind == WebSocketKind::text);
            CHECK((answer.data == text));

            client.send(WebSocketKind::binary, bytes, k_limit);
            const WebSocketMessage back = client.receive(k_limit);
            CHECK(back.kind == WebSocketKind::binary);
            CHECK((back.data == bytes));
        }
        const WebSocketClose close = client.close(1000, "done", k_limit);
        CHECK(close.code == 1000);
        CHECK(close.clean);
        CHECK_FALSE(close.by_server);
        CHECK_FALSE(client.is_open());
    }
}

TEST_CASE("many messages keep their order, sent and received at the same time", "[websocket][integration]") {
    for (const Way& way : k_ways) {
        INFO(way.name);
        constexpr int k_count = 300;
        WebSocketClient client{to(way.server(), "/", way.tls)};
        std::jthread sender{[&] {
            for (int i = 0; i < k_count; ++i) client.send("message " + std::to_string(i), k_limit);
        }};
        int wrong = 0;
        for (int i = 0; i < k_count; ++i) {
            if (client.receive(k_limit).data != "message " + std::to_string(i)) ++wrong;
        }
        sender.join();
        CHECK(wrong == 0);
    }
}

TEST_CASE("handlers get the messages in order, and may answer from where they are called", "[websocket][integration]") {
    std::atomic<int> count{0};
    std::atomic<bool> in_order{true};
    WebSocketOptions options = to(npm_server());
    WebSocketClient* self = nullptr;
    options.handlers.on_message = [&](WebSocketKind kind, std::string_view data) {
        const int number = count++;
        if (kind != WebSocketKind::text || data != std::to_string(number)) in_order = false;
        if (number < 1000 && !self->try_send(WebSocketKind::text, std::to_string(number + 1))) in_order = false;
    };
    WebSocketClient client{options};
    self = &client;
    client.connect(k_limit);
    client.send("0", k_limit);
    CHECK(wait_until([&] { return count == 1001; }));
    CHECK(in_order);
    CHECK(error_of([&] { client.receive(k_limit); }).name() == "WEBSOCKET-OPTION-ERROR");
}

TEST_CASE("parts come as they arrive where that is wanted", "[websocket][integration]") {
    Lines parts;
    WebSocketOptions options = to(python_server(), "/fragments");
    options.handlers.on_part = [&](WebSocketKind, std::string_view part, bool last) { parts.add(std::string{part} + (last ? "." : "")); };
    WebSocketClient client{options};
    client.connect(k_limit);
    REQUIRE(wait_until([&] { return parts.has("."); }));
    std::string all;
    for (const std::string& part : parts.all()) all += part;
    CHECK(all == "hello world.");
}

TEST_CASE("asynchronous calls do the same without a thread that waits", "[websocket][integration]") {
    WebSocketClient client{to(python_server())};
    Outcomes<void> sent;
    Outcomes<WebSocketMessage> received;
    Outcomes<WebSocketInfo> opened;
    Outcomes<WebSocketClose> closed;
    Outcomes<std::chrono::nanoseconds> pinged;
    for (int i = 0; i < 10; ++i) {
        client.async_receive({}, received.callback());
        client.async_send(WebSocketKind::text, std::to_string(i), k_limit, sent.callback());
    }
    client.async_connect(k_limit, opened.callback());
    REQUIRE(received.wait(10));
    REQUIRE(sent.wait(10));
    for (std::size_t i = 0; i < 10; ++i) CHECK(received.results()[i]->data == std::to_string(i));
    REQUIRE(opened.wait(1));
    CHECK(opened.results()[0].has_value());
    client.async_ping(k_limit, pinged.callback());
    REQUIRE(pinged.wait(1));
    CHECK(*pinged.results()[0] > 0ns);
    client.async_close(1001, "bye", k_limit, closed.callback());
    REQUIRE(closed.wait(1));
    CHECK(closed.results()[0]->code == 1001);
}

TEST_CASE("a ping of ours is answered within its round trip, and the server's pings are answered", "[websocket][integration]") {
    Lines events;
    WebSocketOptions options = to(npm_server(), "/ping");
    options.handlers.ping_events = true;
    options.handlers.on_event = [&](const WebSocketEvent& event) {
        if (event.what == WebSocketEvent::What::ping) events.add("ping");
        if (event.what == WebSocketEvent::What::pong) events.add("pong");
    };
    WebSocketClient client{options};
    CHECK(client.receive(k_limit).data == "pong are you there?");
    const auto round_trip = client.ping(k_limit);
    CHECK(round_trip > 0ns);
    CHECK(round_trip < 10s);
    CHECK(events.has("ping"));
    CHECK(events.has("pong"));

    // A server that gives up a client who does not answer its pings for half a second.
    Server strict{"websocket", {.environment = {"WS_PING=0.5"}}};
    WebSocketClient idle{to(strict)};
    idle.connect(k_limit);
    std::this_thread::sleep_for(1200ms);
    idle.send("still here", k_limit);
    CHECK(idle.receive(k_limit).data == "still here");
}

TEST_CASE("the handshake brings headers, subprotocols and the log-in", "[websocket][integration]") {
    WebSocketOptions options = to(python_server(), "/headers?key=1");
    options.headers = {{"X-Department", "sales"}};
    options.subprotocols = {"three", "two"};
    WebSocketClient client{options};
    const WebSocketInfo info = client.connect(k_limit);
    CHECK(info.subprotocol == "two");
    CHECK(info.headers.get("sec-websocket-protocol") == "two");
    CHECK(has(info.url, "/headers?…"));
    CHECK(info.remote_address == python_server().address());
    const std::string headers = client.receive(k_limit).data;
    CHECK(has(headers, "\"x-department\": \"sales\""));
    CHECK(has(headers, "\"sec-websocket-version\": \"13\""));

    options = to(python_server(), "/auth");
    options.username = k_user;
    options.password = Secret{k_password};
    WebSocketClient basic{options};
    basic.send("let in", k_limit);
    CHECK(basic.receive(k_limit).data == "let in");

    options.username.clear();
    options.password = {};
    options.token = Secret{k_password};
    WebSocketClient bearer{options};
    bearer.send("let in", k_limit);
    CHECK(bearer.receive(k_limit).data == "let in");
}

TEST_CASE("values are messages in the format of the options", "[websocket][integration]") {
    WebSocketOptions options = to(python_server());
    options.data = WebSocketData::json;
    WebSocketClient json{options};
    const Value value = Map{{"id", 17}, {"lines", List{1, 2}}};
    json.send_value(value, k_limit);
    CHECK(json.receive_value(k_limit) == value);

    options.data = WebSocketData::yaml;
    WebSocketClient yaml{options};
    yaml.send_value(value, k_limit);
    CHECK(yaml.receive_value(k_limit) == value);

    options.data = WebSocketData::none;
    WebSocketClient none{options};
    none.send_value(Value{"text"}, k_limit);
    CHECK(none.receive_value(k_limit) == Value{"text"});
    CHECK(error_of([&] { none.send_value(value, k_limit); }).name() == "SERIALIZATION-ERROR");
}

TEST_CASE("a text that is no UTF-8 is not sent", "[websocket][integration]") {
    WebSocketClient client{to(python_server())};
    client.connect(k_limit);
    CHECK(error_of([&] { client.send("\xff", k_limit); }).name() == "WEBSOCKET-OPTION-ERROR");
    CHECK(error_of([&] { client.try_send(WebSocketKind::text, "eightbyt\xc3"); }).name() == "WEBSOCKET-OPTION-ERROR");
    Outcomes<void> sent;
    client.async_send(WebSocketKind::text, "\xed\xa0\x80", {}, sent.callback());
    REQUIRE(sent.wait(1));
    CHECK(sent.results()[0].error().name() == "WEBSOCKET-OPTION-ERROR");
    client.send("good", k_limit);
    CHECK(client.receive(k_limit).data == "good");
}

TEST_CASE("handlers can be set for a client that has none, before it connects", "[websocket][integration]") {
    Lines lines;
    Lines logs;
    WebSocketClient client{to(python_server())};
    WebSocketHandlers handlers;
    handlers.on_message = [&](WebSocketKind, std::string_view data) { lines.add(std::string{data}); };
    handlers.log = [&](std::string_view line) { logs.add("log " + std::string{line}); };
    handlers.errlog = [&](std::string_view line) { logs.add("err " + std::string{line}); };
    handlers.dbglog = [&](std::string_view line) { logs.add("dbg " + std::string{line}); };
    client.set_handlers(handlers);
    client.send("hello", k_limit);
    REQUIRE(lines.wait(1));
    CHECK(lines.all() == std::vector<std::string>{"hello"});
    CHECK(error_of([&] { client.set_handlers({}); }).name() == "INVALID-ARGUMENT");
    client.ping(k_limit);
    client.close(1000, {}, k_limit);
    CHECK(logs.has("is connected"));
    CHECK(logs.has("answered a ping within"));
    CHECK(logs.has("was closed: 1000 (normal)"));
    CHECK_FALSE(logs.has("err "));
}

TEST_CASE("a blocking call on an I/O thread is refused", "[websocket][integration]") {
    Lines errors;
    WebSocketOptions options = to(python_server());
    WebSocketClient* self = nullptr;
    options.handlers.on_event = [&](const WebSocketEvent&) { errors.add(std::string{error_of([&] { self->ping(1s); }).name()}); };
    WebSocketClient client{options};
    self = &client;
    client.connect(k_limit);
    REQUIRE(errors.wait(1));
    CHECK(errors.all()[0] == "INVALID-ARGUMENT");
}
