// SPDX-License-Identifier: Apache-2.0
// What a monitor tells its listeners: filters, slow and throwing ones, and what it counts.
#include <atomic>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <qconn/monitor/monitor.hpp>

#include "remote.hpp"
#include "support/catch.hpp"

namespace {

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

struct Scene {
    Scene() {
        for (const char* name : {"shop-a", "shop-b", "depot"}) registry.add(remote(name));
        monitor.emplace(registry, MonitorOptions{0ms, 20s});
        watching = monitor->subscribe(log.listener());
    }

    std::shared_ptr<World> world{std::make_shared<World>()};
    Catalogue catalogue{remote_catalogue(world)};
    std::mutex records_mutex;
    std::vector<std::string> records;
    Runtime runtime{[this] {
        RuntimeOptions options;
        options.log = Log{LogLevel::warning, [this](const LogRecord& record) {
                              const std::scoped_lock lock{records_mutex};
                              records.push_back(std::string{record.event} + ": " + std::string{record.text});
                          }};
        return options;
    }()};
    Registry registry{[this] {
        RegistryOptions options;
        options.catalogue = &catalogue;
        options.runtime = runtime;
        return options;
    }()};
    EventLog log;
    std::optional<Monitor> monitor;
    Subscription watching;

    void ping(const std::string& name, bool up) {
        world->set_up(name, up);
        monitor->ping(name);
    }
    void out_and_back(const std::string& name) {
        ping(name, false);
        ping(name, false);
        ping(name, true);
    }
};

}  // namespace

TEST_CASE("a listener gets the kinds and names that it asked for", "[monitor][events][threads]") {
    Scene scene;
    EventLog chosen;
    SubscribeOptions options;
    options.kinds = {EventKind::up, EventKind::down};
    options.names = {"shop-*"};
    const auto choosy = scene.monitor->subscribe(chosen.listener(), options);
    for (const char* name : {"depot", "shop-b", "shop-a"}) {
        scene.ping(name, true);
        scene.out_and_back(name);
    }
    CHECK(chosen.wait_for("shop-a", "up down up"));
    CHECK(chosen.of("shop-b") == "up down up");
    CHECK(chosen.of("depot").empty());
}

TEST_CASE("a slow listener ends with what is, is told how much it missed, and delays nobody", "[monitor][events][threads]") {
    Scene scene;
    EventLog late;
    std::atomic<bool> inside{false};
    std::atomic<bool> go_on{false};
    SubscribeOptions options;
    options.queue = 8;
    const auto slow = scene.monitor->subscribe(
        [&, keep = late.listener()](const Event& event) {
            inside = true;
            wait_until([&] { return go_on.load(); }, 60s);
            keep(event);
        },
        options);
    scene.ping("shop-a", true);
    REQUIRE(wait_until([&] { return inside.load(); }));
    for (int i = 0; i < 20; ++i) scene.out_and_back("shop-a");
    scene.ping("shop-b", true);
    REQUIRE(wait_until([&] { return scene.log.has(EventKind::up, "shop-b"); }));
    go_on = true;

    REQUIRE(wait_until([&] { return late.has(EventKind::up, "shop-b"); }));
    const std::string story = late.of("shop-a");
    CHECK(story.starts_with("up failing down"));
    CHECK(late.last(EventKind::up, "shop-a").seq == scene.log.last(EventKind::up, "shop-a").seq);
    std::uint64_t missed = 0;
    for (const Event& event : late.events()) missed += event.skipped;
    CHECK(missed > 50);
    CHECK(missed + late.events().size() == scene.log.events().size());
    const MonitorCounts counts = scene.monitor->counts();
    CHECK(counts.events_skipped == missed);
    CHECK(counts.events == scene.log.events().back().seq);
    CHECK(counts.pings_ok == 22);
    CHECK(counts.pings_failed == 40);
    CHECK(counts.pings_inconclusive == 0);
}

TEST_CASE("what listeners throw is counted each time and logged once in a while", "[monitor][events][threads]") {
    Scene scene;
    const auto bad = scene.monitor->subscribe([](const Event&) { throw std::runtime_error{"no"}; });
    for (int i = 0; i < 10; ++i) scene.out_and_back("depot");
    CHECK(wait_until([&] { return scene.monitor->counts().listener_exceptions == scene.monitor->counts().events; }));
    CHECK(scene.monitor->counts().listener_exceptions >= 40);
    const std::scoped_lock lock{scene.records_mutex};
    CHECK(scene.records == std::vector<std::string>{"listener-threw: no"});
}

TEST_CASE("draining waits for listeners, within its deadline", "[monitor][events][threads]") {
    Scene scene;
    std::atomic<bool> go_on{false};
    std::atomic<int> called{0};
    const auto slow = scene.monitor->subscribe([&](const Event&) {
        wait_until([&] { return go_on.load(); }, 60s);
        ++called;
    });
    CHECK(scene.monitor->drain());
    scene.out_and_back("depot");
    CHECK_FALSE(scene.monitor->drain(20ms));
    go_on = true;
    CHECK(scene.monitor->drain(60s));
    CHECK(called == static_cast<int>(scene.monitor->counts().events));
}

TEST_CASE("a transient alert is told once and stands nowhere", "[monitor][events][threads]") {
    Scene scene;
    scene.ping("depot", true);
    scene.monitor->raise_transient("SOCKET-THROUGHPUT", "depot", "12 kB/s");
    REQUIRE(scene.log.wait_for("depot", "up alert"));
    const Event told = scene.log.last(EventKind::alert, "depot");
    CHECK(told.transient);
    CHECK(told.alert == "SOCKET-THROUGHPUT");
    CHECK(told.error == "12 kB/s");
    CHECK(told.state == ConnectionState::up);
    CHECK(scene.monitor->alerts().empty());
    REQUIRE(wait_until([&] { return scene.monitor->recent_alerts().size() == 1; }));
    CHECK(scene.monitor->recent_alerts()[0].name == "depot");
}

TEST_CASE("an acknowledged alert is cleared as ever", "[monitor][events][threads]") {
    Scene scene;
    scene.ping("depot", false);
    scene.ping("depot", false);
    REQUIRE(wait_until([&] { return scene.monitor->alerts().size() == 1; }));
    const std::uint64_t id = scene.monitor->alerts()[0].id;
    CHECK_THROWS_AS(scene.monitor->acknowledge(id, ""), Error);
    CHECK(scene.monitor->acknowledge(id, "ann", "on it"));
    CHECK(scene.monitor->alerts()[0].acknowledged_by == "ann");
    scene.ping("depot", true);
    CHECK(wait_until([&] { return scene.monitor->alerts().empty(); }));
    CHECK_FALSE(scene.monitor->acknowledge(id, "ann"));
}
