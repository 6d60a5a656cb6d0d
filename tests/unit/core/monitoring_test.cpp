// SPDX-License-Identifier: Apache-2.0
// How a connection is watched is said in its definition, and by operators over that.
#include <filesystem>

#include <qconn/core/monitoring.hpp>
#include <qconn/core/plan.hpp>
#include <qconn/core/registry_error.hpp>

#include "core/registry_impl.hpp"
#include "registry_scheme.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

MonitoringRules rules_of(const FakeRegistry& f, std::string_view name) { return f.registry->impl()->view(name).value().monitoring; }

std::vector<std::string> codes(const Diagnostics& diagnostics) {
    std::vector<std::string> out;
    for (const Diagnostic& d : diagnostics) out.push_back(d.code);
    return out;
}

}  // namespace

TEST_CASE("every scheme has the options of monitoring, and a definition sets what it gives", "[monitoring]") {
    FakeRegistry f;
    f.write("a", "fake://a", "options:\n  ping_interval: 5000\n  ping_fall: 4\n  ping_depth: tls\n  via: [gate, b]\n  flap_changes: 3\n");
    f.write("b", "fake://b");
    CHECK(f.registry->load(f.directory.path()).diagnostics.empty());

    MonitoringRules expected;
    expected.interval = 5s;
    expected.fall = 4;
    expected.depth = PingDepth::tls;
    expected.via = {"gate", "b"};
    expected.flap_changes = 3;
    CHECK(rules_of(f, "a") == expected);
    CHECK(rules_of(f, "b") == MonitoringRules{});
    for (const OptionSpec& spec : monitoring_options().specs()) {
        INFO(spec.name);
        CHECK(f.registry->catalogue().find("fake")->option(spec.name)->monitoring);
    }
}

TEST_CASE("a rule of monitoring that is none is found where it stands", "[monitoring]") {
    FakeRegistry f;
    const auto [options, code] = GENERATE(table<std::string, std::string>({{"ping_interval: 50", "bad-value"},
                                                                           {"ping_interval: 5s", "bad-integer"},
                                                                           {"ping_fall: 0", "out-of-range"},
                                                                           {"ping_depth: deep", "not-allowed"},
                                                                           {"via: [[a]]", "bad-value"},
                                                                           {"ping_intervall: 5000", "unknown-option"}}));
    f.write("a", "fake://a", "options:\n  " + options + "\n");
    const LoadReport report = f.registry->load(f.directory.path());
    CHECK(codes(report.diagnostics) == std::vector{code});
    CHECK(report.diagnostics.front().place.line == 6);
}

TEST_CASE("another rule of monitoring is told as an update that reconnects nothing", "[monitoring]") {
    FakeRegistry f;
    f.write("a", "fake://a", "options:\n  ping_interval: 5000\n");
    f.registry->load(f.directory.path());
    const auto client = f.registry->client("a");
    f.write("a", "fake://a", "options:\n  ping_interval: 7000\n  ping_rise: 2\n");

    const Plan plan = f.registry->plan();
    REQUIRE(plan.connections.size() == 1);
    CHECK_FALSE(plan.connections.front().reconnects);
    CHECK(plan.connections.front().changes.size() == 2);
    f.registry->reload();
    CHECK(f.registry->client("a") == client);
    CHECK(rules_of(f, "a").interval == 7s);
}

TEST_CASE("an operator's rules go before those of the definition, one by one, and are taken back whole", "[monitoring][state]") {
    FakeRegistry f;
    f.options.state_file = f.directory / "state.json";
    f.registry.emplace(f.options);
    f.write("a", "fake://a", "options:\n  ping_interval: 5000\n  ping_fall: 4\n");
    f.registry->load(f.directory.path());
    f.registry->set_monitoring("a", {{"ping_interval", 9000}, {"ping_rise", 3}});

    const auto check = [&] {
        CHECK(rules_of(f, "a").interval == 9s);
        CHECK(rules_of(f, "a").fall == 4);
        CHECK(rules_of(f, "a").rise == 3);
        CHECK(f.registry->info("a").monitoring == Map{{"ping_interval", 9000}, {"ping_rise", 3}});
        CHECK(f.registry->info("a").options["ping_interval"] == Value{5000});
        const auto kept = f.registry->plan().kept;
        REQUIRE(kept.size() == 1);
        REQUIRE(kept.front().overrides.size() == 2);
        CHECK(kept.front().overrides[0].what == "options.ping_interval");
        CHECK(kept.front().overrides[0].in_file == Value{5000});
        CHECK(kept.front().overrides[1].in_file.is_null());
    };
    check();
    f.registry.emplace(f.options);  // as after a restart
    f.registry->load(f.directory.path());
    check();

    f.registry->set_monitoring("a", {});
    CHECK(rules_of(f, "a").interval == 5s);
    CHECK_FALSE(rules_of(f, "a").rise);
    f.registry.emplace(f.options);
    f.registry->load(f.directory.path());
    CHECK(f.registry->info("a").monitoring.empty());
}

TEST_CASE("an operator's rule that is none is refused, and left out of a state file", "[monitoring][state]") {
    FakeRegistry f;
    f.options.state_file = f.directory / "state.json";
    f.directory.write("state.json", R"({"version": 1, "connections": {"a": {"enabled": false, "monitoring": {"ping_fall": "many"}}}})");
    f.registry.emplace(f.options);
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());
    CHECK(f.registry->info("a").monitoring.empty());
    CHECK_FALSE(f.registry->info("a").enabled);

    for (const Map& rules : {Map{{"ping_fall", 0}}, Map{{"timeout", 5}}, Map{{"ping_interval", "soon"}}}) {
        try {
            f.registry->set_monitoring("a", rules);
            FAIL("it was taken");
        } catch (const Error& error) {
            CHECK(error.name() == "CONNECTION-DEFINITION-ERROR");
            CHECK(std::string{error.what()}.find(rules.begin()->first) != std::string::npos);
        }
    }
    CHECK(f.registry->info("a").monitoring.empty());
}

TEST_CASE("a scheme cannot take one of the names for itself", "[monitoring]") {
    Catalogue catalogue;
    const auto world = std::make_shared<FakeWorld>();
    Scheme scheme = fake_scheme("fake", world);
    OptionSpec spec;
    spec.name = "via";
    scheme.options.push_back(spec);
    CHECK_THROWS_WITH(catalogue.add(scheme), Catch::Matchers::Contains("for the monitor"));
    // One that comes out of a catalogue has them already.
    catalogue.add(fake_scheme("fake", world));
    Catalogue copy;
    copy.add(*catalogue.find("fake"));
    CHECK(copy.find("fake")->options.size() == catalogue.find("fake")->options.size());
}
