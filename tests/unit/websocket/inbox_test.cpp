// SPDX-License-Identifier: Apache-2.0
#include "websocket/inbox.hpp"

#include "net/backoff.hpp"
#include "support/catch.hpp"
#include "websocket/sewio_message.hpp"

using namespace qconn;
using namespace qconn::websocket;
using namespace std::chrono_literals;

TEST_CASE("a message is taken when all of it is there", "[websocket]") {
    Inbox inbox;
    inbox.put({WebSocketKind::binary, "one ", false});
    CHECK_FALSE(inbox.take_message(100));

    inbox.put({WebSocketKind::binary, "two", true});
    inbox.put({WebSocketKind::text, "next", true});

    const auto first = inbox.take_message(100);
    REQUIRE(first);
    CHECK(first->kind == WebSocketKind::binary);
    CHECK(first->data == "one two");
    CHECK(inbox.take_message(100)->data == "next");
    CHECK(inbox.empty());
    CHECK(inbox.bytes() == 0);
}

TEST_CASE("a message that is larger than allowed stays where it is", "[websocket]") {
    Inbox inbox;
    inbox.put({WebSocketKind::text, "12345", true});
    CHECK_FALSE(inbox.take_message(4));
    CHECK(inbox.take_message(5)->data == "12345");
}

TEST_CASE("what was given back comes first again", "[websocket]") {
    Inbox inbox;
    inbox.put({WebSocketKind::text, "b", true});
    inbox.put_back({WebSocketKind::text, "a", false});
    CHECK(inbox.take_message(100)->data == "ab");
}

TEST_CASE("the rest of a message whose beginning was taken is dropped, also what still comes of it", "[websocket]") {
    Inbox inbox;
    inbox.put({WebSocketKind::text, "rest", false});
    inbox.skip_rest();
    inbox.put({WebSocketKind::text, "end", true});
    inbox.put({WebSocketKind::text, "next", true});
    CHECK(inbox.take_message(100)->data == "next");

    inbox.put({WebSocketKind::text, "rest", true});
    inbox.put({WebSocketKind::text, "next", true});
    inbox.skip_rest();
    CHECK(inbox.take_message(100)->data == "next");
}

TEST_CASE("a message without an end goes with its connection", "[websocket]") {
    Inbox inbox;
    inbox.put({WebSocketKind::text, "whole", true});
    inbox.put({WebSocketKind::text, "begin", false});
    inbox.drop_unfinished();
    CHECK(inbox.take_message(100)->data == "whole");
    CHECK(inbox.empty());
}

TEST_CASE("empty messages count too", "[websocket]") {
    Inbox inbox;
    CHECK(inbox.put({WebSocketKind::text, "", true}) > 0);
}

TEST_CASE("waits between tries double up to the limit, and half of each is random", "[websocket]") {
    CHECK(net::backoff(1s, 10s, 1, 1.0) == 1s);
    CHECK(net::backoff(1s, 10s, 1, 0.0) == 500ms);
    CHECK(net::backoff(1s, 10s, 3, 1.0) == 4s);
    CHECK(net::backoff(1s, 10s, 5, 1.0) == 10s);
    CHECK(net::backoff(1s, 10s, 2'000'000'000, 0.5) == 7500ms);
    CHECK(net::backoff(0ms, 10s, 1, 1.0) == 0ms);
}

TEST_CASE("a request to Sewio has the key in it, and a body only where there is one", "[websocket]") {
    const Secret key{"k3y"};
    CHECK(sewio_request(key, "subscribe", "/feeds/17", {}) == R"({"headers":{"X-ApiKey":"k3y"},"method":"subscribe","resource":"/feeds/17"})");
    CHECK(sewio_request(key, "put", "/x", Map{{"a", 1}}) == R"({"headers":{"X-ApiKey":"k3y"},"method":"put","resource":"/x","body":{"a":1}})");
}

TEST_CASE("a message of Sewio is read into its parts", "[websocket]") {
    const auto message = read_sewio_message(R"({"resource":"/feeds/17","status":200,"headers":{"a":"b"},"body":{"id":"17"}})", "");
    REQUIRE(message);
    CHECK(message->resource == "/feeds/17");
    CHECK(message->status == 200);
    CHECK(message->body.as_map().at("id").as_string() == "17");
    CHECK(message->headers.as_map().at("a").as_string() == "b");
    CHECK(message->method == "");

    for (const char* text : {"", "[]", "{", "17"}) {
        const auto bad = read_sewio_message(text, "rtls");
        REQUIRE_FALSE(bad);
        CHECK(bad.error().name() == "SEWIOWEBSOCKETCLIENT-ERROR");
        CHECK(bad.error().reason() == Reason::bad_answer);
        CHECK(bad.error().connection() == "rtls");
    }
}
