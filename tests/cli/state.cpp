// SPDX-License-Identifier: Apache-2.0
// `qconn enable` and `qconn disable`, and how what they set is shown.
#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"

using namespace qconn::test;
using nlohmann::json;

TEST_CASE("disable holds for later runs that know the state file, and is shown beside what the file says", "[cli][integration]") {
    const Estate estate;
    estate.add("a", "file:///tmp");
    estate.add("b", "file:///tmp", "enabled: false\n");

    const Outcome done = estate.run({"--state", "state.json", "disable", "a"});
    CHECK(done.out == "a  disabled\n");
    CHECK(done.code == 0);
    CHECK(estate.run({"--state", "state.json", "enable", "b"}).code == 0);
    CHECK(estate.run({"disable", "a"}, {"QCONN_STATE=state.json"}).out == "a  disabled (it was so already)\n");

    const Outcome list = estate.run({"list"}, {"QCONN_STATE=state.json"});
    INFO(list.out);
    CHECK(has(list.out, "disabled (file: enabled)"));
    CHECK(has(list.out, "ok (file: disabled)"));
    CHECK(has(estate.run({"--state", "state.json", "show", "a"}).out, "no, set by an operator; the file says yes"));
    const json shown = json::parse(estate.run({"--state", "state.json", "show", "a", "--json"}).out);
    CHECK(shown["enabled"] == false);
    CHECK(shown["in_file"] == json{{"enabled", true}});
    CHECK(estate.run({"--state", "state.json", "ping", "a"}).code == 1);
    CHECK(has(estate.run({"--state", "state.json", "plan", "."}).out, "a  keeps its enabled: false was set, whatever the file says (true)"));

    const json without = json::parse(estate.run({"list", "--json"}).out);
    CHECK(without[0]["enabled"] == true);
    CHECK(without[0]["in_file"].empty());
}

TEST_CASE("disable needs a state file, known names, and a place that can be written", "[cli][integration]") {
    const Estate estate;
    estate.add("a", "file:///tmp");

    const Outcome nowhere = estate.run({"disable", "a"});
    CHECK(nowhere.code == 2);
    CHECK(has(nowhere.err, "--state FILE"));
    CHECK(estate.run({"--state", "state.json", "disable"}).code == 2);
    CHECK(estate.run({"--state", "state.json", "disable", "a", "x"}).code == 3);
    CHECK(estate.directory.read("state.json").empty());

    const Outcome unwritable = estate.run({"--state", "nowhere/state.json", "disable", "a"});
    CHECK(unwritable.code == 1);
    CHECK(has(unwritable.err, "cannot be written"));
    CHECK(unwritable.out.empty());
}
