// SPDX-License-Identifier: Apache-2.0
// Findings as SARIF; a validator that is not ours judges the whole in validate_sarif.py.
#include "cli/sarif.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::cli;

namespace {

Diagnostic finding(Severity severity, const char* code, const char* file, Place place) {
    Diagnostic d;
    d.severity = severity;
    d.code = code;
    d.file = file;
    d.place = place;
    d.message = "what {is}";
    d.connection = "c";
    return d;
}

Value run_of(const Diagnostics& findings, SarifRun run = {"1.0", "/home/x", {}}) { return sarif_log(findings, run)["runs"][0]; }

}  // namespace

TEST_CASE("files in the directory are named from there, others as a whole, percent-encoded", "[cli]") {
    CHECK(artifact_uri("a/b.yaml", "/home/x") == "a/b.yaml");
    CHECK(artifact_uri("./a/../b.yaml", "/home/x") == "b.yaml");
    CHECK(artifact_uri("/home/x/b.yaml", "/home/x") == "b.yaml");
    CHECK(artifact_uri("/home/xy/b.yaml", "/home/x") == "file:///home/xy/b.yaml");
    CHECK(artifact_uri("../b.yaml", "/home/x") == "file:///home/b.yaml");
    CHECK(artifact_uri("a b#?%:\xc3\xa9\xff.yaml", "/") == "a%20b%23%3F%25%3A%C3%A9%FF.yaml");
}

TEST_CASE("a result has its rule, level, region and connection, and braces of its message are doubled", "[cli]") {
    const Value run = run_of({finding(Severity::error, "bad-url", "a.yaml", {3, 5, 4}), finding(Severity::warning, "cut", "a.yaml", {}),
                              finding(Severity::error, "bad-url", "b.yaml", {7, 1, 1})});

    CHECK(run["tool"]["driver"]["rules"].size() == 2);
    CHECK(run["results"].size() == 3);
    const Value& first = run["results"][0];
    CHECK(first["ruleId"] == Value{"bad-url"});
    CHECK(first["level"] == Value{"error"});
    CHECK(first["message"]["text"] == Value{"what {{is}}"});
    const Value& place = first["locations"][0];
    CHECK(place["physicalLocation"]["region"] == Value{Map{{"startLine", 3}, {"startColumn", 5}, {"endLine", 3}, {"endColumn", 9}}});
    CHECK(place["logicalLocations"][0]["name"] == Value{"c"});
    CHECK(run["results"][1]["locations"][0]["physicalLocation"]["region"].is_null());
    CHECK(run["results"][2]["ruleIndex"] == Value{0});
    CHECK(run["invocations"][0]["executionSuccessful"] == Value{true});
}

TEST_CASE("a note is a related place of the finding that it belongs to, wherever it stands, otherwise a result", "[cli]") {
    const Value run = run_of({finding(Severity::note, "duplicate-name", "a.yaml", {2, 7, 1}),
                              finding(Severity::error, "duplicate-name", "b.yaml", {2, 7, 1}), finding(Severity::note, "more", "b.yaml", {})});

    REQUIRE(run["results"].size() == 2);
    CHECK(run["results"][0]["level"] == Value{"error"});
    CHECK(run["results"][0]["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == Value{"a.yaml"});
    CHECK(run["results"][1]["level"] == Value{"note"});
}

TEST_CASE("what kept a run from seeing all is told, and that it was no success", "[cli]") {
    const Value run = run_of({}, {"1.0", "/", {"no such module"}});

    CHECK(run["invocations"][0]["executionSuccessful"] == Value{false});
    CHECK(run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == Value{"no such module"});
}
