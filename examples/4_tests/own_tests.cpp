// SPDX-License-Identifier: Apache-2.0
// Tests of a program that uses qconn, with qconn::testing; any test framework will do, here there is none.
//
//     own_tests PORT      of an HTTP server on 127.0.0.1 that has /hello.txt
#include <cstdlib>
#include <iostream>
#include <qconn/qconn.hpp>
#include <qconn/testing/event_recorder.hpp>
#include <qconn/testing/fault_proxy.hpp>
#include <qconn/testing/scripted.hpp>
#include <qconn/testing/test_monitor.hpp>
#include <stdexcept>
#ifndef QCONN_WITHOUT_WEBSOCKET
#include <qconn/testing/test_eftl_server.hpp>
#endif

using namespace std::chrono_literals;
namespace testing = qconn::testing;

namespace {

void must(bool holds, const char* what) {
    if (!holds) throw std::runtime_error{what};
}

// ---- the program under test --------------------------------------------------------------------------------------------------------------

/// Imports orders while the shop can be reached. Takes the monitor as a template parameter.
class OrderImport {
public:
    template <class AnyMonitor>
    void attach(AnyMonitor& monitor) {
        auto interface = monitor.add_interface(
            {.kind = qconn::InterfaceKind::workflow, .name = "order-import", .start = [this] { runs_ = true; }, .stop = [this] { runs_ = false; }});
        interface.depend("shop");
        keep_ = std::make_shared<decltype(interface)>(interface);
    }
    bool runs() const { return runs_; }

private:
    bool runs_{true};
    std::shared_ptr<void> keep_;
};

/// The stock of an article; what the shop last said where it cannot be asked.
long stock(testing::ScriptedClient& shop, long last_known) {
    try {
        return static_cast<long>(shop.call(5s).as_int64());
    } catch (const qconn::Error&) { return last_known; }
}

#ifndef QCONN_WITHOUT_WEBSOCKET
/// Tells of an order; keeps it for later where the bus does not take it.
bool announce(qconn::EftlClient& bus, long order) {
    try {
        bus.publish(qconn::EftlMessage{}.set_string("type", "order").set_long("id", order), 5s);
        return true;
    } catch (const qconn::Error&) { return false; }
}
#endif

// ---- its tests ---------------------------------------------------------------------------------------------------------------------------

void stops_after_two_failures_and_restarts_late() {
    testing::TestMonitor monitor{{.interval = 30s, .restart_delay = 5min}};
    monitor.add("shop");
    OrderImport import;
    import.attach(monitor);
    monitor.start();
    monitor.advance(1min);
    must(import.runs(), "it runs while all is well");

    monitor["shop"].set(testing::refused());
    monitor.advance(1min);
    must(!import.runs(), "two failures have stopped it");

    monitor["shop"].set(testing::ok());
    monitor.advance(4min);
    must(!import.runs(), "it waits, although the shop is back");
    monitor.advance(2min);
    must(import.runs(), "it was started again");
    must(monitor.events().of("order-import") == "stop start", "once each");
}

void goes_on_with_the_last_known_stock() {
    testing::Scripted ends;
    qconn::Catalogue catalogue = ends.catalogue();
    qconn::Registry registry{{.catalogue = &catalogue}};
    registry.add(testing::Scripted::definition("shop"));
    ends["shop"].calls({testing::ok(17), testing::refused(), testing::ok(12).after(20ms)});

    auto shop = registry.get<testing::ScriptedClient>("shop").pin();
    must(stock(*shop, 0) == 17, "the shop was asked");
    must(stock(*shop, 17) == 17, "it could not be reached");
    must(stock(*shop, 17) == 12, "it was slow");
    must(ends["shop"].call_count() == 3, "three calls, none twice");
}

void tells_what_goes_down() {
    testing::Scripted ends;
    qconn::Catalogue catalogue = ends.catalogue();
    qconn::Registry registry{{.catalogue = &catalogue}};
    registry.add(testing::Scripted::definition("shop"));
    ends["shop"].pings({testing::ok(), testing::timed_out(), testing::denied()});

    qconn::Monitor monitor{registry, {.interval = 100ms}};
    testing::EventRecorder events{monitor};
    monitor.start();
    events.expect(qconn::EventKind::up, "shop");
    const qconn::Event down = events.expect(qconn::EventKind::down, "shop", 20s);
    must(down.phase == qconn::Phase::auth, "the last failure is told");
    events.expect_story("shop", "up failing down alert");
}

void survives_a_network_that_breaks(std::uint16_t port) {
    testing::FaultProxy network{port};
    qconn::Registry registry;
    qconn::Definition shop;
    shop.name = "shop";
    shop.url = "rest://" + network.address();
    shop.options = {{"ping_method", "GET"}, {"ping_path", "/hello.txt"}};
    registry.add(shop);
    qconn::Monitor monitor{registry, {.interval = 200ms, .timeout = 1s}};
    testing::EventRecorder events{monitor};
    monitor.start();
    events.expect(qconn::EventKind::up, "shop");

    network.set({.half_open = true});
    must(events.expect(qconn::EventKind::down, "shop", 20s).reason == qconn::Reason::timeout, "silence is a time-out");
    network.clear();
    events.expect(qconn::EventKind::up, "shop", 20s);

    network.set({.door = testing::Door::refuse});
    network.cut();
    must(events.expect(qconn::EventKind::down, "shop", 20s).reason == qconn::Reason::refused, "nothing listens there");
}

#ifndef QCONN_WITHOUT_WEBSOCKET
void announces_orders_once_whatever_happens() {
    testing::TestEftlServer server;
    qconn::EftlClient bus{server.client()};
    must(announce(bus, 1), "the bus is there");
    must(server.expect(1).at(0).get_long("id") == 1, "it came");

    server.set({.refuse_publish = testing::EftlRefusal{qconn::eftl_code::k_publish_denied, "not today"}});
    must(!announce(bus, 2), "the bus refuses");

    server.set({.drop_after = 2});  // each connection ends after its log-in and one more frame
    server.drop();
    must(announce(bus, 2) && announce(bus, 3), "by connections made anew");
    server.clear();
    must(server.expect(3).size() == 3, "each once");

    qconn::EftlSubscription prices;
    prices.matcher.equals("type", "price");
    const std::string id = bus.subscribe(prices, 5s);
    server.publish(qconn::EftlMessage{}.set_string("type", "price").set_double("EUR", 1.08));
    must(bus.receive(id, 5s).get_double("EUR") == 1.08, "the price came");
    server.expect_acknowledged(1);
}
#endif

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: own_tests PORT\n";
        return 2;
    }
    try {
        stops_after_two_failures_and_restarts_late();
        goes_on_with_the_last_known_stock();
        tells_what_goes_down();
        survives_a_network_that_breaks(static_cast<std::uint16_t>(std::atoi(argv[1])));
#ifndef QCONN_WITHOUT_WEBSOCKET
        announces_orders_once_whatever_happens();
#endif
        std::cout << "all tests passed\n";
        return 0;
    } catch (const std::exception& e) {
        std::cerr << "FAILED: " << e.what() << '\n';
        return 1;
    }
}
