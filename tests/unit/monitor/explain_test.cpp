// SPDX-License-Identifier: Apache-2.0
#include "monitor/explain.hpp"

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace qconn;
using namespace qconn::monitor;
using Id = DependencyGraph::Id;

constexpr Id k_gateway = 1;
constexpr Id k_orders = 2;
constexpr Id k_report = 3;
constexpr Id k_night = 4;

/// "gateway" needs "vpn" and offers "bus", which "orders" needs and "report" likes to have; the job "night" needs "bus" and "store".
struct House {
    House() {
        graph.add(k_gateway, {"gateway", Dependent{InterfaceKind::service, true, true}, {"bus"}, {"net"}});
        graph.add(k_orders, {"orders", Dependent{InterfaceKind::workflow, true, true}, {}, {}});
        graph.add(k_report, {"report", Dependent{InterfaceKind::service, true, true}, {}, {}});
        graph.add(k_night, {"night", Dependent{InterfaceKind::job, false, true}, {}, {}});
        graph.depend(k_gateway, "vpn", Dependency::required);
        graph.depend(k_orders, "bus", Dependency::required);
        graph.depend(k_report, "bus", Dependency::optional);
        graph.depend(k_night, "bus", Dependency::required);
        graph.depend(k_night, "store", Dependency::required);
        settle();
    }

    void settle(bool starts_work = true) {
        for (auto changed = graph.take_changed(); !changed.empty(); changed = graph.take_changed())
            for (const Id id : changed)
                if (const auto act = graph.due(id); act != Dependent::Act::none) {
                    graph.begun(id, act);
                    graph.ended(id, act == Dependent::Act::stop || starts_work);
                }
    }
    void bring_down(const std::string& name) {
        ConnectionStatus status;
        status.name = name;
        status.state = ConnectionState::down;
        status.since = std::chrono::system_clock::time_point{std::chrono::seconds{1'000'000'000}};
        status.phase = Phase::connect;
        status.reason = Reason::refused;
        status.error = "connecting to " + name + " was refused";
        statuses[name] = status;
        graph.block(name);
    }
    Facts facts() const {
        return {[this](std::string_view name) -> std::optional<ConnectionStatus> {
                    const auto found = statuses.find(std::string{name});
                    return found == statuses.end() ? std::nullopt : std::optional{found->second};
                },
                [](Id) { return std::chrono::system_clock::time_point{std::chrono::seconds{1'000'000'060}}; },
                [](Id) { return std::string{"no licence"}; }};
    }
    std::string why(Id id) const { return to_text({graph.key(id), graph.state(id), reasons_of(graph, id, facts())}); }
    Impact impact(std::string_view connection) const { return impact_of(graph, connection, facts()); }

    DependencyGraph graph;
    std::map<std::string, ConnectionStatus> statuses;
};

/// "service "a" through b" with a "!" where it would stay stopped.
std::vector<std::string> told(const std::vector<AffectedInterface>& affected) {
    std::vector<std::string> texts;
    for (const auto& one : affected) texts.push_back(one.interface.name + " by " + one.connection + (one.returns ? "" : "!"));
    return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("why an interface does not run is told down to the connection at the bottom", "[monitor]") {
    House house;
    CHECK(house.why(k_orders) == "workflow \"orders\" is running\n");
    house.bring_down("vpn");
    house.settle();
    CHECK(house.why(k_orders) ==
          "workflow \"orders\" is blocked\n"
          "  \"bus\" is offered by service \"gateway\", which is blocked\n"
          "    \"vpn\" is down since 2001-09-09 01:46:40 UTC (connect, refused): connecting to vpn was refused\n");
    CHECK(house.why(k_report) == "service \"report\" is running\n");
    house.bring_down("store");
    const auto reasons = reasons_of(house.graph, k_night, house.facts());
    REQUIRE(reasons.size() == 2);
    CHECK(reasons[0].cause == StopCause::provider);
    CHECK(reasons[0].name == "bus");
    REQUIRE(reasons[0].because.size() == 1);
    CHECK(reasons[0].because[0].cause == StopCause::connection);
    CHECK(reasons[0].because[0].name == "vpn");
    CHECK(reasons[1].cause == StopCause::connection);
    CHECK(reasons[1].name == "store");
}

TEST_CASE("each thing that keeps an interface from running is told", "[monitor]") {
    House house;
    SECTION("by hand, without autostart") {
        house.graph.set_autostart(k_orders, false);
        house.graph.stop_by_hand(k_orders);
        house.settle();
        CHECK(house.why(k_orders) == "workflow \"orders\" is stopped\n  it was stopped by hand at 2001-09-09 01:47:40 UTC\n");
    }
    SECTION("ended by itself") {
        house.graph.told(k_orders, false);
        CHECK(house.why(k_orders) ==
              "workflow \"orders\" is stopped\n  the application said that it has ended by itself at 2001-09-09 01:47:40 UTC\n");
    }
    SECTION("never started") {
        house.graph.add(9, {"new", Dependent{InterfaceKind::service, true, false}, {}, {}});
        CHECK(house.why(9) == "service \"new\" is stopped\n  it was not running when it was added, and nobody has started it since\n");
    }
    SECTION("a start that failed") {
        house.bring_down("bus");
        house.settle();
        house.graph.unblock("bus");
        house.settle(false);
        CHECK(house.why(k_orders) ==
              "workflow \"orders\" is stopped\n"
              "  its last start at 2001-09-09 01:47:40 UTC failed: no licence; it is tried again when one of its connections has come up anew, or by "
              "hand\n");
    }
    SECTION("no autostart") {
        house.graph.set_autostart(k_orders, false);
        house.bring_down("bus");
        house.settle();
        CHECK(house.why(k_orders).ends_with("was refused\n  it has no autostart, so it is only started by hand\n"));
        house.graph.unblock("bus");
        house.settle();
        CHECK(house.why(k_orders) == "workflow \"orders\" is stopped\n  it has no autostart, so it is only started by hand\n");
    }
    SECTION("a group, and all") {
        house.graph.set_group("net", false);
        house.settle();
        CHECK(house.why(k_gateway) == "service \"gateway\" is disabled\n  its group \"net\" is disabled\n");
        CHECK(house.why(k_orders).ends_with("which is disabled\n    its group \"net\" is disabled\n"));
        house.graph.set_all_stopped(true);
        house.settle();
        CHECK(house.why(k_report) == "service \"report\" is disabled\n  all interfaces are stopped (stop_interfaces)\n");
    }
    SECTION("connections that are not managed") {
        house.bring_down("bus");
        house.settle();
        house.graph.set_manage(false);
        CHECK(house.why(k_orders) == "workflow \"orders\" is stopped\n  manage_interfaces is off, so it is only started by hand\n");
    }
    SECTION("a function that runs, and others that have to stop first") {
        house.bring_down("vpn");
        house.graph.begun(k_orders, house.graph.due(k_orders));
        CHECK(house.why(k_orders).starts_with(
            "workflow \"orders\" is stopping\n  its stop function runs since 2001-09-09 01:47:40 UTC\n  \"bus\" is offered"));
        CHECK(house.why(k_gateway).starts_with(
            "service \"gateway\" is stopping\n  it is stopped when these have stopped: workflow \"orders\", job \"night\"\n  \"vpn\" is down"));
        house.graph.ended(k_orders, true);
        house.settle();
        house.graph.unblock("vpn");
        CHECK(house.why(k_gateway) == "service \"gateway\" is starting\n  its start function is about to be called\n");
    }
    SECTION("a connection that is up, but not to be trusted yet") {
        house.bring_down("store");
        house.settle();
        house.statuses["store"].state = ConnectionState::up;
        CHECK(house.why(k_night) ==
              "job \"night\" is blocked\n  \"store\" is up since 2001-09-09 01:46:40 UTC, but not for long enough yet (restart_delay)\n");
        house.statuses["store"].flapping = true;
        CHECK(house.why(k_night) == "job \"night\" is blocked\n  \"store\" goes up and down too often (flapping)\n");
    }
    SECTION("a connection that has gone unknown, or away") {
        house.bring_down("store");
        house.statuses["store"].state = ConnectionState::unknown;
        house.settle();
        CHECK(house.why(k_night) ==
              "job \"night\" is blocked\n  \"store\" has not been seen up since 2001-09-09 01:46:40 UTC, when it was changed or enabled\n");
        house.statuses.clear();
        CHECK(house.why(k_night) == "job \"night\" is blocked\n  \"store\" is not there any more\n");
    }
}

TEST_CASE("a dry run tells what would stop, in which order, and what would not come back", "[monitor]") {
    House house;
    house.graph.set_autostart(k_orders, false);
    SECTION("along the chain") {
        const Impact impact = house.impact("vpn");
        CHECK(told(impact.stops) == Texts{"orders by bus!", "night by bus", "gateway by vpn"});
        CHECK(impact.stops[0].why_not == "it has no autostart, so it is only started by hand");
        CHECK(impact.stopped.empty());
        CHECK(told(impact.optional) == Texts{"report by bus"});
        CHECK(impact.managed);
    }
    SECTION("what does not run now is told apart") {
        house.graph.stop_by_hand(k_night);
        house.settle();
        const Impact impact = house.impact("bus");
        CHECK(told(impact.stops) == Texts{"orders by bus!"});
        CHECK(told(impact.stopped) == Texts{"night by bus!"});
        CHECK(impact.stopped[0].why_not == "it was stopped by hand at 2001-09-09 01:47:40 UTC");
    }
    SECTION("what waits for another one too does not come back with this one") {
        house.bring_down("store");
        house.settle();
        const Impact impact = house.impact("bus");
        CHECK(told(impact.stopped) == Texts{"night by bus!"});
        CHECK(impact.stopped[0].why_not.starts_with("\"store\" is down"));
    }
    SECTION("with connections not managed it says so, and what would be") {
        house.graph.set_manage(false);
        const Impact impact = house.impact("vpn");
        CHECK_FALSE(impact.managed);
        CHECK(impact.stops.size() == 3);
    }
    SECTION("what is under way counts as done") {
        house.graph.block("vpn");
        house.graph.begun(k_orders, house.graph.due(k_orders));
        house.graph.unblock("vpn");
        CHECK(told(house.impact("vpn").stops) == Texts{"night by bus", "gateway by vpn"});
    }
    CHECK(house.impact("elsewhere").stops.empty());
    CHECK(house.graph.state(k_gateway) == InterfaceState::running);  // dry
}
