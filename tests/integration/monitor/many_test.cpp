// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/monitor/monitor.hpp>

#include "support/catch.hpp"
#include "support/event_log.hpp"
#include "support/fd_count.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr int k_each = 10;  // connections of an interface

std::string name_of(int i) { return "c" + std::to_string(i); }
std::string interface_name(int i) { return "i" + std::to_string(i); }

/// A machine that is too busy is told of, and says nothing of connections.
bool is_of_machine(const Event& event) { return event.alert == "MONITOR-DEGRADED"; }

/// What the order of the events must be, whatever order the servers' deaths are seen in.
void check_order(const std::vector<Event>& events) {
    std::map<std::string, ConnectionState> states;
    std::map<std::string, std::vector<std::uint64_t>> ups;
    std::map<std::string, std::uint64_t> downs;
    std::map<std::string, std::uint64_t> stops;
    std::map<std::string, std::uint64_t> starts;
    std::uint64_t seq = 0;
    Clock::time_point mono;
    std::vector<EventKind> outage;  // the one that there was, and its alert
    for (const Event& event : events) {
        CHECK(event.seq == ++seq);
        CHECK(event.mono >= mono);
        mono = event.mono;
        if (is_of_machine(event)) continue;
        if (event.kind == EventKind::stop || event.kind == EventKind::start) {
            (event.kind == EventKind::stop ? stops : starts)[event.name] = seq;
            continue;
        }
        if (event.kind == EventKind::up) ups[event.name].push_back(seq);
        if (event.kind == EventKind::alert || event.kind == EventKind::alert_cleared) {
            CHECK(event.alert == "USER-CONNECTION-UNAVAILABLE");
            outage.push_back(event.kind);
            continue;
        }
        if (event.kind == EventKind::outage || event.kind == EventKind::outage_over) {
            CHECK((event.members.size() > 1) == (event.kind == EventKind::outage));
            CHECK(event.reason == Reason::refused);
            outage.push_back(event.kind);
            continue;
        }
        CHECK(event.from == states[event.name]);
        states[event.name] = event.state;
        if (event.kind != EventKind::down) continue;
        downs[event.name] = seq;
        CHECK(event.phase == Phase::connect);
        CHECK(event.reason == Reason::refused);
    }
    std::sort(outage.begin(), outage.end());
    CHECK(outage == std::vector{EventKind::alert, EventKind::alert_cleared, EventKind::outage, EventKind::outage_over});
    // Stopped when the first of its connections was down, started when the last was up.
    for (const auto& [name, stop] : stops) {
        const int first = k_each * std::stoi(name.substr(1));
        std::uint64_t first_down = seq;
        std::uint64_t last_up = 0;
        for (int i = first; i < first + k_each; ++i) {
            first_down = std::min(first_down, downs[name_of(i)]);
            last_up = std::max(last_up, ups[name_of(i)].back());
        }
        CHECK(stop > first_down);
        CHECK(starts[name] > last_up);
    }
}

/// One connection has the alert of all.
std::string without_alerts(std::string story) {
    for (const std::string_view word : {" alert-cleared", " alert"})
        if (const auto at = story.find(word); at != std::string::npos) story.erase(at, word.size());
    return story;
}

}  // namespace

TEST_CASE("200 of 500 connections are on a server that dies and returns", "[monitor][integration]") {
    Server mortal{"nginx", {.environment = {"NGINX_CONNECTIONS=4000"}}};
    Server other{"nginx", {.environment = {"NGINX_CONNECTIONS=4000"}}};
    const TempDir directory;
    std::string text;
    for (int i = 0; i < 500; ++i) {
        const Server& server = i < 200 ? mortal : other;
        // Half of them ask for something over a kept stream, the others only connect.
        text += "---\ntype: connection\nname: " + name_of(i) + "\ndesc: generated\n";
        if (i % 2 == 0)
            text += "url: rest://" + server.address() + "\noptions:\n  ping_method: GET\n  ping_path: /hello.txt\n";
        else
            text += "url: http://" + server.address() + "\n";
    }
    directory.write("all.qconn.yaml", text);
    const auto before = open_descriptors();

    struct Dependent {
        std::atomic<int> stops{0};
        std::atomic<int> starts{0};
    };
    std::vector<std::unique_ptr<Dependent>> counts;
    EventLog log;
    {
        Runtime runtime{RuntimeOptions{}};
        Registry registry{{.runtime = runtime}};
        REQUIRE(registry.load(directory.path()).ok());
        REQUIRE(registry.size() == 500);
        MonitorOptions options;
        options.interval = 1s;
        options.timeout = 5s;
        Monitor monitor{registry, options};
        const auto watching = monitor.subscribe(log.listener());
        std::vector<Interface> interfaces;
        for (int i = 0; i < 50; ++i) {  // 20 of them depend on connections that die, each on ten
            counts.push_back(std::make_unique<Dependent>());
            Dependent& count = *counts.back();
            interfaces.push_back(monitor.add_interface({InterfaceKind::service, interface_name(i), [&] { ++count.starts; }, [&] { ++count.stops; }}));
            for (int k = 0; k < k_each; ++k) interfaces.back().depend(name_of(k_each * i + k));
        }
        const auto all_in = [&](ConnectionState state, int from, int to) {
            return wait_until(
                [&] {
                    for (int i = from; i < to; ++i)
                        if (monitor.status(name_of(i)).state != state) return false;
                    return true;
                },
                30s);
        };

        const auto interfaces_in = [&](InterfaceState state, int from, int to) {
            return wait_until(
                [&] {
                    return std::all_of(interfaces.begin() + from, interfaces.begin() + to,
                                       [&](const Interface& one) { return one.info().state == state; });
                },
                30s);
        };

        monitor.start();
        REQUIRE(all_in(ConnectionState::up, 0, 500));
        mortal.kill();
        CHECK(all_in(ConnectionState::down, 0, 200));
        CHECK(wait_until([&] { return monitor.outages().size() == 1 && monitor.outages().front().members == 200; }));
        CHECK(monitor.alerts().size() == 1);
        CHECK(interfaces_in(InterfaceState::blocked, 0, 20));
        for (int i = 0; i < 50; ++i) {
            const InterfaceInfo info = interfaces[static_cast<std::size_t>(i)].info();
            CHECK(info.waits_for.size() == (i < 20 ? k_each : 0));
            if (i >= 20) CHECK(info.state == InterfaceState::running);
            CHECK(counts[static_cast<std::size_t>(i)]->starts == 0);
        }
        mortal.start();
        CHECK(all_in(ConnectionState::up, 0, 200));
        CHECK(interfaces_in(InterfaceState::running, 0, 50));
        CHECK(all_in(ConnectionState::up, 0, 500));
        CHECK(wait_until([&] {
            const auto alerts = monitor.alerts();
            return std::all_of(alerts.begin(), alerts.end(), [](const Alert& one) { return one.type == "MONITOR-DEGRADED"; });
        }));
        monitor.stop();
        // All that has happened is still delivered.
        for (int i = 0; i < 500; ++i)
            CHECK(wait_until([&] { return without_alerts(log.of(name_of(i))) == (i < 200 ? "up failing down up" : "up"); }));
        for (int i = 0; i < 50; ++i) CHECK(log.wait_for(interface_name(i), i < 20 ? "stop start" : ""));
    }
    for (int i = 0; i < 50; ++i) {
        CHECK(counts[static_cast<std::size_t>(i)]->stops == (i < 20 ? 1 : 0));
        CHECK(counts[static_cast<std::size_t>(i)]->starts == (i < 20 ? 1 : 0));
    }
    check_order(log.events());
    std::vector<Event> events = log.events();
    std::erase_if(events, is_of_machine);
    CHECK(events.size() == 200U * 4 + 300 + 4 + 20 * 2);
    CHECK(wait_until([&] { return open_descriptors() <= before; }));
}
