// SPDX-License-Identifier: Apache-2.0
// An AMQP engine that is used while its peer sends whatever it likes. The first byte says how the bytes are cut; the rest comes behind the headers
// and an open, so that most inputs come past these.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "amqp/engine.hpp"
#include "amqp/outcome.hpp"

namespace {

using namespace qconn;
using namespace qconn::amqp;

/// Does what a client does: opens what it can, sends what it may, answers some of what comes.
class BusyHost final : public Host {
public:
    Engine* engine{nullptr};
    std::uint64_t told{0};
    std::uint64_t sent{0};
    bool over{false};

    void on_open(const Open&) override {
        for (int i = 0; i < 3; ++i) static_cast<void>(engine->begin({8, 8, 4}));
    }
    void on_begun(std::uint32_t session) override {
        LinkOptions options;
        options.name = "in";
        options.receiver = true;
        options.credit = 4;
        options.threshold = 2;
        options.max_message_size = 1000;
        static_cast<void>(engine->attach(session, options));
        options.receiver = false;
        options.name = "out";
        static_cast<void>(engine->attach(session, options));
    }
    void on_ended(std::uint32_t, const AmqpCondition&) override {}
    void on_attached(std::uint32_t link, const Attach&) override { send(link); }
    void on_detached(std::uint32_t, bool, const AmqpCondition&) override {}
    void on_sendable(std::uint32_t link) override { send(link); }
    void on_drained(std::uint32_t link) override { engine->grant(link, 1); }
    Answer on_delivery(std::uint32_t, const Incoming& message) override {
        if (message.delivery_id % 3 == 0) return Answer::accepted;
        if (message.delivery_id % 3 == 1) engine->answer(0, message.delivery_id, {"\0\x53\x26\x45", 4});
        return Answer::later;
    }
    void on_outcome(std::uint32_t, std::uint64_t, const Outcome& outcome) override {
        ++told;
        static_cast<void>(outcome_of(outcome.kind, outcome.state).shown());
    }
    void on_end(const Error*) override {
        if (std::exchange(over, true)) std::abort();  // told twice
    }

private:
    void send(std::uint32_t link) {
        const std::string message(sent % 2 == 0 ? 10 : 1500, 'm');
        for (int i = 0; i < 3 && engine->can_send(link); ++i) {
            const Sent result = engine->transfer(link, message, {++sent, sent % 5 == 0, 0, {}});
            if (result == Sent::whole) continue;
            if (sent % 7 == 0) engine->abort_transfer(link);
            break;
        }
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = data[0] % 64 + 1;
    const std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
    BusyHost host;
    EngineOptions options;
    options.container_id = "fuzz";
    options.max_frame_size = 4096;
    options.channel_max = 7;
    options.idle_time_out = std::chrono::seconds{10};
    options.most_output = 8192;
    if (data[0] >= 128) options.mechanisms = {{"PLAIN", Secret{std::string_view{"\0u\0p", 4}}}};
    Engine engine{options, host};
    host.engine = &engine;
    Clock::time_point now{Clock::time_point{} + std::chrono::hours{1}};
    engine.start(now);
    std::string buffer;
    if (data[0] < 128)
        buffer.assign(
            "AMQP\0\1\0\0"
            "\0\0\0\x11\2\0\0\0"
            "\0\x53\x10\xc0\4\1\xa1\1p",
            25);  // and an open
    const auto step = [&](std::string_view bytes) {
        buffer += bytes;
        const std::size_t taken = engine.received(buffer, now);
        if (taken > buffer.size()) std::abort();
        buffer.erase(0, taken);
        engine.flush();
        const std::size_t waiting = engine.output().size();
        engine.written(waiting - waiting / 3, now);
        now += std::chrono::milliseconds{100};
        if (now >= engine.next_deadline()) engine.tick(now);
    };
    step({});
    for (std::size_t at = 0; at < rest.size() && !engine.is_over(); at += piece) step(rest.substr(at, piece));
    if (rest.size() % 2 == 0)
        engine.received_end();
    else
        engine.close();
    if (host.told > host.sent) std::abort();
    return 0;
}
