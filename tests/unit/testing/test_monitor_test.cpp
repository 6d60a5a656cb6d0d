// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/testing/diary.hpp>
#include <qconn/testing/scripted.hpp>
#include <qconn/testing/test_monitor.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::testing;
using namespace std::chrono_literals;

namespace {

/// An application that takes any monitor.
template <class AnyMonitor>
auto supervise(AnyMonitor& monitor, Diary& diary) {
    auto orders = monitor.add_interface(diary.options("orders"));
    orders.depend("shop");
    monitor.start();
    return orders;
}

template <class F>
std::string error_name(F&& call) {
    try {
        call();
    } catch (const Error& e) { return std::string{e.name()}; }
    return "no error";
}

}  // namespace

TEST_CASE("two failures thirty seconds apart stop a workflow, and five minutes after it came back it starts again", "[testing]") {
    MonitorOptions options;
    options.interval = 30s;
    options.fast = 30s;
    options.restart_delay = 5min;
    TestMonitor monitor{options};
    monitor.add("shop");
    Diary diary;
    InterfaceOptions workflow = diary.options("orders");
    workflow.kind = InterfaceKind::workflow;
    TestInterface orders = monitor.add_interface(workflow);
    orders.depend("shop");
    monitor.start();
    monitor.advance(30s);
    CHECK(monitor.status("shop").state == ConnectionState::up);

    monitor["shop"].set(refused());
    REQUIRE(monitor.advance_until([&] { return monitor.status("shop").state == ConnectionState::failing; }, 30s));
    CHECK(diary.text().empty());
    const auto failed = monitor.elapsed();
    REQUIRE(monitor.advance_until([&] { return monitor.status("shop").state == ConnectionState::down; }, 1min));
    CHECK(monitor.elapsed() - failed >= 27s);  // spread by a tenth at most
    CHECK(monitor.elapsed() - failed < 31s);
    CHECK(diary.text() == "-orders");
    CHECK(orders.info().state == InterfaceState::blocked);
    REQUIRE(monitor.alerts().size() == 1);
    CHECK(monitor.acknowledge(monitor.alerts()[0].id, "ann"));

    monitor["shop"].set(ok());
    REQUIRE(monitor.advance_until([&] { return monitor.status("shop").state == ConnectionState::up; }, 1min));
    monitor.advance(299s);
    CHECK(diary.text() == "-orders");
    CHECK(orders.info().state == InterfaceState::blocked);
    monitor.advance(1s);
    CHECK(diary.text() == "-orders +orders");
    CHECK(monitor.events().of("shop") == "added up failing down alert up alert-cleared");
    CHECK(monitor.events().of("orders") == "stop start");
    CHECK(monitor.alerts().empty());
}

TEST_CASE("a day of pings every second passes in a moment", "[testing]") {
    MonitorOptions options;
    options.interval = 1s;
    TestMonitor monitor{options};
    monitor.add("shop");
    monitor.start();
    monitor.advance(24h);
    CHECK(monitor.elapsed() == 24h);
    CHECK(monitor.status("shop").pings == 86'400);
    CHECK(monitor.now() == std::chrono::system_clock::time_point{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}});
}

TEST_CASE("time passes in a test monitor by its pings too, and a ping that hangs ends by its timeout", "[testing]") {
    MonitorOptions options;
    options.interval = 0ms;
    options.timeout = 5s;
    TestMonitor monitor{options};
    monitor.add("shop");
    monitor.start();
    monitor["shop"].pings({ok().after(2s), ok().after(1min), ok()});

    CHECK(monitor.ping("shop").time == 2s);
    CHECK(monitor.elapsed() == 2s);
    const PingResult late = monitor.ping("shop");
    CHECK_FALSE(late.ok);
    CHECK(late.error->reason() == Reason::timeout);
    CHECK(monitor.elapsed() - 7s < 20ms);

    monitor["shop"].hang();
    CHECK(monitor.ping("shop").error->reason() == Reason::timeout);
    CHECK(monitor.status("shop").state == ConnectionState::down);
    monitor["shop"].let_go();
    CHECK(monitor.ping("shop").ok);
    CHECK(monitor.events().of("shop") == "added up failing down alert up alert-cleared");
}

TEST_CASE("a ping that hangs ends when it is let go, at that time", "[testing]") {
    MonitorOptions options;
    options.interval = 10s;
    options.timeout = 10min;
    TestMonitor monitor{options};
    monitor.add("shop");
    monitor["shop"].hang();
    monitor.start();
    monitor.advance(1min);
    CHECK(monitor.status("shop").state == ConnectionState::unknown);
    monitor["shop"].let_go();
    monitor.advance(0ms);
    CHECK(monitor.status("shop").state == ConnectionState::up);
    CHECK(monitor.elapsed() == 1min);
}

TEST_CASE("what fails for one cause is one outage in a test monitor as well", "[testing]") {
    TestMonitor monitor;
    monitor.add("orders", {}, "db.example:5432");
    monitor.add("stock", {}, "db.example:5432");
    MonitoringRules through;
    through.via = {"orders"};
    monitor.add("behind", through);
    for (const char* name : {"orders", "stock", "behind"}) monitor[name].set(refused());
    monitor.start();
    monitor.advance(2min);
    REQUIRE(monitor.outages().size() == 1);
    CHECK(monitor.outages()[0].cause == "db.example:5432");
    CHECK(monitor.outages()[0].members == 3);
    CHECK(monitor.alerts().size() == 1);
}

TEST_CASE("a restart is called when what it needs is offered, and at the pace that is allowed", "[testing]") {
    MonitorOptions options;
    options.restarts_per_second = 1;
    TestMonitor monitor{options};
    for (const char* name : {"vpn", "bus"}) monitor.add(name);
    Diary diary;
    TestInterface gateway = monitor.add_interface(diary.options("gateway", {"bus"}));
    TestInterface orders = monitor.add_interface(diary.options("orders"));
    gateway.depend("vpn");
    orders.depend("bus");
    monitor.start();
    monitor.advance(1min);
    monitor["vpn"].set(refused());
    monitor.advance(1min);
    CHECK(diary.text() == "-orders -gateway");
    CHECK(to_text(monitor.why_stopped(InterfaceKind::service, "orders")).find("\"bus\" is offered by service \"gateway\"") != std::string::npos);
    CHECK(monitor.impact("vpn").stopped.size() == 2);

    monitor["vpn"].set(ok());
    REQUIRE(monitor.advance_until([&] { return gateway.info().state == InterfaceState::running; }, 1min));
    CHECK(diary.text() == "-orders -gateway +gateway");
    CHECK(orders.info().state == InterfaceState::starting);
    monitor.advance(1s);
    CHECK(diary.text() == "-orders -gateway +gateway +orders");
    CHECK(monitor.interfaces().size() == 2);

    CHECK(monitor.stop_interfaces());
    CHECK(diary.text() == "-orders -gateway +gateway +orders -orders -gateway");
    monitor.start_interfaces();
    monitor.advance(3s);
    CHECK(orders.info().state == InterfaceState::running);
}

TEST_CASE("interfaces of a test monitor: by hand, by group, without autostart, functions that throw", "[testing]") {
    TestMonitor monitor;
    monitor.add("shop");
    Diary diary;
    InterfaceOptions options = diary.options("orders");
    options.groups = {"night"};
    bool fails = true;
    options.start = [&] {
        diary.add("+orders");
        if (fails) throw std::runtime_error{"no licence"};
    };
    TestInterface orders = monitor.add_interface(options);
    CHECK(error_name([&] { monitor.add_interface(options); }) == "INTERFACE-ERROR");
    orders.depend("shop");
    orders.stop();
    CHECK(orders.info().state == InterfaceState::stopped);
    orders.start();
    CHECK(orders.info().start_error == "no licence");
    fails = false;
    orders.start();
    CHECK(orders.info().state == InterfaceState::running);
    monitor.disable_group("night");
    CHECK(monitor.disabled_groups() == std::vector<std::string>{"night"});
    CHECK(orders.info().state == InterfaceState::disabled);
    monitor.enable_group("night");
    CHECK(orders.info().state == InterfaceState::running);
    orders.set_autostart(false);
    monitor.disable("shop");
    CHECK(orders.info().state == InterfaceState::blocked);
    monitor.enable("shop");
    monitor.start();
    monitor.advance(1min);
    CHECK(orders.info().state == InterfaceState::stopped);
    CHECK(diary.text() == "-orders +orders +orders -orders +orders -orders");
    CHECK(monitor.events().of("shop") == "added disabled enabled up");
}

TEST_CASE("listeners of a test monitor are called at once, may throw, unsubscribe and act, but not let time pass", "[testing]") {
    TestMonitor monitor;
    monitor.add("shop");
    monitor.add("depot");
    Diary diary;
    TestInterface orders = monitor.add_interface(diary.options("orders"));
    orders.depend("depot");
    std::vector<std::string> told;
    SubscribeOptions downs;
    downs.kinds = {EventKind::down};
    downs.names = {"sh*"};
    const auto acting = monitor.subscribe(
        [&](const Event& event) {
            told.push_back(event.name);
            monitor.disable("depot");
            told.push_back(error_name([&] { monitor.advance(1s); }));
        },
        downs);
    int thrown = 0;
    const auto throwing = monitor.subscribe([&](const Event&) {
        ++thrown;
        throw std::runtime_error{"no"};
    });
    int once = 0;
    Subscription self;
    self = monitor.subscribe([&](const Event&) {
        ++once;
        self.unsubscribe();
    });
    monitor.start();
    monitor["shop"].set(refused());
    monitor.advance(1min);
    CHECK(told == std::vector<std::string>{"shop", "INVALID-ARGUMENT"});
    CHECK(diary.text() == "-orders");
    CHECK(once == 1);
    CHECK(thrown > 3);
}

TEST_CASE("a test monitor takes connections and their rules from definitions of production", "[testing]") {
    const test::TempDir directory;
    directory.write("shop.qconn.yaml",
                    "type: connection\nname: shop\ndesc: d\nurl: scripted://shop.example:7\noptions: {ping_interval: 600000, ping_fall: 1}\n");
    directory.write("bad.qconn.yaml", "type: connection\nname: bad\ndesc: d\nurl: nosuch://shop.example\n");
    const Scripted ends;
    const Catalogue catalogue = ends.catalogue();
    Registry registry{RegistryOptions{.catalogue = &catalogue, .runtime = Runtime{RuntimeOptions{}}}};
    registry.load(directory.path());
    registry.add(Scripted::definition("depot"));
    registry.disable("depot");
    TestMonitor monitor{registry};
    Diary diary;
    TestInterface orders = monitor.add_interface(diary.options("orders"));
    const auto shop = orders.get<ScriptedClient>("shop");
    CHECK(orders.info().connections == std::vector<std::string>{"shop"});
    monitor.start();
    monitor.advance(10min);
    CHECK(monitor.status("shop").pings <= 2);
    CHECK(monitor.status("bad").state == ConnectionState::invalid);
    CHECK(monitor.status("depot").state == ConnectionState::disabled);
    CHECK(error_name([&] { monitor.ping("depot"); }) == "CONNECTION-DISABLED");
    CHECK(error_name([&] { monitor.ping("nowhere"); }) == "CONNECTION-UNKNOWN");
    CHECK(error_name([&] { TestMonitor{}.add_interface({.name = "x"}).get<ScriptedClient>("shop"); }) == "INVALID-ARGUMENT");

    monitor["shop"].set(refused());
    monitor.ping("shop");
    CHECK(diary.text() == "-orders");
    REQUIRE(monitor.outages().size() == 1);
    CHECK(monitor.outages()[0].cause == "shop.example:7");
    monitor.remove("shop");
    CHECK(diary.text() == "-orders +orders");
    CHECK(monitor.events().of("shop") == "up down alert alert-cleared removed");
}

TEST_CASE("code that gets its monitor as a template parameter works with either", "[testing][threads]") {
    {
        TestMonitor monitor;
        monitor.add("shop");
        Diary diary;
        const auto orders = supervise(monitor, diary);
        monitor["shop"].set(refused());
        monitor.advance(1min);
        CHECK(diary.text() == "-orders");
    }
    {
        const Scripted ends;
        const Catalogue catalogue = ends.catalogue();
        Registry registry{RegistryOptions{.catalogue = &catalogue, .runtime = Runtime{RuntimeOptions{}}}};
        registry.add(Scripted::definition("shop"));
        ends["shop"].set(refused());
        Monitor monitor{registry, {.interval = 100ms}};
        Diary diary;
        const auto orders = supervise(monitor, diary);
        EventRecorder recorder{monitor};
        recorder.expect_story("orders", "stop");
    }
}

TEST_CASE("what a test monitor was told in one course it is told in the next", "[testing]") {
    const auto course = [] {
        TestMonitor monitor;
        for (int i = 0; i < 20; ++i) monitor.add("c" + std::to_string(i), {}, "host" + std::to_string(i % 3) + ":1");
        monitor.start();
        for (int round = 0; round < 10; ++round) {
            for (int i = round; i < 20; i += 3) monitor["c" + std::to_string(i)].set(round % 2 == 0 ? refused() : ok());
            monitor.advance(47s);
        }
        return monitor.events().text();
    };
    const std::string first = course();
    CHECK(first.size() > 1000);
    CHECK(course() == first);
}
