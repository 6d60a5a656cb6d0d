// SPDX-License-Identifier: Apache-2.0
// What a monitor says of a network that misbehaves, in front of a real server: by a proxy, and by packet filters in a network of the test's own.
#include <optional>
#include <string>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/testing/event_recorder.hpp>
#include <qconn/testing/fault_proxy.hpp>

#include "support/catch.hpp"
#include "support/firewall.hpp"
#include "support/name_service.hpp"
#include "support/server.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;
using qconn::testing::Door;
using qconn::testing::EventRecorder;
using qconn::testing::FaultProxy;
using qconn::testing::Faults;

namespace {

constexpr auto k_enough = 60s;
const std::string k_out_and_back = "up failing down alert up alert-cleared";

/// Connections that are asked something over kept streams, watched quickly.
struct Scene {
    Registry registry{RegistryOptions{.runtime = Runtime{RuntimeOptions{}}}};
    std::optional<Monitor> monitor;
    std::optional<EventRecorder> events;

    void add(const std::string& name, const std::string& address) {
        Definition definition;
        definition.name = name;
        definition.url = "rest://" + address;
        definition.options = {{"ping_method", "GET"}, {"ping_path", "/hello.txt"}};
        registry.add(definition);
    }
    void start(std::chrono::milliseconds timeout = 1s) {
        MonitorOptions options;
        options.interval = 200ms;
        options.timeout = timeout;
        monitor.emplace(registry, options);
        events.emplace(*monitor);
        monitor->start();
    }
    /// The connection went down so, with one alert, and its status says the same.
    void expect_down(const std::string& name, Phase phase, Reason reason) {
        const Event down = events->expect(EventKind::down, name, k_enough);
        INFO(testing::to_line(down));
        CHECK(down.state == ConnectionState::down);
        CHECK((down.from == ConnectionState::failing || down.from == ConnectionState::unknown));
        CHECK(down.phase == phase);
        CHECK(down.reason == reason);
        const Event alert = events->expect(EventKind::alert, name, k_enough);
        CHECK(alert.alert == "USER-CONNECTION-UNAVAILABLE");
        CHECK(alert.outage == down.outage);
        const ConnectionStatus status = monitor->status(name);
        CHECK(status.state == ConnectionState::down);
        CHECK(status.failures >= 2);
    }
    void expect_up(const std::string& name) { events->expect(EventKind::up, name, k_enough); }
    bool is_latest(const std::string& name, Phase phase, Reason reason) {
        return wait_until(
            [&] {
                const ConnectionStatus status = monitor->status(name);
                return status.phase == phase && status.reason == reason;
            },
            k_enough);
    }
};

}  // namespace

TEST_CASE("whatever becomes of who connects is told by phase and reason, once", "[monitor][integration]") {
    struct Case {
        Door door;
        Phase phase;
        Reason reason;
    };
    Server nginx{"nginx"};
    FaultProxy proxy{nginx.port()};
    Scene scene;
    scene.add("shop", proxy.address());
    scene.start();
    scene.expect_up("shop");
    for (const Case& one : {Case{Door::refuse, Phase::connect, Reason::refused}, Case{Door::close, Phase::protocol, Reason::closed},
                            Case{Door::silent, Phase::protocol, Reason::timeout}}) {
        INFO(to_string(one.reason));
        scene.events->clear();
        proxy.set({.door = one.door});
        proxy.cut();
        scene.expect_down("shop", one.phase, one.reason);
        proxy.clear();
        proxy.cut();
        scene.expect_up("shop");
        scene.events->expect_story("shop", "failing down alert up alert-cleared", k_enough);
    }
}

TEST_CASE("a kept stream whose peer has vanished is a time-out, and a new stream is up at once", "[monitor][integration]") {
    Server nginx{"nginx"};
    FaultProxy proxy{nginx.port()};
    Scene scene;
    scene.add("shop", proxy.address());
    scene.start();
    scene.expect_up("shop");
    REQUIRE(wait_until([&] { return scene.monitor->ping("shop").kept; }, k_enough));

    proxy.set({.half_open = true});
    scene.expect_down("shop", Phase::protocol, Reason::timeout);
    proxy.clear();
    scene.expect_up("shop");
    scene.events->expect_story("shop", k_out_and_back, k_enough);
    CHECK(proxy.connections() > 1);
}

TEST_CASE("answers that are late are good as long as the timeout allows, and a time-out beyond", "[monitor][integration]") {
    Server nginx{"nginx"};
    FaultProxy proxy{nginx.port(), {.delay = 250ms}};
    Scene scene;
    scene.add("shop", proxy.address());
    scene.start(3s);
    scene.expect_up("shop");
    CHECK(scene.monitor->status("shop").latency >= 500ms);  // each way

    proxy.set({.delay = 4s});
    scene.expect_down("shop", Phase::protocol, Reason::timeout);
    proxy.clear();
    scene.expect_up("shop");
    scene.events->expect_story("shop", k_out_and_back, k_enough);
}

TEST_CASE("an answer that never ends, or breaks off, is no good answer", "[monitor][integration]") {
    Server nginx{"nginx"};
    FaultProxy proxy{nginx.port()};
    Scene scene;
    scene.add("shop", proxy.address());
    scene.start();
    scene.expect_up("shop");
    proxy.set({.stall_after = 20});
    proxy.cut();
    scene.expect_down("shop", Phase::protocol, Reason::timeout);
    proxy.set({.close_after = 20});
    CHECK(scene.is_latest("shop", Phase::protocol, Reason::closed));
    proxy.set({.reset_after = 20});
    CHECK(scene.is_latest("shop", Phase::protocol, Reason::reset));
    proxy.set({.invert_at = 0});
    CHECK(scene.is_latest("shop", Phase::protocol, Reason::bad_answer));
    CHECK(scene.events->of("shop") == "up failing down alert");  // one outage, however its failures change
    proxy.clear();
    scene.expect_up("shop");
}

TEST_CASE("a server that is frozen, killed in that state and started again is one outage", "[monitor][integration]") {
    Server nginx{"nginx"};
    Scene scene;
    scene.add("shop", nginx.address());
    scene.start();
    scene.expect_up("shop");
    nginx.freeze();
    scene.expect_down("shop", Phase::protocol, Reason::timeout);
    nginx.kill();
    CHECK(scene.is_latest("shop", Phase::connect, Reason::refused));
    REQUIRE(scene.monitor->alerts().size() == 1);
    CHECK(scene.monitor->outages().size() == 1);
    nginx.start();
    scene.expect_up("shop");
    scene.events->expect_story("shop", k_out_and_back, k_enough);
    CHECK(wait_until([&] { return scene.monitor->alerts().empty(); }, k_enough));
}

TEST_CASE("what a packet filter does to connections is told by phase and reason", "[monitor][integration]") {
    const auto passed = run_in_own_network("[inside-firewall]");
    if (!passed) WARN("skipped: no right to make namespaces");
    CHECK(passed.value_or(true));
}

TEST_CASE("inside: unreachable, swallowed while it connects, swallowed on a kept stream", "[.inside-firewall]") {
    if (!has_own_network()) return;
    Firewall firewall;
    if (!firewall.is_there()) {
        WARN("skipped: no packet filter here");
        return;
    }
    Server one{"nginx"};
    Server other{"nginx"};
    Scene scene;
    scene.add("shop", one.address());
    scene.add("steady", other.address());

    firewall.unreachable(one.port());
    scene.start();
    scene.expect_down("shop", Phase::connect, Reason::unreachable);
    scene.events->expect_story("steady", "up", k_enough);
    firewall.swallow(one.port());  // before the other rule, with no moment in between that lets anything through
    CHECK(scene.is_latest("shop", Phase::connect, Reason::timeout));
    firewall.clear();
    scene.expect_up("shop");
    scene.events->expect_story("shop", "down alert up alert-cleared", k_enough);

    REQUIRE(wait_until([&] { return scene.monitor->ping("shop").kept; }, k_enough));
    scene.events->clear();
    firewall.swallow(one.port());
    scene.events->expect(EventKind::failing, "shop", k_enough);
    // The stream is given up with its first ping, so the second one finds that nothing is connected any more.
    scene.expect_down("shop", Phase::connect, Reason::timeout);
    firewall.clear();
    scene.expect_up("shop");
    scene.events->expect_story("shop", "failing down alert up alert-cleared", k_enough);
    CHECK(scene.monitor->status("steady").state == ConnectionState::up);
    CHECK_FALSE(scene.events->has(EventKind::failing, "steady"));
}

TEST_CASE("a silent name service delays no other host", "[monitor][integration]") {
    const auto passed = run_in_own_network("[inside-resolver]");
    if (!passed) WARN("skipped: no right to make namespaces");
    CHECK(passed.value_or(true));
}

TEST_CASE("inside: names are down, addresses are pinged on", "[.inside-resolver]") {
    if (!has_own_network()) return;
    Server nginx{"nginx"};
    NameService names;
    Scene scene;
    for (int i = 0; i < 8; ++i) scene.add("named" + std::to_string(i), "host" + std::to_string(i) + ".test:" + std::to_string(nginx.port()));
    scene.add("steady", nginx.address());
    scene.start();
    scene.expect_up("steady");
    for (int i = 0; i < 8; ++i) {
        const std::string name = "named" + std::to_string(i);
        CHECK(wait_until([&] { return scene.monitor->status(name).state == ConnectionState::down; }, k_enough));
    }
    CHECK(scene.monitor->status("named0").phase == Phase::resolve);
    const auto before = scene.monitor->status("steady").pings;
    CHECK(wait_until([&] { return scene.monitor->status("steady").pings >= before + 10; }, k_enough));
    CHECK(scene.events->of("steady") == "up");

    // All of them have their address again.
    CHECK(wait_until(
        [&] {
            names.answer(0, "\1");
            for (int i = 0; i < 8; ++i)
                if (scene.monitor->status("named" + std::to_string(i)).state != ConnectionState::up) return false;
            return true;
        },
        k_enough));
    CHECK(wait_until([&] { return scene.monitor->alerts().empty(); }, k_enough));
}
