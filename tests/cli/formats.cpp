// SPDX-License-Identifier: Apache-2.0
// `--format` of the commands, the manual page, the graph, and progress on a terminal.
#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"

using namespace qconn::test;
using nlohmann::json;

namespace {

struct Mixed : Estate {
    Mixed() {
        add("shop", "rest://edi:Passw0rd-1@shop.example/api", "options:\n  proxy: http://proxy.example:3128\n");
        add("inbox", "file:///tmp");
        add("off", "file:///tmp", "enabled: false\n");
    }
    Outcome in(const std::string& format, std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--format", format});
        return run(arguments);
    }
};

Outcome shell(const std::string& script) { return Process{{"/bin/sh", {"-c", script, "sh", QCONN_TOOL}, {"SOURCE_DATE_EPOCH=1780000000"}}}.finish(); }

}  // namespace

TEST_CASE("every command with rows has them as CSV under one head", "[cli][integration]") {
    const Mixed estate;
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{{{"list"}, "name,status,type,url,"},
                                                                              {{"show", "shop"}, "key,value\r\nname,shop\r\n"},
                                                                              {{"schemes"}, "names,title,type,"},
                                                                              {{"schemes", "rest"}, "name,type,unit,default,"},
                                                                              {{"ping", "inbox", "off"}, "name,state,"},
                                                                              {{"explain", "inbox"}, "phase,ok,time_ms,evidence\r\n"},
                                                                              {{"down"}, "kind,cause,since,"},
                                                                              {{"impact", "inbox"}, "key,value\r\nconnection,inbox\r\n"},
                                                                              {{"expiring"}, "connection,expires,days_left,"},
                                                                              {{"plan", "."}, "name,effect,reconnects,"},
                                                                              {{"check"}, "severity,code,file,line,"},
                                                                              {{"graph"}, "connection,status,scheme,file,"},
                                                                              {{"call", "inbox", "stat", "."}, "key,value\r\n"}};
    for (const auto& [arguments, head] : cases) {
        const Outcome outcome = estate.in("csv", arguments);
        CAPTURE(arguments, outcome.out, outcome.err);
        CHECK(outcome.out.starts_with(head));
        CHECK(outcome.out.ends_with("\r\n"));
        CHECK_FALSE(has(outcome.out, "Passw0rd"));
        const Outcome yaml = estate.in("yaml", arguments);
        CHECK(yaml.code == outcome.code);
        CHECK_FALSE(yaml.out.empty());
        CHECK_FALSE(has(yaml.out, "Passw0rd"));
        CHECK(json::accept(estate.in("json", arguments).out));
    }
    CHECK(has(estate.in("csv", {"list"}).out, "shop,ok,RestClient,rest://edi:<masked>@shop.example/api,for a test,rest,valid,"));
    CHECK(has(estate.in("yaml", {"list"}).out, "- name: inbox\n  status: ok\n"));
}

TEST_CASE("monitor tells events as CSV records and as YAML documents", "[cli][integration]") {
    const Mixed estate;
    const Outcome csv = estate.run({"monitor", "--format", "csv", "--interval", "100ms", "--for", "300ms"});
    CHECK(csv.out.starts_with(
        "event,name,state,from,phase,reason,error,time,mono_ns,seq,alert,transient,silenced,outage,members,skipped,qorus_event,qorus_code\r\n"));
    CHECK(has(csv.out, "up,inbox,up,unknown,"));
    const Outcome yaml = estate.run({"monitor", "--format", "yaml", "--interval", "100ms", "--for", "300ms"});
    CHECK(yaml.out.starts_with("---\nevent: "));
    CHECK(has(yaml.err, "watched 3 connections"));
}

TEST_CASE("a format that a command does not have is wrong usage, told in the form that was asked for", "[cli][integration]") {
    const Mixed estate;
    CHECK(estate.in("xml", {"list"}).code == 2);
    CHECK(has(estate.in("sarif", {"list"}).err, "there are: table, json, yaml, csv"));
    CHECK(has(estate.in("xml", {"check"}).err, "csv, sarif"));
    CHECK(estate.in("csv", {"list", "--json"}).code == 2);
    CHECK(estate.in("json", {"list", "--json"}).code == 0);
    CHECK(estate.run({"--format", "sarif", "check"}).code == 0);
    CHECK(json::parse(estate.in("json", {"show", "x"}).err)["error"]["name"] == "NOT-FOUND");
    CHECK(estate.in("yaml", {"show", "x"}).err.starts_with("error:\n  name: NOT-FOUND\n"));
    CHECK(estate.in("csv", {"show", "x"}).err.starts_with("qconn: error: "));
}

TEST_CASE("graph groups connections by target, and Graphviz draws it", "[cli][integration]") {
    const Mixed estate;
    estate.directory.write("odd.qconn.yaml", "type: connection\nname: \"o\\\"d\\\\N<b>\"\ndesc: d\nurl: file:///tmp\n");

    const Outcome text = estate.run({"graph"});
    INFO(text.out);
    CHECK(has(text.out, "shop.example:80\n"));
    CHECK(has(text.out, "through http://proxy.example:3128"));
    CHECK(text.out.find("/tmp\n") < text.out.find("inbox"));
    estate.directory.write("graph.dot", estate.in("dot", {"graph"}).out);
    const Outcome svg = shell("dot -Tsvg '" + estate.directory / "graph.dot" + "'");
    INFO(svg.err);
    CHECK(svg.code == 0);
    CHECK(svg.err.empty());
    CHECK(has(svg.out, ">o&quot;d\\N&lt;b&gt;</text>"));
    CHECK(has(svg.out, ">shop.example:80</text>"));
}

TEST_CASE("the manual page is what groff and mandoc take without a warning", "[cli][integration]") {
    const Outcome groff = shell("\"$1\" man | groff -man -Tutf8 -ww -z");
    CHECK(groff.code == 0);
    CHECK(groff.err.empty());
    const Outcome mandoc = shell("\"$1\" man | mandoc -Tlint -Wwarning");
    INFO(mandoc.out);
    CHECK(mandoc.code == 0);
    CHECK(mandoc.out.empty());
    const Outcome shown = shell("\"$1\" man | mandoc -Tascii | col -b");
    for (const char* command : {"check", "ping", "doctor", "completion", "EXIT STATUS"}) CHECK(has(shown.out, command));
    CHECK_FALSE(has(shown.out, "__complete"));
}

TEST_CASE("progress is one line on a terminal that is gone at the end, and nothing in a pipe", "[cli][integration]") {
    const Estate estate;
    const BlackHole hole;
    estate.add("silent", "rest://127.0.0.1:" + std::to_string(hole.port()));
    const std::vector<std::string> arguments{"ping", "--all", "--timeout", "2s", "--no-colour"};
    Launch launch = estate.launch(arguments);
    launch.terminal = true;

    Process process{launch};
    CHECK(process.wait_for("pinged 0 of 1, 0 not up"));
    const Outcome seen = process.finish();
    INFO(seen.out);
    const auto last = seen.out.rfind("pinged");
    REQUIRE(last != std::string::npos);
    const auto erased = seen.out.find("\r\x1b[K", last);
    REQUIRE(erased != std::string::npos);
    CHECK(has(seen.out.substr(erased), "down          silent"));
    CHECK_FALSE(has(seen.out.substr(0, last), "\n"));

    const Outcome piped = estate.run(arguments);
    CHECK(piped.err.empty());
    CHECK_FALSE(has(piped.out, "pinged"));
}
