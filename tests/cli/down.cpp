// SPDX-License-Identifier: Apache-2.0
// What an operator asks when something is down: ping --all, down, impact, expiring; mute, maintenance, ack.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"

using namespace qconn::test;
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
    for (const char* command : {"down", "timeline", "expiring", "graph"}) {
        const Outcome missing = estate.run({"--monitor-state", "none.json", command});
        INFO(missing.err);
        CHECK(missing.code == 3);
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
    estate.add("dead", "https://127.0.0.1:" + std::to_string(free_port()));

    const Outcome soon = estate.run({"expiring", "--within", "40d"});
    INFO(soon.out + soon.err);
    CHECK(soon.code == 1);
    CHECK(has(soon.out, "CN=localhost"));
    CHECK(has(soon.out, "not seen: dead: "));
    CHECK(has(soon.out, "1 of 1 certificate expires within 40d"));
    CHECK_FALSE(has(soon.out, "plain"));

    const Outcome later = estate.run({"expiring", "--within", "1h"});
    CHECK(later.code == 0);
    CHECK_FALSE(has(later.out, "CN=localhost"));
    const json all = json::parse(estate.run({"expiring", "--within", "1h", "--all", "--json"}).out);
    REQUIRE(all.size() == 1);
    CHECK(all[0]["connection"] == "open");
    CHECK(all[0]["days_left"].get<int>() >= 20);
    CHECK(all[0]["expired"] == false);
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
