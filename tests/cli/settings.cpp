// SPDX-License-Identifier: Apache-2.0
// `qconn settings` and the option --settings: one configuration for all commands.
#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"

using namespace qconn::test;
using nlohmann::json;

namespace {

const std::string k_text =
    "type: settings\n"
    "monitor:\n"
    "  interval: 5000\n"
    "qorus.manage-interfaces: false\n"
    "registry:\n"
    "  state_file: state.json\n"
    "tls:\n"
    "  min_version: TLSv1.3\n";

}  // namespace

TEST_CASE("settings shows each value with where it is from", "[cli][settings][integration]") {
    const Estate estate;
    estate.directory.write("s.yaml", k_text);

    const Outcome text = estate.run({"--settings", "s.yaml", "settings"}, {"QCONN_MONITOR_FALL=4"});
    INFO(text.out);
    CHECK(text.code == 0);
    CHECK(has(text.out, "monitor.interval"));
    CHECK(has(text.out, "s.yaml:3:13"));
    CHECK(has(text.out, "QCONN_MONITOR_FALL"));
    CHECK(has(text.out, "(a tenth of the interval, from 100 ms to 2 s)"));
    CHECK(has(text.err, "is another name of the setting 'monitor.manage_interfaces'"));

    const json changed = json::parse(estate.run({"settings", "--changed", "--json"}, {"QCONN_SETTINGS=s.yaml", "QCONN_MONITOR_FALL=4"}).out);
    REQUIRE(changed.size() == 5);
    CHECK(changed[0]["name"] == "monitor.interval");
    CHECK(changed[0]["value"] == 5000);
    CHECK(changed[0]["origin"] == "file");
    CHECK(changed[0]["where"] == "s.yaml:3:13");
    CHECK(changed[0]["default"] == 30000);
    CHECK(changed[0]["unit"] == "milliseconds");
    CHECK(changed[0]["variable"] == "QCONN_MONITOR_INTERVAL");
    CHECK(changed[1]["origin"] == "environment");
    CHECK(changed[1]["where"] == "QCONN_MONITOR_FALL");
    CHECK(changed[1]["value"] == 4);
    CHECK(estate.run({"settings", "--changed"}).out == "SETTING  VALUE  UNIT  FROM\n");
}

TEST_CASE("settings hold for the other commands", "[cli][settings][integration]") {
    const Estate estate;
    estate.directory.write("s.yaml", k_text);
    estate.add("a", "file:///tmp");
    estate.add("api", "rests://127.0.0.1:1/");

    CHECK(estate.run({"--settings", "s.yaml", "disable", "a"}).code == 0);
    CHECK(has(estate.directory.read("state.json"), "\"enabled\""));
    CHECK(has(estate.run({"list"}, {"QCONN_SETTINGS=s.yaml"}).out, "disabled"));
    // What is on the command line wins.
    CHECK_FALSE(has(estate.run({"--state", "other.json", "--settings", "s.yaml", "list"}).out, "disabled"));
    CHECK(json::parse(estate.run({"--settings", "s.yaml", "show", "api", "--json"}).out)["options"]["ssl_min_version"] == "TLSv1.3");
    CHECK_FALSE(json::parse(estate.run({"show", "api", "--json"}).out)["options"].contains("ssl_min_version"));

    const Outcome limited = estate.run({"check"}, {"QCONN_LIMITS_DEFINITION_NODES=100", "QCONN_LIMITS_DEFINITION_DEPTH=2"});
    CHECK(limited.code == 0);
    estate.add("deep", "rests://127.0.0.1:1/", "options:\n  headers: {A: b}\n");
    CHECK(has(estate.run({"check"}, {"QCONN_LIMITS_DEFINITION_DEPTH=2"}).out, "limit"));
    CHECK(estate.run({"check"}).code == 0);

    const Outcome ping = estate.run({"ping", "api"}, {"QCONN_MONITOR_TIMEOUT=0"});
    CHECK(ping.code == 1);
    CHECK(has(ping.err, "QCONN_MONITOR_TIMEOUT: error: the setting 'monitor.timeout' must be between 1 and 31622400000 milliseconds"));
    const Outcome manual = estate.run({"monitor", "--for", "1s"}, {"QCONN_MONITOR_INTERVAL=0"});
    CHECK(manual.code == 2);
    CHECK(has(manual.err, "--interval"));
}

TEST_CASE("wrong settings end every command with 1 and all findings, a missing file with 3", "[cli][settings][integration]") {
    const Estate estate;
    estate.add("a", "file:///tmp");
    estate.directory.write("s.yaml", "type: settings\nmonitor:\n  intervall: 5\n  fall: 0\n");

    const Outcome wrong = estate.run({"--settings", "s.yaml", "list"});
    INFO(wrong.err);
    CHECK(wrong.code == 1);
    CHECK(wrong.out.empty());
    CHECK(has(wrong.err, "s.yaml:3:3: error: the section 'monitor' has no setting 'intervall'"));
    CHECK(has(wrong.err, "did you mean 'interval'?"));
    CHECK(has(wrong.err, "s.yaml:4:9: error: the setting 'fall' must be between 1 and"));
    CHECK(json::parse(estate.run({"--settings", "s.yaml", "list", "--json"}).err)["error"]["name"] == "SETTINGS-ERROR");
    // One that is not there is another matter than one that cannot be used.
    const Outcome none = estate.run({"--settings", "none.yaml", "list"});
    CHECK(none.code == 3);
    CHECK(none.err == "qconn: error: there is no file of settings \"none.yaml\"\n");
    const Outcome unreadable = estate.run({"--settings", ".", "list", "--json"});
    CHECK(unreadable.code == 1);
    CHECK(json::parse(unreadable.err)["error"]["name"] == "SETTINGS-ERROR");
    CHECK(estate.run({"--settings", "s.yaml", "--help"}).code == 0);

    const Outcome missing = estate.run({"--settings", "none.yaml", "list"});
    CHECK(missing.code == 3);
    CHECK(has(missing.err, "none.yaml"));
    const Outcome definition = estate.run({"--settings", "a.qconn.yaml", "list"});
    CHECK(definition.code == 1);
    CHECK(has(definition.err, "this is a definition of a connection"));
}

TEST_CASE("a settings file in a directory of definitions is not read as one", "[cli][settings][integration]") {
    const Estate estate;
    estate.add("a", "file:///tmp");
    estate.directory.write("qconn-settings.yaml", k_text);

    CHECK(has(estate.run({"check"}).out, "1 ok, 0 errors, 0 warnings"));
}

TEST_CASE("settings has a JSON Schema, and docs has their tables", "[cli][settings][integration]") {
    const Estate estate;
    const json schema = json::parse(estate.run({"settings", "--schema"}).out);
    CHECK(schema["properties"]["monitor"]["properties"]["interval"]["default"] == 30000);
    const std::string docs = estate.run({"docs", "settings"}).out;
    CHECK(has(docs, "### monitor\n"));
    CHECK(has(docs, "| `interval` | int, milliseconds | `30000` |"));
}

TEST_CASE("properties come from the file that the settings name", "[cli][settings][secret][integration]") {
    const Estate estate;
    estate.add("a", "file:///tmp");
    const Outcome shown = estate.run({"settings", "--changed", "--json"}, {"QCONN_REGISTRY_PROPERTIES_FILE=/etc/p.yaml"});
    CHECK(json::parse(shown.out)[0]["value"] == "/etc/p.yaml");
    // Read only when an option asks: no built-in scheme declares one.
    CHECK(estate.run({"ping", "a"}, {"QCONN_REGISTRY_PROPERTIES_FILE=/no/such"}).code == 0);
}
