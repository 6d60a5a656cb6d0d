// SPDX-License-Identifier: Apache-2.0
// A test of a user's program: everything of qconn::testing, without a framework.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include <qconn/qconn.hpp>
#include <qconn/testing/event_recorder.hpp>
#include <qconn/testing/fault_proxy.hpp>
#include <qconn/testing/scripted.hpp>
#include <qconn/testing/test_monitor.hpp>
#ifndef QCONN_WITHOUT_WEBSOCKET
#include <qconn/testing/test_eftl_server.hpp>
#endif

using namespace std::chrono_literals;
namespace testing = qconn::testing;

namespace {

void must(bool holds, const char* what) {
    if (!holds) throw std::runtime_error{what};
}

}  // namespace

int main() try {
    testing::Scripted ends;
    const qconn::Catalogue catalogue = ends.catalogue();
    qconn::Registry registry{{.catalogue = &catalogue}};
    registry.add(testing::Scripted::definition("shop"));
    ends["shop"].calls({testing::ok("17"), testing::refused()});
    must(registry.get<testing::ScriptedClient>("shop")->call().as_string() == "17", "the call");

    testing::FaultProxy proxy{1, {.door = testing::Door::refuse}};
    qconn::Definition refused;
    refused.name = "refused";
    refused.url = "scripted://" + proxy.address();
    registry.add(refused);
    must(proxy.connections() == 0, "the proxy");

    ends["shop"].pings({testing::ok(), testing::refused()});
    qconn::Monitor monitor{registry, {.interval = 100ms}};
    testing::EventRecorder recorder{monitor};
    monitor.start();
    recorder.expect(qconn::EventKind::up, "shop");
    recorder.expect(qconn::EventKind::down, "shop");

    testing::TestMonitor in_a_moment{registry};
    std::string diary;
    auto orders = in_a_moment.add_interface({.name = "orders", .start = [&] { diary += '+'; }, .stop = [&] { diary += '-'; }});
    orders.depend("shop");
    in_a_moment.start();
    in_a_moment["shop"].set(testing::refused());
    in_a_moment.advance(24h);
    in_a_moment["shop"].set(testing::ok());
    in_a_moment.advance(24h);
    must(diary == "-+", "the interface");

#ifndef QCONN_WITHOUT_WEBSOCKET
    testing::TestEftlServer bus;
    qconn::EftlClient client{bus.client()};
    client.publish(qconn::EftlMessage{}.set_string("type", "order"), 10s);
    must(bus.expect(1).size() == 1, "the message");
    bus.set({.refuse_publish = testing::EftlRefusal{12, "closed"}});
    try {
        client.publish({}, 10s);
        must(false, "the refusal");
    } catch (const qconn::Error& error) { must(error.name() == "EFTL-PUBLISH-ERROR", "its name"); }
#endif
    std::puts("all good");
    return 0;
} catch (const std::exception& e) {
    std::printf("FAILED: %s\n", e.what());
    return 1;
}
