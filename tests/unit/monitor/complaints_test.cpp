// SPDX-License-Identifier: Apache-2.0
// What users of monitors and health checks have complained about elsewhere, where no other test of ours shows that it is not so here.
#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <qconn/core/plan.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/testing/diary.hpp>
#include <qconn/testing/event_recorder.hpp>
#include <qconn/testing/scripted.hpp>
#include <qconn/testing/test_monitor.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace std::chrono_literals;
using qconn::test::wait_until;
using testing::Diary;
using testing::EventRecorder;
using testing::failed;
using testing::ok;
using testing::refused;
using testing::Scripted;
using testing::ScriptedClient;
using testing::TestInterface;
using testing::TestMonitor;

namespace {

using State = ConnectionState;

/// Scripted connections and a real monitor, with pings by hand.
struct Scene {
    Scripted ends;
    Catalogue catalogue{ends.catalogue()};
    Registry registry{RegistryOptions{.catalogue = &catalogue, .runtime = Runtime{RuntimeOptions{}}}};
    std::optional<Monitor> monitor;
    std::optional<EventRecorder> events;

    explicit Scene(std::initializer_list<const char*> names, const MonitorOptions& options = {.interval = 0ms}) {
        for (const char* name : names) registry.add(Scripted::definition(name));
        monitor.emplace(registry, options);
        events.emplace(*monitor);
    }
};

}  // namespace

TEST_CASE("no kind of failure makes a connection down sooner or later than another, but trouble of this machine", "[monitor][complaints]") {
    for (int phase = static_cast<int>(Phase::secret); phase <= static_cast<int>(Phase::redirect); ++phase) {
        for (int reason = static_cast<int>(Reason::refused); reason <= static_cast<int>(Reason::unsupported); ++reason) {
            TestMonitor monitor{{.interval = 0ms}};
            monitor.add("shop");
            monitor.start();
            monitor.ping("shop");
            monitor["shop"].set(failed(static_cast<Phase>(phase), static_cast<Reason>(reason)));
            const bool doubtful = static_cast<Reason>(reason) == Reason::local;
            INFO(to_string(static_cast<Phase>(phase)) << ' ' << to_string(static_cast<Reason>(reason)));
            monitor.ping("shop");
            CHECK(monitor.status("shop").state == (doubtful ? State::up : State::failing));
            monitor.ping("shop");
            CHECK(monitor.status("shop").state == (doubtful ? State::up : State::down));
        }
    }
}

TEST_CASE("a result that speaks against the state is looked at again soon, in both directions", "[monitor][complaints]") {
    TestMonitor monitor{{.interval = 10min, .rise = 3, .fast = 2s}};
    monitor.add("shop");
    monitor.start();
    REQUIRE(monitor.advance_until([&] { return monitor.status("shop").state == State::up; }, 1min));
    const auto takes_until = [&](State to) {
        const auto begin = monitor.elapsed();
        CHECK(monitor.advance_until([&] { return monitor.status("shop").state == to; }, 1h));
        return monitor.elapsed() - begin;
    };
    monitor["shop"].set(refused());
    REQUIRE(monitor.advance_until([&] { return monitor.status("shop").state == State::failing; }, 20min));
    CHECK(takes_until(State::down) <= 2s);
    const auto pings = monitor.status("shop").pings;
    monitor["shop"].set(ok());
    REQUIRE(monitor.advance_until([&] { return monitor.status("shop").pings > pings; }, 20min));
    CHECK(takes_until(State::up) <= 4s);
}

TEST_CASE("a connection that is down is pinged for ever, by time alone, and is up with its first good ping", "[monitor][complaints]") {
    TestMonitor monitor{{.interval = 1min, .interval_down = 5min}};
    monitor.add("shop");
    monitor["shop"].set(refused());
    monitor.start();
    monitor.advance(24h * 30);
    CHECK(monitor.status("shop").pings >= 30 * 24 * 12);
    monitor["shop"].set(ok());
    monitor.advance(5min);
    CHECK(monitor.status("shop").state == State::up);
    CHECK(monitor.events().of("shop") == "added down alert up alert-cleared");
}

TEST_CASE("a dependent is stopped once and started once, however its connections go and return one after the other", "[monitor][complaints]") {
    TestMonitor monitor{{.interval = 10s}};
    const std::vector<std::string> names{"a", "b", "c"};
    for (const auto& name : names) monitor.add(name);
    Diary diary;
    TestInterface orders = monitor.add_interface(diary.options("orders"));
    for (const auto& name : names) orders.depend(name);
    monitor.start();
    monitor.advance(1min);
    for (const auto& name : names) {
        monitor[name].set(refused());
        monitor.advance(1min);
    }
    for (const auto& name : names) {
        CHECK(diary.text() == "-orders");
        monitor[name].set(ok());
        monitor.advance(1min);
    }
    CHECK(diary.text() == "-orders +orders");
}

TEST_CASE("after an outage all start that can, whatever becomes of one, and nobody whom an operator has stopped", "[monitor][complaints]") {
    TestMonitor monitor{{.interval = 10s}};
    monitor.add("shop");
    monitor.add("gone");
    monitor["gone"].set(refused());
    Diary diary;
    std::vector<TestInterface> all;
    for (const char* name : {"broken", "by-hand", "no-autostart", "of-another", "well"}) {
        InterfaceOptions options = diary.options(name);
        if (options.name == "broken")
            options.start = [&] {
                diary.add("!broken");
                throw std::runtime_error{"no licence"};
            };
        options.autostart = options.name != "no-autostart";
        all.push_back(monitor.add_interface(options));
        all.back().depend("shop");
    }
    all[3].depend("gone");
    monitor.start();
    monitor.advance(1min);
    all[1].stop();
    monitor["shop"].set(refused());
    monitor.advance(1min);
    for (const TestInterface& one : all) CHECK(one.info().state != InterfaceState::running);
    diary.clear();
    monitor["shop"].set(ok());
    monitor.advance(10min);
    CHECK(diary.text() == "!broken +well");
    CHECK(all[0].info().start_error == "no licence");
    CHECK(all[1].info().state == InterfaceState::stopped);
    CHECK(all[3].info().waits_for == std::vector<std::string>{"gone"});
}

TEST_CASE("nothing is up, and nothing is started, before a ping has said so", "[monitor][complaints]") {
    TestMonitor monitor{{.interval = 1min}};
    monitor.add("shop");
    monitor["shop"].hang();
    Diary diary;
    InterfaceOptions options = diary.options("orders");
    TestInterface orders = monitor.add_interface(options);
    orders.depend("shop");
    monitor.start();
    monitor.disable("shop");
    monitor.enable("shop");
    monitor.advance(20s);
    CHECK(monitor.status("shop").state == State::unknown);
    CHECK(diary.text() == "-orders");
    CHECK(orders.info().state == InterfaceState::blocked);
    monitor["shop"].let_go();
    monitor.advance(1s);
    CHECK(diary.text() == "-orders +orders");
}

TEST_CASE("loading, looking up and asking about connections ping nothing", "[monitor][complaints][threads]") {
    const test::TempDir directory;
    for (const char* name : {"shop", "depot"})
        directory.write(std::string{name} + ".qconn.yaml",
                        "type: connection\nname: " + std::string{name} + "\ndesc: d\nurl: scripted://" + name + "\n");
    Scene scene{std::initializer_list<const char*>{}};
    for (const char* name : {"shop", "depot"}) scene.ends[name].set(refused());
    CHECK(scene.registry.load(directory.path()).ok());
    (void)scene.registry.get<ScriptedClient>("shop").pin();
    (void)scene.registry.infos();
    (void)scene.registry.plan();
    CHECK(scene.registry.reload().ok());
    REQUIRE(scene.events->wait_for("shop", "added"));
    CHECK(scene.monitor->status("shop").state == State::unknown);
    CHECK(scene.ends["shop"].ping_count() + scene.ends["depot"].ping_count() == 0);
}

TEST_CASE("what a monitor knows is read while every ping hangs, and stopping it does not hang", "[monitor][complaints][threads]") {
    Scene scene{{"a", "b", "c"}, {.interval = 100ms, .timeout = 60s}};
    for (const char* name : {"a", "b", "c"}) scene.ends[name].hang();
    Interface orders = scene.monitor->add_interface({.name = "orders"});
    orders.depend("a");
    scene.monitor->start();
    REQUIRE(wait_until([&] { return scene.ends["a"].ping_count() + scene.ends["b"].ping_count() + scene.ends["c"].ping_count() == 3; }));
    CHECK(scene.monitor->statuses().size() == 3);
    CHECK(scene.monitor->status("a").state == State::unknown);
    CHECK(scene.monitor->alerts().empty());
    CHECK(scene.monitor->outages().empty());
    CHECK(scene.monitor->interfaces().size() == 1);
    CHECK(scene.monitor->impact("a").stops.size() == 1);
    scene.monitor->stop();
    scene.monitor.reset();
    for (const char* name : {"a", "b", "c"}) scene.ends[name].let_go();
}

TEST_CASE("changes of the registry from inside everything that is called lock nothing up", "[monitor][complaints][threads]") {
    Scene scene{{"shop", "stock"}};
    Interface orders = scene.monitor->add_interface({.name = "orders"});
    orders.depend("shop");
    const auto change = [&] {
        Definition other = Scripted::definition("stock");
        other.url = "scripted://elsewhere";
        scene.registry.update(other);
        scene.registry.disable("stock");
        scene.registry.enable("stock");
        scene.registry.remove("stock");
        scene.registry.add(Scripted::definition("stock"));
    };
    std::promise<void> done;
    auto changed = done.get_future();
    std::atomic<bool> once{false};
    const auto change_once = [&] {
        if (once.exchange(true)) return;
        change();
        done.set_value();
    };
    Subscription watching;
    std::optional<Interface> other;
    SECTION("a listener") {
        watching = scene.monitor->subscribe([&](const Event&) { change_once(); });
    }
    SECTION("a listener of the registry") {
        watching = scene.registry.subscribe([&](const RegistryChange&) { change_once(); });
        scene.registry.set_tags("shop", {});
    }
    SECTION("a function of an interface") {
        other = scene.monitor->add_interface({.name = "other", .stop = change_once});
        other->depend("shop");
    }
    SECTION("the callback of a ping") {
        scene.monitor->async_ping("shop", {}, [&](Result<PingResult>) { change_once(); });
    }
    scene.ends["shop"].set(refused());
    (void)scene.monitor->ping("shop");
    (void)scene.monitor->ping("shop");
    REQUIRE(changed.wait_for(20s) == std::future_status::ready);
    CHECK(scene.events->wait_until([](const std::vector<Event>& events) {
        return std::any_of(events.begin(), events.end(), [](const Event& one) { return one.kind == EventKind::added && one.name == "stock"; });
    }));
    CHECK(scene.monitor->ping("stock").ok);
    watching.unsubscribe();
}

TEST_CASE("from inside a listener others are added and ended, and the registry goes", "[monitor][complaints][threads]") {
    const Scripted ends;
    const Catalogue catalogue = ends.catalogue();
    std::optional<Registry> registry{std::in_place, RegistryOptions{.catalogue = &catalogue, .runtime = Runtime{RuntimeOptions{}}}};
    registry->add(Scripted::definition("shop"));
    Monitor monitor{*registry, {.interval = 0ms}};
    Subscription ended = monitor.subscribe([](const Event&) {});
    std::optional<EventRecorder> added;
    std::promise<void> done;
    auto gone = done.get_future();
    const auto acting = monitor.subscribe([&](const Event& event) {
        if (event.kind != EventKind::failing) return;
        ended.unsubscribe();
        added.emplace(monitor);
        registry.reset();
        done.set_value();
    });
    (void)monitor.ping("shop");
    ends["shop"].set(refused());
    (void)monitor.ping("shop");
    REQUIRE(gone.wait_for(20s) == std::future_status::ready);
    CHECK(monitor.status("shop").state == State::failing);
    monitor.raise_transient("NOTE", "shop", "the new listener is called");
    CHECK(added->wait_for("shop", "alert"));
}

TEST_CASE("a client that cannot be made says nothing about the connection, whose pings are good", "[monitor][complaints][threads]") {
    const Scripted ends;
    Scheme scheme = ends.scheme();
    scheme.make_client = [](const ResolvedDefinition&, const Runtime&) -> std::shared_ptr<Client> {
        throw make_error(Errc::system, "there is no driver for it");
    };
    Catalogue catalogue;
    catalogue.add(scheme);
    Registry registry{RegistryOptions{.catalogue = &catalogue, .runtime = Runtime{RuntimeOptions{}}}};
    registry.add(Scripted::definition("shop"));
    Monitor monitor{registry, {.interval = 0ms}};
    const EventRecorder events{monitor};
    REQUIRE(monitor.ping("shop").ok);
    for (int i = 0; i < 3; ++i) CHECK_THROWS_AS(registry.get<ScriptedClient>("shop").pin(), Error);
    CHECK(monitor.status("shop").state == State::up);
    CHECK(monitor.status("shop").failures == 0);
    CHECK(monitor.ping("shop").ok);
    CHECK(monitor.drain(20s));
    CHECK(events.of("shop") == "up");
}

TEST_CASE("a definition with control characters in its URL is refused before anything is sent", "[monitor][complaints]") {
    Registry registry;
    Definition definition;
    definition.name = "shop";
    for (const char* url : {"http://shop.example/a\r\nX-Evil: 1", "http://shop\t.example/", "http://shop.example/\x01"}) {
        definition.url = url;
        CHECK_THROWS_AS(registry.add(definition), Error);
    }
}
