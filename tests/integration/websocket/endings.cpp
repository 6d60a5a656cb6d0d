// SPDX-License-Identifier: Apache-2.0
// How connections end: by close frames with each code, by cuts, by silence, by the caller.
#include <qconn/testing/fault_proxy.hpp>

#include <atomic>
#include <thread>

#include "integration/websocket/fixture.hpp"
#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

WebSocketOptions via(const testing::FaultProxy& proxy, const std::string& path = "/") {
    WebSocketOptions options = to(python_server(), path);
    options.url = "ws://" + proxy.address() + path;
    return options;
}

}  // namespace

TEST_CASE("a close of the server is an error with its code and reason", "[websocket][integration]") {
    for (Server* server : {&python_server(), &npm_server()}) {
        for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4002, 4999}) {
            INFO(code);
            WebSocketClient client{to(*server, "/close/" + std::to_string(code))};
            client.send("go", k_limit);
            const Error error = error_of([&] { client.receive(k_limit); });
            CHECK(error.name() == "WEBSOCKET-CLOSED");
            CHECK(has(error.message(), std::to_string(code)));
            CHECK(has(error.message(), "as asked"));
            const auto* detail = error.detail<WebSocketErrorDetail>();
            REQUIRE(detail != nullptr);
            CHECK(detail->close_code == code);
            CHECK(detail->close_reason == "as asked");
            CHECK(error.spoils_connection());
            CHECK_FALSE(client.is_open());
        }
    }
}

TEST_CASE("a close of ours has the code and the reason that it was given", "[websocket][integration]") {
    for (const int code : {1000, 1001, 1008, 1011, 3000, 4711}) {
        WebSocketClient client{to(npm_server())};
        client.connect(k_limit);
        const WebSocketClose close = client.close(static_cast<std::uint16_t>(code), "enough", k_limit);
        CHECK(close.code == code);  // npm's ws says it back
        CHECK(close.clean);
    }
    WebSocketClient client{to(npm_server())};
    client.connect(k_limit);
    CHECK(error_of([&] { client.close(1005, {}, k_limit); }).name() == "WEBSOCKET-OPTION-ERROR");
    CHECK(error_of([&] { client.close(1000, std::string(124, 'x'), k_limit); }).name() == "WEBSOCKET-OPTION-ERROR");
    CHECK(client.is_open());
}

TEST_CASE("closing where there is nothing to close does nothing", "[websocket][integration]") {
    WebSocketClient client{to(npm_server())};
    CHECK_FALSE(client.close(1000, {}, k_limit).clean);
    CHECK(error_of([&] { client.send("x", k_limit); }).name() == "WEBSOCKET-CLOSED");
    CHECK(error_of([&] { client.receive(k_limit); }).name() == "WEBSOCKET-CLOSED");
    client.connect(k_limit);
    client.send("again", k_limit);
    CHECK(client.receive(k_limit).data == "again");
}

TEST_CASE("what was sent before the close arrives, and what comes before the answer is received", "[websocket][integration]") {
    WebSocketClient client{to(raw_server(), "/do/late-messages")};
    client.connect(k_limit);
    CHECK(client.close(1000, {}, k_limit).clean);
    CHECK(client.receive(k_limit).data == "late 1");
    CHECK(client.receive(k_limit).data == "late 2");
    CHECK(error_of([&] { client.receive(k_limit); }).name() == "WEBSOCKET-CLOSED");

    WebSocketClient many{to(raw_server(), "/do/count-to-close")};
    many.connect(k_limit);
    for (int i = 0; i < 1000; ++i) REQUIRE(many.try_send(WebSocketKind::text, std::to_string(i)));
    CHECK(many.close(1000, {}, k_limit).clean);
    CHECK(many.receive(k_limit).data == "1000");
}

TEST_CASE("a server that does not answer the close frame is not waited for longer than is said", "[websocket][integration]") {
    WebSocketOptions options = to(raw_server(), "/do/no-close-answer");
    options.close_timeout = 200ms;
    WebSocketClient client{options};
    client.connect(k_limit);
    const auto begin = std::chrono::steady_clock::now();
    const WebSocketClose close = client.close(1000, {}, k_limit);
    CHECK_FALSE(close.clean);
    CHECK(close.code == 1006);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("a connection that is cut is an error that says so", "[websocket][integration]") {
    for (const char* what : {"/do/close", "/do/reset"}) {
        INFO(what);
        WebSocketClient client{to(raw_server(), what)};
        client.send("go", k_limit);
        const Error error = error_of([&] { client.receive(k_limit); });
        CHECK(error.name() == "WEBSOCKET-CLOSED");
        CHECK(error.retryable());
        CHECK(error.detail<WebSocketErrorDetail>()->close_code == 0);
    }
    WebSocketClient dropped{to(npm_server(), "/terminate")};
    dropped.send("go", k_limit);
    CHECK(error_of([&] { dropped.receive(k_limit); }).name() == "WEBSOCKET-CLOSED");
}

TEST_CASE("a message that is cut in its middle is never received as a whole", "[websocket][integration]") {
    WebSocketClient client{to(raw_server(), "/do/cut-message")};
    client.send("go", k_limit);
    CHECK(error_of([&] { client.receive(k_limit); }).name() == "WEBSOCKET-CLOSED");

    WebSocketClient streaming{to(raw_server(), "/do/cut-message")};
    streaming.send("go", k_limit);
    std::string got;
    const auto sink = function_sink([&](std::string_view part) { got += part; });
    CHECK(error_of([&] { streaming.receive_to(*sink, k_limit); }).name() == "WEBSOCKET-CLOSED");
}

TEST_CASE("bytes that are no frames close the connection as a breach of the protocol", "[websocket][integration]") {
    WebSocketClient client{to(raw_server(), "/do/garbage")};
    client.send("go", k_limit);
    const Error error = error_of([&] { client.receive(k_limit); });
    INFO(error.what());
    CHECK((error.name() == "WEBSOCKET-PROTOCOL-ERROR" || error.name() == "WEBSOCKET-LIMIT-ERROR" || error.name() == "WEBSOCKET-CLOSED"));
}

TEST_CASE("a server that says nothing, not even to pings, is given up", "[websocket][integration]") {
    for (const char* what : {"/do/silent", "/do/half"}) {
        WebSocketOptions options = to(raw_server(), what);
        options.timeout = 300ms;
        WebSocketClient client{options};
        client.send("go", k_limit);
        const auto begin = std::chrono::steady_clock::now();
        const Error error = error_of([&] { client.receive(k_limit); });
        CHECK(error.name() == "WEBSOCKET-TIMEOUT");
        CHECK(error.reason() == Reason::timeout);
        CHECK(std::chrono::steady_clock::now() - begin < 5s);
    }
}

TEST_CASE("an idle connection is held up by pings", "[websocket][integration]") {
    WebSocketOptions options = to(python_server());
    options.timeout = 300ms;
    std::atomic<int> pongs{0};
    options.handlers.on_event = [&](const WebSocketEvent& event) {
        if (event.what == WebSocketEvent::What::pong) ++pongs;
    };
    WebSocketClient client{options};
    client.connect(k_limit);
    const auto begin = std::chrono::steady_clock::now();
    CHECK(wait_until([&] { return pongs >= 3 && std::chrono::steady_clock::now() - begin > 2 * options.timeout; }));
    CHECK(client.is_open());
    CHECK(pongs < 50);
}

TEST_CASE("a network that is half open is noticed", "[websocket][integration]") {
    testing::FaultProxy proxy{python_server().port()};
    WebSocketOptions options = via(proxy);
    options.timeout = 400ms;
    WebSocketClient client{options};
    client.send("hello", k_limit);
    CHECK(client.receive(k_limit).data == "hello");
    testing::Faults faults;
    faults.half_open = true;
    proxy.set(faults);
    CHECK(error_of([&] { client.receive(k_limit); }).name() == "WEBSOCKET-TIMEOUT");
}

TEST_CASE("every wait has a deadline and can be cancelled, and the client stays usable", "[websocket][integration]") {
    WebSocketClient client{to(python_server())};
    client.connect(k_limit);
    CHECK(error_of([&] { client.receive(50ms); }).name() == "TIMEOUT");

    Outcomes<WebSocketMessage> received;
    Operation operation = client.async_receive({}, received.callback());
    CHECK_FALSE(operation.done());
    operation.cancel();
    REQUIRE(received.wait(1));
    CHECK(received.results()[0].error().name() == "CANCELLED");
    CHECK(operation.done());

    client.send("still", k_limit);
    CHECK(client.receive(k_limit).data == "still");

    WebSocketClient mute{to(python_server(), "/mute")};
    mute.connect(k_limit);
    CHECK(error_of([&] { mute.ping(100ms); }).name() == "TIMEOUT");
    Outcomes<WebSocketInfo> opened;
    WebSocketClient silent{to(raw_server(), "/hs/silent")};
    Operation connecting = silent.async_connect({}, opened.callback());
    std::this_thread::sleep_for(100ms);
    connecting.cancel();
    REQUIRE(opened.wait(1));
    CHECK(opened.results()[0].error().name() == "CANCELLED");
}

TEST_CASE("destroying a client ends its calls as cancelled, says goodbye, and calls no handler after that", "[websocket][integration]") {
    Outcomes<WebSocketMessage> received;
    Outcomes<WebSocketInfo> opened;
    std::atomic<bool> gone{false};
    std::atomic<bool> called_after{false};
    {
        WebSocketOptions options = to(python_server(), "/tick");
        options.handlers.on_message = [&](WebSocketKind, std::string_view) {
            if (gone) called_after = true;
        };
        WebSocketClient ticking{options};
        ticking.connect(k_limit);
        WebSocketClient waiting{to(python_server())};
        waiting.async_receive({}, received.callback());
        WebSocketClient connecting{to(raw_server(), "/hs/silent")};
        connecting.async_connect({}, opened.callback());
        std::this_thread::sleep_for(100ms);
    }
    gone = true;
    REQUIRE(received.wait(1));
    REQUIRE(opened.wait(1));
    CHECK(received.results()[0].error().name() == "CANCELLED");
    CHECK(opened.results()[0].error().name() == "CANCELLED");
    std::this_thread::sleep_for(100ms);  // five ticks
    CHECK_FALSE(called_after);
}

TEST_CASE("a client may be destroyed by a handler of its own", "[websocket][integration]") {
    for (int round = 0; round < 3; ++round) {
        std::unique_ptr<WebSocketClient> client;
        std::atomic<bool> done{false};
        WebSocketOptions options = to(python_server(), "/tick");
        const auto destroy = [&] {
            client.reset();
            done = true;
        };
        if (round == 0)
            options.handlers.on_message = [&](WebSocketKind, std::string_view) { destroy(); };
        else if (round == 1)
            options.handlers.on_event = [&](const WebSocketEvent&) { destroy(); };
        else
            options.handlers.on_part = [&](WebSocketKind, std::string_view, bool) { destroy(); };
        client = std::make_unique<WebSocketClient>(options);
        auto* const raw = client.get();
        raw->async_connect({}, [](Result<WebSocketInfo>) {});
        CHECK(wait_until([&] { return done.load(); }));
    }
}

TEST_CASE("what a handler throws is logged, and the connection goes on", "[websocket][integration]") {
    std::atomic<int> count{0};
    Lines log;
    const Runtime runtime{RuntimeOptions{.log = Log{LogLevel::error, [&](const LogRecord& record) { log.add(std::string{record.text}); }}}};
    WebSocketOptions options = to(python_server());
    options.handlers.on_message = [&](WebSocketKind, std::string_view) {
        ++count;
        throw std::runtime_error{"oh no"};
    };
    WebSocketClient client{options, runtime};
    client.send("1", k_limit);
    client.send("2", k_limit);
    CHECK(wait_until([&] { return count == 2; }));
    CHECK(wait_until([&] { return log.has("oh no"); }));
    CHECK(client.is_open());
}

TEST_CASE("a flood of pings is answered without the memory growing", "[websocket][integration]") {
    WebSocketOptions options = to(raw_server(), "/do/pings");
    options.handlers.on_message = nullptr;
    WebSocketClient client{options};
    CHECK(client.receive(k_limit).data == "done");
    CHECK(client.close(1000, {}, k_limit).clean);
}

TEST_CASE("no descriptor is left behind", "[websocket][integration]") {
    for (Server* server : {&python_server(), &npm_server()}) {
        WebSocketClient warm{to(*server, "/", true)};
        warm.connect(k_limit);
    }
    const auto before = open_descriptors();
    for (int i = 0; i < 20; ++i) {
        WebSocketClient client{to(i % 2 == 0 ? python_server() : npm_server(), i % 3 == 0 ? "/close/1000" : "/", i % 4 == 0)};
        client.send("x", k_limit);
        static_cast<void>(error_of([&] { client.receive(k_limit); }));
        if (i % 5 == 0) client.close(1000, {}, k_limit);
    }
    CHECK(wait_until([&] { return open_descriptors() <= before; }));
}
