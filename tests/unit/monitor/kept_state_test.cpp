// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include <qconn/monitor/snapshot.hpp>

#include "monitor/kept_state.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::monitor;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::system_clock::time_point k_now{1'700'000'000'123'456'789ns};

KeptState sample() {
    KeptState state;
    state.head.written = k_now;
    state.head.running = true;
    state.head.manage_interfaces = true;
    state.head.disabled_groups = {"night"};
    state.head.last_alert = 9;
    state.head.last_outage = 4;

    KeptConnection down;
    down.status.name = "bus";
    down.status.state = ConnectionState::down;
    down.status.since = k_now - 5min;
    down.status.checked = k_now - 1s;
    down.status.failures = 7;
    down.status.phase = Phase::connect;
    down.status.reason = Reason::refused;
    down.status.error = "SOCKET-ERROR: refused";
    down.status.outage = 4;
    down.status.silence = Silence{Silence::Kind::maintenance, k_now - 1h, k_now + 1h, "ann", "new disks"};
    down.configuration = 0xfedcba9876543210;
    down.certificate = ServerCertificate{"CN=bus", "CN=authority", k_now - 1h, k_now + 240h, "ab12"};
    down.credentials = {{Credential::Kind::client_certificate, "CN=us", "CN=authority", k_now - 1h, k_now + 240h, "cd34"},
                        {Credential::Kind::host_key, "ssh-ed25519", {}, {}, {}, "SHA256:x"}};
    down.history.emplace();
    down.history->shown.since = k_now - 100h;
    down.history->shown.downs = 3;
    down.history->shown.pings = {PingOutcome::ok, PingOutcome::inconclusive, PingOutcome::failed};
    down.history->shown.latencies = {12, 3ms, 4ms, 5ms, 6ms};
    down.history->shown.outages.push_back({k_now - 5min, {}, Phase::connect, Reason::refused, "no", OutageKind::proxy, "gate:1", 4});
    down.history->up_time.total = {90h, 5min};
    const auto hour = std::chrono::floor<std::chrono::hours>(k_now.time_since_epoch()).count();
    down.history->up_time.parts = {hour - 1, 36000, 0, hour, 1000, 3000};
    state.add(down);
    KeptConnection up;
    up.status.name = "shop";
    up.status.state = ConnectionState::up;
    state.add(up);

    Alert alert;
    alert.type = "USER-CONNECTION-UNAVAILABLE";
    alert.name = "bus";
    alert.text = "it said \xff";
    alert.since = k_now - 5min;
    alert.id = 9;
    alert.outage = 4;
    alert.acknowledged_by = "ann";
    alert.acknowledged = k_now - 1min;
    alert.silenced = alert.untold = true;
    state.add(alert);
    KeptOutage outage;
    outage.outage.id = 4;
    outage.outage.kind = OutageKind::proxy;
    outage.outage.cause = "gate:1";
    outage.outage.since = k_now - 5min;
    outage.outage.members = 2;
    outage.told = true;
    state.add(outage);
    Event event;
    event.kind = EventKind::outage_over;
    event.name = "gate:1";
    event.from = ConnectionState::down;
    event.time = k_now - 2h;
    event.seq = 17;
    event.members = {"bus", "shop"};
    state.add(event);
    InterfaceInfo interface;
    interface.name = "orders";
    interface.kind = InterfaceKind::workflow;
    interface.state = InterfaceState::blocked;
    interface.connections = {"bus", "shop"};
    interface.waits_for = {"bus"};
    interface.autostart = true;
    interface.provides = {"orders-api"};
    state.add(interface);
    interface.name = "mail";
    interface.kind = InterfaceKind::job;
    interface.state = InterfaceState::running;
    interface.connections = {"orders-api"};
    interface.optional = {"shop"};
    interface.waits_for = {};
    interface.provides = {};
    interface.stops_after = {{InterfaceKind::workflow, "orders"}};
    state.add(interface);
    state.add(WhyStopped{{InterfaceKind::workflow, "orders"},
                         InterfaceState::blocked,
                         {{StopCause::connection, "bus", "\"bus\" is down", {{StopCause::provider, "vpn", "behind it", {}}}}}});
    return state;
}

std::string text_of(const KeptState& state) {
    StateText text{state.head};
    const auto add = [&](const auto& all) {
        for (const auto& one : all) text.add(one);
    };
    add(state.connections);
    add(state.alerts);
    add(state.outages);
    add(state.timeline);
    add(state.interfaces);
    add(state.why_stopped);
    text.end();
    return text.take();
}

}  // namespace

TEST_CASE("what a monitor keeps is read back as it was written", "[monitor][state]") {
    const KeptState before = sample();
    const Result<KeptState> read = read_state(text_of(before));
    REQUIRE(read);
    const KeptState& state = read.value();
    CHECK(text_of(state) == text_of(before));
    CHECK(state.head.written == k_now);
    CHECK(state.head.last_alert == 9);
    REQUIRE(state.connections.size() == 2);
    const KeptConnection& bus = state.connections[0];
    CHECK(bus.status.state == ConnectionState::down);
    CHECK(bus.status.since == k_now - 5min);
    CHECK(bus.status.reason == Reason::refused);
    CHECK(bus.status.silence == before.connections[0].status.silence);
    CHECK(bus.configuration == 0xfedcba9876543210);
    REQUIRE(bus.certificate);
    CHECK(bus.certificate->expires == k_now + 240h);
    REQUIRE(bus.history);
    CHECK(bus.history->shown.pings == before.connections[0].history->shown.pings);
    CHECK(bus.history->shown.latencies.p99 == 5ms);
    CHECK_FALSE(state.connections[1].history);
    CHECK(state.alerts[0].acknowledged_by == "ann");
    CHECK(state.alerts[0].silenced);
    CHECK(state.alerts[0].untold);
    CHECK(state.alerts[0].text == "it said \xEF\xBF\xBD");
    CHECK(state.outages[0].told);
    CHECK(state.timeline[0].kind == EventKind::outage_over);
    CHECK(state.timeline[0].members == std::vector<std::string>{"bus", "shop"});
    CHECK(state.interfaces[1].stops_after[0].name == "orders");
    CHECK(state.why_stopped[0].reasons[0].because[0].cause == StopCause::provider);
}

TEST_CASE("a state that is cut anywhere is not taken for a whole one", "[monitor][state]") {
    const std::string text = text_of(sample());
    for (std::size_t size = 0; size < text.size(); ++size) CHECK_FALSE(read_state(std::string_view{text}.substr(0, size)));
}

TEST_CASE("what is no state, or one of a later version, is refused with what is wrong", "[monitor][state]") {
    const auto problem = [](std::string_view text) { return std::string{read_state(text).error().message()}; };
    CHECK(problem("") == "line 1: the end is missing");
    CHECK(problem("{}\n") == "line 1: this is no state of a monitor");
    CHECK(problem("{\"version\":1,\"connections\":{}}\n") == "line 1: this is no state of a monitor");
    CHECK(problem("{\"qconn_monitor_state\":2}\n") == "line 1: this is of another version than 1");
    CHECK(read_state("{\"qconn_monitor_state\":2}\n").error().reason() == Reason::unsupported);
    CHECK(problem("{\"qconn_monitor_state\":1}\n{\"alert\":{}}\n{\"end\":2}\n").find("line 3: this is not the end") == 0);
    CHECK(problem("{\"qconn_monitor_state\":1}\n{oh no\n").find("line 2: ") == 0);
    CHECK(read_state("{\"qconn_monitor_state\":1}\n{\"end\":0}\n"));
}

TEST_CASE("members and lines that are not known are left out, values of another kind are zero", "[monitor][state]") {
    const Result<KeptState> read = read_state(
        "{\"qconn_monitor_state\":1,\"written\":-5,\"running\":\"yes\",\"more\":{}}\n"
        "{\"connection\":{\"name\":7,\"state\":\"upside\",\"since\":9223372036854775807,\"failures\":-99999999999,\"pings\":-1,\"history\":[],"
        "\"certificate\":{\"expires\":\"soon\"}}}\n"
        "{\"weather\":{\"name\":\"rain\"}}\n"
        "{\"alert\":[1,2]}\n"
        "{\"end\":3}\n");
    REQUIRE(read);
    CHECK(read.value().head.written == std::chrono::system_clock::time_point{});
    CHECK_FALSE(read.value().head.running);
    REQUIRE(read.value().connections.size() == 1);
    const KeptConnection& one = read.value().connections[0];
    CHECK(one.status.name.empty());
    CHECK(one.status.state == ConnectionState::unknown);
    CHECK(one.status.since.time_since_epoch() > 0ns);
    CHECK(one.status.failures == 0);
    CHECK(one.status.pings == 0);
    CHECK_FALSE(one.history);
    CHECK(one.certificate);
    CHECK(read.value().alerts.empty());
}

TEST_CASE("a snapshot has what is shown: histories with their sums, certificates by date", "[monitor][state]") {
    KeptState state = sample();
    state.connections[1].certificate = ServerCertificate{"CN=shop", "", {}, k_now + 1h, "cd"};
    const MonitorSnapshot snapshot = snapshot_of(std::move(state));
    CHECK(snapshot.running);
    REQUIRE(snapshot.connections.size() == 2);
    CHECK(snapshot.connections[0].certificate_expires == k_now + 240h);
    REQUIRE(snapshot.histories.size() == 1);
    CHECK(snapshot.histories[0].name == "bus");
    CHECK(snapshot.histories[0].last_day.up == 1h + 100s);
    CHECK(snapshot.histories[0].last_day.down == 5min);
    CHECK(snapshot.histories[0].total.up == 90h);
    REQUIRE(snapshot.certificates.size() == 2);
    CHECK(snapshot.certificates[0].connection == "shop");
    CHECK(snapshot.outages[0].cause == "gate:1");
}

TEST_CASE("a snapshot answers what would happen if a connection went down", "[monitor][state]") {
    MonitorSnapshot snapshot = snapshot_of(sample());
    snapshot.interfaces[0].state = InterfaceState::running;
    snapshot.interfaces[0].waits_for = {};
    snapshot.why_stopped.clear();

    Impact would = impact(snapshot, "shop");
    REQUIRE(would.stops.size() == 2);
    CHECK(would.stops[0].interface.name == "mail");  // it needs what "orders" offers
    CHECK(would.stops[1].interface.name == "orders");
    CHECK(would.stops[1].returns);
    CHECK(would.managed);
    CHECK_THROWS_AS(impact(snapshot, "nothing"), Error);

    snapshot.interfaces[0].autostart = false;
    would = impact(snapshot, "bus");
    REQUIRE(would.stops.size() == 2);
    CHECK_FALSE(would.stops[1].returns);
    CHECK(would.stops[1].why_not == "it has no autostart, so it is only started by hand");
}

TEST_CASE("what does not run in a snapshot is explained in the words of its monitor", "[monitor][state]") {
    const MonitorSnapshot snapshot = snapshot_of(sample());  // "orders" waits for "bus"
    const Impact would = impact(snapshot, "shop");
    CHECK(would.stops.empty());
    REQUIRE(would.stopped.size() == 2);
    for (const AffectedInterface& one : would.stopped)
        if (one.interface.name == "orders") CHECK(one.why_not == "\"bus\" is down");
}
