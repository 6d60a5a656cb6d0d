// SPDX-License-Identifier: Apache-2.0
// What calls on clients tell the monitor.
#include <chrono>

#include <qconn/monitor/monitor.hpp>

#include "scene.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// After the first ping no other comes by itself.
MonitorOptions seldom() {
    MonitorOptions options;
    options.interval = 24h;
    options.fast = 10ms;
    return options;
}

void use(const Ref<RemoteClient>& client, bool answered) {
    try {
        client->use(answered);
    } catch (const Error&) { CHECK_FALSE(answered); }
}

}  // namespace

TEST_CASE("a call that fails asks for a ping, which decides", "[monitor][threads]") {
    Scene scene{seldom()};
    const auto client = scene.registry->get<RemoteClient>("shop");
    REQUIRE(scene.ping("shop", true).ok);
    REQUIRE(scene.log.wait_for("shop", "up"));

    const int before = scene.world->pings("shop");
    use(client, false);
    CHECK(wait_until([&] { return scene.world->pings("shop") > before; }));
    REQUIRE(scene.ping("shop", true).ok);  // joins it, or comes after it
    CHECK(scene.log.of("shop") == "up");

    scene.world->set_up("shop", false);
    use(client, false);
    CHECK(scene.log.wait_for("shop", "up failing down alert"));
}

TEST_CASE("a call that fails asks for nothing where the monitor is told so, or does not ping", "[monitor][threads]") {
    MonitorOptions options = seldom();
    options.ping_after_failed_use = false;
    Scene deaf{options};
    Scene by_hand_only;
    Scene disabled{seldom()};
    for (Scene* scene : {&deaf, &by_hand_only, &disabled}) REQUIRE(scene->ping("shop", true).ok);
    const auto gone = disabled.registry->get<RemoteClient>("shop").pin();
    disabled.registry->disable("shop");
    REQUIRE(disabled.log.wait_for("shop", "up disabled"));
    int before[] = {deaf.world->pings("shop"), by_hand_only.world->pings("shop"), disabled.world->pings("shop")};

    use(deaf.registry->get<RemoteClient>("shop"), false);
    use(by_hand_only.registry->get<RemoteClient>("shop"), false);
    CHECK_THROWS_AS(gone->use(false), Error);
    CHECK_FALSE(wait_until(
        [&] {
            return deaf.world->pings("shop") != before[0] || by_hand_only.world->pings("shop") != before[1] ||
                   disabled.world->pings("shop") != before[2];
        },
        200ms));
}

TEST_CASE("a call that is answered counts as a good ping only where the monitor is told so", "[monitor][threads]") {
    MonitorOptions options = seldom();
    for (const bool counts : {true, false}) {
        options.count_uses = counts;
        Scene scene{options};
        scene.bring_down("shop");
        REQUIRE(scene.log.wait_for("shop", "down alert"));
        const auto client = scene.registry->open<RemoteClient>("shop");
        client->use(true);
        if (counts)
            CHECK(scene.log.wait_for("shop", "down alert up alert-cleared"));
        else
            CHECK_FALSE(wait_until([&] { return scene.monitor->status("shop").state != ConnectionState::down; }, 200ms));
    }
}

TEST_CASE("clients, registry and monitor that hear of uses may go in any order", "[monitor][threads]") {
    Scene scene{seldom()};
    const auto client = scene.registry->get<RemoteClient>("shop").pin();
    Monitor other{*scene.registry, seldom()};
    use(scene.registry->get<RemoteClient>("shop"), false);
    scene.monitor.reset();
    CHECK_THROWS_AS(client->use(false), Error);
    scene.registry.reset();
    CHECK_THROWS_AS(client->use(false), Error);
}
