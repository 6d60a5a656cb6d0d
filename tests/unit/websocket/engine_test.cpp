// SPDX-License-Identifier: Apache-2.0
#include "websocket/engine.hpp"

#include "support/catch.hpp"
#include "support/websocket_memory.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace qconn::websocket;

namespace {

using Told = std::vector<std::string>;

constexpr unsigned k_text = 1;
constexpr unsigned k_binary = 2;
constexpr unsigned k_close = 8;
constexpr unsigned k_ping = 9;
constexpr unsigned k_pong = 10;

EngineOptions deflating(int client_bits = 15) {
    EngineOptions options;
    options.deflate.enabled = true;
    options.deflate.client_window_bits = client_bits;
    return options;
}

}  // namespace

TEST_CASE("messages are told of whole, whatever pieces they come in", "[websocket]") {
    const std::string large(200'000, 'L');
    const std::string wire = server_frame(k_text, "hello") + server_frame(k_binary, "") + server_frame(k_text, "fr", false) +
                             server_frame(k_ping, "now") + server_frame(0, "ag", false) + server_frame(0, "s") + server_frame(k_binary, large);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, std::size_t{0}}) {
        INFO(piece);
        MemoryEngine memory;
        memory.feed(wire, piece);
        CHECK(memory.take_told() == Told{"text:hello", "binary:", "ping", "text:frags", "binary:" + large});
        const auto sent = memory.take_sent();
        REQUIRE(sent.size() == 1);
        CHECK(sent[0].first == (0x80U | k_pong));
        CHECK(sent[0].masked);
        CHECK(sent[0].payload == "now");
    }
}

TEST_CASE("messages are told of in parts where that is wanted, and the last one is marked", "[websocket]") {
    EngineOptions options;
    options.whole = false;
    MemoryEngine memory{options};
    memory.feed(server_frame(k_text, "one", false) + server_frame(0, "", false) + server_frame(0, "two", false));
    memory.feed(server_frame(0, ""));
    CHECK(memory.take_told() == Told{"text:one...", "text:two...", "text:"});
}

TEST_CASE("what is sent is masked, each frame with a key of its own, and leaves in one piece", "[websocket]") {
    MemoryEngine memory;
    const std::string large(100'000, 'x');
    memory.engine().put(WebSocketKind::text, "a");
    memory.engine().put(WebSocketKind::binary, large);
    memory.engine().put_ping("p");
    const std::string wire{memory.engine().output()};
    const auto sent = memory.take_sent();
    REQUIRE(sent.size() == 3);
    CHECK(sent[0].first == (0x80U | k_text));
    CHECK(sent[0].payload == "a");
    CHECK(sent[1].first == (0x80U | k_binary));
    CHECK(sent[1].payload == large);
    CHECK(sent[2].first == (0x80U | k_ping));
    for (const auto& frame : sent) CHECK(frame.masked);
    CHECK(wire.find("xxxxxxxx") == std::string::npos);
}

TEST_CASE("a message is sent in parts, and control frames may stand between them", "[websocket]") {
    MemoryEngine memory;
    memory.engine().put_part(WebSocketKind::binary, "one", false);
    memory.engine().put_ping("p");
    memory.engine().put_part(WebSocketKind::binary, "two", false);
    memory.engine().put_part(WebSocketKind::binary, "", true);
    std::string shape;
    for (const auto& frame : memory.take_sent()) shape += std::to_string(frame.first) + ':' + frame.payload + ' ';
    CHECK(shape == "2:one 137:p 0:two 128: ");
}

TEST_CASE("the server's close frame is answered with its code, and nothing is sent after it", "[websocket]") {
    MemoryEngine memory;
    memory.feed(server_frame(k_close, std::string{"\x03\xe9"} + "gone") + server_frame(k_text, "too late"));
    CHECK(memory.take_told() == Told{"close:1001:gone"});
    memory.engine().put(WebSocketKind::text, "too late");
    const auto sent = memory.take_sent();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].payload == "\x03\xe9");
}

TEST_CASE("a close frame without a code is told of as 1005", "[websocket]") {
    MemoryEngine memory;
    memory.feed(server_frame(k_close, ""));
    CHECK(memory.take_told() == Told{"close:1005:"});
}

TEST_CASE("after a close frame of ours messages are still told of, and the server's close frame is not answered again", "[websocket]") {
    MemoryEngine memory;
    memory.run();
    memory.engine().put_close(1000, "done");
    memory.engine().put_close(1001, "twice");
    memory.engine().put(WebSocketKind::text, "no more");
    memory.feed(server_frame(k_text, "late") + server_frame(k_ping, "?") + server_frame(k_close, "\x03\xe8"));
    CHECK(memory.take_told() == Told{"text:late", "ping", "close:1000:"});
    const auto sent = memory.take_sent();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].payload == std::string{"\x03\xe8"} + "done");
}

TEST_CASE("a breach of the protocol is answered with its close code", "[websocket]") {
    struct Case {
        std::string wire;
        const char* code;
    };
    const Case cases[] = {{server_frame(k_text, "x", true, 4), "\x03\xea"},
                          {server_frame(3, "x"), "\x03\xea"},
                          {server_frame(0, "x"), "\x03\xea"},
                          {server_frame(k_ping, "x", false), "\x03\xea"},
                          {server_frame(k_text, "\xff"), "\x03\xef"},
                          {server_frame(k_close, "x"), "\x03\xea"},
                          {"\x81\x81mask", "\x03\xea"}};
    for (const Case& one : cases) {
        MemoryEngine memory;
        memory.feed(one.wire);
        CHECK(memory.take_told() == Told{"fault:0"});
        const auto sent = memory.take_sent();
        REQUIRE(sent.size() == 1);
        CHECK(sent[0].payload == one.code);
    }
}

TEST_CASE("a message that is too large is refused by the length that it says", "[websocket]") {
    EngineOptions options;
    options.max_message = 1000;
    MemoryEngine memory{options};
    memory.feed(server_frame(k_binary, std::string(1000, 'x')));
    CHECK(memory.take_told().size() == 1);
    memory.feed(std::string{"\x82\x7e\x03\xe9", 4});
    CHECK(memory.take_told() == Told{"fault:1"});
    CHECK(memory.take_sent().at(0).payload == "\x03\xf1");
}

TEST_CASE("an end without a close frame is told of as one", "[websocket]") {
    MemoryEngine memory;
    memory.feed(server_frame(k_text, "x") + "\x81");
    memory.end();
    CHECK(memory.take_told() == Told{"text:x", "fault:2"});
}

TEST_CASE("a paused engine tells nothing more, and goes on where it was", "[websocket]") {
    MemoryEngine memory;
    memory.pause_after = 1;
    memory.feed(server_frame(k_text, "a") + server_frame(k_text, "b") + server_frame(k_ping, "c"));
    CHECK(memory.take_told() == Told{"text:a"});
    memory.run();
    CHECK(memory.take_told().empty());

    memory.engine().resume();
    memory.run();
    CHECK(memory.take_told() == Told{"text:b", "ping"});
}

TEST_CASE("compressed messages go both ways, across pieces and messages", "[websocket]") {
    // Two engines that are both clients cannot talk to each other: what one sends is made into frames of a server.
    MemoryEngine sender{deflating()};
    MemoryEngine receiver{deflating()};
    std::vector<std::string> expected;
    for (int i = 0; i < 20; ++i) {
        std::string text;
        for (int line = 0; line < 200 * i; ++line) text += "line " + std::to_string(line * i) + '\n';
        sender.engine().put(WebSocketKind::text, text);
        std::string wire;
        std::size_t packed = 0;
        for (const auto& frame : sender.take_sent()) {
            wire += server_frame(frame.first & 0x0FU, frame.payload, (frame.first & 0x80U) != 0, frame.first >> 4U & 7U);
            packed += frame.payload.size();
        }
        if (text.size() > 2000) CHECK(packed < text.size() / 2);
        receiver.feed(wire, 100);
        expected.push_back("text:" + text);
    }
    CHECK(receiver.take_told() == expected);
}

TEST_CASE("parts of one message are compressed alike, however small they are", "[websocket]") {
    EngineOptions options = deflating();
    options.compress_above = 1000;
    MemoryEngine sender{options};
    MemoryEngine receiver{deflating()};
    sender.engine().put_part(WebSocketKind::binary, "tiny", false);
    sender.engine().put_part(WebSocketKind::binary, std::string(5000, 'a'), false);
    sender.engine().put_part(WebSocketKind::binary, "", false);
    sender.engine().put_part(WebSocketKind::binary, "end", true);
    std::string wire;
    for (const auto& frame : sender.take_sent()) wire += server_frame(frame.first & 0x0FU, frame.payload, (frame.first & 0x80U) != 0, frame.first >> 4U & 7U);
    receiver.feed(wire);
    CHECK(receiver.take_told() == Told{"binary:tiny" + std::string(5000, 'a') + "end"});
}

TEST_CASE("small messages, and all where the server has a window of 8 bits, are not compressed", "[websocket]") {
    EngineOptions options = deflating();
    options.compress_above = 100;
    MemoryEngine memory{options};
    memory.engine().put(WebSocketKind::text, std::string(99, 'x'));
    memory.engine().put(WebSocketKind::text, std::string(100, 'x'));
    const auto sent = memory.take_sent();
    CHECK((sent.at(0).first & 0x40U) == 0);
    CHECK((sent.at(1).first & 0x40U) != 0);

    MemoryEngine narrow{deflating(8)};
    narrow.engine().put(WebSocketKind::text, std::string(5000, 'x'));
    CHECK((narrow.take_sent().at(0).first & 0x40U) == 0);
}

TEST_CASE("what cannot be inflated is refused", "[websocket]") {
    MemoryEngine memory{deflating()};
    memory.feed(server_frame(k_text, "\xff\xff\xff\xff", true, 4));
    CHECK(memory.take_told() == Told{"fault:0"});
    CHECK(memory.take_sent().at(0).payload == "\x03\xef");
}

TEST_CASE("pings are not answered while too much waits to be sent", "[websocket]") {
    EngineOptions options;
    options.max_output = 1000;
    MemoryEngine memory{options};
    for (int i = 0; i < 1000; ++i) memory.feed(server_frame(k_ping, std::string(100, 'p')));
    CHECK(memory.engine().output().size() < 2000);
}

TEST_CASE("what was read with the handshake comes first", "[websocket]") {
    const std::string large(200'000, 'e');
    MemoryEngine memory;
    memory.engine().prefill(server_frame(k_text, "early") + server_frame(k_binary, large));
    memory.feed(server_frame(k_text, "later"));
    CHECK(memory.take_told() == Told{"text:early", "binary:" + large, "text:later"});
}
