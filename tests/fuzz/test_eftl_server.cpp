// SPDX-License-Identifier: Apache-2.0
// What clients may send to the eFTL server for tests. The first byte says which: bytes of a connection, or frames, a line each, of two clients in
// turn.
#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/require.hpp"
#include "testing/eftl_broker.hpp"
#include "testing/websocket_peer.hpp"

using namespace qconn;
using namespace qconn::testing;

namespace {

std::vector<std::string> story_of(std::string_view bytes, std::size_t piece) {
    using Got = WebSocketPeer::Got;
    WebSocketPeer peer;
    std::vector<std::string> out;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        peer.add(bytes.substr(0, piece));
        for (Got got = peer.next(); got != Got::nothing; got = peer.next()) {
            out.push_back(std::to_string(static_cast<int>(got)) + (got == Got::garbage || got == Got::handshake ? peer.path() : peer.payload()));
            if (got == Got::garbage) return out;
        }
    }
    return out;
}

/// Frames are read by EftlMessage again; a link that was closed gets none.
struct Outlet final : EftlOutlet {
    void send(std::uint64_t link, const std::string& frame) override {
        QCONN_REQUIRE(!closed.contains(link));
        QCONN_REQUIRE(EftlMessage::from_json(frame).get_long("op").has_value());
    }
    void close(std::uint64_t link, int, const std::string&) override { closed.insert(link); }
    std::set<std::uint64_t> closed;
};

void read_frames(std::string_view lines) {
    Outlet outlet;
    EftlBroker broker{{.max_pending_acks = 3}, {}, outlet};
    broker.answer(EftlMatcher{}.present("answer"), [](const EftlMessage& request) { return request; });
    std::uint64_t links[] = {1, 2};
    std::uint64_t last = 2;
    for (std::size_t turn = 0; !lines.empty(); ++turn) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        std::uint64_t& link = links[turn % 2];
        if (line == "lost") broker.lost(link);
        if (line == "lost" || outlet.closed.contains(link)) link = ++last;
        if (line == "forget") broker.forget_sessions();
        if (line != "lost" && line != "forget") broker.received(link, line);
        for (const auto& asked : broker.take_asked()) broker.replied(asked.request, (*asked.reply)(asked.message));
        broker.publish(EftlMessage{}.set_string("type", "own"));
        QCONN_REQUIRE(broker.links().size() <= 2);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    if (input.empty()) return 0;
    if (input.front() == 'f') {
        read_frames(input.substr(1));
    } else {
        QCONN_REQUIRE(story_of(input.substr(1), 1) == story_of(input.substr(1), input.size()));
    }
    return 0;
}
