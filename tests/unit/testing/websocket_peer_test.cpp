// SPDX-License-Identifier: Apache-2.0
#include "testing/websocket_peer.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace qconn::testing;
using namespace std::string_literals;
using Got = WebSocketPeer::Got;

namespace {

const std::string k_handshake =
    "GET /channel?client_id=x HTTP/1.1\r\nHost: h\r\nUPGRADE: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key:  dGhlIHNhbXBsZSBub25jZQ== "
    "\r\nSec-WebSocket-Protocol: v1.eftl.tibco.com\r\n\r\n";

/// As a client sends it: masked.
std::string from_client(unsigned opcode, std::string_view payload, bool fin = true) {
    std::string out{static_cast<char>((fin ? 0x80U : 0U) | opcode)};
    if (payload.size() < 126) {
        out += static_cast<char>(0x80U | payload.size());
    } else {
        out += '\xFE';
        out += static_cast<char>(payload.size() >> 8U);
        out += static_cast<char>(payload.size() & 0xFFU);
    }
    const std::string mask = "\x11\xA2\x33\x44";
    out += mask;
    for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
    return out;
}

/// All that comes of these bytes, in pieces of that size: "text:hello".
std::vector<std::string> story_of(std::string_view bytes, std::size_t piece) {
    constexpr const char* k_names[] = {"nothing", "handshake", "text", "binary", "ping", "pong", "close", "garbage"};
    WebSocketPeer peer;
    std::vector<std::string> out;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        peer.add(bytes.substr(0, piece));
        for (Got got = peer.next(); got != Got::nothing; got = peer.next()) {
            out.push_back(k_names[static_cast<std::size_t>(got)] + (got == Got::handshake ? peer.path()
                                                                    : got == Got::garbage ? ""
                                                                                          : ':' + peer.payload()));
            if (got == Got::garbage) return out;
        }
    }
    return out;
}

}  // namespace

TEST_CASE("a handshake is accepted as RFC 6455 has it in its example", "[testing]") {
    CHECK(websocket_acceptance("dGhlIHNhbXBsZSBub25jZQ==", {}) ==
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
          "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    WebSocketPeer peer;
    peer.add(k_handshake);
    CHECK(peer.next() == Got::handshake);
    CHECK(peer.path() == "/channel");
    CHECK(peer.key() == "dGhlIHNhbXBsZSBub25jZQ==");
    CHECK(peer.subprotocols() == "v1.eftl.tibco.com");
    CHECK(peer.next() == Got::nothing);
}

TEST_CASE("what a client sends is taken apart alike in whatever pieces it comes", "[testing]") {
    const std::string long_one(300, 'x');
    const std::string bytes = k_handshake + from_client(1, "hello") + from_client(1, long_one) + from_client(1, "he", false) + from_client(9, "p") +
                              from_client(0, "l", false) + from_client(0, "lo") + from_client(2, "\x00\xFF"s) + from_client(10, "") +
                              from_client(8, "\x03\xE8 bye"s);
    const std::vector<std::string> wanted{"handshake/channel", "text:hello", "text:" + long_one,   "ping:p", "text:hello",
                                          "binary:\x00\xFF"s,  "pong:",      "close:\x03\xE8 bye"s};
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, bytes.size()}) {
        CAPTURE(piece);
        CHECK(story_of(bytes, piece) == wanted);
    }
}

TEST_CASE("what no client may send is garbage", "[testing]") {
    const auto last = [](const std::string& bytes) { return story_of(bytes, bytes.size()).back(); };
    CHECK(last("POST / HTTP/1.1\r\n\r\n") == "garbage");
    CHECK(last("GET / HTTP/1.1\r\nHost: h\r\n\r\n") == "garbage");
    CHECK(last(std::string(70'000, 'x')) == "garbage");
    CHECK(last(k_handshake + "\x81\x01x") == "garbage");                 // not masked
    CHECK(last(k_handshake + "\xC1\x80\x01\x02\x03\x04") == "garbage");  // a reserved bit
    CHECK(last(k_handshake + from_client(3, "x")) == "garbage");
    CHECK(last(k_handshake + from_client(0, "x")) == "garbage");
    CHECK(last(k_handshake + from_client(1, "x", false) + from_client(1, "x")) == "garbage");
    CHECK(last(k_handshake + from_client(9, "x", false)) == "garbage");
    CHECK(last(k_handshake + from_client(9, std::string(126, 'x'))) == "garbage");
    CHECK(last(k_handshake + "\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x02\x03\x04") == "garbage");
}

TEST_CASE("frames for a client have their length, and a message its fragments", "[testing]") {
    CHECK(text_frames("hello") == "\x81\x05hello");
    CHECK(text_frames(std::string(126, 'x')).substr(0, 4) == "\x81\x7E\x00\x7E"s);
    CHECK(text_frames(std::string(65536, 'x')).substr(0, 10) == "\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
    CHECK(text_frames("hello", 2) == "\x01\x02he\x00\x02ll\x80\x01o"s);
    CHECK(text_frames("hell", 2) == "\x01\x02he\x80\x02ll"s);
    CHECK(pong_frame("p") == "\x8A\x01p");
    CHECK(close_frame(1000, "bye") == "\x88\x05\x03\xE8"s + "bye");
}
