// SPDX-License-Identifier: Apache-2.0
// What an operator has set outlives the process.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/json.hpp"
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
