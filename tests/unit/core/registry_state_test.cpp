// SPDX-License-Identifier: Apache-2.0
// What an operator has set outlives the process.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/json.hpp"
#include "core/registry_impl.hpp"
#include "registry_scheme.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
namespace fs = std::filesystem;

namespace {

struct WithState : FakeRegistry {
    WithState() {
        options.runtime = Runtime{RuntimeOptions{
            .io_threads = 1, .blocking_threads = 4, .resolver_threads = 1, .log = Log{LogLevel::warning, [this](const LogRecord& record) {
                                                                                          const std::scoped_lock lock{mutex};
                                                                                          told.insert(std::string{record.event});
                                                                                      }}}};
        options.state_file = path;
        registry.reset();
    }
    /// As a process that starts.
    Registry& restart() {
        registry.reset();
        registry.emplace(options);
        registry->load(directory / "conf");
        return *registry;
    }
    void put(const std::string& name, const std::string& more = {}) const {
        directory.write("conf/" + name + ".qconn.yaml", text(name, "fake://" + name, more));
    }
    Value state() const { return json::decode(directory.read("state.json")).value(); }
    bool has_told(const std::string& event) {
        const std::scoped_lock lock{mutex};
        return told.contains(event);
    }

    const std::string path = directory / "state.json";
    std::mutex mutex;
    std::set<std::string> told;
};

}  // namespace

TEST_CASE("operator settings survive a restart, and also the absence of the file", "[registry][state]") {
    WithState f;
    f.put("a", "tags: {team: red}\n");
    f.put("b");
    f.put("c", "enabled: false\n");
    Registry& first = f.restart();
    first.disable("a");
    first.set_monitored("a", false);
    first.set_debug_data("a", true);
    first.set_locked("a", true);
    first.set_tags("a", {{"team", "blue"}});
    first.enable("c");

    const std::string text = f.directory.read("conf/a.qconn.yaml");
    fs::remove(f.directory / "conf/a.qconn.yaml");
    f.restart();
    f.restart().set_monitored("b", false);
    f.directory.write("conf/a.qconn.yaml", text);
    const Registry& last = f.restart();

    const ConnectionInfo a = last.info("a");
    CHECK_FALSE(a.enabled);
    CHECK_FALSE(a.monitored);
    CHECK(a.debug_data);
    CHECK(a.locked);
    CHECK(a.tags == Map{{"team", "blue"}});
    CHECK_FALSE(last.info("b").monitored);
    CHECK(last.info("b").enabled);
    CHECK(last.info("c").enabled);
    CHECK(f.told.empty());
}

TEST_CASE("the state file is for its owner alone, is made when there is something to keep, and written only for changes", "[registry][state]") {
    WithState f;
    f.put("a");
    Registry& registry = f.restart();
    CHECK_FALSE(fs::exists(f.path));

    registry.disable("a");
    struct stat first {};
    REQUIRE(::stat(f.path.c_str(), &first) == 0);
    CHECK((first.st_mode & 0777) == 0600);
    registry.disable("a");
    registry.reload();
    f.restart().disable("a");
    struct stat second {};
    REQUIRE(::stat(f.path.c_str(), &second) == 0);
    CHECK(first.st_ino == second.st_ino);

    f.registry->remove("a");
    CHECK(f.state()["connections"].size() == 0);
    CHECK(std::distance(fs::directory_iterator{f.directory.path()}, fs::directory_iterator{}) == 2);  // nothing is left beside it
}

TEST_CASE("what else stands in the state file stays", "[registry][state]") {
    WithState f;
    f.put("a");
    f.put("b");
    f.directory.write("state.json",
                      R"({"note": "mine", "version": 1, "connections": {"a": {"enabled": false, "by": "me", "locked": "odd"}, "x": {"new": 1}}})");

    f.restart().disable("b");
    f.registry->enable("a");

    const Value state = f.state();
    CHECK(state["note"] == Value{"mine"});
    CHECK(state["connections"]["a"]["by"] == Value{"me"});
    CHECK(state["connections"]["a"]["enabled"] == Value{true});
    CHECK(state["connections"]["a"]["locked"] == Value{"odd"});
    CHECK(state["connections"]["x"]["new"] == Value{1});
    CHECK(state["connections"]["b"]["enabled"] == Value{false});
}

TEST_CASE("two registries may share a state file: neither takes back what the other has set", "[registry][state]") {
    WithState f;
    f.put("a");
    f.put("b");
    Registry& one = f.restart();
    Registry other{f.options};
    other.load(f.directory / "conf");

    one.disable("a");
    other.disable("b");

    CHECK_FALSE(f.restart().info("a").enabled);
    CHECK_FALSE(f.registry->info("b").enabled);
}

TEST_CASE("a broken state file is put aside and told, and costs no connection", "[registry][state]") {
    WithState f;
    f.put("a");
    const std::string broken = GENERATE(as<std::string>{}, "{\"version\": 1, \"conn", "[]", "", "{\"version\": 1, \"connections\": []}");
    f.directory.write("state.json", broken);

    Registry& registry = f.restart();

    CHECK(f.has_told("state-broken"));
    CHECK(registry.info("a").enabled);
    CHECK(f.directory.read("state.json.bad") == broken);
    CHECK_FALSE(fs::exists(f.path));
    registry.disable("a");
    CHECK_FALSE(f.restart().info("a").enabled);
}

TEST_CASE("a state file of a later version is neither used nor changed", "[registry][state]") {
    WithState f;
    f.put("a");
    const std::string text = R"({"version": 2, "connections": {"a": {"enabled": false}}})";
    f.directory.write("state.json", text);

    f.restart().set_monitored("a", false);

    CHECK(f.registry->info("a").enabled);
    CHECK(f.has_told("state-not-read"));
    CHECK(f.directory.read("state.json") == text);
}

TEST_CASE("a state file that cannot be written is told, and the setting holds for this process", "[registry][state]") {
    WithState f;
    f.options.state_file = f.directory / "nowhere/state.json";
    f.put("a");

    f.restart().disable("a");

    CHECK(f.has_told("state-not-written"));
    CHECK_FALSE(f.registry->info("a").enabled);
}

// ---- silences and acknowledgements -------------------------------------------------------------------------------------------------------------

using namespace std::chrono_literals;
using Wall = std::chrono::system_clock;

TEST_CASE("silences and acknowledgements survive a restart, and the absence of the file", "[registry][state][silence]") {
    WithState f;
    f.put("a");
    f.put("b");
    Registry& first = f.restart();
    Changes changes{first};
    const Silence silence{Silence::Kind::maintenance, Wall::now() - 1min, Wall::now() + 1h, "ann", "new \"disks\""};
    first.set_silence("a", silence);
    first.acknowledge("a", "bob", "on it");
    CHECK(changes.wait(2) == std::vector<std::string>{"settings a", "settings a"});
    CHECK(first.info("a").silence == silence);
    const auto acknowledged = first.info("a").acknowledged;
    REQUIRE(acknowledged);
    CHECK(acknowledged->by == "bob");
    CHECK(acknowledged->note == "on it");
    CHECK(Wall::now() - acknowledged->at < 1min);

    const std::string text = f.directory.read("conf/a.qconn.yaml");
    fs::remove(f.directory / "conf/a.qconn.yaml");
    f.restart().set_silence("b", Silence{});
    f.directory.write("conf/a.qconn.yaml", text);
    Registry& last = f.restart();
    CHECK(last.info("a").silence == silence);
    CHECK(last.info("a").acknowledged == acknowledged);
    REQUIRE(last.info("b").silence);
    CHECK(last.info("b").silence->kind == Silence::Kind::mute);
    CHECK_FALSE(last.info("b").silence->until);
    CHECK(Wall::now() - last.info("b").silence->from < 1min);
    CHECK(f.told.empty());

    last.set_silence("a", std::nullopt);
    last.set_silence("b", std::nullopt);
    CHECK_FALSE(f.restart().info("a").silence);
    CHECK_FALSE(f.state()["connections"].as_map().contains("b"));
}

TEST_CASE("a silence without sense is refused, and so is an acknowledgement by nobody", "[registry][state][silence]") {
    WithState f;
    f.put("a");
    Registry& registry = f.restart();
    const auto now = Wall::now();
    for (const Silence& one :
         {Silence{.until = now - 1s}, Silence{.from = now + 2h, .until = now + 1h}, Silence{.from = now + 1h, .until = now + 1h}})
        CHECK(thrown_name([&] { registry.set_silence("a", one); }) == "INVALID-ARGUMENT");
    CHECK(thrown_name([&] { registry.acknowledge("a", ""); }) == "INVALID-ARGUMENT");
    CHECK(thrown_name([&] { registry.set_silence("x", Silence{}); }) == "CONNECTION-UNKNOWN");
    CHECK(thrown_name([&] { registry.set_silence("x", std::nullopt); }) == "CONNECTION-UNKNOWN");
    CHECK(thrown_name([&] { registry.acknowledge("x", "ann"); }) == "CONNECTION-UNKNOWN");
    CHECK_FALSE(registry.info("a").silence);
    CHECK_FALSE(fs::exists(f.path));
}

TEST_CASE("a silence whose end has passed leaves the file with the next write and never comes back", "[registry][state][silence]") {
    WithState f;
    f.put("a");
    f.put("b");
    const std::string over = R"("silence": {"kind": "mute", "from": "2024-01-01T00:00:00Z", "until": "2024-01-02T00:00:00Z", "by": "ann"})";
    f.directory.write("state.json", R"({"version": 1, "connections": {"a": {)" + over + R"(}, "x": {)" + over + R"(, "enabled": false}}})");

    Registry& registry = f.restart();
    CHECK_FALSE(registry.info("a").silence);
    CHECK_FALSE(registry.impl()->view("a")->silence);
    CHECK(f.state()["connections"]["a"]["silence"].is_map());  // nothing to write yet
    registry.disable("b");
    CHECK_FALSE(f.state()["connections"].as_map().contains("a"));
    CHECK(f.state()["connections"]["x"] == Value{Map{{"enabled", false}}});
    registry.disable("a");
    CHECK(f.state()["connections"]["a"] == Value{Map{{"enabled", false}}});
    CHECK(f.told.empty());
}

TEST_CASE("a silence that cannot be understood silences nobody, and is told", "[registry][state][silence]") {
    WithState f;
    f.put("a");
    f.directory.write("state.json",
                      R"({"version": 1, "connections": {"a": {"enabled": false, )" +
                          GENERATE(as<std::string>{}, R"("silence": {"kind": "quiet"})", R"("silence": {"kind": "mute", "until": "tomorrow"})",
                                   R"("silence": {"kind": "mute", "until": "2999-01-01T00:00:00"})",
                                   R"("silence": {"kind": "mute", "from": "2999-01-02T00:00:00Z", "until": "2999-01-01T00:00:00Z"})",
                                   R"("silence": {"kind": "mute", "from": 5})", R"("acknowledged": {"by": "", "at": "2024-01-01T00:00:00Z"})",
                                   R"("acknowledged": {"by": "ann"})") +
                          "}}}");
    Registry& registry = f.restart();
    CHECK_FALSE(registry.info("a").silence);
    CHECK_FALSE(registry.info("a").acknowledged);
    CHECK_FALSE(registry.info("a").enabled);
    CHECK(f.has_told("state-not-read"));
}

// ---- two programs, one file --------------------------------------------------------------------------------------------------------------------

namespace {

struct TwoPrograms : WithState {
    TwoPrograms() {
        put("a");
        put("b");
        restart();
        other.emplace(options);
        other->load(directory / "conf");
    }
    Registry& one() { return *registry; }
    std::optional<Registry> other;
};

}  // namespace

TEST_CASE("a reload takes over what another program has set and taken back, and tells it", "[registry][state]") {
    TwoPrograms f;
    Changes changes{f.one()};
    f.other->disable("a");
    f.other->set_monitored("a", false);
    f.other->set_tags("b", {{"team", "blue"}});
    f.other->set_monitoring("b", {{"ping_interval", 5000}});
    f.other->set_silence("b", Silence{.by = "ann"});
    f.other->acknowledge("b", "bob");
    f.one().reload();
    CHECK(changes.wait(4) == std::vector<std::string>{"disabled a", "settings a", "settings b", "reloaded"});
    CHECK_FALSE(f.one().info("a").enabled);
    CHECK_FALSE(f.one().info("a").monitored);
    CHECK(f.one().info("b").tags == Map{{"team", "blue"}});
    CHECK(f.one().info("b").monitoring == Map{{"ping_interval", 5000}});
    CHECK(f.one().info("b").silence->by == "ann");
    CHECK(f.one().info("b").acknowledged->by == "bob");

    f.other->enable("a");
    f.other->set_monitoring("b", {});
    f.other->set_silence("b", std::nullopt);
    f.one().reload();
    CHECK(changes.wait(3) == std::vector<std::string>{"enabled a", "settings b", "reloaded"});
    CHECK(f.one().info("a").enabled);
    CHECK(f.one().info("b").monitoring.empty());
    CHECK_FALSE(f.one().info("b").silence);
    CHECK(f.one().info("b").tags == Map{{"team", "blue"}});
    f.one().reload();
    CHECK(changes.wait(1) == std::vector<std::string>{"reloaded"});
    CHECK(f.told.empty());
}

TEST_CASE("what two programs set of one connection at the same time is all kept, and both come to know it", "[registry][state]") {
    TwoPrograms f;
    f.other->set_silence("a", Silence{.by = "ann"});
    f.one().disable("a");  // knows nothing of the silence yet
    CHECK(f.one().info("a").silence);
    f.one().set_tags("a", {{"team", "blue"}});
    f.other->set_debug_data("a", true);
    CHECK_FALSE(f.other->info("a").enabled);
    CHECK(f.other->info("a").tags == Map{{"team", "blue"}});
    f.one().reload();
    for (Registry* registry : {&f.one(), &*f.other, &f.restart()}) {
        const ConnectionInfo a = registry->info("a");
        CHECK_FALSE(a.enabled);
        CHECK(a.debug_data);
        CHECK(a.silence->by == "ann");
        CHECK(a.tags == Map{{"team", "blue"}});
    }
}

TEST_CASE("of two programs that set the same differently the one that wrote last prevails in both", "[registry][state]") {
    TwoPrograms f;
    f.other->set_tags("a", {{"team", "red"}});
    f.one().set_tags("a", {{"team", "blue"}});
    CHECK(f.one().info("a").tags == Map{{"team", "blue"}});
    f.other->reload();
    CHECK(f.other->info("a").tags == Map{{"team", "blue"}});
    f.one().disable("a");
    f.other->enable("a");
    f.one().reload();
    CHECK(f.one().info("a").enabled);
}

TEST_CASE("a removal by one program takes its settings back in the other", "[registry][state]") {
    TwoPrograms f;
    f.put("a", "monitor: false\nenabled: false\n");
    f.one().reload();
    f.other->reload();
    f.other->enable("a");
    f.other->set_monitored("a", true);
    f.other->set_silence("a", Silence{});
    f.one().reload();
    CHECK(f.one().info("a").enabled);
    f.other->remove("a");
    f.one().reload();
    CHECK_FALSE(f.one().info("a").enabled);  // as its definition says
    CHECK_FALSE(f.one().info("a").monitored);
    CHECK_FALSE(f.one().info("a").silence);
}

TEST_CASE("settings by another program count for a connection whose file comes later", "[registry][state]") {
    TwoPrograms f;
    f.put("late");
    f.other->reload();
    f.other->disable("late");
    f.other->set_silence("late", Silence{});
    const std::string text = f.directory.read("conf/late.qconn.yaml");
    fs::remove(f.directory / "conf/late.qconn.yaml");
    f.one().reload();
    f.directory.write("conf/late.qconn.yaml", text);
    f.one().reload();
    CHECK_FALSE(f.one().info("late").enabled);
    CHECK(f.one().info("late").silence);
}

TEST_CASE("a state file that goes, or that another program breaks, takes nothing back in a running one", "[registry][state]") {
    TwoPrograms f;
    f.one().disable("a");
    const std::string good = f.directory.read("state.json");
    SECTION("gone") {
        fs::remove(f.path);
        f.one().reload();
        CHECK_FALSE(f.one().info("a").enabled);
        f.one().disable("b");  // and all is in it again
        CHECK(f.state()["connections"]["a"]["enabled"] == Value{false});
    }
    SECTION("broken for a moment") {
        f.directory.write("state.json", good.substr(0, good.size() / 2));
        f.one().reload();
        CHECK_FALSE(f.one().info("a").enabled);
        CHECK(f.has_told("state-not-read"));
        CHECK_FALSE(fs::exists(f.path + ".bad"));  // an editor may be about to write the rest
        f.directory.write("state.json", R"({"version": 1, "connections": {"b": {"enabled": false}}})");
        f.one().reload();
        CHECK(f.one().info("a").enabled);
        CHECK_FALSE(f.one().info("b").enabled);
    }
    SECTION("of a later version") {
        f.directory.write("state.json", R"({"version": 2, "connections": {}})");
        f.one().reload();
        CHECK_FALSE(f.one().info("a").enabled);
        CHECK(f.has_told("state-not-read"));
    }
}

TEST_CASE("what could not be written holds, is not taken back by what others write, and is written with the next change", "[registry][state]") {
    WithState f;
    f.put("a");
    fs::create_directory(f.directory / "state");
    f.options.state_file = f.directory / "state/settings.json";
    Registry& one = f.restart();
    one.disable("a");
    Registry other{f.options};
    other.load(f.directory / "conf");
    const auto in_file = [&] { return json::decode(f.directory.read("state/settings.json")).value()["connections"]["a"]; };

    fs::rename(f.directory / "state", f.directory / "aside");
    one.set_locked("a", true);
    CHECK(f.has_told("state-not-written"));
    fs::rename(f.directory / "aside", f.directory / "state");
    other.set_tags("a", {{"team", "blue"}});
    one.reload();
    CHECK(one.info("a").locked);
    CHECK(one.info("a").tags == Map{{"team", "blue"}});
    CHECK(in_file()["locked"].is_null());
    one.set_debug_data("a", true);
    CHECK(in_file()["locked"] == Value{true});
    CHECK(in_file()["enabled"] == Value{false});
}
