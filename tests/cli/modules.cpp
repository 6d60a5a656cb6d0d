// SPDX-License-Identifier: Apache-2.0
// Modules in the tool: each command knows their schemes, and goes on where one cannot be loaded.
#include <csignal>

#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"

using namespace qconn::test;
using nlohmann::json;

namespace {

std::string module_path(const std::string& name) { return std::string{QCONN_TEST_MODULES} + "/" + name + ".so"; }

struct BellEstate : Estate {
    BellEstate() { add("door", "bell://hall"); }
};

}  // namespace

TEST_CASE("schemes of a module are listed with where they came from", "[cli][module][integration]") {
    const Outcome all = run_qconn({"--module", module_path("good"), "schemes"});
    INFO(all.out);
    CHECK(all.code == 0);
    CHECK(has(all.out, "bell 1.2.3"));
    CHECK(has(all.out, "built in"));

    CHECK(has(run_qconn({"--module", module_path("good"), "schemes", "gong"}).out, "module bell 1.2.3, " + module_path("good")));

    const json machine = json::parse(run_qconn({"--module", module_path("good"), "schemes", "--json"}).out);
    CHECK(machine.front()["module"].is_null());
    CHECK(machine.back()["module"] ==
          json{{"name", "bell"}, {"version", "1.2.3"}, {"description", "Bells that ring."}, {"path", module_path("good")}});
}

TEST_CASE("every command knows the schemes of the modules that are given", "[cli][module][integration]") {
    const BellEstate estate;
    const std::string good = module_path("good");
    CHECK(estate.run({"check"}).code == 1);

    const Outcome checked = estate.run({"check", "--module", good});
    CHECK(checked.code == 0);
    CHECK(checked.out == "1 ok, 0 errors, 0 warnings\n");
    CHECK(checked.err.empty());
    CHECK(has(estate.run({"--module", good, "list"}).out, "Bell"));
    CHECK(has(estate.run({"--module", good, "show", "door"}).out, "ring TIMES"));
    CHECK(has(estate.run({"--module", good, "schema"}).out, "bell"));
    CHECK(has(estate.run({"--module", good, "docs"}).out, "## gong"));
    CHECK(has(estate.run({"--module", good, "ping", "door"}).out, "up"));
    CHECK(has(estate.run({"--module", good, "explain", "door"}).out, "it rings"));
    CHECK(estate.run({"--module", good, "call", "door", "ring", "3"}).out == "3\n");
    CHECK(estate.run({"--module", good, "call", "door", "toll", "hours=12"}).out == "12\n");
    const Outcome operations = estate.run({"--module", good, "call", "door", "operations"});
    INFO(operations.out);
    CHECK(has(operations.out, "ring TIMES"));
    CHECK(has(operations.out, "toll [hours=INT]"));
    CHECK(has(operations.out, "Tolls for door"));
    const json listed = json::parse(estate.run({"--module", good, "call", "door", "operations", "--json"}).out);
    REQUIRE(listed.size() == 2);
    CHECK(listed[1]["fields"][0]["name"] == "hours");
    CHECK(has(estate.run({"--module", good, "call", "door", "tol"}).err,
              "'door' has no operation 'tol'; did you mean 'toll'?; 'qconn call door operations' lists them"));
    const Outcome broken = estate.run({"--module", good, "call", "door", "ring", "--", "-1"});
    CHECK(broken.code == 1);
    CHECK(has(broken.err, "BELL-ERROR: ringing 'door' failed"));
}

TEST_CASE("modules come from QCONN_MODULES as well, and one that is named twice is loaded once", "[cli][module][integration]") {
    const BellEstate estate;
    const Outcome outcome = estate.run({"--module", "good", "--module", module_path("good"), "ping", "door"},
                                       {"QCONN_MODULES=good", "QCONN_MODULE_PATH=" + std::string{QCONN_TEST_MODULES}});
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
}

TEST_CASE("a module that fails is told on standard error and skipped, and check ends with 1", "[cli][module][integration]") {
    const BellEstate estate;
    const std::vector<std::string> environment{"QCONN_MODULES=no-such-module:" + module_path("good")};

    const Outcome checked = estate.run({"check"}, environment);
    INFO(checked.err);
    CHECK(checked.code == 1);
    CHECK(checked.out == "1 ok, 0 errors, 0 warnings, 1 module not loaded\n");
    CHECK(has(checked.err, "qconn: warning: MODULE-ERROR: loading the module 'no-such-module' failed: "));

    const Outcome machine = estate.run({"check", "--json"}, environment);
    const json report = json::parse(machine.out);
    REQUIRE(report["failed_modules"].size() == 1);
    CHECK(has(report["failed_modules"][0].get<std::string>(), "no-such-module"));
    CHECK(report["errors"] == 0);

    CHECK(estate.run({"ping", "door"}, environment).code == 0);
    Process monitor{estate.launch({"monitor", "--json", "--interval", "100ms", "--for", "60s"}, environment)};
    CHECK(monitor.wait_for("\"state\":\"up\""));
    monitor.signal(SIGTERM);
    CHECK(monitor.finish().code == 0);
}
