// SPDX-License-Identifier: Apache-2.0
// Operators silence and acknowledge by the registry, or by another program, and monitors follow.
#include <optional>
#include <string>

#include <qconn/core/watch.hpp>
#include <qconn/monitor/metrics.hpp>

#include "scene.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("what is silenced by its registry calls nobody until that is over", "[monitor][silence][threads]") {
    Scene scene;
    scene.ping("shop", true);
    scene.registry->set_silence("shop", Silence{.by = "ann", .note = "new disks"});
    REQUIRE(scene.log.wait_for("shop", "up silenced"));
    CHECK(scene.log.last(EventKind::silenced, "shop").error == "mute until it is taken back by ann: new disks");
    CHECK(scene.monitor->status("shop").silence->by == "ann");
    scene.bring_down("shop");
    REQUIRE(scene.log.wait_for("shop", "up silenced failing down"));
    REQUIRE(wait_until([&] { return scene.monitor->alerts().size() == 1; }));
    CHECK(scene.monitor->alerts()[0].silenced);
    CHECK(metrics_text(*scene.monitor).find("qconn_alert_active{connection=\"shop\",type=\"USER-CONNECTION-UNAVAILABLE\"} 0") != std::string::npos);
    CHECK(metrics_text(*scene.monitor).find("qconn_connection_silenced{connection=\"shop\",kind=\"mute\"} 1") != std::string::npos);

    scene.registry->set_silence("shop", std::nullopt);
    REQUIRE(scene.log.wait_for("shop", "up silenced failing down unsilenced alert"));
    CHECK(wait_until([&] { return !scene.monitor->alerts()[0].silenced; }));
    CHECK(metrics_text(*scene.monitor).find("qconn_alert_active{connection=\"shop\",type=\"USER-CONNECTION-UNAVAILABLE\"} 1") != std::string::npos);
    CHECK(metrics_text(*scene.monitor).find("qconn_connection_silenced{") == std::string::npos);
}

TEST_CASE("a silence ends by itself", "[monitor][silence][threads]") {
    Scene scene;
    scene.registry->set_silence("shop", Silence{.until = std::chrono::system_clock::now() + 300ms});
    CHECK(scene.log.wait_for("shop", "silenced unsilenced"));
    CHECK_FALSE(scene.monitor->status("shop").silence);
    CHECK_FALSE(scene.registry->info("shop").silence);
}

TEST_CASE("a transient alert of a silenced connection is kept and not told", "[monitor][silence][threads]") {
    Scene scene;
    scene.registry->set_silence("shop", Silence{});
    REQUIRE(scene.log.wait_for("shop", "silenced"));
    scene.monitor->raise_transient("SLOW", "shop", "12 kB/s");
    REQUIRE(wait_until([&] { return scene.monitor->recent_alerts().size() == 1; }));
    CHECK(scene.monitor->recent_alerts()[0].silenced);
    CHECK(scene.monitor->drain(10s));
    CHECK(scene.log.of("shop") == "silenced");
}

TEST_CASE("an acknowledgement of one alert is the connection's, and reaches every monitor", "[monitor][silence][threads]") {
    Scene scene;
    Monitor other{*scene.registry, by_hand()};
    scene.bring_down("shop");
    other.ping("shop");
    other.ping("shop");
    REQUIRE(wait_until([&] { return scene.monitor->alerts().size() == 1 && other.alerts().size() == 1; }));

    CHECK(scene.monitor->acknowledge(scene.monitor->alerts()[0].id, "ann", "on it"));
    CHECK(scene.monitor->alerts()[0].acknowledged_by == "ann");
    REQUIRE(scene.registry->info("shop").acknowledged);
    CHECK(scene.registry->info("shop").acknowledged->note == "on it");
    CHECK(wait_until([&] { return other.alerts()[0].acknowledged_by == "ann"; }));

    scene.registry->acknowledge("shop", "bob");
    CHECK(wait_until([&] { return scene.monitor->alerts()[0].acknowledged_by == "bob" && other.alerts()[0].acknowledged_by == "bob"; }));
    CHECK(scene.monitor->alerts()[0].note.empty());
}

TEST_CASE("a running program does what another one writes into its file of operator settings", "[monitor][silence][threads]") {
    const TempDir directory;
    const auto world = std::make_shared<World>();
    const Catalogue catalogue = remote_catalogue(world);
    RegistryOptions options;
    options.catalogue = &catalogue;
    options.runtime = Runtime{RuntimeOptions{}};
    options.state_file = directory / "state.json";
    Registry registry{options};
    registry.add(remote("shop"));
    Monitor monitor{registry, by_hand()};
    const EventLog log;
    const Subscription watching = monitor.subscribe(EventLog{log}.listener());
    monitor.start();
    const Watch watch = registry.watch({.debounce = 0ms});
    Registry tool{options};
    tool.add(remote("shop"));

    tool.set_silence("shop", Silence{Silence::Kind::maintenance, {}, {}, "ann", {}});
    REQUIRE(log.wait_for("shop", "silenced"));
    world->set_up("shop", false);
    monitor.ping("shop");
    monitor.ping("shop");
    tool.acknowledge("shop", "ann", "on it");
    CHECK(wait_until([&] { return !monitor.alerts().empty() && monitor.alerts()[0].acknowledged_by == "ann"; }));
    tool.set_silence("shop", std::nullopt);
    REQUIRE(log.wait_for("shop", "silenced down unsilenced alert"));
    tool.disable("shop");
    CHECK(log.wait_for("shop", "silenced down unsilenced alert disabled alert-cleared"));
}
