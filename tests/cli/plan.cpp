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
