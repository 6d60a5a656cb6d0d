// SPDX-License-Identifier: Apache-2.0
// What an operator asks when something is down: ping --all, down, impact, expiring; mute, maintenance, ack.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include <qconn/monitor/monitor.hpp>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"
#include "support/wait.hpp"

using namespace qconn::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// Three on one port where nobody listens, one elsewhere, one that is up.
struct Broken : Estate {
    Broken() {
        for (const char* name : {"a", "b", "c"}) add(name, "http://" + dead);
        add("lost", "http://no-such-host.invalid");
        add("files", "file://" + directory.path());
    }
    std::string dead = "127.0.0.1:" + std::to_string(free_port());
};

}  // namespace

TEST_CASE("ping of many ends with what is at fault, and what to do about it", "[cli][integration]") {
    const Broken estate;

    const Outcome text = estate.run({"ping", "--all"});
    INFO(text.out + text.err);
    CHECK(text.code == 1);
    const std::string summary = text.out.substr(text.out.find("1 up, 4 down"));
    CHECK(has(summary,
              "4 of 5 are down:\n  3 for host " + estate.dead + " (connect, refused): a, b and c\n    do: The host answers but nothing listens"));
    CHECK(has(summary, "\n  1 for the name no-such-host.invalid (resolve, unknown-host): lost\n    do: Check the spelling"));

    const json rows = json::parse(estate.run({"ping", "--all", "--json"}).out);
    REQUIRE(rows.size() == 5);
    CHECK(rows[0]["name"] == "a");
    CHECK(rows[0]["kind"] == "peer");
    CHECK(rows[0]["cause"] == estate.dead);
    CHECK(has(rows[0]["advice"].get<std::string>(), "nothing listens"));
    CHECK(rows[3]["name"] == "files");
    CHECK(rows[3]["cause"].is_null());
    CHECK(rows[4]["kind"] == "name");

    CHECK_FALSE(has(estate.run({"ping", "a"}).out, "down:"));
    CHECK_FALSE(has(estate.run({"ping", "files", "files"}).out, "are down"));
}

TEST_CASE("what is reached through one that is down is down for its cause", "[cli][integration]") {
    const Broken estate;
    estate.add("inner", "http://127.0.0.1:" + std::to_string(free_port()), "options:\n  via: [a]\n");

    const json rows = json::parse(estate.run({"ping", "a", "inner", "--json"}).out);

    CHECK(rows[1]["cause"] == estate.dead);
}

TEST_CASE("down tells what is down by cause, and ends with 1 then", "[cli][integration]") {
    const Broken estate;

    const Outcome text = estate.run({"down"});
    INFO(text.out + text.err);
    CHECK(text.code == 1);
    CHECK(text.out.starts_with("4 of 5 are down:\n  3 for host " + estate.dead + " (connect, refused): a, b and c\n"));
    CHECK(has(text.out, "Connection refused"));
    CHECK(has(text.out, "do: "));
    CHECK(has(text.out, "5 connections: 4 down, 1 up"));

    const json document = json::parse(estate.run({"down", "--json"}).out);
    CHECK(document["source"].is_null());
    CHECK(document["connections"] == 5);
    CHECK(document["down"] == 4);
    REQUIRE(document["causes"].size() == 2);
    CHECK(document["causes"][0]["names"] == json{"a", "b", "c"});
    CHECK(document["causes"][0]["since"].is_null());
    CHECK(estate.run({"down", "--format", "csv"}).out.starts_with("kind,cause,since,phase,reason,error,advice,names,"));

    const Estate fine;
    fine.add("files", "file://" + fine.directory.path());
    const Outcome none = fine.run({"down"});
    CHECK(none.code == 0);
    CHECK(none.out == "1 connection: 1 up\n");
}

TEST_CASE("commands that need the file of a monitor say how to get one", "[cli][integration]") {
    const Broken estate;
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{"timeline"}, {"why-stopped", "service", "x"}}) {
        const Outcome without = estate.run(arguments);
        INFO(without.err);
        CHECK(without.code == 3);
        CHECK(has(without.err, "--monitor-state FILE"));
    }
    for (const auto& [command, code] : std::vector<std::pair<std::string, int>>{{"timeline", 3}, {"down", 1}, {"expiring", 0}, {"graph", 0}}) {
        const Outcome missing = estate.run({"--monitor-state", "none.json", command});
        INFO(missing.err);
        CHECK(missing.code == code);
        CHECK(has(missing.err, "there is no file of a monitor \"none.json\""));
    }
    CHECK(has(estate.run({"timeline"}, {"QCONN_MONITOR_STATE=env.json"}).err, "env.json"));
    CHECK(estate.run({"why-stopped", "thing", "x"}).code == 2);
    CHECK(estate.run({"why-stopped", "service"}).code == 2);
    CHECK(has(estate.run({"timeline", "--kind", "dwon"}).err, "did you mean 'down'?"));
}

TEST_CASE("impact tells what is reached through a connection, at every remove", "[cli][integration]") {
    const Estate estate;
    estate.add("gate", "http://127.0.0.1:1");
    estate.add("inner", "http://127.0.0.1:2", "options:\n  via: [other, gate]\n");
    estate.add("app", "http://127.0.0.1:3", "options:\n  via: [inner]\n");
    estate.add("alone", "http://127.0.0.1:4", "options:\n  via: [alone]\n");

    const Outcome text = estate.run({"impact", "gate"});
    INFO(text.out + text.err);
    CHECK(text.code == 0);
    CHECK(text.out.starts_with("if gate went down now:\n  app is reached through it\n  inner is reached through it\n"));
    CHECK(has(text.out, "--monitor-state"));

    const json document = json::parse(estate.run({"impact", "gate", "--json"}).out);
    CHECK(document["reached_through"] == json{"app", "inner"});
    CHECK(document["stops"].is_null());
    CHECK(json::parse(estate.run({"impact", "alone", "--json"}).out)["reached_through"].empty());
    CHECK(has(estate.run({"impact", "gat"}).err, "did you mean 'gate'?"));
}

TEST_CASE("expiring asks the servers for their certificates where no monitor has", "[cli][integration]") {
    const Server nginx{"nginx"};
    const Estate estate;
    estate.add("open", "https://" + nginx.address2(), "options:\n  ssl_verify_cert: false\n");
    estate.add("plain", "http://" + nginx.address());
    estate.add("bearer", "rest://" + nginx.address(),
               "options:\n  token: eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDAsImlzcyI6Imh0dHBzOi8vbG9naW4uZXhhbXBsZSJ9.c2ln\n");  // until 2100
    estate.add("dead", "https://127.0.0.1:" + std::to_string(free_port()));

    const Outcome soon = estate.run({"expiring", "--within", "40d"});
    INFO(soon.out + soon.err);
    CHECK(soon.code == 1);
    CHECK(has(soon.out, "CN=localhost"));
    CHECK(has(soon.out, "not seen: dead: "));
    CHECK(has(soon.out, "1 of 2 expires within 40d"));
    CHECK_FALSE(has(soon.out, "plain"));

    const Outcome later = estate.run({"expiring", "--within", "1h"});
    CHECK(later.code == 0);
    CHECK_FALSE(has(later.out, "CN=localhost"));
    const json all = json::parse(estate.run({"expiring", "--within", "1h", "--all", "--json"}).out);
    REQUIRE(all.size() == 2);
    CHECK(all[0]["connection"] == "open");
    CHECK(all[0]["kind"] == "server certificate");
    CHECK(all[0]["days_left"].get<int>() >= 20);
    CHECK(all[0]["expired"] == false);
    CHECK(all[1]["connection"] == "bearer");
    CHECK(all[1]["kind"] == "token");
    CHECK(all[1]["expires"].get<std::string>().starts_with("2100-01-01T00:00:00"));
}

TEST_CASE("mute and maintenance hold for later runs that know the state file, and are shown", "[cli][integration]") {
    const Broken estate;
    const auto run = [&](std::vector<std::string> arguments) {
        return estate.run(arguments, {"QCONN_STATE=state.json", "LOGNAME=ann", "SUDO_USER="});
    };

    const Outcome muted = run({"mute", "a", "b", "--for", "2h", "--note", "their datacentre moves"});
    INFO(muted.out + muted.err);
    CHECK(muted.code == 0);
    CHECK(muted.out.starts_with("a  mute until 2"));
    CHECK(has(muted.out, "by ann: their datacentre moves\nb  mute until 2"));
    CHECK(run({"maintenance", "c", "--from", "2126-01-01T00:00:00Z", "--for", "1d", "--by", "bob"}).code == 0);

    const Outcome list = run({"list"});
    INFO(list.out);
    CHECK(has(list.out, "a      ok, mute "));
    CHECK(has(list.out, "c      ok, maintenance "));
    CHECK(has(run({"show", "a"}).out, "by ann: their datacentre moves"));
    const json shown = json::parse(run({"show", "c", "--json"}).out);
    CHECK(shown["silence"]["kind"] == "maintenance");
    CHECK(shown["silence"]["from"] == "2126-01-01T00:00:00.000Z");
    CHECK(shown["silence"]["until"] == "2126-01-02T00:00:00.000Z");
    CHECK(shown["silence"]["by"] == "bob");

    CHECK(run({"unmute", "a", "c"}).out == "a  silenced no more\nc  silenced no more\n");
    CHECK(json::parse(run({"show", "a", "--json"}).out)["silence"].is_null());
    CHECK(json::parse(run({"mute", "files", "--json"}).out)[0]["silence"]["until"].is_null());
}

TEST_CASE("ack notes who sees to a connection", "[cli][integration]") {
    const Broken estate;
    const std::vector<std::string> state{"QCONN_STATE=state.json"};

    CHECK(estate.run({"ack", "a", "--by", "ann", "--note", "ticket 4711"}, state).out == "a  seen to by ann: ticket 4711\n");
    const json shown = json::parse(estate.run({"show", "a", "--json"}, state).out);
    CHECK(shown["acknowledged"]["by"] == "ann");
    CHECK(shown["acknowledged"]["note"] == "ticket 4711");
    CHECK(has(estate.run({"show", "a"}, state).out, "by ann at 2"));
}

TEST_CASE("silences need a state file, known names and a sensible time", "[cli][integration]") {
    const Broken estate;
    const auto code = [&](std::vector<std::string> arguments) { return estate.run(arguments, {"QCONN_STATE=state.json"}).code; };

    CHECK(estate.run({"mute", "a"}).code == 2);
    CHECK(has(estate.run({"mute", "a"}).err, "--state FILE"));
    CHECK(code({"mute"}) == 2);
    CHECK(code({"mute", "a", "--for", "soon"}) == 2);
    CHECK(code({"mute", "a", "--until", "tomorrow"}) == 2);
    CHECK(code({"mute", "a", "--until", "22:00", "--for", "1h"}) == 2);
    CHECK(code({"maintenance", "a"}) == 2);
    CHECK(code({"mute", "a", "--until", "2001-01-01T00:00:00Z"}) == 1);
    CHECK(code({"mute", "a", "x"}) == 3);
    CHECK(estate.directory.read("state.json").empty());
    CHECK(estate.run({"mute", "a"}, {"QCONN_STATE=nowhere/state.json"}).code == 1);
}

namespace {

/// A program with a monitor that keeps a file: gate is down, and with it inner; files and shop are up.
struct Watched : Estate {
    Watched() {
        add("gate", "http://" + dead);
        add("inner", "http://127.0.0.1:" + std::to_string(free_port()), "options:\n  via: [gate]\n");
        add("files", "file://" + directory.path());
        add("shop", "https://" + nginx.address2(), "options:\n  ssl_verify_cert: false\n");
        registry.load(directory.path());
        monitor.emplace(registry, options());
        orders = monitor->add_interface({.kind = qconn::InterfaceKind::workflow, .name = "orders"});
        orders->depend("inner");
        report = monitor->add_interface({.kind = qconn::InterfaceKind::service, .name = "report"});
        report->depend("shop");
        report->depend("files", qconn::Dependency::optional);
        monitor->start();
        REQUIRE(wait_until(
            [&] {
                if (!std::filesystem::exists(file)) return false;
                const auto now = qconn::read_monitor_state(file);
                return now.running && now.outages.size() == 1 && now.outages[0].members == 2 && now.certificates.size() == 1 &&
                       orders->info().state == qconn::InterfaceState::blocked && now.interfaces[0].state == qconn::InterfaceState::blocked;
            },
            60s));
    }
    qconn::MonitorOptions options() const {
        qconn::MonitorOptions options{200ms, 10s};
        options.state_file = file;
        return options;
    }
    Outcome ask(std::vector<std::string> arguments) const { return run(arguments, {"QCONN_MONITOR_STATE=" + file}); }

    Server nginx{"nginx"};
    TempDir elsewhere;
    std::string file = elsewhere / "monitor.state";
    std::string dead = "127.0.0.1:" + std::to_string(free_port());
    qconn::Registry registry;
    std::optional<qconn::Monitor> monitor;
    std::optional<qconn::Interface> orders;
    std::optional<qconn::Interface> report;
};

}  // namespace

TEST_CASE("with the file of a monitor the tool says at once what is down, what it stops, and what happened", "[cli][integration]") {
    Watched estate;

    const Outcome down = estate.ask({"down"});
    INFO(down.out + down.err);
    CHECK(down.code == 1);
    CHECK(down.out.starts_with("from " + estate.file + ", written "));
    CHECK(has(down.out, "2 of 4 are down:\n  2 for host " + estate.dead + " (connect, refused) for "));
    CHECK(has(down.out, ": gate and inner\n"));
    CHECK(has(down.out, "    stops: workflow \"orders\"\n"));
    const json document = json::parse(estate.ask({"down", "--json"}).out);
    CHECK(document["source"]["running"] == true);
    CHECK(document["causes"][0]["interfaces"] == json{{{"kind", "workflow"}, {"name", "orders"}, {"state", "blocked"}}});
    CHECK(document["causes"][0]["since"].is_string());
    CHECK(json::parse(estate.ask({"down", "--ping", "--json"}).out)["source"].is_null());

    const Outcome why = estate.ask({"why-stopped", "workflow", "orders"});
    INFO(why.out + why.err);
    CHECK(why.code == 1);
    CHECK(has(why.out, "workflow \"orders\" is blocked\n  \"inner\" is down since "));
    CHECK(json::parse(estate.ask({"why-stopped", "workflow", "orders", "--json"}).out)["reasons"][0]["name"] == "inner");
    CHECK(estate.ask({"why-stopped", "service", "report"}).code == 0);
    CHECK(has(estate.ask({"why-stopped", "service", "repot"}).err, "did you mean 'report'?"));

    const Outcome impact = estate.ask({"impact", "shop"});
    INFO(impact.out + impact.err);
    CHECK(impact.code == 0);
    CHECK(has(impact.out, "would stop, in this order:\n  service \"report\"\n"));
    CHECK(has(estate.ask({"impact", "files"}).out, "would do without it:\n  service \"report\"\n"));
    CHECK(json::parse(estate.ask({"impact", "gate", "--json"}).out)["reached_through"] == json{"inner"});
    CHECK(has(estate.ask({"impact", "ship"}).err, "did you mean 'shop'?"));

    const Outcome timeline = estate.ask({"timeline", "ga*", "--since", "1h", "--kind", "down"});
    INFO(timeline.out + timeline.err);
    CHECK(has(timeline.out, "Z  down  gate  "));
    CHECK(has(timeline.out, "1 event from "));
    CHECK(json::parse(estate.ask({"timeline", "--last", "1", "--json"}).out).size() == 1);

    const TempDir next;
    std::filesystem::copy(estate.directory.path(), next.path(), std::filesystem::copy_options::recursive);
    next.write("shop.qconn.yaml", "type: connection\nname: shop\ndesc: for a test\nurl: https://" + estate.nginx.address2() +
                                      "\nenabled: false\noptions:\n  ssl_verify_cert: false\n");
    CHECK(has(estate.ask({"plan", next.path()}).out, "shop  updated, stops service \"report\"\n"));
    CHECK(json::parse(estate.ask({"plan", next.path(), "--json"}).out)["connections"][0]["stops"] == json{{{"kind", "service"}, {"name", "report"}}});

    CHECK(has(estate.ask({"graph"}).out, "used by workflow \"orders\""));
    CHECK(has(estate.ask({"graph", "--format", "dot"}).out, R"("interface service \"report\"" -> "connection files" [style=dashed];)"));

    const Outcome expiring = estate.ask({"expiring", "--within", "60d"});
    INFO(expiring.out + expiring.err);
    CHECK(expiring.code == 1);
    CHECK(has(expiring.out, "  shop        "));

    // No definitions are needed.
    const TempDir bare;
    CHECK(run_qconn({"--monitor-state", estate.file, "down"}, {}, bare.path()).code == 1);
    CHECK(has(run_qconn({"--monitor-state", estate.file, "impact", "shop"}, {}, bare.path()).out, "service \"report\""));
}

TEST_CASE("the tool says that a monitor has stopped, and refuses a file that is none", "[cli][integration]") {
    const Estate estate;
    estate.add("files", "file://" + estate.directory.path());
    const std::vector<std::string> state{"QCONN_MONITOR_STATE=monitor.state"};

    CHECK(estate.run({"monitor", "--interval", "100ms", "--for", "1s"}, state).code == 0);
    const Outcome down = estate.run({"down"}, state);
    INFO(down.out + down.err);
    CHECK(down.code == 0);
    CHECK(has(down.out, "nobody has watched since"));
    CHECK(has(down.out, "1 connection: 1 up"));

    estate.directory.write("monitor.state", "nonsense");
    CHECK(estate.run({"down"}, state).code == 1);
}
