// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <qconn/core/registry_error.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/monitor/monitor_error.hpp>

#include "scene.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("pings by hand count: two failures are down, one success is up", "[monitor][threads]") {
    Scene scene;
    CHECK(scene.ping("shop", true).ok);
    CHECK(scene.monitor->status("shop").state == ConnectionState::up);
    const PingResult failed = scene.ping("shop", false);
    CHECK_FALSE(failed.ok);
    REQUIRE(failed.error);
    CHECK(failed.error->reason() == Reason::refused);
    CHECK(scene.monitor->status("shop").state == ConnectionState::failing);
    scene.ping("shop", false);
    CHECK(scene.monitor->status("shop").state == ConnectionState::down);
    CHECK(scene.monitor->status("shop").phase == Phase::connect);
    REQUIRE(scene.monitor->alerts().size() == 1);
    CHECK(scene.monitor->alerts()[0].type == "USER-CONNECTION-UNAVAILABLE");
    scene.ping("shop", true);
    CHECK(scene.monitor->alerts().empty());

    CHECK(scene.log.wait_for("shop", "up failing down alert up alert-cleared"));
    std::uint64_t seq = 0;
    for (const Event& event : scene.log.events()) CHECK(event.seq == ++seq);
}

TEST_CASE("the schedule pings by itself", "[monitor][threads]") {
    MonitorOptions options;
    options.interval = 100ms;
    Scene scene{options};
    CHECK(scene.log.wait_for("shop", "up"));
    scene.world->set_up("shop", false);
    CHECK(scene.log.wait_for("shop", "up failing down alert"));
    scene.world->set_up("shop", true);
    CHECK(scene.log.wait_for("shop", "up failing down alert up alert-cleared"));

    scene.monitor->stop();
    const int pings = scene.world->pings("shop");
    CHECK(scene.monitor->status("shop").state == ConnectionState::up);
    CHECK_FALSE(wait_until([&] { return scene.world->pings("shop") != pings; }, 300ms));
    scene.monitor->start();
    CHECK(wait_until([&] { return scene.world->pings("shop") > pings; }));
}

TEST_CASE("a ping by hand joins the one under way", "[monitor][threads]") {
    Scene scene;
    scene.world->shut();
    std::atomic<int> done{0};
    for (int i = 0; i < 5; ++i)
        scene.monitor->async_ping("shop", {}, [&](Result<PingResult> result) {
            if (result && result->ok) ++done;
        });
    REQUIRE(wait_until([&] { return scene.world->pings("shop") == 1; }));
    scene.world->open();
    CHECK(wait_until([&] { return done == 5; }));
    CHECK(scene.world->pings("shop") == 1);
    CHECK(scene.monitor->status("shop").pings == 1);
}

TEST_CASE("stopping ends the pings under way, and they count for nothing", "[monitor][threads]") {
    Scene scene;
    scene.world->shut();
    std::atomic<bool> cancelled{false};
    scene.monitor->async_ping("shop", {}, [&](Result<PingResult> result) { cancelled = !result && result.error().name() == "CANCELLED"; });
    REQUIRE(wait_until([&] { return scene.world->pings("shop") == 1; }));
    scene.monitor->stop();
    CHECK(wait_until([&] { return cancelled.load(); }));
    scene.world->open();
    CHECK(scene.monitor->ping("shop").ok);  // pings by hand go on
    CHECK(scene.monitor->status("shop").pings == 1);
}

TEST_CASE("who waits for a ping of what is disabled or removed meanwhile hears that", "[monitor][threads]") {
    Scene scene;
    scene.world->shut();
    std::promise<std::string> told;
    auto ended = told.get_future();
    scene.monitor->async_ping("shop", {},
                              [&](Result<PingResult> result) { told.set_value(result ? "a result" : std::string{result.error().name()}); });
    REQUIRE(wait_until([&] { return scene.world->pings("shop") == 1; }));

    SECTION("disabled") {
        scene.registry->disable("shop");
        REQUIRE(ended.wait_for(10s) == std::future_status::ready);
        CHECK(ended.get() == "CONNECTION-DISABLED");
    }
    SECTION("removed") {
        scene.registry->remove("shop");
        REQUIRE(ended.wait_for(10s) == std::future_status::ready);
        CHECK(ended.get() == "CONNECTION-UNKNOWN");
    }
    scene.world->open();
}

TEST_CASE("who waits for a ping gets the one of the new version when the connection is changed meanwhile", "[monitor][threads]") {
    Scene scene;
    scene.world->shut();
    std::atomic<int> ended{0};
    scene.monitor->async_ping("shop", {}, [&](Result<PingResult> result) { ended = result && result->ok ? 1 : 2; });
    REQUIRE(wait_until([&] { return scene.world->pings("shop") == 1; }));
    Definition other = remote("shop");
    other.url = "remote://elsewhere";
    scene.registry->update(other);
    REQUIRE(scene.log.wait_for("shop", "updated"));
    scene.world->open();
    CHECK(wait_until([&] { return ended != 0; }));
    CHECK(ended == 1);
    CHECK(scene.world->pings("shop") == 2);
}

TEST_CASE("waiting for a ping ends by its deadline and by cancelling, the ping goes on", "[monitor][threads]") {
    Scene scene;
    scene.world->shut();
    CHECK(error_name([&] { scene.monitor->ping("shop", Deadline{20ms}); }) == "TIMEOUT");
    std::atomic<bool> cancelled{false};
    Operation operation =
        scene.monitor->async_ping("shop", {}, [&](Result<PingResult> result) { cancelled = !result && result.error().name() == "CANCELLED"; });
    operation.cancel();
    CHECK(wait_until([&] { return cancelled.load(); }));
    CHECK(operation.done());
    scene.world->open();
    CHECK(scene.log.wait_for("shop", "up"));
    CHECK(scene.world->pings("shop") == 1);
}

TEST_CASE("a ping that does not end within the timeout has failed", "[monitor][threads]") {
    MonitorOptions options = by_hand();
    options.timeout = 50ms;
    Scene scene{options};
    scene.world->shut();
    const PingResult result = scene.monitor->ping("shop");
    CHECK_FALSE(result.ok);
    REQUIRE(result.error);
    CHECK(result.error->reason() == Reason::timeout);
    scene.world->open();
}

TEST_CASE("a ping that cannot be prepared has failed, unless for a reason of this machine", "[monitor][threads]") {
    Scene scene;
    const auto plans_fail = [&](Reason reason) {
        scene.world->set_plan("shop", [reason] { throw make_error(Errc::system, "no way to do that").with_reason(reason); });
    };

    plans_fail(Reason::local);
    for (int i = 0; i < 3; ++i) CHECK(scene.monitor->ping("shop").inconclusive);
    CHECK(scene.monitor->status("shop").state == ConnectionState::unknown);
    CHECK(scene.monitor->status("shop").failures == 0);

    plans_fail(Reason::unsupported);
    for (int i = 0; i < 2; ++i) CHECK_FALSE(scene.monitor->ping("shop").inconclusive);
    CHECK(scene.log.wait_for("shop", "down alert"));
}

TEST_CASE("what cannot be pinged says why", "[monitor][threads]") {
    Scene scene;
    CHECK(error_name([&] { scene.monitor->ping("shpo"); }) == "CONNECTION-UNKNOWN");
    CHECK(error_name([&] { scene.monitor->status("shpo"); }) == "CONNECTION-UNKNOWN");
    scene.registry->disable("shop");
    REQUIRE(scene.log.wait_for("shop", "disabled"));
    CHECK(error_name([&] { scene.monitor->ping("shop"); }) == "CONNECTION-DISABLED");
    CHECK(scene.monitor->status("shop").state == ConnectionState::disabled);

    std::atomic<int> refused{0};
    scene.runtime.post([&] { refused = error_name([&] { scene.monitor->ping("shop"); }) == "INVALID-ARGUMENT" ? 1 : 2; });
    CHECK(wait_until([&] { return refused != 0; }));
    CHECK(refused == 1);
}

TEST_CASE("the monitor follows what happens to the set", "[monitor][threads]") {
    MonitorOptions options;
    options.interval = 60s;
    Scene scene{options, {}};
    scene.registry->add(remote("a"));
    CHECK(scene.log.wait_for("a", "added up"));  // pinged at once, not when its phase comes
    scene.registry->disable("a");
    CHECK(scene.log.wait_for("a", "added up disabled"));
    scene.registry->enable("a");
    CHECK(scene.log.wait_for("a", "added up disabled enabled up"));

    SECTION("another target: unknown, and a ping at once") {
        Definition other = remote("a");
        other.url = "remote://elsewhere";
        const int pings = scene.world->pings("a");
        scene.registry->update(other);
        CHECK(scene.log.wait_for("a", "added up disabled enabled up updated up"));
        CHECK(scene.world->pings("a") == pings + 1);
    }
    SECTION("only another text: no ping") {
        Definition other = remote("a");
        other.description = "the first one";
        scene.registry->update(other);
        CHECK(scene.log.wait_for("a", "added up disabled enabled up updated"));
        CHECK(scene.monitor->status("a").state == ConnectionState::up);
    }
    SECTION("gone") {
        scene.registry->remove("a");
        CHECK(scene.log.wait_for("a", "added up disabled enabled up removed"));
        CHECK(error_name([&] { scene.monitor->status("a"); }) == "CONNECTION-UNKNOWN");
        scene.registry->add(remote("a"));
        CHECK(scene.log.wait_for("a", "added up disabled enabled up removed added up"));
    }
    SECTION("not monitored") {
        scene.registry->set_monitored("a", false);
        CHECK(wait_until([&] { return scene.monitor->status("a").state == ConnectionState::unknown; }));
        scene.registry->set_monitored("a", true);
        CHECK(wait_until([&] { return scene.monitor->status("a").state == ConnectionState::up; }));
    }
}

TEST_CASE("registry and monitor may go in either order", "[monitor][threads]") {
    SECTION("registry first") {
        MonitorOptions options;
        options.interval = 100ms;
        Scene scene{options};
        CHECK(scene.log.wait_for("shop", "up"));
        Interface orders = scene.monitor->add_interface({InterfaceKind::service, "orders", {}, {}});
        scene.registry.reset();
        CHECK(scene.monitor->status("shop").state == ConnectionState::up);
        CHECK(error_name([&] { orders.get<RemoteClient>("shop"); }) == "CONNECTION-REMOVED");
        CHECK(error_name([&] { scene.monitor->ping("shop"); }) != "no error");
        scene.monitor.reset();
        orders.stop();
    }
    SECTION("monitor first, with a ping under way") {
        Scene scene;
        scene.world->shut();
        std::atomic<bool> cancelled{false};
        scene.monitor->async_ping("shop", {},
                                  [&](Result<PingResult> result) { cancelled = !result && result.error().reason() == Reason::cancelled; });
        REQUIRE(wait_until([&] { return scene.world->pings("shop") == 1; }));
        scene.monitor.reset();
        CHECK(wait_until([&] { return cancelled.load(); }));
        scene.world->open();
        CHECK(scene.registry->get<RemoteClient>("shop")->label() == "shop");
    }
}

TEST_CASE("listeners may throw, sleep, unsubscribe themselves and destroy the monitor", "[monitor][threads]") {
    Scene scene;
    std::atomic<int> thrown{0};
    std::atomic<int> once{0};
    std::atomic<bool> release{false};
    std::atomic<int> slow{0};
    const auto throwing = scene.monitor->subscribe([&](const Event&) {
        ++thrown;
        throw std::runtime_error{"no"};
    });
    Subscription self;
    std::mutex self_mutex;
    {
        const std::scoped_lock lock{self_mutex};
        self = scene.monitor->subscribe([&](const Event&) {
            ++once;
            const std::scoped_lock inner{self_mutex};
            self.unsubscribe();
        });
    }
    auto sleeping = scene.monitor->subscribe([&](const Event&) {
        wait_until([&] { return release.load(); });
        ++slow;
    });

    scene.ping("shop", true);
    scene.bring_down("shop");
    CHECK(scene.log.wait_for("shop", "up failing down alert"));
    CHECK(wait_until([&] { return thrown == 4; }));
    CHECK(once == 1);
    CHECK(slow == 0);
    release = true;
    CHECK(wait_until([&] { return slow == 4; }));

    SECTION("from inside a listener") {
        std::atomic<bool> gone{false};
        const auto deadly = scene.monitor->subscribe([&](const Event&) {
            scene.monitor.reset();
            gone = true;
        });
        scene.world->set_up("shop", true);
        scene.monitor->async_ping("shop", {}, [](Result<PingResult>) {});
        CHECK(wait_until([&] { return gone.load(); }));
    }
    SECTION("from the callback of a ping, on the I/O thread") {
        std::atomic<bool> gone{false};
        scene.monitor->async_ping("shop", {}, [&](Result<PingResult>) {
            scene.monitor.reset();
            gone = true;
        });
        CHECK(wait_until([&] { return gone.load(); }));
    }
}

TEST_CASE("the monitor may go on the I/O thread while a function of the application's waits for a ping", "[monitor][threads]") {
    Scene scene{by_hand(), {"shop", "other"}};
    const auto release = std::make_shared<std::atomic<bool>>(false);  // the check may outlive the scene
    scene.world->set("shop", [release](const std::string&) -> PingEvidence {
        wait_until([&] { return release->load(); });
        return "fine";
    });
    std::atomic<bool> cancelled{false};
    const auto wait_for_ping = [&, monitor = &*scene.monitor] { cancelled = error_name([&] { monitor->ping("shop"); }) == "CANCELLED"; };
    Subscription watching;
    std::optional<Interface> orders;

    SECTION("a listener") {
        watching = scene.monitor->subscribe([&](const Event& event) {
            if (event.kind == EventKind::down) wait_for_ping();
        });
    }
    SECTION("a function of an interface") {
        orders = scene.monitor->add_interface({InterfaceKind::service, "orders", {}, wait_for_ping});
        orders->depend("other");
    }
    scene.bring_down("other");
    REQUIRE(wait_until([&] { return scene.world->pings("shop") == 1; }));
    std::atomic<bool> gone{false};
    scene.monitor->async_ping("other", {}, [&](Result<PingResult>) {
        scene.monitor.reset();
        gone = true;
    });

    CHECK(wait_until([&] { return gone.load(); }));
    CHECK(wait_until([&] { return cancelled.load(); }));
    *release = true;
    watching.unsubscribe();
}

TEST_CASE("the monitor that goes on the I/O thread does not wait for a listener that waits for that thread", "[monitor][threads]") {
    Scene scene;
    std::atomic<bool> inside{false};
    std::atomic<bool> going{false};
    std::atomic<bool> served{false};
    std::atomic<bool> ended{false};
    const auto watching = scene.monitor->subscribe([&](const Event&) {
        if (inside.exchange(true)) return;
        wait_until([&] { return going.load(); });
        scene.runtime.post([&] { served = true; });
        wait_until([&] { return served.load(); });
        ended = true;
    });
    scene.ping("shop", true);
    REQUIRE(wait_until([&] { return inside.load(); }));

    std::atomic<bool> listener_had_ended{true};
    scene.monitor->async_ping("shop", {}, [&](Result<PingResult>) {
        going = true;
        scene.monitor.reset();
        listener_had_ended = ended.load();
    });

    CHECK(wait_until([&] { return ended.load(); }, 30s));
    CHECK(served);
    CHECK_FALSE(listener_had_ended);
}

TEST_CASE("whoever takes a function of the application's away waits until it has ended", "[monitor][threads]") {
    Scene scene;
    std::atomic<bool> inside{false};
    std::atomic<bool> release{false};
    std::atomic<bool> ended{false};
    const auto function = [&] {
        inside = true;
        wait_until([&] { return release.load(); });
        ended = true;
    };
    Subscription watching;
    std::optional<Interface> orders;
    std::function<void()> take_away;

    SECTION("a listener, by unsubscribing") {
        watching = scene.monitor->subscribe([&](const Event&) { function(); });
        take_away = [&] { watching.unsubscribe(); };
    }
    SECTION("a listener, by destroying the monitor") {
        watching = scene.monitor->subscribe([&](const Event&) { function(); });
        take_away = [&] { scene.monitor.reset(); };
    }
    SECTION("a function of an interface, by letting go of it") {
        orders = scene.monitor->add_interface({InterfaceKind::service, "orders", {}, function});
        orders->depend("shop");
        take_away = [&] { orders.reset(); };
    }
    SECTION("a function of an interface, by destroying the monitor") {
        orders = scene.monitor->add_interface({InterfaceKind::service, "orders", {}, function});
        orders->depend("shop");
        take_away = [&] { scene.monitor.reset(); };
    }
    SECTION("a function of an interface, by stopping it by hand") {
        orders = scene.monitor->add_interface({InterfaceKind::service, "orders", {}, function});
        orders->depend("shop");
        take_away = [&] { orders->stop(); };
    }
    scene.bring_down("shop");
    REQUIRE(wait_until([&] { return inside.load(); }));
    std::atomic<bool> taken{false};
    std::atomic<bool> had_ended{false};
    std::thread other{[&] {
        take_away();
        had_ended = ended.load();
        taken = true;
    }};

    CHECK_FALSE(wait_until([&] { return taken.load(); }, 100ms));
    release = true;
    other.join();
    CHECK(had_ended);
}

TEST_CASE("nothing is called after unsubscribe has returned", "[monitor][threads]") {
    MonitorOptions options;
    options.interval = 100ms;
    Scene scene{options, {"a", "b", "c", "d"}};
    for (int round = 0; round < 20; ++round) {
        auto alive = std::make_unique<std::atomic<int>>(0);
        auto watching = scene.monitor->subscribe([counter = alive.get()](const Event&) { ++*counter; });
        for (const char* name : {"a", "b"}) scene.monitor->async_ping(name, {}, nullptr);
        scene.world->set_up("a", round % 2 == 0);
        watching.unsubscribe();
        alive.reset();
    }
    SUCCEED();
}

// ---- interfaces --------------------------------------------------------------------------------------------------------------------------

TEST_CASE("what goes down stops its dependents once and restarts them once", "[monitor][threads]") {
    Scene scene{by_hand(), {"shop", "stock"}};
    Calls calls;
    Interface orders = scene.monitor->add_interface(calls.options("orders"));
    CHECK(orders.get<RemoteClient>("shop")->label() == "shop");
    orders.depend("stock");
    scene.ping("shop", true);

    scene.bring_down("shop");
    CHECK(calls.wait_for("stop"));
    CHECK(wait_until([&] { return orders.info().state == InterfaceState::blocked; }));
    scene.bring_down("stock");
    CHECK(orders.info().waits_for == std::vector<std::string>{"shop", "stock"});
    scene.ping("shop", true);
    CHECK(orders.info().waits_for == std::vector<std::string>{"stock"});
    scene.ping("stock", true);
    CHECK(calls.wait_for("stop start"));
    CHECK(scene.log.wait_for("orders", "stop start"));
    CHECK(wait_until([&] { return orders.info().state == InterfaceState::running; }));
    CHECK(orders.info().connections == std::vector<std::string>{"shop", "stock"});

    scene.registry->disable("stock");
    CHECK(calls.wait_for("stop start stop"));
    scene.registry->remove("stock");
    CHECK(calls.wait_for("stop start stop start"));
}

TEST_CASE("a look-up that fails registers the dependency too, unless told not to", "[monitor][threads]") {
    Scene scene{by_hand(), {"shop"}};
    Calls calls;
    Interface orders = scene.monitor->add_interface(calls.options("orders"));
    CHECK(error_name([&] { orders.get<RemoteClient>("later"); }) == "CONNECTION-UNKNOWN");
    orders.get<RemoteClient>("shop", Dependency::none);
    CHECK(orders.info().connections == std::vector<std::string>{"later"});

    scene.registry->add(remote("later"));
    REQUIRE(scene.log.wait_for("later", "added"));
    scene.bring_down("later");
    CHECK(calls.wait_for("stop"));
    scene.bring_down("shop");
    CHECK(orders.info().waits_for == std::vector<std::string>{"later"});
    orders.release("later");
    CHECK(calls.wait_for("stop start"));
}

TEST_CASE("stopped by hand stays stopped", "[monitor][threads]") {
    Scene scene;
    Calls calls;
    Interface job = scene.monitor->add_interface(calls.options("night", InterfaceKind::job));
    job.depend("shop");
    job.stop();
    CHECK(calls.get() == "stop");
    CHECK(job.info().state == InterfaceState::stopped);
    scene.bring_down("shop");
    scene.ping("shop", true);
    CHECK(scene.log.wait_for("shop", "down alert up alert-cleared"));
    job.start();
    CHECK(calls.wait_for("stop start"));
    job.stop();
    CHECK(calls.get() == "stop start stop");
}

TEST_CASE("stopping by hand on the I/O thread waits for nothing", "[monitor][threads]") {
    Scene scene;
    Calls calls;
    std::atomic<bool> release{false};
    calls.in_start = [&] { wait_until([&] { return release.load(); }); };
    Interface job = scene.monitor->add_interface(calls.options("night", InterfaceKind::job));
    job.stop();
    job.start();
    REQUIRE(calls.wait_for("stop start"));

    std::atomic<bool> returned{false};
    scene.runtime.post([&] {
        job.stop();
        returned = true;
    });

    CHECK(wait_until([&] { return returned.load(); }));
    release = true;
    CHECK(calls.wait_for("stop start stop"));
    CHECK(wait_until([&] { return job.info().state == InterfaceState::stopped; }));
}

TEST_CASE("a start that throws is tried again when a connection has come up anew", "[monitor][threads]") {
    Scene scene;
    Calls calls;
    std::atomic<bool> fails{true};
    calls.in_start = [&] {
        if (fails) throw std::runtime_error{"no licence"};
    };
    Interface orders = scene.monitor->add_interface(calls.options("orders"));
    orders.depend("shop");
    scene.bring_down("shop");
    CHECK(calls.wait_for("stop"));
    scene.ping("shop", true);
    CHECK(calls.wait_for("stop start"));
    CHECK(wait_until([&] { return orders.info().start_error == "no licence"; }));
    CHECK(orders.info().state == InterfaceState::stopped);
    scene.ping("shop", true);
    scene.ping("shop", false);
    scene.ping("shop", true);
    CHECK(calls.get() == "stop start");
    fails = false;
    scene.bring_down("shop");
    scene.ping("shop", true);
    CHECK(calls.wait_for("stop start start"));
    CHECK(wait_until([&] { return orders.info().start_error.empty(); }));
}

TEST_CASE("functions may block, what happens meanwhile is caught up with, once", "[monitor][threads]") {
    Scene scene;
    Calls calls;
    std::atomic<bool> go{false};
    calls.in_stop = [&] { wait_until([&] { return go.load(); }); };
    Interface orders = scene.monitor->add_interface(calls.options("orders"));
    orders.depend("shop");
    scene.bring_down("shop");
    CHECK(calls.wait_for("stop"));
    CHECK(orders.info().state == InterfaceState::stopping);
    for (int i = 0; i < 3; ++i) {
        scene.ping("shop", true);
        scene.bring_down("shop");
    }
    scene.ping("shop", true);
    CHECK(calls.get() == "stop");
    go = true;
    CHECK(calls.wait_for("stop start"));
}

TEST_CASE("functions may call back into everything", "[monitor][threads]") {
    Scene scene{by_hand(), {"shop", "stock"}};
    Calls calls;
    std::optional<Interface> orders;
    orders = scene.monitor->add_interface(calls.options("orders"));

    SECTION("get, ping, status") {
        calls.in_start = [&] {
            orders->get<RemoteClient>("stock");
            scene.monitor->ping("stock");
            (void)scene.monitor->statuses();
            (void)orders->info();
        };
        orders->depend("shop");
        scene.bring_down("shop");
        CHECK(calls.wait_for("stop"));
        scene.ping("shop", true);
        CHECK(wait_until([&] { return orders->info().state == InterfaceState::running; }));
        CHECK(orders->info().connections.size() == 2);
    }
    SECTION("let go of the interface") {
        calls.in_stop = [&] { orders.reset(); };
        orders->depend("shop");
        scene.bring_down("shop");
        CHECK(calls.wait_for("stop"));
        CHECK(wait_until([&] { return scene.monitor->interfaces().empty(); }));
        scene.ping("shop", true);
        CHECK(calls.get() == "stop");
    }
    SECTION("stop itself by hand") {
        calls.in_start = [&] { orders->stop(); };
        orders->depend("shop");
        scene.bring_down("shop");
        CHECK(calls.wait_for("stop"));
        scene.ping("shop", true);
        CHECK(calls.wait_for("stop start stop"));
        CHECK(wait_until([&] { return orders->info().state == InterfaceState::stopped; }));
    }
    SECTION("destroy the monitor") {
        std::atomic<bool> gone{false};
        calls.in_stop = [&] {
            scene.monitor.reset();
            gone = true;
        };
        orders->depend("shop");
        scene.world->set_up("shop", false);
        scene.monitor->ping("shop");
        scene.monitor->async_ping("shop", {}, [](Result<PingResult>) {});
        CHECK(wait_until([&] { return gone.load(); }));
    }
}

TEST_CASE("with manage_interfaces off there are events and alerts, and nothing is stopped", "[monitor][threads]") {
    MonitorOptions options = by_hand();
    options.manage_interfaces = false;
    Scene scene{options};
    Calls calls;
    Interface orders = scene.monitor->add_interface(calls.options("orders"));
    orders.depend("shop");
    scene.bring_down("shop");
    CHECK(scene.log.wait_for("shop", "down alert"));
    CHECK(calls.get().empty());
    CHECK(orders.info().state == InterfaceState::running);
    CHECK_FALSE(scene.monitor->manage_interfaces());
    scene.monitor->set_manage_interfaces(true);
    CHECK(calls.wait_for("stop"));
}

TEST_CASE("kind and name of an interface are unique", "[monitor][threads]") {
    Scene scene;
    Calls calls;
    std::optional<Interface> first = scene.monitor->add_interface(calls.options("orders"));
    CHECK(error_name([&] { scene.monitor->add_interface(calls.options("orders")); }) == "INTERFACE-ERROR");
    const Interface other = scene.monitor->add_interface(calls.options("orders", InterfaceKind::job));
    CHECK(scene.monitor->interfaces().size() == 2);
    first.reset();
    const Interface again = scene.monitor->add_interface(calls.options("orders"));
    CHECK(scene.monitor->interfaces().size() == 2);
}

TEST_CASE("a thousand connections go down together: each dependent is stopped and restarted once", "[monitor][threads]") {
    MonitorOptions options = by_hand();
    options.restarts_per_second = 0;
    Scene scene{options, {}};
    std::vector<std::string> names;
    for (int i = 0; i < 1000; ++i) names.push_back("c" + std::to_string(i));
    for (const auto& name : names) scene.registry->add(remote(name));
    std::vector<std::unique_ptr<Calls>> calls;
    std::vector<Interface> interfaces;
    for (const auto& name : names) {
        calls.push_back(std::make_unique<Calls>());
        interfaces.push_back(scene.monitor->add_interface(calls.back()->options("i-" + name)));
        interfaces.back().depend(name);
    }
    REQUIRE(wait_until([&] { return scene.monitor->statuses().size() == names.size(); }));
    const auto ping_all = [&](bool up) {
        std::atomic<std::size_t> left{names.size()};
        for (const auto& name : names) scene.world->set_up(name, up);
        for (const auto& name : names) scene.monitor->async_ping(name, {}, [&](Result<PingResult>) { --left; });
        return wait_until([&] { return left == 0; }, 60s);
    };
    REQUIRE(ping_all(false));
    REQUIRE(ping_all(false));
    CHECK(wait_until([&] {
        for (const auto& one : calls)
            if (one->get() != "stop") return false;
        return true;
    }));
    // One each, and one for all of them together.
    CHECK(wait_until([&] { return scene.monitor->alerts().size() == names.size() + 1; }));
    CHECK(scene.monitor->health().degraded);
    REQUIRE(ping_all(true));
    CHECK(wait_until([&] {
        for (const auto& one : calls)
            if (one->get() != "stop start") return false;
        return true;
    }));
    CHECK(scene.monitor->alerts().size() == 1);
    // Stops and starts come from other threads than what the pings found.
    REQUIRE(wait_until([&] { return scene.log.events().size() == names.size() * 7 + 1; }));
    std::uint64_t seq = 0;
    std::size_t back_in_time = 0;
    Clock::time_point mono;
    for (const Event& event : scene.log.events()) {
        CHECK(event.seq == ++seq);
        if (event.mono < mono) ++back_in_time;
        mono = event.mono;
    }
    CHECK(back_in_time == 0);
}

TEST_CASE("readers and pings do not wait for each other", "[monitor][threads]") {
    Scene scene{by_hand(), {"a", "b", "c"}};  // no ping comes later and makes good what a reader was in the way of
    std::atomic<bool> end{false};
    std::vector<std::thread> readers;
    std::atomic<std::uint64_t> reads{0};
    for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] {
            while (!end) {
                (void)scene.monitor->status("a");
                (void)scene.monitor->statuses();
                (void)scene.monitor->alerts();
                ++reads;
            }
        });
    REQUIRE(wait_until([&] { return reads > 0; }));
    bool caught_up = true;
    for (int round = 0; round < 100; ++round) {
        scene.bring_down("a");
        caught_up = caught_up && wait_until([&] { return scene.monitor->status("a").failures >= 2 && scene.monitor->alerts().size() == 1; });
        scene.ping("a", true);
        caught_up = caught_up && wait_until([&] { return scene.monitor->status("a").failures == 0 && scene.monitor->alerts().empty(); });
    }
    end = true;
    for (auto& reader : readers) reader.join();
    CHECK(caught_up);
}

TEST_CASE("after a refused log-in secrets are resolved anew once, within the same ping", "[monitor][threads]") {
    char path[] = "/tmp/qconn-secret-XXXXXX";
    const int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    close(fd);
    const auto write = [&](const char* secret) { std::ofstream{path} << secret; };
    write("old");

    Scene scene{by_hand(), {}};
    scene.registry->add(remote("shop", std::string{"${file:"} + path + "}"));
    REQUIRE(scene.log.wait_for("shop", "added"));
    std::mutex mutex;
    std::vector<std::string> heard;
    scene.world->set("shop", [&](const std::string& password) -> PingEvidence {
        const std::scoped_lock lock{mutex};
        heard.push_back(password);
        if (password == "new") return "welcome";
        throw make_error(Errc::system, "wrong password").with_phase(Phase::auth).with_reason(Reason::denied);
    });

    CHECK_FALSE(scene.monitor->ping("shop").ok);
    CHECK(heard == std::vector<std::string>{"old"});  // the same secret again would only lock the account
    write("new");
    CHECK(scene.monitor->ping("shop").ok);
    CHECK(heard == std::vector<std::string>{"old", "old", "new"});
    CHECK(scene.monitor->status("shop").pings == 2);
    CHECK(scene.log.wait_for("shop", "added up"));

    SECTION("a secret that is gone is a failure of phase secret") {
        std::remove(path);
        Definition other = remote("shop", std::string{"${file:"} + path + "}");
        other.url = "remote://elsewhere";
        scene.registry->update(other);
        REQUIRE(scene.log.wait_for("shop", "added up updated"));
        const PingResult result = scene.monitor->ping("shop");
        REQUIRE(result.error);
        CHECK(result.error->phase() == Phase::secret);
    }
    std::remove(path);
}

TEST_CASE("what a refused log-in said stands where its secrets cannot be resolved anew in time", "[monitor][threads]") {
    const TempDir directory;
    const std::string path = directory.write("secret", "old");
    const auto release = std::make_shared<std::atomic<bool>>(false);  // the plan may outlive the scene
    MonitorOptions options = by_hand();
    options.timeout = 1000ms;
    Scene scene{options, {}};
    scene.registry->add(remote("shop", "${file:" + path + "}"));
    REQUIRE(scene.log.wait_for("shop", "added"));
    scene.world->set("shop", [&](const std::string&) -> PingEvidence {
        directory.write("secret", "new");
        scene.world->set_plan("shop", [release] { wait_until([&] { return release->load(); }); });
        throw make_error(Errc::system, "wrong password").with_phase(Phase::auth).with_reason(Reason::denied);
    });

    const PingResult result = scene.monitor->ping("shop");

    *release = true;
    REQUIRE(result.error);
    CHECK(result.error->phase() == Phase::auth);
    CHECK(result.error->reason() == Reason::denied);
    CHECK(scene.world->pings("shop") == 1);
}

TEST_CASE("a provider of secrets that hangs holds up its own connections only", "[monitor][threads]") {
    struct Hanging {
        std::mutex mutex;
        std::condition_variable changed;
        bool open{false};
        int inside{0};
    };
    const auto hanging = std::make_shared<Hanging>();
    SecretProvider vault;
    vault.prefix = "vault";
    vault.timeout = 500ms;
    vault.read = [hanging](const SecretRequest&) -> SecretAnswer {
        std::unique_lock lock{hanging->mutex};
        ++hanging->inside;
        hanging->changed.wait(lock, [&] { return hanging->open; });
        return {Secret{"opened"}};
    };
    const auto world = std::make_shared<World>();
    const Catalogue catalogue = remote_catalogue(world);
    RuntimeOptions few;
    few.blocking_threads = 2;  // fewer than connections whose secrets hang
    RegistryOptions with_vault{&catalogue, Runtime{few}};
    with_vault.secret_providers = {vault};
    Registry registry{with_vault};
    for (int i = 0; i < 100; ++i) registry.add(remote("plain" + std::to_string(i)));
    for (int i = 0; i < 20; ++i) registry.add(remote("vault" + std::to_string(i), "${vault:key}"));
    MonitorOptions options;
    options.interval = 200ms;
    options.timeout = 60s;
    Monitor monitor{registry, options};
    monitor.start();
    REQUIRE(wait_until([&] {
        const std::scoped_lock lock{hanging->mutex};
        return hanging->inside == 4;
    }));

    const auto all = [&](const std::string& prefix, int count, auto&& holds) {
        return wait_until(
            [&] {
                for (int i = 0; i < count; ++i)
                    if (!holds(prefix + std::to_string(i))) return false;
                return true;
            },
            60s);
    };
    CHECK(all("plain", 100, [&](const std::string& name) { return world->pings(name) >= 3; }));
    CHECK(all("plain", 100, [&](const std::string& name) { return monitor.status(name).state == ConnectionState::up; }));
    CHECK(monitor.status("vault0").state == ConnectionState::unknown);
    {
        const std::scoped_lock lock{hanging->mutex};
        hanging->open = true;
        hanging->changed.notify_all();
    }
    CHECK(all("vault", 20, [&](const std::string& name) { return monitor.status(name).state == ConnectionState::up; }));
    monitor.stop();
}

TEST_CASE("pings go on with a secret that was refreshed", "[monitor][threads]") {
    std::mutex mutex;
    std::string current = "one";
    std::vector<std::string> heard;
    SecretProvider vault;
    vault.prefix = "vault";
    vault.read = [&](const SecretRequest&) -> SecretAnswer {
        const std::scoped_lock lock{mutex};
        return {Secret{current}};
    };
    const auto world = std::make_shared<World>();
    const Catalogue catalogue = remote_catalogue(world);
    RegistryOptions with_vault{&catalogue, Runtime{RuntimeOptions{}}};
    with_vault.secret_providers = {vault};
    Registry registry{with_vault};
    registry.add(remote("shop", "${vault:key}"));
    world->set("shop", [&](const std::string& password) -> PingEvidence {
        const std::scoped_lock lock{mutex};
        heard.push_back(password);
        return "welcome";
    });
    Monitor monitor{registry, by_hand()};
    monitor.start();
    REQUIRE(wait_until([&] { return monitor.ping("shop").ok; }));
    {
        const std::scoped_lock lock{mutex};
        current = "two";
    }
    CHECK(registry.refresh_secrets("shop"));
    CHECK(wait_until([&] {
        (void)monitor.ping("shop");
        const std::scoped_lock lock{mutex};
        return heard.back() == "two";
    }));
    monitor.stop();
}
