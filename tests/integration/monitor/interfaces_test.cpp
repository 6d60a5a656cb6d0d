// SPDX-License-Identifier: Apache-2.0
// An interface that offers a connection to others: a tunnel, which is open while the service that keeps it runs.
#include <mutex>
#include <string>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/testing/fault_proxy.hpp>

#include "support/catch.hpp"
#include "support/event_log.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_enough = 60s;

/// What was done, in order. Thread-safe.
class Diary {
public:
    void add(const std::string& what) {
        const std::scoped_lock lock{mutex_};
        text_.append(text_.empty() ? "" : ", ").append(what);
    }
    bool wait_for(const std::string& story) const {
        return wait_until(
            [&] {
                const std::scoped_lock lock{mutex_};
                return text_ == story;
            },
            k_enough);
    }

private:
    mutable std::mutex mutex_;
    std::string text_;
};

std::string definition(const std::string& name, const std::string& address) {
    return "---\ntype: connection\nname: " + name + "\ndesc: watched\nurl: rest://" + address +
           "\noptions:\n  ping_method: GET\n  ping_path: /hello.txt\n";
}

bool settles(const Interface& one, InterfaceState state) {
    return wait_until([&] { return one.info().state == state; }, k_enough);
}

}  // namespace

TEST_CASE("a service goes before the tunnel that it uses, and comes back after it", "[monitor][integration]") {
    Server vpn{"nginx"};
    Server warehouse{"nginx"};
    testing::FaultProxy tunnel{warehouse.port()};
    const TempDir directory;
    directory.write("all.qconn.yaml", definition("vpn", vpn.address()) + definition("bus", tunnel.address()));
    Registry registry;
    REQUIRE(registry.load(directory.path()).ok());
    MonitorOptions options;
    options.interval = 200ms;
    options.timeout = 5s;
    Monitor monitor{registry, options};
    Diary diary;
    EventLog log;
    const auto watching = monitor.subscribe(log.listener());
    Interface gateway = monitor.add_interface({.name = "gateway",
                                               .start =
                                                   [&] {
                                                       diary.add("tunnel opened");
                                                       tunnel.clear();
                                                   },
                                               .stop =
                                                   [&] {
                                                       diary.add("tunnel closed");
                                                       tunnel.set({.door = testing::Door::refuse});
                                                       tunnel.cut();
                                                   },
                                               .provides = {"bus"}});
    gateway.depend("vpn");
    Interface orders = monitor.add_interface({.name = "orders", .start = [&] { diary.add("orders on"); }, .stop = [&] { diary.add("orders off"); }});
    orders.depend("bus");
    monitor.start();
    REQUIRE(log.wait_for("vpn", "up", k_enough));
    REQUIRE(wait_until([&] { return monitor.status("bus").state == ConnectionState::up; }, k_enough));

    const Impact impact = monitor.impact("vpn");
    REQUIRE(impact.stops.size() == 2);
    CHECK(impact.stops[0].interface.name == "orders");
    CHECK(impact.stops[1].interface.name == "gateway");

    vpn.kill();
    CHECK(diary.wait_for("orders off, tunnel closed"));
    CHECK(settles(orders, InterfaceState::blocked));
    // In the end the pings, which go through the tunnel, say so too.
    std::string why;
    const bool is_told = wait_until(
        [&] {
            why = to_text(monitor.why_stopped(InterfaceKind::service, "orders"));
            return why.find("  \"bus\" is down since ") != std::string::npos;
        },
        k_enough);
    INFO(why);
    CHECK(is_told);
    CHECK(why.find("  \"bus\" is offered by service \"gateway\", which is blocked\n    \"vpn\" is down since ") != std::string::npos);
    CHECK(why.find("(connect, refused)") != std::string::npos);

    vpn.start();
    CHECK(diary.wait_for("orders off, tunnel closed, tunnel opened, orders on"));
    CHECK(settles(orders, InterfaceState::running));
    CHECK(monitor.status("bus").state == ConnectionState::up);

    CHECK(monitor.stop_interfaces(k_enough));
    CHECK(diary.wait_for("orders off, tunnel closed, tunnel opened, orders on, orders off, tunnel closed"));
    CHECK(log.wait_for("orders", "stop start stop", k_enough));
}
