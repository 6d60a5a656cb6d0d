// SPDX-License-Identifier: Apache-2.0
// Large messages in parts, queues that fill up, and readers that do not read.
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

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
    return text;
}

/// Gives parts of different sizes.
std::shared_ptr<ByteSource> source_of(const std::string& text, bool with_size) {
    auto at = std::make_shared<std::size_t>(0);
    return function_source(
        [text, at](char* to, std::size_t most) {
            const std::size_t size = std::min({most, text.size() - *at, std::size_t{10'000}});
            text.copy(to, size, *at);
            *at += size;
            return size;
        },
        with_size ? std::optional<std::uint64_t>{text.size()} : std::nullopt);
}

}  // namespace

TEST_CASE("a message goes from a source and comes into a sink without being in memory", "[websocket][integration]") {
    const std::string text = pattern(4'000'000);
    for (Server* server : {&python_server(), &npm_plain_server()}) {
        WebSocketOptions options = to(*server);
        options.max_unread = 200'000;
        WebSocketClient client{options};
        std::jthread sender{[&] { CHECK(client.send_from(WebSocketKind::text, *source_of(text, false), k_limit) == text.size()); }};
        std::string got;
        std::size_t largest = 0;
        const auto sink = function_sink([&](std::string_view part) {
            largest = std::max(largest, part.size());
            got += part;
        });
        const WebSocketReceived received = client.receive_to(*sink, k_limit);
        sender.join();
        CHECK(received.size == text.size());
        CHECK(received.kind == WebSocketKind::text);
        CHECK((got == text));
        CHECK(largest < text.size() / 10);

        Outcomes<std::uint64_t> sent;
        Outcomes<WebSocketReceived> back;
        std::string second;
        client.async_receive_to(function_sink([&](std::string_view part) { second += part; }), k_limit, back.callback());
        client.async_send_from(WebSocketKind::binary, source_of(text, true), k_limit, sent.callback());
        REQUIRE(back.wait(1));
        CHECK(*sent.results()[0] == text.size());
        CHECK(back.results()[0]->kind == WebSocketKind::binary);
        CHECK((second == text));
    }
}

TEST_CASE("messages wait for the end of one that is sent in parts", "[websocket][integration]") {
    WebSocketOptions options = to(python_server());
    options.part_size = 125;
    WebSocketClient client{options};
    client.connect(k_limit);
    int asked = 0;
    const auto source = function_source([&](char* out, std::size_t most) -> std::size_t {
        if (++asked == 3) client.send("between", k_limit);
        if (asked > 5) return 0;
        std::fill_n(out, most, 'x');
        return most;
    });
    CHECK(client.send_from(WebSocketKind::text, *source, k_limit) == 625);
    CHECK(client.receive(k_limit).data == std::string(625, 'x'));
    CHECK(client.receive(k_limit).data == "between");
}

TEST_CASE("a source or a sink that fails ends its call, and not more than it must", "[websocket][integration]") {
    WebSocketClient client{to(python_server())};
    client.connect(k_limit);
    const auto broken = function_source([](char*, std::size_t) -> std::size_t { throw std::runtime_error{"the disk is gone"}; });
    const Error source = error_of([&] { client.send_from(WebSocketKind::text, *broken, k_limit); });
    CHECK(source.name() == "WEBSOCKET-STREAM-ERROR");
    CHECK(has(source.message(), "the disk is gone"));

    client.send(pattern(500'000), k_limit);
    client.send("next", k_limit);
    const auto full = function_sink([](std::string_view) { throw std::runtime_error{"the disk is full"}; });
    const Error sink = error_of([&] { client.receive_to(*full, k_limit); });
    CHECK(sink.name() == "WEBSOCKET-STREAM-ERROR");
    CHECK(has(sink.message(), "the disk is full"));
    CHECK(client.receive(k_limit).data == "next");

    // In the middle the message cannot be taken back: the connection is given up.
    int parts = 0;
    const auto half = function_source([&](char* out, std::size_t) -> std::size_t {
        if (++parts > 100'000) throw std::runtime_error{"the disk is gone"};
        *out = 'x';
        return 1;
    });
    CHECK(error_of([&] { client.send_from(WebSocketKind::text, *half, k_limit); }).name() == "WEBSOCKET-STREAM-ERROR");
    CHECK(wait_until([&] { return !client.is_open(); }));
}

TEST_CASE("a message longer than allowed closes the connection with 1009", "[websocket][integration]") {
    WebSocketOptions options = to(python_server());
    options.max_message = 100'000;
    WebSocketClient client{options};
    client.send(pattern(100'000), k_limit);
    CHECK(client.receive(k_limit).data.size() == 100'000);
    client.send(pattern(100'001), k_limit);
    const Error pulled = error_of([&] { client.receive(k_limit); });
    CHECK(pulled.name() == "WEBSOCKET-LIMIT-ERROR");
    CHECK(pulled.reason() == Reason::limit);

    Lines errors;
    options.handlers.on_message = [](WebSocketKind, std::string_view) {};
    options.handlers.on_event = [&](const WebSocketEvent& event) {
        if (event.what == WebSocketEvent::What::closed && event.error != nullptr) errors.add(std::string{event.error->name()});
    };
    WebSocketClient pushed{options};
    pushed.connect(k_limit);
    pushed.send(pattern(100'001), k_limit);
    REQUIRE(errors.wait(1));
    CHECK(errors.all()[0] == "WEBSOCKET-LIMIT-ERROR");
}

TEST_CASE("a queue that is full is seen, refuses or makes wait, and drains", "[websocket][integration]") {
    WebSocketOptions options = to(raw_server(), "/do/slow");
    options.max_queue = 100'000;
    options.compression.enabled = false;
    options.socket.send_buffer = 8192;
    WebSocketClient client{options};
    client.connect(k_limit);
    const std::string kilobyte(1024, 'x');
    int accepted = 0;
    while (client.try_send(WebSocketKind::text, kilobyte) && accepted < 10'000) ++accepted;
    CHECK(accepted >= 97);
    CHECK(accepted < 2000);
    CHECK(client.queued() > 90'000);
    CHECK(client.queued() <= 100'000);

    Outcomes<void> refused;
    client.async_send(WebSocketKind::text, kilobyte, {}, refused.callback());
    REQUIRE(refused.wait(1));
    CHECK(refused.results()[0].error().name() == "WEBSOCKET-QUEUE-ERROR");
    CHECK(error_of([&] { client.send(std::string(90'000, 'y'), 50ms); }).name() == "TIMEOUT");
    client.send(kilobyte, k_limit);  // waits for room
    ++accepted;
    client.flush(k_limit, 10'000);
    CHECK(client.queued() <= 10'000);
    client.flush(k_limit);
    CHECK(client.queued() == 0);
    client.send("count?", k_limit);
    CHECK(client.receive(k_limit).data == std::to_string(accepted + 1));
}

TEST_CASE("a single message may be larger than the queue", "[websocket][integration]") {
    WebSocketOptions options = to(python_server());
    options.max_queue = 1000;
    WebSocketClient client{options};
    client.send(pattern(50'000), k_limit);
    CHECK(client.receive(k_limit).data == pattern(50'000));
}

TEST_CASE("a server is made to wait while nobody receives, and nothing is lost", "[websocket][integration]") {
    WebSocketOptions options = to(python_server(), "/flood/20000");
    options.max_unread = 100'000;
    options.timeout = 300ms;  // a pause of ours is not a silence of the server's
    WebSocketClient client{options};
    client.connect(k_limit);
    std::this_thread::sleep_for(600ms);
    CHECK(client.is_open());
    int wrong = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::string data = client.receive(k_limit).data;
        if (std::stoi(data) != i) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("messages are told of in the order in which they were sent, by calls that return at once", "[websocket][integration]") {
    WebSocketClient client{to(npm_server())};
    client.connect(k_limit);
    Outcomes<void> sent;
    std::string expected;
    for (int i = 0; i < 300; ++i) {
        const std::string text = std::to_string(i);
        if (i % 3 == 0)
            client.async_send(WebSocketKind::text, text, k_limit, sent.callback());
        else if (i % 3 == 1)
            REQUIRE(client.try_send(WebSocketKind::text, text));
        else
            client.send(text, k_limit);
        expected += text + ' ';
    }
    std::string got;
    for (int i = 0; i < 300; ++i) got += client.receive(k_limit).data + ' ';
    CHECK(got == expected);
    CHECK(sent.wait(100));
}
