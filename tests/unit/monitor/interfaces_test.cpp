// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <qconn/monitor/monitor_error.hpp>
#include <qconn/testing/diary.hpp>

#include "scene.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

using Names = std::vector<std::string>;
using testing::Diary;

/// A function that can be made to wait in its middle. Thread-safe.
class Gate {
public:
    void pass() {
        ++inside;
        wait_until([&] { return open.load(); }, 60s);
        --inside;
    }
    std::atomic<int> inside{0};
    std::atomic<bool> open{false};
};

bool settles(const Interface& one, InterfaceState state) {
    return wait_until([&] { return one.info().state == state; });
}

std::string message(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& e) { return e.what(); }
    return {};
}

}  // namespace

TEST_CASE("an interface says what it is, what it uses and what it offers", "[monitor][threads]") {
    Scene scene{by_hand(), {"vpn", "bus", "cache"}};
    Interface gateway = scene.monitor->add_interface({.kind = InterfaceKind::service,
                                                      .name = "gateway",
                                                      .version = "2.1",
                                                      .id = "17",
                                                      .description = "to the bus of the warehouse",
                                                      .groups = {"net"},
                                                      .provides = {"bus"}});
    Interface orders = scene.monitor->add_interface({.kind = InterfaceKind::workflow, .name = "orders"});
    gateway.get<RemoteClient>("vpn");
    orders.get<RemoteClient>("bus");
    orders.depend("cache", Dependency::optional);
    orders.get<RemoteClient>("cache");  // changes nothing

    const auto all = scene.monitor->interfaces();
    REQUIRE(all.size() == 2);
    CHECK(all[0].name == "gateway");
    CHECK(all[0].version == "2.1");
    CHECK(all[0].id == "17");
    CHECK(all[0].description == "to the bus of the warehouse");
    CHECK(all[0].groups == Names{"net"});
    CHECK(all[0].provides == Names{"bus"});
    CHECK(all[0].connections == Names{"vpn"});
    CHECK(all[1].connections == Names{"bus"});
    CHECK(all[1].optional == Names{"cache"});
    CHECK(all[1].autostart);
    orders.set_autostart(false);
    CHECK_FALSE(orders.info().autostart);

    scene.bring_down("cache");
    scene.bring_down("vpn");
    CHECK(settles(gateway, InterfaceState::blocked));
    CHECK(settles(orders, InterfaceState::blocked));
    CHECK(orders.info().waits_for == Names{"bus"});

    const WhyStopped why = scene.monitor->why_stopped(InterfaceKind::workflow, "orders");
    CHECK(why.state == InterfaceState::blocked);
    REQUIRE(why.reasons.size() == 2);
    CHECK(why.reasons[0].cause == StopCause::provider);
    CHECK(why.reasons[0].because.at(0).text.find("\"vpn\" is down since ") == 0);
    CHECK(why.reasons[1].cause == StopCause::no_autostart);
    CHECK(error_name([&] { scene.monitor->why_stopped(InterfaceKind::job, "orders"); }) == "INTERFACE-ERROR");
}

TEST_CASE("what is only used stops nobody", "[monitor][threads]") {
    Scene scene{by_hand(), {"cache", "shop"}};
    Diary diary;
    Interface orders = scene.monitor->add_interface(diary.options("orders"));
    orders.get<RemoteClient>("cache", Dependency::optional);
    orders.depend("shop");
    scene.bring_down("cache");
    scene.bring_down("shop");
    CHECK(diary.wait_for("-orders"));
    scene.ping("shop", true);
    CHECK(diary.wait_for("-orders +orders"));
    CHECK(settles(orders, InterfaceState::running));
    CHECK(scene.monitor->status("cache").state == ConnectionState::down);
}

TEST_CASE("an outage passes along a chain in order, and back in the other", "[monitor][threads]") {
    Scene scene{by_hand(), {"vpn", "bus", "feed"}};
    Diary diary;
    Interface gateway = scene.monitor->add_interface(diary.options("gateway", {"bus"}));
    Interface relay = scene.monitor->add_interface(diary.options("relay", {"feed"}));
    Interface orders = scene.monitor->add_interface(diary.options("orders"));
    orders.depend("feed");
    relay.depend("bus");
    gateway.depend("vpn");

    scene.bring_down("vpn");
    CHECK(diary.wait_for("-orders -relay -gateway"));
    CHECK(settles(gateway, InterfaceState::blocked));
    scene.ping("vpn", true);
    CHECK(diary.wait_for("-orders -relay -gateway +gateway +relay +orders"));
    for (const char* name : {"gateway", "relay", "orders"}) CHECK(scene.log.wait_for(name, "stop start"));

    SECTION("by hand too, after what depends on it") {
        gateway.stop();
        CHECK(gateway.info().state == InterfaceState::stopped);
        CHECK(diary.text() == "-orders -relay -gateway +gateway +relay +orders -orders -relay -gateway");
        gateway.start();
        CHECK(settles(orders, InterfaceState::running));
    }
    SECTION("when one of them goes, nothing is withheld any more") {
        gateway.stop();
        gateway = relay;
        CHECK(settles(orders, InterfaceState::running));
    }
}

TEST_CASE("interfaces that would require each other in a circle are refused by name", "[monitor][threads]") {
    Scene scene{by_hand(), {"bus", "feed"}};
    Diary diary;
    Interface gateway = scene.monitor->add_interface(diary.options("gateway", {"bus"}));
    Interface relay = scene.monitor->add_interface(diary.options("relay", {"feed"}));
    relay.depend("bus");

    const std::string text = message([&] { gateway.get<RemoteClient>("feed"); });
    CHECK(text.find("service \"gateway\" -> \"feed\" -> service \"relay\" -> \"bus\" -> service \"gateway\"") != std::string::npos);
    CHECK(gateway.info().connections.empty());
    gateway.get<RemoteClient>("feed", Dependency::optional);
    CHECK(error_name([&] { gateway.depend("feed"); }) == "INTERFACE-ERROR");
    CHECK(gateway.info().optional == Names{"feed"});
    CHECK(error_name([&] { scene.monitor->add_interface(diary.options("second", {"bus"})); }) == "INTERFACE-ERROR");
    CHECK(scene.monitor->interfaces().size() == 2);
}

TEST_CASE("no more restarts run at once than allowed, and starts by hand do not wait for them", "[monitor][threads]") {
    MonitorOptions options = by_hand();
    options.restarts_at_once = 2;
    options.restarts_per_second = 0;
    Scene scene{options};
    Gate gate;
    std::atomic<int> started{0};
    std::vector<Interface> interfaces;
    for (int i = 0; i < 6; ++i) {
        interfaces.push_back(scene.monitor->add_interface({.name = std::to_string(i), .start = [&] { ++started, gate.pass(); }}));
        interfaces.back().depend("shop");
    }
    Interface other = scene.monitor->add_interface({.name = "other"});
    other.stop();
    scene.bring_down("shop");
    for (const auto& one : interfaces) REQUIRE(settles(one, InterfaceState::blocked));
    scene.ping("shop", true);
    CHECK(wait_until([&] { return gate.inside == 2; }));
    other.start();
    CHECK(settles(other, InterfaceState::running));
    CHECK(started == 2);
    for (const auto& one : interfaces) CHECK(one.info().state == InterfaceState::starting);

    SECTION("all have their turn") {
        gate.open = true;
        for (const auto& one : interfaces) CHECK(settles(one, InterfaceState::running));
        CHECK(started == 6);
    }
    SECTION("what has become wrong while it waited is not done") {
        scene.bring_down("shop");
        gate.open = true;
        for (const auto& one : interfaces) CHECK(settles(one, InterfaceState::blocked));
        CHECK(started == 2);
    }
}

TEST_CASE("restarts follow each other at the pace that is allowed", "[monitor][threads]") {
    MonitorOptions options = by_hand();
    options.restarts_per_second = 20;
    Scene scene{options};
    std::vector<Interface> interfaces;
    for (int i = 0; i < 5; ++i) {
        interfaces.push_back(scene.monitor->add_interface({.name = std::to_string(i)}));
        interfaces.back().depend("shop");
    }
    scene.bring_down("shop");
    for (const auto& one : interfaces) REQUIRE(settles(one, InterfaceState::blocked));
    const auto begin = Clock::now();
    scene.ping("shop", true);
    for (const auto& one : interfaces) REQUIRE(settles(one, InterfaceState::running));
    CHECK(Clock::now() - begin >= 4 * 50ms);  // a slow machine only makes it longer
}

TEST_CASE("what has come up starts its dependents only when it is released", "[monitor][threads]") {
    MonitorOptions options = by_hand();
    options.restart_delay = 300ms;
    Scene scene{options};
    Diary diary;
    Interface orders = scene.monitor->add_interface(diary.options("orders"));
    orders.depend("shop");
    scene.bring_down("shop");
    REQUIRE(settles(orders, InterfaceState::blocked));
    const auto begin = Clock::now();
    scene.ping("shop", true);
    CHECK(scene.monitor->status("shop").state == ConnectionState::up);
    CHECK(diary.wait_for("-orders +orders"));
    CHECK(Clock::now() - begin >= 300ms);
}

TEST_CASE("functions that hang hold up nobody else", "[monitor][threads]") {
    Scene scene{by_hand(), {"dead", "quick"}};
    Gate gate;
    std::vector<Interface> hanging;
    for (int i = 0; i < 20; ++i) {
        hanging.push_back(scene.monitor->add_interface({.name = "hangs-" + std::to_string(i), .stop = [&] { gate.pass(); }}));
        hanging.back().depend("dead");
    }
    std::vector<Interface> quick;
    for (int i = 0; i < 20; ++i) {
        quick.push_back(scene.monitor->add_interface({.name = "quick-" + std::to_string(i)}));
        quick.back().depend("quick");
    }
    scene.bring_down("dead");
    scene.bring_down("quick");
    for (const auto& one : quick) CHECK(settles(one, InterfaceState::blocked));
    CHECK(wait_until([&] { return gate.inside == 20; }));
    scene.ping("quick", true);
    for (const auto& one : quick) CHECK(settles(one, InterfaceState::running));
    CHECK(scene.monitor->why_stopped(InterfaceKind::service, "hangs-7").reasons.at(0).cause == StopCause::in_transition);
    gate.open = true;
    for (const auto& one : hanging) CHECK(settles(one, InterfaceState::blocked));
}

TEST_CASE("a stop that takes its time holds up what it depends on, and only that", "[monitor][threads]") {
    Scene scene{by_hand(), {"vpn", "bus", "shop"}};
    Gate gate;
    Diary diary;
    Interface gateway = scene.monitor->add_interface(diary.options("gateway", {"bus"}));
    InterfaceOptions slow = diary.options("orders");
    slow.stop = [&] { gate.pass(); };
    Interface orders = scene.monitor->add_interface(slow);
    Interface other = scene.monitor->add_interface(diary.options("other"));
    gateway.depend("vpn");
    orders.depend("bus");
    other.depend("vpn");
    scene.bring_down("vpn");
    CHECK(settles(other, InterfaceState::blocked));
    CHECK(gateway.info().state == InterfaceState::stopping);
    REQUIRE(gateway.info().stops_after.size() == 1);
    CHECK(gateway.info().stops_after[0] == InterfaceKey{InterfaceKind::service, "orders"});
    CHECK(diary.text() == "-other");
    gate.open = true;
    CHECK(diary.wait_for("-other -gateway"));
}

TEST_CASE("a disabled group does not run, and the others do", "[monitor][threads]") {
    MonitorOptions options = by_hand();
    options.manage_interfaces = GENERATE(true, false);
    Scene scene{options};
    Diary diary;
    InterfaceOptions grouped = diary.options("night");
    grouped.groups = {"batch"};
    Interface night = scene.monitor->add_interface(grouped);
    Interface day = scene.monitor->add_interface(diary.options("day"));
    scene.monitor->disable_group("batch");
    scene.monitor->disable_group("another");
    CHECK(diary.wait_for("-night"));
    CHECK(settles(night, InterfaceState::disabled));
    CHECK(scene.monitor->disabled_groups() == Names{"another", "batch"});
    night.start();
    CHECK(night.info().state == InterfaceState::disabled);
    scene.monitor->enable_group("batch");
    CHECK(diary.wait_for("-night +night"));
    CHECK(day.info().state == InterfaceState::running);
}

TEST_CASE("all interfaces are stopped in order, and none starts until that is taken back", "[monitor][threads]") {
    MonitorOptions options = by_hand();
    options.manage_interfaces = GENERATE(true, false);
    Scene scene{options, {"vpn", "bus"}};
    Gate gate;
    Diary diary;
    Interface gateway = scene.monitor->add_interface(diary.options("gateway", {"bus"}));
    Interface orders = scene.monitor->add_interface(diary.options("orders"));
    gateway.depend("vpn");
    orders.depend("bus");

    SECTION("to the end") {
        CHECK(scene.monitor->stop_interfaces());
        CHECK(diary.text() == "-orders -gateway");
        scene.bring_down("vpn");
        scene.ping("vpn", true);
        orders.start();
        Interface late = scene.monitor->add_interface(diary.options("late"));
        CHECK(diary.wait_for("-orders -gateway -late"));
        CHECK(orders.info().state == InterfaceState::disabled);
        scene.monitor->start_interfaces();
        for (const auto* one : {&gateway, &orders, &late}) CHECK(settles(*one, InterfaceState::running));
    }
    SECTION("until the deadline, where one hangs") {
        InterfaceOptions slow = diary.options("slow");
        slow.stop = [&] { gate.pass(); };
        Interface hangs = scene.monitor->add_interface(slow);
        hangs.depend("bus");
        CHECK_FALSE(scene.monitor->stop_interfaces(50ms));
        CHECK(diary.wait_for("-orders"));
        gate.open = true;
        CHECK(scene.monitor->stop_interfaces());
        CHECK(diary.text() == "-orders -gateway");
    }
    SECTION("from inside a function, without waiting") {
        std::atomic<int> stopped{-1};
        Interface leader =
            scene.monitor->add_interface({.name = "leader", .start = [&] { stopped = scene.monitor->stop_interfaces() ? 1 : 0; }, .running = false});
        leader.start();
        CHECK(wait_until([&] { return stopped == 0; }));
        CHECK(diary.wait_for("-orders -gateway"));
        CHECK(settles(leader, InterfaceState::disabled));
    }
    SECTION("who waits for it is told when the monitor goes") {
        Interface hangs = scene.monitor->add_interface({.name = "hangs", .stop = [&] { gate.pass(); }});
        auto waiting = std::async(std::launch::async, [&] { return scene.monitor->stop_interfaces(); });
        REQUIRE(wait_until([&] { return gate.inside == 1; }));
        std::thread ending{[&] { scene.monitor.reset(); }};
        CHECK_FALSE(waiting.get());
        gate.open = true;
        ending.join();
    }
}

TEST_CASE("functions that stop and let go of each other wait for nothing", "[monitor][threads]") {
    Scene scene;
    std::array<std::optional<Interface>, 2> pair;
    std::atomic<int> inside{0};
    std::atomic<int> done{0};
    std::function<void(int)> meet;
    for (int i = 0; i < 2; ++i)
        pair[static_cast<std::size_t>(i)] = scene.monitor->add_interface({.name = std::to_string(i), .stop = [&, i] {
                                                                              ++inside;
                                                                              wait_until([&] { return inside == 2; });
                                                                              meet(1 - i);
                                                                              ++done;
                                                                          }});
    SECTION("stop by hand") {
        meet = [&](int other) { pair[static_cast<std::size_t>(other)]->stop(); };
    }
    SECTION("let go") {
        meet = [&](int other) { pair[static_cast<std::size_t>(other)].reset(); };
    }
    SECTION("stop by hand and destroy the monitor") {
        meet = [&](int other) {
            if (other == 0)
                scene.monitor.reset();
            else
                pair[1]->stop();
        };
    }
    for (auto& one : pair) one->depend("shop");
    scene.registry->disable("shop");
    CHECK(wait_until([&] { return done == 2; }));
}

TEST_CASE("impact tells over the live graph what would stop", "[monitor][threads]") {
    Scene scene{by_hand(), {"vpn", "bus"}};
    Diary diary;
    Interface gateway = scene.monitor->add_interface(diary.options("gateway", {"bus"}));
    Interface orders = scene.monitor->add_interface(diary.options("orders"));
    Interface report = scene.monitor->add_interface(diary.options("report"));
    gateway.depend("vpn");
    orders.depend("bus");
    report.depend("bus", Dependency::optional);
    report.depend("later");
    const Impact impact = scene.monitor->impact("vpn");
    REQUIRE(impact.stops.size() == 2);
    CHECK(impact.stops[0].interface.name == "orders");
    CHECK(impact.stops[1].interface.name == "gateway");
    CHECK(impact.stops[1].returns);
    REQUIRE(impact.optional.size() == 1);
    CHECK(impact.optional[0].interface.name == "report");
    CHECK(scene.monitor->impact("later").stops.size() == 1);
    CHECK(error_name([&] { (void)scene.monitor->impact("nowhere"); }) == "CONNECTION-UNKNOWN");
    CHECK(diary.text().empty());
}

TEST_CASE("a storm of everything at once never runs two functions of one interface, and ends", "[monitor][threads]") {
    MonitorOptions options = by_hand();
    options.restarts_per_second = 0;
    Scene scene{options, {"a", "b", "c"}};
    struct One {
        std::atomic<int> inside{0};
        std::atomic<int> calls{0};
        std::optional<Interface> interface;
    };
    std::array<One, 12> all;
    std::atomic<int> wrong{0};
    // Three storeys that offer to each other, with functions that sleep, throw and call back.
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto function = [&, i] {
            One& one = all[i];
            if (++one.inside != 1) ++wrong;
            const int call = ++one.calls;
            if (call % 3 == 0) std::this_thread::yield();
            if (call % 5 == 0) one.interface->set_autostart(call % 2 == 0);
            if (call % 7 == 0) all[(i + 5) % all.size()].interface->stop();
            if (call % 11 == 0) (void)scene.monitor->why_stopped(InterfaceKind::job, std::to_string(i));
            --one.inside;
            if (call % 4 == 0) throw std::runtime_error{"no"};
        };
        InterfaceOptions what;
        what.kind = InterfaceKind::job;
        what.name = std::to_string(i);
        what.start = what.stop = function;
        what.provides = {"of-" + std::to_string(i)};
        what.groups = {i % 2 == 0 ? "even" : "odd"};
        all[i].interface = scene.monitor->add_interface(std::move(what));
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].interface->depend(std::string(1, static_cast<char>('a' + i % 3)));
        if (i >= 4) all[i].interface->depend("of-" + std::to_string(i - 4));
        if (i >= 8) all[i].interface->depend("of-" + std::to_string(i - 7));
    }
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            std::mt19937 random{t};
            for (int step = 0; step < 150; ++step) {
                Interface& one = *all[random() % all.size()].interface;
                const std::string name(1, static_cast<char>('a' + random() % 3));
                switch (random() % 10) {
                    case 0: one.stop(); break;
                    case 1: one.start(); break;
                    case 2: one.set_running(random() % 2 == 0); break;
                    case 3: random() % 2 == 0 ? scene.monitor->disable_group("odd") : scene.monitor->enable_group("odd"); break;
                    case 4: random() % 2 == 0 ? (void)scene.monitor->stop_interfaces(1ms) : scene.monitor->start_interfaces(); break;
                    case 5: scene.monitor->set_manage_interfaces(random() % 4 != 0); break;
                    case 6: (void)scene.monitor->impact(name); break;
                    case 7: one.depend(name, static_cast<Dependency>(random() % 3)); break;
                    default: scene.ping(name, random() % 2 == 0); break;
                }
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(wrong == 0);

    // When all is well again, all that was not stopped by hand comes to rest, running.
    for (const char* name : {"a", "b", "c"}) scene.ping(name, true);
    scene.monitor->set_manage_interfaces(true);
    scene.monitor->enable_group("odd");
    scene.monitor->start_interfaces();
    CHECK(wait_until([&] {
        const auto infos = scene.monitor->interfaces();
        return std::none_of(infos.begin(), infos.end(), [](const InterfaceInfo& info) {
            return info.state == InterfaceState::starting || info.state == InterfaceState::stopping || info.state == InterfaceState::disabled;
        });
    }));
    for (const auto& info : scene.monitor->interfaces()) {
        const WhyStopped why = scene.monitor->why_stopped(info.kind, info.name);
        CHECK(why.reasons.empty() == (why.state == InterfaceState::running));
    }
    CHECK(scene.monitor->stop_interfaces());
    CHECK(wrong == 0);
}

TEST_CASE("a thousand connections go down at once with a thousand dependents: one cause is told, and all are stopped within a second",
          "[monitor][outage][threads]") {
    constexpr int k_many = 1000;
    const auto world = std::make_shared<World>();
    std::atomic<bool> up{true};
    std::vector<std::string> names;
    for (int i = 0; i < k_many; ++i) {
        names.push_back("c" + std::to_string(i));
        world->set(names.back(), [&up](const std::string& password) { return up ? World::good(password) : World::bad(password); });
    }
    Catalogue catalogue = remote_catalogue(world);
    EventLog log;
    Registry registry{RegistryOptions{&catalogue}};
    for (const std::string& name : names) {
        Definition definition = remote(name);
        definition.url = "remote://server";
        registry.add(std::move(definition));
    }
    MonitorOptions options;
    options.interval = 500ms;
    options.timeout = 20s;
    Monitor monitor{registry, options};
    const auto watching = monitor.subscribe(log.listener());
    std::mutex mutex;
    std::vector<Clock::time_point> stops;
    std::vector<Interface> interfaces;
    for (const std::string& name : names) {
        InterfaceOptions one;
        one.name = "uses " + name;
        one.stop = [&] {
            const std::scoped_lock lock{mutex};
            stops.push_back(Clock::now());
        };
        interfaces.push_back(monitor.add_interface(std::move(one)));
        interfaces.back().depend(name);
    }
    const auto count = [&](EventKind kind) {
        const auto events = log.events();
        return std::count_if(events.begin(), events.end(), [kind](const Event& one) { return one.kind == kind; });
    };
    monitor.start();
    REQUIRE(wait_until([&] { return count(EventKind::up) == k_many; }, 60s));

    up = false;
    REQUIRE(wait_until(
        [&] {
            const std::scoped_lock lock{mutex};
            return stops.size() == k_many;
        },
        60s));
    REQUIRE(wait_until([&] { return count(EventKind::outage) == 1; }, 60s));
    CHECK(count(EventKind::down) == k_many);
    Clock::time_point last_down;
    for (const Event& one : log.events())
        if (one.kind == EventKind::down) last_down = std::max(last_down, one.mono);
    {
        const std::scoped_lock lock{mutex};
        CHECK(*std::max_element(stops.begin(), stops.end()) - last_down <= 1s);
    }
    REQUIRE(monitor.outages().size() == 1);
    CHECK(monitor.outages().front().members == k_many);
    CHECK(monitor.alerts().size() == 1);

    up = true;
    REQUIRE(wait_until([&] { return count(EventKind::outage_over) == 1; }, 60s));
    CHECK(monitor.drain(10s));
    CHECK(count(EventKind::outage) == 1);
    CHECK(count(EventKind::alert) == 1);
    CHECK(count(EventKind::alert_cleared) == 1);
    for (const Event& one : log.events())
        if (one.kind == EventKind::outage) CHECK(one.members.size() == k_many);
}
