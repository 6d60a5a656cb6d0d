// SPDX-License-Identifier: Apache-2.0
// A plan says what a reload would do, and does not do it.
#include <qconn/core/plan.hpp>

#include <array>
#include <filesystem>

#include "registry_scheme.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using Texts = std::vector<std::string>;

namespace {

/// "updated a reconnects: url, options.colour", one line a connection.
Texts told(const Plan& plan) {
    static constexpr std::array k_effects{"updated ", "added ", "removed "};
    static constexpr std::array k_validities{"valid", "stale", "invalid"};
    Texts lines;
    for (const auto& one : plan.connections) {
        std::string line = k_effects[static_cast<std::size_t>(one.effect)] + one.name;
        if (one.reconnects) line += " reconnects";
        if (one.breaks()) line += std::string{" becomes "} + k_validities[static_cast<std::size_t>(one.validity_after)];
        for (const auto& change : one.changes) line += (&change == &one.changes.front() ? ": " : ", ") + change.what;
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace

TEST_CASE("a plan tells what a reload would do, and changes nothing", "[registry][plan]") {
    FakeRegistry f;
    f.write("same", "fake://same");
    f.write("url", "fake://one");
    f.write("text", "fake://text");
    f.write("option", "fake://option", "options:\n  colour: red\n  timeout: 5\n");
    f.write("gone", "fake://gone");
    f.registry->load(f.directory.path());
    Changes changes{*f.registry};
    CHECK(f.registry->plan().empty());
    CHECK(f.registry->plan().unchanged == 5);

    f.write("url", "fake://two");
    f.directory.write("text.qconn.yaml", "type: connection\nname: text\ndesc: other words\nurl: fake://text\ntags: {team: red}\nenabled: false\n");
    f.write("option", "fake://option", "options:\n  colour: blue\n  connect_timeout: 5\n");
    f.write("new", "fake://new");
    std::filesystem::remove(f.directory / "gone.qconn.yaml");
    const Plan plan = f.registry->plan();

    CHECK(told(plan) == Texts{"removed gone", "added new", "updated option reconnects: options.colour, options.timeout, options.connect_timeout",
                              "updated text: desc, tags, enabled", "updated url reconnects: url"});
    CHECK(plan.unchanged == 1);
    CHECK_FALSE(plan.breaks());
    const auto& option = plan.connections[2].changes;
    CHECK(option[0].before == Value{"red"});
    CHECK(option[0].after == Value{"blue"});
    CHECK(option[1].after.is_null());
    CHECK(f.registry->names() == Texts{"gone", "option", "same", "text", "url"});
    CHECK(f.registry->info("url").url == "fake://one");

    const LoadReport report = f.registry->reload();
    CHECK(report.added == 1);
    CHECK(report.updated == 3);
    CHECK(report.removed == 1);
    CHECK(changes.wait(7).size() == 7);  // nothing came from the plan
    CHECK(f.registry->plan().empty());
}

TEST_CASE("a plan masks what is sensitive, and still says that it changes", "[registry][plan]") {
    FakeRegistry f;
    f.write("a", "fake://user:Hidden-1@a", "options:\n  password: Hidden-2\n");
    f.registry->load(f.directory.path());
    f.write("a", "fake://user:Hidden-3@a", "options:\n  password: Hidden-4\n");

    const Plan plan = f.registry->plan();

    CHECK(told(plan) == Texts{"updated a reconnects: url, options.password"});
    for (const auto& change : plan.connections.front().changes) {
        CHECK(to_text(change.before).find("Hidden") == std::string::npos);
        CHECK(to_text(change.after).find("Hidden") == std::string::npos);
    }
}

TEST_CASE("a plan says what becomes stale or invalid, with the findings", "[registry][plan]") {
    FakeRegistry f;
    f.write("a", "fake://a");
    f.directory.write("both.qconn.yaml", FakeRegistry::text("b", "fake://b") + "---\n" + FakeRegistry::text("c", "fake://c"));
    f.registry->load(f.directory.path());

    f.write("a", "fake://a", "options:\n  color: red\n");
    f.directory.write("both.qconn.yaml", "type: [connection\n");
    f.write("new", "fale://x");
    const Plan plan = f.registry->plan();

    CHECK(told(plan) == Texts{"updated a becomes stale", "updated b becomes stale", "updated c becomes stale", "added new becomes invalid"});
    CHECK(plan.breaks());
    CHECK(plan.connections.front().problem.find("a.qconn.yaml:6:3") != std::string::npos);
    CHECK(plan.diagnostics.size() == 3);

    f.registry->reload();
    CHECK(f.registry->plan().empty());
    CHECK_FALSE(f.registry->plan().breaks());
}

TEST_CASE("a plan names what the files say in vain, as code or an operator has set it otherwise", "[registry][plan]") {
    FakeRegistry f;
    f.write("a", "fake://a", "tags: {team: red}\n");
    f.write("b", "fake://b");
    f.write("c", "fake://c");
    f.write("d", "fake://d");
    f.registry->load(f.directory.path());
    f.registry->disable("a");
    f.registry->set_tags("a", {{"team", "blue"}});
    f.registry->update(FakeRegistry::definition("b", "fake://code"));
    f.registry->set_monitored("c", true);  // as the file says: nothing is in vain
    f.registry->add(FakeRegistry::definition("code", "fake://code"));
    f.write("code", "fake://file");

    const Plan plan = f.registry->plan();

    CHECK(plan.empty());
    REQUIRE(plan.kept.size() == 3);
    CHECK(plan.kept[0].name == "a");
    REQUIRE(plan.kept[0].overrides.size() == 2);
    CHECK(plan.kept[0].overrides[0].what == "enabled");
    CHECK(plan.kept[0].overrides[0].in_file == Value{true});
    CHECK(plan.kept[0].overrides[0].in_use == Value{false});
    CHECK(plan.kept[0].overrides[1].what == "tags");
    CHECK(plan.kept[1].name == "b");
    CHECK(plan.kept[1].overrides[0].what == "definition");
    CHECK(plan.kept[2].name == "code");
}

TEST_CASE("a plan for another directory compares it as if it were in the place of the loaded one", "[registry][plan]") {
    FakeRegistry f;
    const auto put = [&](const std::string& file, const std::string& text) { f.directory.write(file, text); };
    put("now/a.qconn.yaml", FakeRegistry::text("a", "fake://a", "options:\n  password: ${file:secret}\n"));
    put("now/b.qconn.yaml", FakeRegistry::text("b", "fake://b"));
    put("now/c.qconn.yaml", FakeRegistry::text("c", "fake://c"));
    std::filesystem::copy(f.directory / "now", f.directory / "next");
    f.registry->load(f.directory / "now");
    CHECK(f.registry->plan({f.directory / "next"}).empty());

    put("next/b.qconn.yaml", "type: [connection\n");
    put("next/c.qconn.yaml", FakeRegistry::text("c", "fake://d"));
    const Plan plan = f.registry->plan({f.directory / "next"});

    CHECK(told(plan) == Texts{"updated b becomes stale", "updated c reconnects: url"});
    CHECK(thrown_name([&] { f.registry->plan({f.directory / "nowhere"}); }) == "LOAD-ERROR");
    CHECK(f.registry->reload().unchanged == 3);
}

TEST_CASE("settings of a connection that a plan removes are not taken for removed", "[registry][plan]") {
    FakeRegistry f;
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());
    f.registry->disable("a");
    std::filesystem::rename(f.directory / "a.qconn.yaml", f.directory / "aside");

    CHECK(told(f.registry->plan()) == Texts{"removed a"});
    CHECK(told(f.registry->plan()) == Texts{"removed a"});
    f.registry->remove("a");
    std::filesystem::rename(f.directory / "aside", f.directory / "a.qconn.yaml");
    f.registry->reload();

    CHECK(f.registry->info("a").enabled);
}
