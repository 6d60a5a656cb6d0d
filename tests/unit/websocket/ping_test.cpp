// SPDX-License-Identifier: Apache-2.0
#include "websocket/ping.hpp"

#include "support/catch.hpp"
#include "websocket/handshake.hpp"

using namespace qconn;
using namespace qconn::websocket;

namespace {

struct Ping {
    explicit Ping(PingProof proof) {
        WebSocketOptions options;
        options.url = "ws://feed.example/live";
        dialogue = make_websocket_ping(std::make_shared<const Settings>(std::move(options)), proof);
        dialogue->begin(out);
        const std::string field = "Sec-WebSocket-Key: ";
        const std::size_t at = out.find(field) + field.size();
        key = out.substr(at, 24);
        out.clear();
    }
    std::string answer() const {
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept_of(key) + "\r\n\r\n";
    }
    Dialogue::Step feed(const std::string& input, bool closed = false) { return dialogue->feed(input, closed, out); }

    std::unique_ptr<Dialogue> dialogue;
    std::string out;
    std::string key;
};

}  // namespace

TEST_CASE("a ping makes the handshake and closes", "[websocket]") {
    Ping ping{PingProof::handshake};
    CHECK(ping.feed(ping.answer()).want == Dialogue::Want::done);
    REQUIRE(ping.out.size() == 8);
    CHECK(ping.out[0] == '\x88');
    CHECK(ping.dialogue->evidence() == "HTTP/1.1 101 Switching Protocols");
    CHECK_FALSE(ping.dialogue->keeps_stream());
}

TEST_CASE("a full ping goes there and back, past messages and pings of the server", "[websocket]") {
    Ping ping{PingProof::round_trip};
    const std::string messages = std::string{"\x81\x05hello\x89\x01?", 10};
    CHECK(ping.feed(ping.answer() + messages).want == Dialogue::Want::read);
    CHECK(ping.dialogue->awaited() == "the pong to a ping");
    REQUIRE(ping.out.size() == 11 + 7);  // a ping, a pong
    CHECK(ping.out[0] == '\x89');
    CHECK(ping.out[11] == '\x8a');

    CHECK(ping.feed("\x8a\x03old").want == Dialogue::Want::read);
    CHECK(ping.feed("\x8a\x05qconn").want == Dialogue::Want::read);
    CHECK(ping.dialogue->awaited() == "the answer to the close frame");
    CHECK(ping.feed("\x88\x02\x03\xe9").want == Dialogue::Want::done);
    CHECK(ping.dialogue->evidence() == "HTTP/1.1 101 Switching Protocols; pong");
}

TEST_CASE("a full ping is content with a server that closes without a close frame after the pong", "[websocket]") {
    Ping ping{PingProof::round_trip};
    ping.feed(ping.answer() + "\x8a\x05qconn");
    CHECK(ping.feed("", true).want == Dialogue::Want::done);
}

TEST_CASE("a server that closes instead of answering a ping is down, with its words", "[websocket]") {
    Ping ping{PingProof::round_trip};
    const Dialogue::Step step = ping.feed(ping.answer() + std::string{"\x88\x07\x03\xf4nopay", 9});
    REQUIRE(step.want == Dialogue::Want::failed);
    CHECK(step.error->name() == "WEBSOCKET-CLOSED");
    CHECK(std::string{step.error->message()}.find("1012 (the server restarts): nopay") != std::string::npos);
}

TEST_CASE("what is no frame fails a full ping", "[websocket]") {
    Ping ping{PingProof::round_trip};
    const Dialogue::Step step = ping.feed(ping.answer() + "\x85xx");
    REQUIRE(step.want == Dialogue::Want::failed);
    CHECK(step.error->reason() == Reason::bad_answer);
}
