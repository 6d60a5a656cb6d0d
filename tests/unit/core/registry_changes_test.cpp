// SPDX-License-Identifier: Apache-2.0
// What becomes of what code has changed: the table of docs/definitions.md, row by row.
#include <filesystem>
#include <functional>
#include <string>

#include "core/kept_settings.hpp"
#include "registry_scheme.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

const std::string k_wrong = "options:\n  color: red\n";
const std::string k_otherwise_wrong = "options:\n  colour: [red]\n";

/// The connection "a" from a file, in each of the three ways to be valid or not.
struct FromFile : FakeRegistry {
    void load(Validity validity) {
        write("a", "fake://first", validity == Validity::invalid ? k_wrong : "");
        registry->load(directory.path());
        if (validity == Validity::stale) {
            write("a", "fake://second", k_wrong);
            registry->reload();
        }
        REQUIRE(registry->info("a").validity == validity);
    }
    void update() { registry->update(definition("a", "fake://code")); }
    void take_file_away() { std::filesystem::remove(directory / "a.qconn.yaml"); }
    /// URL and validity.
    std::string state() const {
        if (!registry->contains("a")) return "gone";
        const ConnectionInfo info = registry->info("a");
        return info.url + (info.validity == Validity::valid ? " valid" : info.validity == Validity::stale ? " stale" : " invalid");
    }
    std::string reloaded() {
        registry->reload();
        return state();
    }
};

}  // namespace

TEST_CASE_METHOD(FromFile, "an update of a valid connection stays until its file says something else", "[registry][changes]") {
    load(Validity::valid);
    update();

    CHECK(reloaded() == "fake://code valid");
    write("a", "fake://second", k_wrong);
    CHECK(reloaded() == "fake://code stale");
    write("a", "fake://first");
    CHECK(reloaded() == "fake://code valid");
    write("a", "fake://second");
    CHECK(reloaded() == "fake://second valid");
    write("a", "fake://first");
    CHECK(reloaded() == "fake://first valid");
}

TEST_CASE_METHOD(FromFile, "an update of a stale connection makes it valid until its file says something else", "[registry][changes]") {
    load(Validity::stale);
    update();

    CHECK(state() == "fake://code valid");
    CHECK(reloaded() == "fake://code valid");
    CHECK(registry->reload().stale == 0);

    SECTION("another mistake") {
        write("a", "fake://second", k_otherwise_wrong);
        CHECK(reloaded() == "fake://code stale");
        update();
        CHECK(reloaded() == "fake://code valid");
    }
    SECTION("a new definition") {
        write("a", "fake://second");
        CHECK(reloaded() == "fake://second valid");
    }
    SECTION("the one that was updated") {
        write("a", "fake://first");
        CHECK(reloaded() == "fake://code valid");
        write("a", "fake://second", k_wrong);
        CHECK(reloaded() == "fake://code stale");
    }
}

TEST_CASE_METHOD(FromFile, "an update of a stale connection to what it was stays as well", "[registry][changes]") {
    load(Validity::stale);
    registry->update(registry->definition("a"));

    CHECK(state() == "fake://first valid");
    CHECK(reloaded() == "fake://first valid");
}

TEST_CASE_METHOD(FromFile, "an update of an invalid connection stays until its file says something else", "[registry][changes]") {
    load(Validity::invalid);
    update();

    CHECK(reloaded() == "fake://code valid");
    SECTION("another mistake") {
        write("a", "fake://first", k_otherwise_wrong);
        CHECK(reloaded() == "fake://code stale");
    }
    SECTION("the mistake mended") {
        write("a", "fake://first");
        CHECK(reloaded() == "fake://first valid");
    }
}

TEST_CASE_METHOD(FromFile, "an update of what a file that is no YAML stands for stays while that cannot be read", "[registry][changes]") {
    directory.write("a.qconn.yaml", "type: [connection\n");
    registry->load(directory.path());
    REQUIRE(state() == " invalid");
    update();

    CHECK(reloaded() == "fake://code valid");
    directory.write("a.qconn.yaml", "type: connection\nname: 'a\n");
    CHECK(reloaded() == "fake://code stale");
    write("a", "fake://first");
    CHECK(reloaded() == "fake://first valid");
}

TEST_CASE_METHOD(FromFile, "a removed connection comes back from its file with the next reload, as the file has it", "[registry][changes]") {
    for (const Validity validity : {Validity::valid, Validity::stale, Validity::invalid}) {
        FromFile f;
        f.load(validity);
        f.registry->disable("a");
        f.registry->remove("a");

        CHECK(f.state() == "gone");
        CHECK(f.reloaded() == (validity == Validity::valid   ? "fake://first valid"
                               : validity == Validity::stale ? "fake://second invalid"
                                                             : "fake://first invalid"));
        CHECK(f.registry->info("a").enabled);
    }
}

TEST_CASE("what an operator has set stays over reloads of every kind, and over the absence of the file", "[registry][changes]") {
    for (const Validity validity : {Validity::valid, Validity::stale, Validity::invalid}) {
        FromFile f;
        f.load(validity);
        CHECK(f.registry->disable("a"));
        f.registry->set_monitored("a", false);
        f.registry->set_locked("a", true);
        f.registry->set_tags("a", {{"team", "blue"}});
        const auto is_set = [&] {
            const ConnectionInfo info = f.registry->info("a");
            return !info.enabled && !info.monitored && info.locked && !info.debug_data && info.tags.size() == 1 &&
                   info.tags.at("team") == Value{"blue"};
        };

        f.registry->reload();
        CHECK(is_set());
        f.write("a", "fake://second", "enabled: true\nmonitor: true\nlocked: false\ntags: {team: red}\n");
        f.registry->reload();
        CHECK(is_set());
        f.take_file_away();
        CHECK(f.reloaded() == "gone");
        CHECK(f.reloaded() == "gone");
        f.write("a", "fake://third", "enabled: true\ndebug_data: true\n");
        CHECK(f.reloaded() == "fake://third valid");
        CHECK(f.registry->info("a").debug_data);
        f.write("a", "fake://third", "debug_data: false\n");
        f.registry->reload();
        CHECK(is_set());
        CHECK(f.registry->enable("a"));
        f.take_file_away();
        f.registry->reload();
        f.write("a", "fake://third", "enabled: false\n");
        f.registry->reload();
        CHECK(f.registry->info("a").enabled);
    }
}

TEST_CASE_METHOD(FromFile, "what was not set by code follows the file when that comes back", "[registry][changes]") {
    load(Validity::valid);
    update();
    take_file_away();
    registry->reload();

    write("a", "fake://first", "enabled: false\n");

    CHECK(reloaded() == "fake://first valid");
    CHECK_FALSE(registry->info("a").enabled);
}

TEST_CASE_METHOD(FromFile, "settings whose file is gone hold for one of the name that is added by code, until that is removed",
                 "[registry][changes]") {
    load(Validity::valid);
    registry->disable("a");
    take_file_away();
    registry->reload();

    registry->add(definition("a", "fake://code"));
    CHECK_FALSE(registry->info("a").enabled);
    registry->remove("a");
    registry->add(definition("a", "fake://code"));
    CHECK(registry->info("a").enabled);
}

TEST_CASE_METHOD(FromFile, "a connection added by code does not follow files", "[registry][changes]") {
    registry->add(definition("a", "fake://code"));
    registry->disable("a");
    registry->load(directory.path());

    CHECK(reloaded() == "fake://code valid");
    write("a", "fake://first");
    CHECK_FALSE(registry->reload().ok());
    CHECK(state() == "fake://code valid");
    write("a", "fake://first", k_wrong);
    CHECK(reloaded() == "fake://code valid");
    registry->update(definition("a", "fake://new"));
    take_file_away();
    CHECK(reloaded() == "fake://new valid");
    CHECK_FALSE(registry->info("a").enabled);
    CHECK(registry->enable("a"));
    CHECK(registry->reload().ok());
    CHECK(registry->info("a").enabled);

    registry->remove("a");
    CHECK(reloaded() == "gone");
    write("a", "fake://first");
    CHECK(reloaded() == "fake://first valid");
}

TEST_CASE_METHOD(FromFile, "a definition added by code keeps its file, from where relative references count", "[registry][changes]") {
    std::filesystem::create_directory(directory / "one");
    std::filesystem::create_directory(directory / "two");
    directory.write("one/secret", "red");
    directory.write("two/secret", "blue");
    Definition added = definition("a", "fake://code");
    added.options = {{"colour", "${file:secret}"}};
    added.file = directory / "one/made up.yaml";
    added.place = {3, 7, 1};
    registry->add(added);

    CHECK(registry->definition("a").file == added.file);
    CHECK(registry->info("a").place == added.place);
    const auto ref = registry->get<FakeClient>("a");
    CHECK(ref->greet() == "a@code red");
    CHECK(thrown_text([&] { registry->add(added); }).find("by code") != std::string::npos);

    SECTION("an update without a file leaves it") {
        added.file.clear();
        registry->update(added);
        CHECK(ref->greet() == "a@code red");
    }
    SECTION("an update from another directory makes a new client") {
        added.file = directory / "two/a.yaml";
        registry->update(added);
        CHECK(registry->info("a").file == added.file);
        CHECK(ref->greet() == "a@code blue");
    }
    SECTION("it is no file that was loaded") {
        directory.write("one/a.qconn.yaml", "type: [connection\n");
        added.name = "b";
        added.file = directory / "one/a.qconn.yaml";
        registry->add(added);
        registry->load(directory / "one");
        registry->reload();
        CHECK(registry->info("b").validity == Validity::valid);
    }
}

TEST_CASE("so many settings are kept, the longest gone are forgotten first", "[registry][changes]") {
    core::KeptSettings kept;
    for (std::size_t i = 0; i < core::KeptSettings::k_most; ++i) kept.put(std::to_string(i), {static_cast<unsigned>(i), {}});
    kept.put("0", {17, {.tags = Map{{"team", "blue"}}}});
    kept.put("one more", {});

    CHECK(kept.find("1") == nullptr);
    REQUIRE(kept.find("0"));
    CHECK(kept.find("0")->flags == 17);
    CHECK(kept.find("0")->set.tags);
    CHECK(kept.find("2"));
    CHECK(kept.find("one more"));
    kept.erase("0");
    kept.erase("never there");
    CHECK(kept.find("0") == nullptr);
}
