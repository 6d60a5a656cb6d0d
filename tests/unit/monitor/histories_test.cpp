// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>

#include "play.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

struct Scene : Play {
    using Play::Play;
    ConnectionHistory history(TargetId id) { return engine.histories().read(engine.cell(id), now); }
};

}  // namespace

TEST_CASE("a connection's history has its pings, its times up and down, and why it was down", "[monitor][history]") {
    Scene scene;
    scene.places["shop"] = {"shop.example:443", {}, {}};
    const TargetId shop = scene.add("shop");
    scene.ping(shop, Play::good());
    scene.pass(59s);
    scene.ping(shop, Play::bad());
    scene.ping(shop, Play::doubtful());
    scene.ping(shop, Play::bad());
    const auto down_since = scene.now.wall;
    scene.pass(29s);
    scene.ping(shop, Play::good());
    scene.pass(30s);

    const ConnectionHistory history = scene.history(shop);
    using O = PingOutcome;
    CHECK(history.pings == std::vector{O::ok, O::failed, O::inconclusive, O::failed, O::ok});
    CHECK(history.latencies.pings == 2);
    CHECK(history.latencies.longest == 3ms);
    CHECK(history.total.up == 62s + 30s);
    CHECK(history.total.down == 30s);
    CHECK(history.last_hour.down == 30s);
    CHECK(history.downs == 1);
    REQUIRE(history.outages.size() == 1);
    const PastOutage& outage = history.outages.front();
    CHECK(outage.began == down_since);
    CHECK(outage.ended == down_since + 30s);
    CHECK(outage.phase == Phase::connect);
    CHECK(outage.reason == Reason::refused);
    CHECK(outage.error.find("it said no") != std::string::npos);
    CHECK(outage.kind == OutageKind::peer);
    CHECK(outage.cause == "shop.example:443");
    CHECK(outage.outage == 1);
}

TEST_CASE("time in which a connection is disabled, invalid or not known, or the monitor is stopped, is neither up nor down", "[monitor][history]") {
    Scene scene;
    const TargetId shop = scene.add("shop");
    scene.pass(1h);
    scene.ping(shop, Play::good());
    scene.pass(10s);
    scene.engine.disable(shop, scene.now);
    scene.pass(1h);
    scene.engine.enable(shop, scene.now);
    scene.pass(1h);
    scene.engine.invalidate(shop, make_error(Errc::parse, "no"), scene.now);
    scene.pass(1h);
    scene.engine.validate(shop, scene.now);
    scene.ping(shop, Play::bad());
    scene.ping(shop, Play::bad());
    scene.pass(5s);
    scene.engine.stop(scene.now);
    scene.pass(1h);
    scene.engine.start(scene.now);
    scene.pass(5s);
    CHECK(scene.history(shop).total.up == 10s);
    CHECK(scene.history(shop).total.down == 10s);
}

TEST_CASE("time in maintenance is neither up nor down, while muted it counts", "[monitor][history]") {
    Scene scene;
    const TargetId shop = scene.add("shop");
    scene.ping(shop, Play::good());
    scene.pass(10s);
    Silence silence;
    silence.kind = Silence::Kind::maintenance;
    scene.engine.set_silence(shop, silence, scene.now);
    scene.pass(1h);
    scene.ping(shop, Play::bad());
    scene.ping(shop, Play::bad());
    silence.kind = Silence::Kind::mute;
    scene.engine.set_silence(shop, silence, scene.now);
    scene.pass(5s);
    CHECK(scene.history(shop).total.up == 10s);
    CHECK(scene.history(shop).total.down == 5s);
    CHECK(scene.history(shop).downs == 1);
}

TEST_CASE("an outage whose cause turns out to be another one is remembered with that", "[monitor][history]") {
    Scene scene;
    scene.places["gate"] = {"gate:1", {}, {}};
    scene.places["db"] = {"db:1", {}, {"gate"}};
    const TargetId gate = scene.add("gate");
    const TargetId db = scene.add("db");
    for (const TargetId id : {db, db, gate, gate}) scene.ping(id, Play::bad());
    const ConnectionHistory history = scene.history(db);
    REQUIRE(history.outages.size() == 1);
    CHECK(history.outages.front().cause == "gate:1");
    CHECK(history.outages.front().outage == scene.status(gate).outage);
}

TEST_CASE("a history that is switched off is empty and costs nothing", "[monitor][history]") {
    MonitorOptions options{1000ms, 500ms};
    options.history = false;
    Scene scene{options};
    const TargetId shop = scene.add("shop");
    for (int i = 0; i < 3; ++i) scene.ping(shop, Play::bad());
    scene.engine.stop(scene.now);
    CHECK(scene.history(shop).pings.empty());
    CHECK(scene.history(shop).downs == 0);
    CHECK_FALSE(scene.engine.cell(shop).history.has_value());
}
