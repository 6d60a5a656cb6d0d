// SPDX-License-Identifier: Apache-2.0
// Any text as the state of a monitor: what is taken can be shown, kept again, and gone on from.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/monitor/to_value.hpp>

#include "base/text.hpp"
#include "fuzz/require.hpp"
#include "monitor/engine.hpp"
#include "monitor/kept_state.hpp"

using namespace qconn;
using namespace qconn::monitor;

namespace {

struct Nobody : Engine::Outlet {
    void event(Event one) override { QCONN_REQUIRE(text::valid_utf8(to_text(to_value(one)))); }
    void hold(const std::string&, Hold) override {}
    Whereabouts where(TargetId) override { return {}; }
    TargetId id_of(const std::string&) override { return k_no_target; }
};

void add(StateText& text, const KeptState& state) {
    for (const auto& one : state.connections) text.add(one);
    for (const auto& one : state.alerts) text.add(one);
    for (const auto& one : state.outages) text.add(one);
    for (const auto& one : state.timeline) text.add(one);
    for (const auto& one : state.interfaces) text.add(one);
    for (const auto& one : state.why_stopped) text.add(one);
    text.end();
}

void go_on(const KeptState& state) {
    const MonitorOptions options;
    Nobody nobody;
    AlertBoard alerts;
    Engine engine{options, timing_of(options, 0), nobody, alerts};
    Moment now{Clock::time_point{std::chrono::hours{1000}}, std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000}}};
    engine.recall(state);
    std::size_t added = 0;
    for (const KeptConnection& one : state.connections) {
        if (++added > 50) break;
        Engine::Facts facts;
        facts.configuration = one.configuration;
        engine.add(std::make_shared<Cell>(one.status.name), facts, now, false);
    }
    engine.start(now);
    now.mono += std::chrono::hours{2};
    now.wall += std::chrono::hours{2};
    for (TargetId id = 0; id < added; ++id) {
        PingResult result;
        result.ok = id % 2 == 0;
        engine.take(id, now);
        engine.outcome(id, result, now);
        to_value(engine.histories().read(engine.cell(id), now));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Result<KeptState> read = read_state({reinterpret_cast<const char*>(data), size});
    if (!read) {
        QCONN_REQUIRE(!read.error().message().empty());
        return 0;
    }
    StateText text{read.value().head};
    add(text, read.value());
    const std::string kept = text.take();
    const Result<KeptState> again = read_state(kept);
    QCONN_REQUIRE(again);
    StateText twice{again.value().head};
    add(twice, again.value());
    QCONN_REQUIRE(twice.take() == kept);
    go_on(read.value());

    const MonitorSnapshot snapshot = snapshot_of(std::move(read).value());
    for (const auto& one : snapshot.connections) to_value(one);
    for (const auto& one : snapshot.histories) to_value(one);
    for (const auto& one : snapshot.certificates) to_value(one);
    for (const auto& one : snapshot.alerts) to_value(one);
    for (const auto& one : snapshot.outages) to_value(one);
    for (const auto& one : snapshot.timeline) to_value(one);
    for (const auto& one : snapshot.interfaces) to_value(one);
    for (std::size_t i = 0; i < snapshot.connections.size() && i < 5; ++i) impact(snapshot, snapshot.connections[i].name);
    return 0;
}
