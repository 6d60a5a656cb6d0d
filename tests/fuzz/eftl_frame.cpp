// SPDX-License-Identifier: Apache-2.0
// Frames of an eFTL server: each line is one message, to a client that has a session, a subscription of each mode and operations under way.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "eftl/engine.hpp"
#include "fuzz/require.hpp"

using namespace qconn;
using namespace qconn::eftl;

namespace {

/// Does nothing but to hold what an engine promises.
struct QuietHost final : Host {
    void dial(std::size_t) override { up = true; }
    void send(std::string_view frame) override { QCONN_REQUIRE(up && !frame.empty()); }
    void send_and_tell(std::string_view frame, UniqueFunction<void(const Error*)> done) override {
        send(frame);
        done(nullptr);
    }
    void close(std::uint16_t, std::string_view) override { QCONN_REQUIRE(up); }
    void drop(std::uint16_t) override { up = false; }
    void leave(std::uint16_t) override { up = false; }
    void on_state(EftlState) override {}
    void on_welcome(Welcome, const EftlSession&) override {}
    void on_disconnect(int, const std::string&) override { ++ends; }
    void on_error(int, const std::string&) override {}
    void on_subscribed(const Subscribed&) override {}
    void on_subscription_error(const Subscribed&, int, const std::string&, bool) override {}
    void on_message(const Subscribed&, EftlMessage message) override { message.to_json(); }
    bool up{false};
    int ends{0};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text{reinterpret_cast<const char*>(data), size};
    QuietHost host;
    Engine engine{{}, host, [] { return 0.5; }};
    Clock::time_point now{};
    int open = 0;
    engine.connect(now, [](const Result<EftlSession>&) {});
    engine.link_up(now);
    for (const EftlAck ack : {EftlAck::automatic, EftlAck::client, EftlAck::none}) {
        EftlSubscription what;
        what.ack = ack;
        engine.subscribe(engine.next_id(), what, ack == EftlAck::client, now, Clock::time_point::max(), [](const Result<std::string>&) {});
    }
    for (const Kind kind : {Kind::publish, Kind::request, Kind::reply, Kind::map_set, Kind::map_get, Kind::map_remove}) {
        ++open;
        engine.submit(kind, publish_frame({}), now, Clock::time_point::max(), [&open](const Result<Answer>&) { --open; });
    }
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        now += std::chrono::seconds{1};
        engine.received(text.substr(0, end), now);
        engine.flush_acks();
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (engine.next_deadline() != Clock::time_point::max() && engine.state() == EftlState::reconnecting) {
            now = engine.next_deadline();
            engine.tick(now);
            engine.link_up(now);
        }
    }
    bool ended = false;
    engine.disconnect(now, [&ended] { ended = true; });
    engine.tick(now);
    QCONN_REQUIRE(ended || engine.state() == EftlState::disconnected);
    QCONN_REQUIRE(open == 0);
    return 0;
}
