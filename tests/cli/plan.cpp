// SPDX-License-Identifier: Apache-2.0
// `qconn plan`: two directories compared.
#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"

using namespace qconn::test;
using nlohmann::json;

namespace {

/// `now` and `next`, equal at first.
struct TwoDirectories : Estate {
    TwoDirectories() {
        for (const char* where : {"now", "next"}) {
            put(where, "shop", "rest://edi:Hidden-1@shop.example/api", "options:\n  timeout: 20000\n");
            put(where, "inbox", "file:///tmp");
        }
    }
    void put(const std::string& where, const std::string& name, const std::string& url, const std::string& rest = {}) const {
        directory.write(where + "/" + name + ".qconn.yaml", "type: connection\nname: " + name + "\ndesc: for a test\nurl: " + url + "\n" + rest);
    }
};

}  // namespace

TEST_CASE("plan ends with 0 for no difference, and for differences unless --exit-code asks", "[cli][integration]") {
    const TwoDirectories estate;

    const Outcome same = estate.run({"--dir", "now", "plan", "next", "--exit-code"});
    CHECK(same.out == "0 added, 0 updated, 0 removed, 2 unchanged\n");
    CHECK(same.code == 0);

    estate.put("next", "erp", "rests://erp.example");
    estate.put("next", "shop", "rest://edi:Hidden-2@shop.example/api", "options:\n  timeout: 30000\n");
    const Outcome plan = estate.run({"plan", "next", "--against", "now"});
    INFO(plan.out << plan.err);
    CHECK(plan.code == 0);
    CHECK(has(plan.out, "erp  added\n"));
    CHECK(has(plan.out, "shop  updated, reconnects\n"));
    CHECK(has(plan.out, "options.timeout"));
    CHECK(has(plan.out, "20000"));
    CHECK(has(plan.out, "30000"));
    CHECK(has(plan.out, "1 added, 1 updated, 0 removed, 1 unchanged; 1 reconnects\n"));
    CHECK_FALSE(has(plan.out, "Hidden"));
    CHECK(estate.run({"--dir", "now", "plan", "next", "--exit-code"}).code == 1);
}

TEST_CASE("plan ends with 1 where something breaks, and shows the finding", "[cli][integration]") {
    const TwoDirectories estate;
    estate.put("next", "shop", "rest://shop.example/api", "options:\n  tiemout: 20000\n");

    const Outcome plan = estate.run({"--dir", "now", "plan", "next"});
    INFO(plan.out << plan.err);
    CHECK(plan.code == 1);
    CHECK(has(plan.out, "shop  updated, becomes stale\n"));
    CHECK(has(plan.out, "next/shop.qconn.yaml:6:3"));
    CHECK(has(plan.out, "did you mean 'timeout'?"));

    const json told = json::parse(estate.run({"--dir", "now", "plan", "next", "--json"}).out);
    CHECK(told["breaks"] == true);
    CHECK(told["connections"].size() == 1);
    CHECK(told["connections"][0]["validity_after"] == "stale");
    CHECK(told["diagnostics"][0]["code"] == "unknown-option");

    CHECK(estate.run({"--dir", "next", "plan", "next"}).code == 0);  // it is so already
}

TEST_CASE("plan without a directory is wrong usage, one that is not there is not found", "[cli][integration]") {
    const TwoDirectories estate;

    CHECK(estate.run({"--dir", "now", "plan"}).code == 2);
    CHECK(estate.run({"--dir", "now", "plan", "nowhere"}).code == 3);
    CHECK(estate.run({"--dir", "nowhere", "plan", "now"}).code == 3);
}

TEST_CASE("apply makes one directory's definitions those of another, and leaves other files alone", "[cli][integration]") {
    const TwoDirectories estate;
    estate.put("next", "erp", "rests://erp.example");
    estate.put("next", "shop", "rest://edi:Hidden-2@shop.example/api");
    std::filesystem::remove(estate.directory / "next/inbox.qconn.yaml");
    estate.directory.write("now/README", "mine");
    estate.directory.write("next/notes.txt", "not definitions");
    std::filesystem::permissions(estate.directory / "next/erp.qconn.yaml", std::filesystem::perms{0600});

    const Outcome told = estate.run({"--dir", "now", "apply", "next", "--dry-run"});
    CHECK(told.code == 0);
    CHECK(has(told.out, "nothing was done"));
    CHECK(estate.run({"--dir", "now", "plan", "next", "--exit-code"}).code == 1);

    const Outcome applied = estate.run({"--dir", "now", "apply", "next"});
    INFO(applied.out << applied.err);
    CHECK(applied.code == 0);
    CHECK(has(applied.out, "erp  added\n"));
    CHECK(has(applied.out, "inbox  removed\n"));
    CHECK(has(applied.out, "3 files changed in now\n"));
    CHECK_FALSE(has(applied.out, "Hidden"));
    CHECK(estate.run({"--dir", "now", "plan", "next", "--exit-code"}).code == 0);
    CHECK_FALSE(std::filesystem::exists(estate.directory / "now/inbox.qconn.yaml"));
    CHECK(std::filesystem::exists(estate.directory / "now/README"));
    CHECK_FALSE(std::filesystem::exists(estate.directory / "now/notes.txt"));
    CHECK((std::filesystem::status(estate.directory / "now/erp.qconn.yaml").permissions() & std::filesystem::perms{0077}) ==
          std::filesystem::perms::none);

    const json again = json::parse(estate.run({"--dir", "now", "apply", "next", "--json"}).out);
    CHECK(again["applied"] == false);
    CHECK(again["files"].empty());
}

TEST_CASE("apply does nothing where something would break, unless forced, and refuses to touch what is locked", "[cli][integration]") {
    const TwoDirectories estate;
    estate.put("next", "shop", "rest://shop.example/api", "options:\n  tiemout: 20000\n");

    const Outcome refused = estate.run({"--dir", "now", "apply", "next"});
    CHECK(refused.code == 1);
    CHECK(has(refused.out, "--force"));
    CHECK(estate.run({"--dir", "now", "check"}).code == 0);
    CHECK(estate.run({"--dir", "now", "apply", "next", "--force"}).code == 0);
    CHECK(estate.run({"--dir", "now", "check"}).code == 1);

    estate.put("now", "shop", "rest://shop.example/api", "locked: true\n");
    estate.put("next", "shop", "rest://shop.example/api/v2", "locked: true\n");
    const Outcome locked = estate.run({"apply", "next", "--to", "now"});
    CHECK(locked.code == 1);
    CHECK(has(locked.err, "locked"));
    estate.put("next", "shop", "rest://shop.example/api", "locked: false\n");
    CHECK(estate.run({"apply", "next", "--to", "now"}).code == 0);
}

TEST_CASE("apply that cannot be finished leaves all as it was", "[cli][integration]") {
    const TwoDirectories estate;
    estate.put("next", "shop", "rest://shop.example/api/v2");
    estate.put("next", "a-new", "rest://new.example");
    estate.put("next", "z-large", "rest://new.example", "# " + std::string(20'000, 'x') + '\n');

    Launch limited = estate.launch({"--dir", "now", "apply", "next"});
    limited.arguments.insert(limited.arguments.begin(), {"-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"", limited.program});
    limited.program = "/bin/sh";
    const Outcome failed = Process{limited}.finish();
    INFO(failed.out << failed.err);
    CHECK(failed.code == 1);
    CHECK(has(failed.err, "all files are as they were"));
    CHECK_FALSE(std::filesystem::exists(estate.directory / "now/a-new.qconn.yaml"));
    CHECK_FALSE(std::filesystem::exists(estate.directory / "now/z-large.qconn.yaml"));
    CHECK_FALSE(has(estate.run({"--dir", "now", "show", "shop"}).out, "v2"));
}

TEST_CASE("plan says what a reload would stop: a connection that is switched off, and nothing else", "[cli][integration]") {
    const TwoDirectories estate;
    estate.put("next", "shop", "rest://edi:Hidden-1@shop.example/api", "enabled: false\noptions:\n  timeout: 20000\n");
    estate.put("next", "inbox", "file:///var/tmp");

    const json plan = json::parse(estate.run({"--dir", "now", "plan", "next", "--json"}).out);
    CHECK(plan["connections"][0]["name"] == "inbox");
    CHECK(plan["connections"][0]["stops_dependents"] == false);
    CHECK(plan["connections"][1]["stops_dependents"] == true);
    CHECK(has(estate.run({"--dir", "now", "plan", "next"}).out, "shop  updated, stops what depends on it\n"));
}
