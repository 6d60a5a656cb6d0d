// SPDX-License-Identifier: Apache-2.0
// What a server may send after the handshake, and the answer to the handshake itself. The first byte says which, and how the frames are read.
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "support/websocket_memory.hpp"
#include "websocket/frame.hpp"
#include "websocket/handshake.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

constexpr std::size_t k_most = std::size_t{1} << 20;

websocket::EngineOptions options_of(unsigned how) {
    websocket::EngineOptions options;
    options.whole = (how & 1U) != 0;
    options.max_message = k_most;
    options.deflate.enabled = (how & 2U) != 0;
    options.deflate.server_no_context_takeover = (how & 4U) != 0;
    options.deflate.server_window_bits = (how & 8U) != 0 ? 9 : 15;
    return options;
}

/// The same, however it is cut into pieces; and no message beyond the limit, nor text that is no UTF-8.
void read_frames(unsigned how, std::string_view wire) {
    MemoryEngine at_once{options_of(how)};
    MemoryEngine in_pieces{options_of(how)};
    at_once.feed(wire);
    at_once.end();
    in_pieces.feed(wire, 1);
    in_pieces.end();
    const auto told = at_once.take_told();
    if ((how & 1U) != 0) {
        QCONN_REQUIRE(told == in_pieces.take_told());
        for (const std::string& one : told) QCONN_REQUIRE(one.size() <= k_most + 16);
    }
    QCONN_REQUIRE(!told.empty());  // the end at least
    for (const auto& frame : at_once.take_sent()) QCONN_REQUIRE(frame.masked && frame.payload.size() <= 125);
}

void read_handshake(std::string_view answer) {
    static const auto settings = [] {
        WebSocketOptions options;
        options.url = "ws://server.example/";
        options.subprotocols = {"one", "two"};
        return std::make_shared<const websocket::Settings>(std::move(options));
    }();
    websocket::HandshakeDialogue dialogue{settings, settings->base, true, true};
    std::string out;
    dialogue.begin(out);
    const Dialogue::Step step = dialogue.feed(answer, true, out);
    QCONN_REQUIRE(step.used <= answer.size());
    QCONN_REQUIRE(step.want != Dialogue::Want::failed || step.error.has_value());
    static_cast<void>(websocket::read_deflate_answer({}, answer));
}

void find_frames(std::string_view wire) {
    websocket::FrameReader reader;
    for (std::size_t left = wire.size() + 1; left > 0; --left) {
        const auto found = reader.feed(wire);
        if (found == websocket::FrameReader::Found::nothing || found == websocket::FrameReader::Found::broken) return;
        QCONN_REQUIRE(reader.payload().size() <= 125);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
    if (data[0] == 'h')
        read_handshake(rest);
    else if (data[0] == 'f')
        find_frames(rest);
    else
        read_frames(data[0], rest);
    return 0;
}
