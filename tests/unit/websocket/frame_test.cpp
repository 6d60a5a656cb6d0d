// SPDX-License-Identifier: Apache-2.0
#include "websocket/frame.hpp"

#include "support/catch.hpp"

using namespace qconn::websocket;
using Found = FrameReader::Found;

namespace {

/// The payload of a frame of a client.
std::string unmasked(const std::string& frame) {
    std::string payload = frame.substr(6);
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ frame[2 + i % 4]);
    return payload;
}

}  // namespace

TEST_CASE("a control frame of ours is whole and masked", "[websocket]") {
    const std::string frame = control_frame(Opcode::close, close_payload(1001, "bye"));

    REQUIRE(frame.size() == 11);
    CHECK(frame[0] == '\x88');
    CHECK(frame[1] == '\x85');
    CHECK(unmasked(frame) == std::string{"\x03\xE9"} + "bye");
}

TEST_CASE("a control frame is cut to what fits into one", "[websocket]") {
    CHECK(control_frame(Opcode::ping, std::string(200, 'x')).size() == 131);
    CHECK(close_payload(1000, std::string(200, 'x')).size() == 125);
    CHECK(close_payload(0, "no code, so no reason").empty());
}

TEST_CASE("frames of a server are found, whatever pieces they come in", "[websocket]") {
    const std::string wire = std::string{"\x89\x02hi", 4} + std::string{"\x02\x7e\x00\x80", 4} + std::string(128, 'x') +
                             std::string{"\x80\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10} + std::string(65536, 'y') + std::string{"\x8a\x00", 2};
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{1000}, wire.size()}) {
        INFO(step);
        FrameReader reader;
        std::vector<std::string> found;
        for (std::size_t at = 0; at < wire.size(); at += step) {
            std::string_view piece = std::string_view{wire}.substr(at, step);
            for (;;) {
                const Found what = reader.feed(piece);
                if (what == Found::nothing) break;
                REQUIRE(what != Found::broken);
                found.push_back(what == Found::data ? "data" : std::to_string(static_cast<int>(reader.opcode())) + reader.payload());
            }
        }
        CHECK(found == std::vector<std::string>{"9hi", "data", "data", "10"});
    }
}

TEST_CASE("what is no frame of a server is broken", "[websocket]") {
    for (const char* text : {"\x83\x01x", "\x8b\x01x", "\x81\x81mask", "\x09\x01x", "\x89\x7e\x00"}) {
        FrameReader reader;
        std::string wire{text};
        wire.resize(20, 'x');
        std::string_view input = wire;
        CHECK(reader.feed(input) == Found::broken);
    }
}
