// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>
#include <string>

#include <qconn/monitor/names.hpp>
#include <qconn/monitor/to_value.hpp>

#include "base/json.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace std::chrono_literals;

TEST_CASE("each kind of event has a name of ours, and Qorus' name and code where it has one", "[monitor][events]") {
    for (const EventName& one : event_names()) {
        CAPTURE(one.name);
        CHECK(to_string(one.kind) == one.name);
        CHECK(event_kind(one.name) == one.kind);
        CHECK(one.qorus.empty() == (one.qorus_code == 0));
    }
    CHECK(event_name(EventKind::up).qorus == "CONNECTION_UP");
    CHECK(event_name(EventKind::up).qorus_code == 5101);
    CHECK(event_name(EventKind::down).qorus_code == 5102);
    CHECK(event_name(EventKind::disabled).qorus_code == 5103);
    CHECK(event_name(EventKind::added).qorus_code == 5104);
    CHECK(event_name(EventKind::updated).qorus_code == 5105);
    CHECK(event_name(EventKind::removed).qorus_code == 5106);
    CHECK(event_kind("CONNECTION_DOWN") == EventKind::down);
    CHECK(event_kind("CONNECTION_ENABLED_CHANGE") == EventKind::enabled);
    CHECK_FALSE(event_kind("CONNECTION_LOST"));
    CHECK_FALSE(event_kind(""));
}

TEST_CASE("an event as data", "[monitor][events]") {
    Event event;
    event.kind = EventKind::down;
    event.name = "shop";
    event.state = ConnectionState::down;
    event.from = ConnectionState::failing;
    event.phase = Phase::connect;
    event.reason = Reason::refused;
    event.error = "it said n\xF6";
    event.time = std::chrono::system_clock::time_point{1'700'000'000'123ms};
    event.mono = Clock::time_point{5us};
    event.seq = 7;
    event.skipped = 2;
    CHECK(json::encode(to_value(event)) ==
          "{\"event\":\"down\",\"name\":\"shop\",\"state\":\"down\",\"from\":\"failing\",\"phase\":\"connect\",\"reason\":\"refused\","
          "\"error\":\"it said "
          "n\xEF\xBF\xBD\",\"time\":\"2023-11-14T22:13:20.123Z\",\"mono_ns\":5000,\"seq\":7,\"alert\":\"\",\"transient\":false,\"silenced\":false,"
          "\"outage\":null,"
          "\"members\":[],\"skipped\":2,"
          "\"qorus_event\":\"CONNECTION_DOWN\",\"qorus_code\":5102}");
    event.kind = EventKind::failing;
    CHECK(to_value(event)["qorus_event"].is_null());
    CHECK(to_value(event)["qorus_code"].is_null());
}

TEST_CASE("an alert, a status and an interface as data", "[monitor][events]") {
    Alert alert;
    alert.type = "FILESYSTEM-FULL";
    alert.name = "depot";
    alert.text = "90 %";
    alert.since = std::chrono::system_clock::time_point{1'700'000'000s};
    alert.id = 3;
    CHECK(
        json::encode(to_value(alert)) ==
        R"({"type":"FILESYSTEM-FULL","id":3,"name":"depot","text":"90 %","since":"2023-11-14T22:13:20.000Z","outage":null,"transient":false,"silenced":false,"acknowledged":null,"acknowledged_by":"","note":""})");
    alert.acknowledged_by = "operator";
    alert.acknowledged = alert.since;
    CHECK(to_value(alert)["acknowledged"] == Value{"2023-11-14T22:13:20.000Z"});

    ConnectionStatus status;
    status.name = "depot";
    CHECK(
        json::encode(to_value(status)) ==
        R"({"name":"depot","state":"unknown","since":null,"checked":null,"next":null,"latency_ms":null,"pings":0,"failures":0,"flapping":false,"slow":false,"outage":null,"certificate_expires":null,"phase":"none","reason":"none","error":"","silence":null})");
    status.latency = 1500us;
    CHECK(to_value(status)["latency_ms"] == Value{1.5});

    Outage outage;
    outage.id = 4;
    outage.cause = "db.example:5432";
    outage.since = alert.since;
    outage.members = 3;
    CHECK(
        json::encode(to_value(outage)) ==
        R"({"id":4,"kind":"peer","cause":"db.example:5432","since":"2023-11-14T22:13:20.000Z","members":3,"phase":"none","reason":"none","error":""})");

    InterfaceInfo orders;
    orders.name = "orders";
    orders.kind = InterfaceKind::job;
    orders.state = InterfaceState::blocked;
    orders.connections = {"depot", "shop"};
    orders.waits_for = {"shop"};
    CHECK(
        json::encode(to_value(orders)) ==
        R"({"name":"orders","kind":"job","state":"blocked","connections":["depot","shop"],"waits_for":["shop"],"start_error":"","optional":[],"groups":[],"provides":[]})");
}

TEST_CASE("the table of names in the documentation is the one in the code", "[monitor][events]") {
    std::ifstream file{QCONN_TESTS_DIR "/../docs/events.md"};
    std::stringstream page;
    page << file.rdbuf();
    std::string table = "<!-- names: kept equal to the code by a test -->\n| event | Qorus | code |\n| --- | --- | --- |\n";
    for (const EventName& one : event_names()) {
        table += "| `" + std::string{one.name} + "` | ";
        table += one.qorus.empty() ? " |  |\n" : "`" + std::string{one.qorus} + "` | " + std::to_string(one.qorus_code) + " |\n";
    }
    CHECK(page.str().find(table + "<!-- end of names -->\n") != std::string::npos);
}
