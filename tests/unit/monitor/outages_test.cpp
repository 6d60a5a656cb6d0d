// SPDX-License-Identifier: Apache-2.0
// What is down at the same time for one cause is told as one.
#include <set>
#include <string>
#include <vector>

#include "play.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

struct Scene : Play {
    explicit Scene(MonitorOptions options = {1000ms, 500ms}) : Play{options} {}

    TargetId at(const std::string& name, const std::string& host, std::vector<std::string> via = {}, const std::string& proxy = {}) {
        places[name] = {host, proxy, std::move(via)};
        const TargetId id = add(name);
        engine.take(id, now);
        engine.outcome(id, good(), now);
        return id;
    }
    void down(TargetId id, const PingResult& result = bad()) {
        for (int i = 0; i < 2; ++i) {
            engine.take(id, now);
            engine.outcome(id, result, now);
        }
    }
    void up(TargetId id) {
        engine.take(id, now);
        engine.outcome(id, good(), now);
    }
    /// What is due by now.
    void gather() {
        pass(1100ms);
        engine.advance(now, {}, turn);
        for (const TargetId id : turn.starts) engine.abandon(id, now);
    }
    std::vector<Outage> outages() {
        engine.flush();
        return engine.outages();
    }
    std::vector<Event> of(EventKind kind) const {
        std::vector<Event> found;
        for (const Event& one : events)
            if (one.kind == kind) found.push_back(one);
        return found;
    }
};

}  // namespace

TEST_CASE("connections that go down for one cause are one outage, with one event and one alert", "[monitor][outage]") {
    Scene scene;
    std::vector<TargetId> ids;
    for (int i = 0; i < 5; ++i) ids.push_back(scene.at("c" + std::to_string(i), "db1:5432"));
    const TargetId other = scene.at("elsewhere", "db2:5432");
    scene.events.clear();
    for (const TargetId id : ids) scene.down(id);
    scene.down(other);
    CHECK(scene.of(EventKind::outage).empty());  // it may still grow
    scene.gather();

    const auto told = scene.of(EventKind::outage);
    REQUIRE(told.size() == 1);
    CHECK(told[0].name == "db1:5432");
    CHECK(told[0].members == std::vector<std::string>{"c0", "c1", "c2", "c3", "c4"});
    CHECK(told[0].reason == Reason::refused);
    CHECK(scene.of(EventKind::down).size() == 6);
    for (const Event& one : scene.of(EventKind::down)) CHECK((one.outage == told[0].outage) == (one.name != "elsewhere"));
    CHECK(scene.of(EventKind::alert).size() == 2);
    REQUIRE(scene.alerts.list().size() == 2);
    CHECK(scene.alerts.list()[0].outage == told[0].outage);
    CHECK(scene.status(ids[3]).outage == told[0].outage);
    REQUIRE(scene.outages().size() == 2);
    CHECK(scene.outages()[0].members == 5);
    CHECK(scene.outages()[0].kind == OutageKind::peer);
    CHECK(scene.outages()[1].cause == "db2:5432");

    scene.events.clear();
    scene.up(ids[0]);  // the one that the alert is named after
    CHECK(scene.of(EventKind::alert_cleared).empty());
    CHECK(scene.of(EventKind::up)[0].outage == told[0].outage);
    CHECK(scene.status(ids[0]).outage == 0);
    CHECK(scene.alerts.list()[0].name == "c1");
    for (std::size_t i = 1; i < 5; ++i) {
        CHECK(scene.of(EventKind::outage_over).empty());
        scene.up(ids[i]);
    }
    CHECK(scene.of(EventKind::alert_cleared).size() == 1);
    REQUIRE(scene.of(EventKind::outage_over).size() == 1);
    CHECK(scene.of(EventKind::outage_over)[0].outage == told[0].outage);
    CHECK(scene.outages().size() == 1);
    CHECK(scene.alerts.list().size() == 1);
}

TEST_CASE("one connection alone is an outage without an event, until another joins it", "[monitor][outage]") {
    Scene scene;
    const TargetId a = scene.at("a", "db1:5432");
    const TargetId b = scene.at("b", "db1:5432");
    scene.down(a);
    scene.gather();
    CHECK(scene.of(EventKind::outage).empty());
    CHECK(scene.outages().size() == 1);
    scene.down(b);
    scene.gather();
    REQUIRE(scene.of(EventKind::outage).size() == 1);
    CHECK(scene.of(EventKind::outage)[0].members.size() == 2);
    scene.gather();
    CHECK(scene.of(EventKind::outage).size() == 1);
    scene.up(a);
    scene.up(b);
    scene.down(a);
    scene.up(a);
    CHECK(scene.of(EventKind::outage_over).size() == 1);
}

TEST_CASE("an outage that grows is told when it has grown, but not later than ten seconds after it began", "[monitor][outage]") {
    Scene scene;
    std::vector<TargetId> ids;
    for (int i = 0; i < 20; ++i) ids.push_back(scene.at("c" + std::to_string(i), "db1:5432"));
    scene.events.clear();
    for (std::size_t i = 0; i < 20; ++i) {
        scene.down(ids[i]);
        scene.pass(700ms);
        scene.engine.advance(scene.now, {}, scene.turn);
        for (const TargetId id : scene.turn.starts) scene.engine.abandon(id, scene.now);
        if (i == 10) CHECK(scene.of(EventKind::outage).empty());
    }
    REQUIRE(scene.of(EventKind::outage).size() == 1);
    CHECK(scene.of(EventKind::outage)[0].members.size() == 15);
    CHECK(scene.outages()[0].members == 20);
}

TEST_CASE("the cause is what the failures say", "[monitor][outage]") {
    const auto cause = [](Phase phase, Reason reason, const Whereabouts& where) {
        const Error error = make_error(Errc::system, "no").with_phase(phase).with_reason(reason);
        return cause_of("shop", &error, where);
    };
    const Whereabouts plain{"db1:5432", {}, {}};
    const Whereabouts behind{"db1:5432", "proxy:3128", {}};
    CHECK(cause(Phase::connect, Reason::refused, plain) == Cause{OutageKind::peer, "db1:5432"});
    CHECK(cause(Phase::head, Reason::timeout, plain) == Cause{OutageKind::peer, "db1:5432"});
    CHECK(cause(Phase::resolve, Reason::unknown_host, plain) == Cause{OutageKind::name, "db1"});
    CHECK(cause(Phase::resolve, Reason::resolver, plain) == Cause{OutageKind::resolver, ""});
    CHECK(cause(Phase::resolve, Reason::resolver, behind) == Cause{OutageKind::resolver, ""});
    CHECK(cause(Phase::tls, Reason::certificate_expired, plain) ==
          Cause{OutageKind::certificate, "db1:5432", fault_of(Phase::tls, Reason::certificate_expired, "SYSTEM-ERROR")});
    CHECK(cause(Phase::tls, Reason::certificate_expired, plain) != cause(Phase::tls, Reason::certificate_untrusted, plain));
    CHECK(cause(Phase::tls, Reason::handshake, plain) == Cause{OutageKind::peer, "db1:5432"});
    CHECK(cause(Phase::auth, Reason::denied, plain) == Cause{OutageKind::credentials, "db1:5432"});
    CHECK(cause(Phase::proxy, Reason::refused, behind) == Cause{OutageKind::proxy, "proxy:3128"});
    CHECK(cause(Phase::connect, Reason::timeout, behind) == Cause{OutageKind::proxy, "proxy:3128"});
    CHECK(cause(Phase::head, Reason::timeout, behind) == Cause{OutageKind::peer, "db1:5432"});
    CHECK(cause(Phase::secret, Reason::missing, plain) == Cause{OutageKind::connection, "shop"});
    CHECK(cause(Phase::protocol, Reason::not_found, {}) == Cause{OutageKind::connection, "shop"});
    CHECK(cause_of("shop", nullptr, plain) == Cause{OutageKind::peer, "db1:5432"});
}

TEST_CASE("what one host says of a certificate and of a path are two things to whoever has pinged", "[monitor][outage]") {
    const auto failure = [](const char* name, Phase phase, Reason reason) {
        return Error{Errc::system, name, "no"}.with_phase(phase).with_reason(reason);
    };
    const Whereabouts host{"h:22", {}, {}};
    const Whereabouts behind{"inner:80", {}, {"b"}};
    const auto groups = group_by_cause({{"a", failure("SFTP-NOT-FOUND", Phase::protocol, Reason::not_found), host},
                                        {"b", failure("SSL-ERROR", Phase::tls, Reason::handshake), host},
                                        {"c", failure("SSH-HOST-KEY-CHANGED", Phase::tls, Reason::certificate_untrusted), host},
                                        {"d", failure("SSH-HOST-KEY-UNKNOWN", Phase::tls, Reason::certificate_untrusted), host},
                                        {"e", failure("SSH-HOST-KEY-UNKNOWN", Phase::tls, Reason::certificate_untrusted), host},
                                        {"through-b", failure("TIMEOUT", Phase::connect, Reason::timeout), behind}});
    std::set<std::vector<std::string>> names;
    for (const OutageGroup& group : groups) names.insert(group.names);
    CHECK(names == std::set<std::vector<std::string>>{{"a"}, {"b", "through-b"}, {"c"}, {"d", "e"}});
}

TEST_CASE("while what it is reached through is down, that is why it is, whoever was found down first", "[monitor][outage]") {
    const bool child_first = GENERATE(false, true);
    Scene scene;
    const TargetId gate = scene.at("gate", "gate:22");
    const TargetId inner = scene.at("inner", "inner:22", {"gate"});
    const TargetId app = scene.at("app", "app:80", {"inner"});
    scene.events.clear();
    for (const TargetId id : child_first ? std::vector{app, inner, gate} : std::vector{gate, inner, app}) scene.down(id);
    scene.gather();
    REQUIRE(scene.outages().size() == 1);
    CHECK(scene.outages()[0].cause == "gate:22");
    CHECK(scene.outages()[0].members == 3);
    CHECK(scene.alerts.list().size() == 1);
    REQUIRE(scene.of(EventKind::outage).size() == 1);
    CHECK(scene.of(EventKind::outage)[0].members.size() == 3);

    scene.up(gate);
    // What is left has another cause.
    REQUIRE(scene.outages().size() == 1);
    CHECK(scene.outages()[0].cause == "inner:22");
    CHECK(scene.status(app).outage == scene.outages()[0].id);
    CHECK(scene.alerts.list().size() == 1);
    scene.up(inner);
    scene.up(app);
    CHECK(scene.outages().empty());
    CHECK(scene.alerts.list().empty());
}

TEST_CASE("connections that name each other are no trouble", "[monitor][outage]") {
    Scene scene;
    const TargetId a = scene.at("a", "a:1", {"b", "a"});
    const TargetId b = scene.at("b", "b:1", {"a", "gone"});
    scene.down(a);
    scene.down(b);
    CHECK(scene.outages().size() == 1);
    scene.up(a);
    scene.up(b);
    CHECK(scene.outages().empty());
}

TEST_CASE("each connection has an alert of its own where that is asked for", "[monitor][outage]") {
    MonitorOptions options{1000ms, 500ms};
    options.group_alerts = false;
    Scene scene{options};
    const TargetId a = scene.at("a", "db1:5432");
    const TargetId b = scene.at("b", "db1:5432");
    scene.down(a);
    scene.down(b);
    CHECK(scene.alerts.list().size() == 2);
    scene.up(a);
    REQUIRE(scene.alerts.list().size() == 1);
    CHECK(scene.alerts.list()[0].name == "b");
}

TEST_CASE("whatever goes up and down, each that is down is in one outage, and each outage has one alert", "[monitor][outage]") {
    Scene scene;
    std::vector<TargetId> ids;
    for (int i = 0; i < 12; ++i) {
        std::vector<std::string> via;
        if (i % 3 == 1) via.push_back("c" + std::to_string(i - 1));
        if (i % 4 == 3) via.push_back("c" + std::to_string((i * 5) % 12));
        ids.push_back(scene.at("c" + std::to_string(i), "host" + std::to_string(i % 4) + ":1", std::move(via)));
    }
    std::uint32_t random = 1;
    std::set<std::uint64_t> told;
    for (int step = 0; step < 4000; ++step) {
        random = random * 1664525 + 1013904223;
        const TargetId id = ids[(random >> 8) % ids.size()];
        switch ((random >> 20) % 6) {
            case 0:
            case 1: scene.down(id); break;
            case 2:
            case 3: scene.up(id); break;
            case 4: scene.gather(); break;
            default: scene.engine.disable(id, scene.now); scene.engine.enable(id, scene.now);
        }
        const auto outages = scene.outages();
        std::map<std::uint64_t, std::size_t> members;
        for (const TargetId one : ids) {
            const auto status = scene.status(one);
            REQUIRE((status.outage != 0) == (status.state == ConnectionState::down));
            if (status.outage != 0) ++members[status.outage];
        }
        REQUIRE(outages.size() == members.size());
        for (const Outage& one : outages) REQUIRE(members[one.id] == one.members);
        scene.engine.flush();
        std::set<std::uint64_t> alerted;
        for (const Alert& alert : scene.alerts.list()) {
            if (alert.type != k_alert_unavailable) continue;  // hours pass in a step here, which a monitor says of itself
            REQUIRE(alerted.insert(alert.outage).second);
            REQUIRE(scene.status(scene.ids[alert.name]).outage == alert.outage);
        }
        REQUIRE(alerted.size() == outages.size());
        for (const Event& one : scene.events) {
            if (one.kind == EventKind::outage) REQUIRE(told.insert(one.outage).second);
            if (one.kind == EventKind::outage_over) REQUIRE(told.erase(one.outage) == 1);
        }
        scene.events.clear();
    }
    for (const TargetId id : ids) scene.engine.remove(id, scene.now);
    CHECK(scene.outages().empty());
    for (const Alert& alert : scene.alerts.list()) CHECK(alert.type == k_alert_degraded);
    for (const Event& one : scene.events)
        if (one.kind == EventKind::outage_over) told.erase(one.outage);
    CHECK(told.empty());
}

TEST_CASE("what was found down without a monitor is grouped by the same causes, the largest first", "[monitor][outage]") {
    const auto stranded = [](std::string name, const Whereabouts& where, std::string words = "no", Phase phase = Phase::connect) {
        return Stranded{std::move(name), make_error(Errc::system, words).with_phase(phase).with_reason(Reason::refused), where};
    };
    const auto groups = group_by_cause({stranded("shop", {"shop:443", {}, {}}), stranded("c", {"db1:5432", {}, {}}),
                                        stranded("app", {"app:80", {}, {"inner"}}, "late"), stranded("inner", {"inner:22", {}, {"up", "gate"}}),
                                        stranded("gate", {"gate:22", {}, {}}, "gate is shut"), stranded("b", {"db1:5432", {}, {}}),
                                        stranded("behind", {"far:80", "proxy:3128", {}}), Stranded{"file", std::nullopt, {}}});

    std::string text;
    for (const OutageGroup& group : groups) {
        text += std::to_string(group.outage.id) + " " + std::string{to_string(group.outage.kind)} + " " + group.outage.cause + ":";
        for (const std::string& name : group.names) text += " " + name;
        text += "\n";
        CHECK(group.outage.members == group.names.size());
    }
    CHECK(text ==
          "1 peer gate:22: app gate inner\n2 peer db1:5432: b c\n3 peer shop:443: shop\n4 proxy proxy:3128: behind\n5 connection file: file\n");
    CHECK(groups[0].outage.error.find("gate is shut") != std::string::npos);
    CHECK(groups[0].outage.reason == Reason::refused);
}

TEST_CASE("those that are reached through each other and all down have one cause", "[monitor][outage]") {
    const auto groups = group_by_cause({{"b", {}, {"b:1", {}, {"a"}}}, {"a", {}, {"a:1", {}, {"b"}}}, {"c", {}, {"c:1", {}, {"b"}}}});

    REQUIRE(groups.size() == 1);
    CHECK(groups[0].outage.cause == "a:1");
    CHECK(groups[0].names == std::vector<std::string>{"a", "b", "c"});
}
