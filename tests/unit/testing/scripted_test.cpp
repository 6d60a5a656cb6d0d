// SPDX-License-Identifier: Apache-2.0
#include <future>
#include <string>

#include <qconn/core/registry.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/testing/event_recorder.hpp>
#include <qconn/testing/scripted.hpp>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::testing;
using namespace std::chrono_literals;

namespace {

/// A connection "shop" at a scripted end, pinged by hand.
struct Scene {
    Scripted ends;
    Catalogue catalogue{ends.catalogue()};
    Registry registry{RegistryOptions{.catalogue = &catalogue, .runtime = Runtime{RuntimeOptions{}}}};
    RemoteEnd shop{ends["shop"]};

    Scene() { registry.add(Scripted::definition("shop")); }
    Ref<ScriptedClient> client() { return registry.get<ScriptedClient>("shop"); }
};

template <class F>
std::string error_name(F&& call) {
    try {
        call();
    } catch (const Error& e) { return std::string{e.name()} + ' ' + std::string{to_string(e.phase())} + ' ' + std::string{to_string(e.reason())}; }
    return "no error";
}

}  // namespace

TEST_CASE("pings of a scripted connection give what the script says, the last answer repeats", "[testing][threads]") {
    Scene scene;
    scene.shop.pings({ok(), timed_out(), refused(), ok()});
    MonitorOptions options;
    options.interval = 0ms;
    Monitor monitor{scene.registry, options};
    EventRecorder recorder{monitor};
    for (int i = 0; i < 6; ++i) (void)monitor.ping("shop");

    recorder.expect(EventKind::up, "shop");
    CHECK(recorder.expect(EventKind::failing, "shop").reason == Reason::timeout);
    const Event down = recorder.expect(EventKind::down, "shop");
    CHECK(down.phase == Phase::connect);
    CHECK(down.reason == Reason::refused);
    recorder.expect_story("shop", "up failing down alert up alert-cleared");
    CHECK(scene.shop.ping_count() == 6);
}

TEST_CASE("a script may be replaced while a monitor pings", "[testing][threads]") {
    Scene scene;
    MonitorOptions options;
    options.interval = 100ms;
    Monitor monitor{scene.registry, options};
    EventRecorder recorder{monitor};
    monitor.start();
    recorder.expect(EventKind::up, "shop");
    scene.shop.set(denied());
    CHECK(recorder.expect(EventKind::down, "shop").phase == Phase::auth);
    scene.shop.set(ok());
    recorder.expect(EventKind::up, "shop");
}

TEST_CASE("a scripted end that hangs is a ping that times out, until it is let go", "[testing][threads]") {
    Scene scene;
    scene.shop.hang();
    MonitorOptions options;
    options.interval = 0ms;
    options.timeout = 20ms;
    Monitor monitor{scene.registry, options};
    const PingResult hung = monitor.ping("shop");
    REQUIRE(hung.error);
    CHECK(hung.error->reason() == Reason::timeout);
    CHECK(scene.shop.hangs());
    scene.shop.let_go();
    scene.shop.pings({ok().after(1ms)});
    CHECK(scene.registry.ping("shop").ok);
}

TEST_CASE("trouble of this machine can be scripted", "[testing][threads]") {
    Scene scene;
    scene.shop.set(inconclusive());
    CHECK(scene.registry.ping("shop").inconclusive);
}

TEST_CASE("calls of a scripted client give what the script says, and are counted", "[testing][threads]") {
    Scene scene;
    scene.shop.calls({ok("17 pieces"), refused(), failed(Phase::body, Reason::reset)});
    CHECK(scene.client()->call().as_string() == "17 pieces");
    CHECK(error_name([&] { scene.client()->call(); }) == "SYSTEM-ERROR connect refused");
    CHECK(error_name([&] { scene.client()->call(); }) == "SYSTEM-ERROR body reset");
    CHECK(scene.shop.call_count() == 3);
    CHECK(scene.shop.ping_count() == 0);
}

TEST_CASE("calls end by their deadline, by cancelling and with their client, however long the end hangs", "[testing][threads]") {
    Scene scene;
    scene.shop.hang();
    CHECK(error_name([&] { scene.client()->call(1ms); }) == "TIMEOUT protocol timeout");

    std::promise<std::string> told;
    auto ended = told.get_future();
    const auto tell = [&](Result<Value> result) { told.set_value(result ? "a value" : std::string{result.error().name()}); };
    SECTION("cancelled") {
        Operation operation = scene.client()->async_call({}, tell);
        CHECK_FALSE(operation.done());
        operation.cancel();
        CHECK(ended.get() == "CANCELLED");
        CHECK(operation.done());
    }
    SECTION("with its client") {
        {
            ScriptedClient client{"mine", scene.shop};
            client.async_call({}, tell);
        }
        CHECK(ended.get() == "CANCELLED");
    }
    SECTION("let go") {
        scene.client()->async_call({}, tell);
        scene.shop.let_go();
        CHECK(ended.get() == "a value");
    }
}

TEST_CASE("definitions of other schemes are checked as ever and pinged by script", "[testing][threads]") {
    Scripted ends;
    const Catalogue catalogue = ends.catalogue_instead();
    Registry registry{RegistryOptions{.catalogue = &catalogue, .runtime = Runtime{RuntimeOptions{}}}};
    Definition inbox;
    inbox.name = "inbox";
    inbox.url = "file:///nowhere/at/all";
    registry.add(inbox);
    CHECK(registry.ping("inbox").ok);
    ends["inbox"].set(refused());
    CHECK_FALSE(registry.ping("inbox").ok);
    CHECK(registry.info("inbox").type == "FileClient");
}
