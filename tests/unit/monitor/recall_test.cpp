// SPDX-License-Identifier: Apache-2.0
// Two runs of an engine, the second of which goes on where the first has ended.
#include <optional>
#include <string>
#include <vector>

#include "monitor/kept_state.hpp"
#include "play.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

struct Run : Play {
    explicit Run(const MonitorOptions& options = {1000ms, 500ms}) : Play{options, false} {}

    TargetId add(const std::string& name, std::uint64_t configuration = 7, Engine::Facts facts = {}) {
        facts.configuration = configuration;
        return Play::add(name, facts);
    }
    void start() {
        engine.start(now);
        engine.flush();
    }
    /// As it is kept.
    KeptState kept() {
        engine.flush();
        KeptState state;
        state.head.written = now.wall;
        state.head.last_alert = alerts.last_id();
        state.head.last_outage = engine.causes().last_id();
        for (const auto& [name, id] : ids) {
            const Cell& cell = engine.cell(id);
            state.add(KeptConnection{cell.read(), cell.configuration, {}, engine.histories().keep(cell, now)});
            if (const auto certificate = cell.certificate()) state.connections.back().certificate = *certificate;
            if (const auto known = cell.credentials()) state.connections.back().credentials = *known;
        }
        for (const Alert& one : alerts.list()) state.add(one);
        for (const KeptOutage& one : engine.causes().kept()) state.add(one);
        return state;
    }
    void go_on_from(Run& before, Clock::duration later = 1min) {
        now = before.now;
        pass(later);
        engine.recall(before.kept());
    }
    void bring_down(TargetId id) {
        for (int i = 0; i < 2; ++i) ping(id, bad());
    }
    ConnectionHistory history(TargetId id) { return engine.histories().read(engine.cell(id), now); }
};

}  // namespace

TEST_CASE("what was down is down again after a restart, with its alert, and nothing is told twice", "[monitor][recall]") {
    Run first;
    first.places["shop"] = {"shop:443", {}, {}};
    const TargetId shop = first.add("shop");
    first.start();
    first.bring_down(shop);
    const Alert stood = first.alerts.list().at(0);
    const ConnectionStatus was = first.status(shop);

    Run second;
    second.go_on_from(first);
    const TargetId again = second.add("shop");
    CHECK(second.status(again).state == ConnectionState::down);
    CHECK(second.status(again).since == was.since);
    CHECK(second.status(again).error == was.error);
    CHECK(second.status(again).phase == Phase::connect);
    CHECK(second.status(again).outage == was.outage);
    CHECK(second.holds["shop"] == Hold::block);
    second.start();
    second.ping(again, Play::bad());
    CHECK(second.told().empty());
    REQUIRE(second.alerts.list().size() == 1);
    CHECK(second.alerts.list()[0].id == stood.id);
    CHECK(second.alerts.list()[0].since == stood.since);
    REQUIRE(second.engine.outages().size() == 1);
    CHECK(second.engine.outages()[0].cause == "shop:443");
    CHECK(second.history(again).downs == 1);
    REQUIRE(second.history(again).outages.size() == 1);

    second.ping(again, Play::good());
    CHECK(second.told() == "up:shop alert-cleared:shop:USER-CONNECTION-UNAVAILABLE");
    CHECK(second.history(again).outages[0].ended == second.now.wall);
    second.engine.flush();
    CHECK(second.engine.outages().empty());
    second.bring_down(again);
    CHECK(second.alerts.list().at(0).id > stood.id);
    CHECK(second.status(again).outage > was.outage);
}

TEST_CASE("a ping soon says whether it is down still", "[monitor][recall]") {
    MonitorOptions options{1h, 500ms};
    options.interval_down = 2h;
    Run first{options};
    const TargetId shop = first.add("shop");
    first.start();
    first.bring_down(shop);
    Run second{options};
    second.go_on_from(first);
    const TargetId again = second.add("shop");
    second.start();
    REQUIRE(second.engine.schedule().next(again));
    CHECK(*second.engine.schedule().next(again) - second.now.mono <= 10s);
}

TEST_CASE("what was up is unknown after a restart until it is seen", "[monitor][recall]") {
    Run first;
    const TargetId shop = first.add("shop");
    first.start();
    first.ping(shop, Play::good());
    Run second;
    second.go_on_from(first);
    const TargetId again = second.add("shop");
    second.start();
    CHECK(second.status(again).state == ConnectionState::unknown);
    CHECK(second.told().empty());
    second.ping(again, Play::good());
    CHECK(second.told() == "up:shop");
}

TEST_CASE("what is not the connection that it was begins anew, and the alert that stood for it is over", "[monitor][recall]") {
    Run first;
    const TargetId shop = first.add("shop", 7);
    first.start();
    first.bring_down(shop);
    const auto number = first.status(shop).outage;

    Run second;
    second.go_on_from(first);
    Engine::Facts facts;
    SECTION("another configuration") { second.add("shop", 8); }
    SECTION("a configuration that is not known") { second.add("shop", 0); }
    SECTION("disabled") {
        facts.enabled = false;
        second.add("shop", 7, facts);
    }
    SECTION("not monitored") {
        facts.monitored = false;
        second.add("shop", 7, facts);
    }
    SECTION("gone") {}
    CHECK(second.engine.outages().empty());
    second.start();
    REQUIRE(second.events.size() == 1);
    CHECK(second.events[0].kind == EventKind::alert_cleared);
    CHECK(second.events[0].name == "shop");
    CHECK(second.events[0].alert == "USER-CONNECTION-UNAVAILABLE");
    CHECK(second.events[0].outage == number);
    CHECK(second.alerts.list().empty());
    if (second.ids.empty()) return;
    CHECK(second.status(0).state != ConnectionState::down);
    CHECK(second.history(0).downs == 1);  // what was is remembered all the same, and has ended when nobody watched
    CHECK(second.history(0).outages.at(0).ended == first.now.wall);
}

TEST_CASE("an outage of several goes on with those that are down still, and its alert takes the name of one of them", "[monitor][recall]") {
    Run first;
    for (const char* name : {"a", "b", "c"}) first.places[name] = {"host:1", {}, {}}, first.add(name);
    first.start();
    for (const char* name : {"a", "b", "c"}) first.bring_down(first.ids[name]);
    for (int i = 0; i < 4; ++i) {  // in steps, as otherwise it would be late with its pings, and tell that too
        first.pass(500ms);
        first.engine.advance(first.now, {}, first.turn);
    }
    REQUIRE(first.told().find("outage:host:1") != std::string::npos);
    const Alert stood = first.alerts.list().at(0);
    REQUIRE(stood.name == "a");

    SECTION("some") {
        Run second;
        second.go_on_from(first);
        second.add("a", 99);
        second.add("b");
        second.add("c");
        second.start();
        CHECK(second.told().empty());
        REQUIRE(second.alerts.list().size() == 1);
        CHECK(second.alerts.list()[0].id == stood.id);
        CHECK(second.alerts.list()[0].name == "b");
        REQUIRE(second.engine.outages().size() == 1);
        CHECK(second.engine.outages()[0].members == 2);
        second.ping(second.ids["b"], Play::good());
        second.ping(second.ids["c"], Play::good());
        CHECK(second.told() == "up:b up:c alert-cleared:c:USER-CONNECTION-UNAVAILABLE outage-over:host:1");
    }
    SECTION("none") {
        Run second;
        second.go_on_from(first);
        second.add("a", 99);
        second.start();
        CHECK(second.told() == "alert-cleared:a:USER-CONNECTION-UNAVAILABLE outage-over:host:1");
        CHECK(second.engine.outages().empty());
    }
    SECTION("each has its own alert now") {
        MonitorOptions options{1000ms, 500ms};
        options.group_alerts = false;
        Run second{options};
        second.go_on_from(first);
        for (const char* name : {"a", "b", "c"}) second.add(name);
        second.start();
        CHECK(second.told() == "alert:b:USER-CONNECTION-UNAVAILABLE alert:c:USER-CONNECTION-UNAVAILABLE");
        CHECK(second.alerts.list().size() == 3);
    }
}

TEST_CASE("a file that lags behind loses no alert", "[monitor][recall]") {
    Run first;
    const TargetId shop = first.add("shop");
    first.start();
    first.bring_down(shop);
    KeptState state = first.kept();
    state.alerts.clear();
    state.outages.clear();
    Run second;
    second.now = first.now;
    second.engine.recall(state);
    second.add("shop");
    second.start();
    CHECK(second.told() == "alert:shop:USER-CONNECTION-UNAVAILABLE");
    second.ping(0, Play::good());
    CHECK(second.told() == "up:shop alert-cleared:shop:USER-CONNECTION-UNAVAILABLE");
}

TEST_CASE("what was invalid and is so still is not told again", "[monitor][recall]") {
    Engine::Facts facts;
    facts.problem = make_error(Errc::parse, "no such option");
    Run first;
    const TargetId shop = first.add("shop", 7, facts);
    first.start();
    CHECK(first.told() == "invalid:shop alert:shop:USER-CONNECTION-UNUSABLE");
    const Alert stood = first.alerts.list().at(0);
    const auto since = first.status(shop).since;
    Run second;
    second.go_on_from(first);
    const TargetId again = second.add("shop", 7, facts);
    second.start();
    CHECK(second.told().empty());
    CHECK(second.status(again).since == since);
    CHECK(second.alerts.list().at(0).id == stood.id);
}

TEST_CASE("a warning of a certificate stands over a restart, and a change meanwhile is seen", "[monitor][recall]") {
    const auto shows = [](const Run& run, const char* sha256, std::chrono::hours left) {
        PingResult result = Play::good();
        TlsCertificate certificate;
        certificate.sha256 = sha256;
        certificate.not_after = run.now.wall + left;
        result.tls.emplace().chain.push_back(certificate);
        return result;
    };
    Run first;
    const TargetId shop = first.add("shop");
    first.start();
    first.ping(shop, shows(first, "a", 100h));
    const Alert stood = first.alerts.list().at(0);
    Run second;
    second.go_on_from(first);
    const TargetId again = second.add("shop");
    second.start();
    CHECK(second.status(again).certificate_expires != std::chrono::system_clock::time_point{});
    CHECK(second.alerts.list().at(0).id == stood.id);
    second.ping(again, shows(second, "b", 10'000h));
    CHECK(second.told() == "up:shop alert:shop:CERTIFICATE-CHANGED alert-cleared:shop:CERTIFICATE-EXPIRES");
}

TEST_CASE("what a connection has shown stands over a restart, with the warning of its end", "[monitor][recall]") {
    const auto shows = [](const Run& run, const char* fingerprint, std::chrono::hours left) {
        PingResult result = Play::good();
        result.credentials = {{Credential::Kind::host_key, "ssh-ed25519", {}, {}, {}, fingerprint},
                              {Credential::Kind::token, "refresh token", "login", {}, run.now.wall + left, {}}};
        return result;
    };
    Run first;
    const TargetId drop = first.add("drop");
    first.start();
    first.ping(drop, shows(first, "SHA256:a", 100h));
    const Alert stood = first.alerts.list().at(0);
    Run second;
    second.go_on_from(first);
    const TargetId again = second.add("drop");
    second.start();
    CHECK(second.alerts.list().at(0).id == stood.id);
    CHECK(second.engine.cell(again).credentials()->size() == 2);
    second.ping(again, shows(second, "SHA256:b", 10'000h));
    CHECK(second.told() == "up:drop alert:drop:HOST-KEY-CHANGED alert-cleared:drop:CREDENTIAL-EXPIRES");
}

TEST_CASE("time up and down goes on being counted over a restart, without the time between", "[monitor][recall]") {
    Run first;
    const TargetId shop = first.add("shop");
    first.start();
    first.ping(shop, Play::good());
    first.pass(10min);
    const auto since = first.history(shop).since;
    Run second;
    second.go_on_from(first, 5h);
    const TargetId again = second.add("shop");
    second.start();
    second.ping(again, Play::good());
    second.pass(10min);
    CHECK(second.history(again).total.up == 20min);
    CHECK(second.history(again).total.down == 0ms);
    CHECK(second.history(again).last_day.up == 20min);
    CHECK(second.history(again).since == since);
}

TEST_CASE("what an operator noted on an alert is there after a restart", "[monitor][recall]") {
    Run first;
    const TargetId shop = first.add("shop");
    first.start();
    first.bring_down(shop);
    first.alerts.acknowledge(first.alerts.list().at(0).id, Acknowledgement{"ann", "on it", first.now.wall});
    Run second;
    second.go_on_from(first);
    second.add("shop");
    second.start();
    CHECK(second.alerts.list().at(0).acknowledged_by == "ann");
    CHECK(second.alerts.list().at(0).note == "on it");
}

TEST_CASE("a connection that must stay down for a while does so over a restart", "[monitor][recall]") {
    MonitorOptions options{1000ms, 500ms};
    options.min_down = 10min;
    Run first{options};
    const TargetId shop = first.add("shop");
    first.start();
    first.bring_down(shop);
    first.pass(5min);
    Run second{options};
    second.go_on_from(first);
    const TargetId again = second.add("shop");
    second.start();
    second.ping(again, Play::good());
    CHECK(second.status(again).state == ConnectionState::down);
    second.pass(5min);
    second.ping(again, Play::good());
    CHECK(second.status(again).state == ConnectionState::up);
}

TEST_CASE("an alert that was never told as its connection is silenced is told after a restart when that is over", "[monitor][recall]") {
    Engine::Facts facts;
    facts.silence = Silence{};
    Run first;
    const TargetId shop = first.add("shop", 7, facts);
    first.start();
    first.bring_down(shop);
    REQUIRE(first.told().find("alert") == std::string::npos);
    REQUIRE(first.alerts.list().at(0).silenced);

    Run second;
    second.go_on_from(first);
    SECTION("later") {
        const TargetId again = second.add("shop", 7, facts);
        second.start();
        CHECK(second.told() == "silenced:shop");
        second.engine.set_silence(again, std::nullopt, second.now);
        CHECK(second.told() == "unsilenced:shop alert:shop:USER-CONNECTION-UNAVAILABLE");
    }
    SECTION("meanwhile") {
        second.add("shop");
        second.start();
        CHECK(second.told() == "alert:shop:USER-CONNECTION-UNAVAILABLE");
    }
    SECTION("and nobody is told that it is over") {
        second.add("shop", 8, facts);
        second.start();
        CHECK(second.told() == "silenced:shop");
        CHECK(second.alerts.list().empty());
    }
}

TEST_CASE("an alert that was told before its connection was silenced is not told again after a restart", "[monitor][recall]") {
    Run first;
    const TargetId shop = first.add("shop");
    first.start();
    first.bring_down(shop);
    first.engine.set_silence(shop, Silence{}, first.now);
    Engine::Facts facts;
    facts.silence = Silence{};
    Run second;
    second.go_on_from(first);
    const TargetId again = second.add("shop", 7, facts);
    second.start();
    CHECK(second.told() == "silenced:shop");
    CHECK(second.alerts.list().at(0).silenced);
    second.engine.set_silence(again, std::nullopt, second.now);
    CHECK(second.told() == "unsilenced:shop");
    second.ping(again, Play::good());
    CHECK(second.told() == "up:shop alert-cleared:shop:USER-CONNECTION-UNAVAILABLE");
}
