// SPDX-License-Identifier: Apache-2.0
// What a monitor remembers, and its state file, with real threads and files.
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <qconn/monitor/monitor.hpp>
#include <qconn/monitor/snapshot.hpp>

#include "monitor/state_keeper.hpp"
#include "scene.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::test;
using monitor::StateKeeper;
using namespace std::chrono_literals;

namespace {

/// A program that comes and goes; the remote ends and the file stay.
struct Program {
    /// One run of it.
    struct Run {
        Run(Program& program, const MonitorOptions& options, bool start = true) {
            RegistryOptions registry_options{&program.catalogue, program.runtime};
            registry.emplace(registry_options);
            for (const auto& definition : program.definitions) registry->add(definition);
            monitor.emplace(*registry, options);
            watching = monitor->subscribe(log.listener());
            if (start) monitor->start();
        }
        ~Run() {
            if (!monitor) return;
            monitor->stop();
            monitor->drain(10s);
        }
        std::optional<Registry> registry;
        EventLog log;
        std::optional<Monitor> monitor;
        Subscription watching;

        std::string alerts_of(const std::string& name) const {
            std::string text;
            for (const Event& one : log.events())
                if (one.name == name && !one.alert.empty()) text += (text.empty() ? "" : " ") + std::string{to_string(one.kind)} + ':' + one.alert;
            return text;
        }
    };

    TempDir directory;
    std::string file{directory / "monitor.state"};
    std::shared_ptr<World> world{std::make_shared<World>()};
    Catalogue catalogue{remote_catalogue(world)};
    std::mutex mutex;
    std::vector<std::string> logged;  // events of the log, guarded by mutex
    Runtime runtime{[this] {
        RuntimeOptions options;
        options.log = Log{LogLevel::info, [this](const LogRecord& record) {
                              const std::scoped_lock lock{mutex};
                              logged.emplace_back(std::string{record.event} + ": " + std::string{record.text});
                          }};
        return options;
    }()};
    std::vector<Definition> definitions{remote("shop"), remote("bus")};

    MonitorOptions options() const {
        MonitorOptions options = by_hand();
        options.state_file = file;
        return options;
    }
    std::size_t logged_of(const std::string& event) {
        const std::scoped_lock lock{mutex};
        std::size_t found = 0;
        for (const auto& one : logged) found += one.starts_with(event + ":") ? 1 : 0;
        return found;
    }
    std::string text() const { return read_file(file); }
    std::optional<MonitorSnapshot> snapshot() const {
        try {
            return read_monitor_state(file);
        } catch (const Error&) { return std::nullopt; }
    }
};

void bring_down(Program& program, Monitor& monitor, const std::string& name) {
    program.world->set_up(name, false);
    for (int i = 0; i < 2; ++i) monitor.ping(name);
}

}  // namespace

TEST_CASE("a writing of the state that is under way is waited for, and after the end there is none", "[monitor][state][threads]") {
    const TempDir directory;
    Runtime runtime{RuntimeOptions{}};
    std::atomic<int> begun{0};
    std::atomic<bool> open{false};
    const auto keeper = std::make_shared<StateKeeper>(runtime, runtime.impl().loop().shared_from_this(), directory / "monitor.state",
                                                      [&](const StateKeeper::Put& put) {
                                                          ++begun;
                                                          wait_until([&] { return open.load(); }, 60s);
                                                          put("all of it");
                                                          return true;
                                                      });
    keeper->changed();
    REQUIRE(wait_until([&] { return begun == 1; }));
    // It hangs: nobody waits for longer than he wants to.
    keeper->write_now(1ms);
    keeper->close();
    CHECK_FALSE(keeper->end(1ms));
    CHECK(begun == 1);

    std::atomic<bool> ended{false};
    std::thread other{[&] { ended = keeper->end(60s); }};
    std::this_thread::sleep_for(20ms);
    CHECK_FALSE(ended);
    open = true;
    other.join();
    CHECK(ended);
    CHECK(read_file(directory / "monitor.state") == "all of it");
    keeper->changed();
    keeper->write_now();
    CHECK(begun == 1);
}

TEST_CASE("what is written when a monitor stops is in the file when it has stopped", "[monitor][state][threads]") {
    const TempDir directory;
    Runtime runtime{RuntimeOptions{}};
    std::atomic<bool> begun{false};
    const auto keeper = std::make_shared<StateKeeper>(runtime, runtime.impl().loop().shared_from_this(), directory / "monitor.state",
                                                      [&](const StateKeeper::Put& put) {
                                                          begun = true;
                                                          std::this_thread::sleep_for(50ms);
                                                          put("all of it");
                                                          return true;
                                                      });
    keeper->changed();
    REQUIRE(wait_until([&] { return begun.load(); }));
    keeper->write_now();  // nothing is new since it began
    CHECK(read_file(directory / "monitor.state") == "all of it");
}

TEST_CASE("a restart of the program tells of no connection that was down before, and of no alert", "[monitor][state][threads]") {
    Program program;
    ConnectionStatus was;
    Alert stood;
    {
        Program::Run run{program, program.options()};
        bring_down(program, *run.monitor, "shop");
        run.monitor->ping("bus");
        was = run.monitor->status("shop");
        stood = run.monitor->alerts().at(0);
    }
    {
        Program::Run run{program, program.options()};
        CHECK(run.monitor->status("shop").state == ConnectionState::down);
        CHECK(run.monitor->status("shop").since == was.since);
        CHECK(run.monitor->status("shop").error == was.error);
        CHECK(run.monitor->status("bus").state == ConnectionState::unknown);
        run.monitor->ping("shop");
        run.monitor->ping("bus");
        REQUIRE(run.log.wait_for("bus", "up"));
        CHECK(run.log.of("shop").empty());
        REQUIRE(run.monitor->alerts().size() == 1);
        CHECK(run.monitor->alerts()[0].id == stood.id);
        CHECK(run.monitor->alerts()[0].since == stood.since);
        CHECK(run.monitor->outages().size() == 1);
        CHECK(run.monitor->history("shop").downs == 1);

        program.world->set_up("shop", true);
        run.monitor->ping("shop");
        CHECK(run.log.wait_for("shop", "up alert-cleared"));
    }
    Program::Run run{program, program.options()};
    CHECK(run.monitor->status("shop").state == ConnectionState::unknown);
    CHECK(run.monitor->alerts().empty());
    CHECK(run.monitor->history("shop").outages.at(0).ended > was.since);
    const auto past = run.monitor->timeline({.names = {"shop"}});
    REQUIRE(past.size() == 4);
    CHECK(past[0].kind == EventKind::down);
    CHECK(past[0].seq == 0);
    CHECK(past[3].kind == EventKind::alert_cleared);
}

TEST_CASE("interfaces are stopped at once where their connection was down before the restart", "[monitor][state][threads]") {
    Program program;
    {
        Program::Run run{program, program.options()};
        bring_down(program, *run.monitor, "shop");
    }
    Program::Run run{program, program.options()};
    Calls calls;
    Interface orders = run.monitor->add_interface(calls.options("orders"));
    orders.depend("shop");
    CHECK(calls.wait_for("stop"));
    program.world->set_up("shop", true);
    run.monitor->ping("shop");
    CHECK(calls.wait_for("stop start"));
}

TEST_CASE("the state file is there soon after a change, without a stop, for this user only", "[monitor][state][threads]") {
    Program program;
    Program::Run run{program, program.options()};
    run.monitor->ping("shop");
    REQUIRE(wait_until([&] {
        const auto seen = program.snapshot();
        return seen && seen->connections.size() == 2 && seen->connections[1].state == ConnectionState::up;
    }));
    CHECK(program.snapshot()->running);
    struct stat status {};
    REQUIRE(::stat(program.file.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    bring_down(program, *run.monitor, "bus");
    CHECK(wait_until([&] {
        const auto seen = program.snapshot();
        return seen && seen->alerts.size() == 1;
    }));
}

TEST_CASE("after a stop the file says all that happened, and that nobody watches any more", "[monitor][state][threads]") {
    Program program;
    {
        Program::Run run{program, program.options()};
        Calls calls;
        Interface orders = run.monitor->add_interface(calls.options("orders", InterfaceKind::workflow));
        orders.depend("bus");
        orders.depend("shop", Dependency::optional);
        run.monitor->ping("shop");
        bring_down(program, *run.monitor, "bus");
        REQUIRE(calls.wait_for("stop"));
        run.monitor->disable_group("night");
        run.monitor->acknowledge(run.monitor->alerts().at(0).id, "ann", "on it");
        REQUIRE(wait_until([&] { return orders.info().state == InterfaceState::blocked; }));
        run.monitor->stop();

        const MonitorSnapshot live = run.monitor->snapshot();
        const MonitorSnapshot seen = read_monitor_state(program.file);
        CHECK_FALSE(seen.running);
        REQUIRE(seen.connections.size() == 2);
        CHECK(seen.connections[0].name == "bus");
        CHECK(seen.connections[0].error == live.connections[0].error);
        CHECK(seen.histories.size() == 2);
        CHECK(seen.histories[0].downs == 1);
        CHECK(seen.histories[0].pings == live.histories[0].pings);
        CHECK(seen.alerts.at(0).acknowledged_by == "ann");
        CHECK(seen.outages.size() == 1);
        CHECK(seen.timeline.size() == live.timeline.size());
        CHECK(seen.disabled_groups == std::vector<std::string>{"night"});
        REQUIRE(seen.interfaces.size() == 1);
        CHECK(seen.interfaces[0].connections == std::vector<std::string>{"bus"});
        CHECK(seen.interfaces[0].optional == std::vector<std::string>{"shop"});
        REQUIRE(seen.why_stopped.size() == 1);
        CHECK(to_text(seen.why_stopped[0]) == to_text(run.monitor->why_stopped(InterfaceKind::workflow, "orders")));
        CHECK(impact(seen, "shop").optional.size() == impact(live, "shop").optional.size());
        CHECK(seen.written > seen.connections[0].since);
    }
}

TEST_CASE("a state file that cannot be used costs nothing: it is set aside, and the monitor begins anew", "[monitor][state][threads]") {
    Program program;
    {
        Program::Run run{program, program.options()};
        bring_down(program, *run.monitor, "shop");
    }
    std::string text = program.text();
    SECTION("truncated") { text.resize(text.size() / 2); }
    SECTION("empty") { text.clear(); }
    SECTION("of something else") { text = "{\"version\": 1, \"connections\": {}}\n"; }
    SECTION("of a later version") { text = "{\"qconn_monitor_state\":2}\n{\"end\":0}\n"; }
    SECTION("broken") { text = std::string(100, '\0'); }
    std::ofstream{program.file, std::ios::binary} << text;

    Program::Run run{program, program.options()};
    CHECK(program.logged_of("monitor-state-broken") == 1);
    CHECK(read_file(program.file + ".bad") == text);
    CHECK(run.monitor->status("shop").state == ConnectionState::unknown);
    for (int i = 0; i < 2; ++i) run.monitor->ping("shop");
    CHECK(run.log.wait_for("shop", "down alert"));
    run.monitor->stop();
    CHECK(program.snapshot());
}

TEST_CASE("a file that cannot be written is logged once, and written when it can be again", "[monitor][state][threads]") {
    Program program;
    MonitorOptions options = program.options();
    options.state_file = program.directory / "later/monitor.state";
    Program::Run run{program, options};
    run.monitor->ping("shop");
    REQUIRE(wait_until([&] { return program.logged_of("monitor-state-not-written") == 1; }));
    run.monitor->stop();
    run.monitor->start();
    run.monitor->stop();
    CHECK(program.logged_of("monitor-state-not-written") == 1);
    program.directory.write("later/other", "");
    CHECK(wait_until([&] { return program.logged_of("monitor-state-written") == 1; }, 20s));
    CHECK(read_monitor_state(options.state_file).connections.size() == 2);
}

TEST_CASE("what cannot be read as a state says why", "[monitor][state]") {
    const TempDir directory;
    const auto name = [](const std::string& path) { return error_name([&] { read_monitor_state(path); }); };
    CHECK(name(directory / "none") == "SYSTEM-ERROR");
    CHECK(name(directory.path()) == "SYSTEM-ERROR");
    CHECK(name(directory.write("other", "hello\n")) == "PARSE-ERROR");
    try {
        read_monitor_state(directory / "none");
    } catch (const Error& error) {
        CHECK(error.reason() == Reason::missing);
        CHECK(std::string{error.what()}.find("/none\" failed: No such file") != std::string::npos);
    }
}

TEST_CASE("a connection whose definition was changed between two runs begins anew", "[monitor][state][threads]") {
    Program program;
    {
        Program::Run run{program, program.options()};
        bring_down(program, *run.monitor, "shop");
        bring_down(program, *run.monitor, "bus");
    }
    program.definitions[0].url = "remote://elsewhere";
    program.definitions[1].options.set("ping_fall", 5);  // how it is watched is not what it is
    Program::Run run{program, program.options()};
    CHECK(run.monitor->status("shop").state == ConnectionState::unknown);
    CHECK(run.monitor->status("bus").state == ConnectionState::down);
    CHECK(run.log.wait_for("shop", "alert-cleared"));
}

TEST_CASE("no secret comes into the state file, nor what tells one from another", "[monitor][state][threads]") {
    Program program;
    const std::string canary = "canary-4711";
    program.definitions = {remote("shop", canary)};
    program.definitions[0].url = "remote://user:" + canary + "@somewhere";
    ::setenv("QCONN_T_CANARY", canary.c_str(), 1);
    program.definitions.push_back(remote("by-reference", "${env:QCONN_T_CANARY}"));
    program.world->set("by-reference", [&](const std::string& password) -> PingEvidence {
        throw make_error(Errc::system, "the server said: bad password " + password).with_phase(Phase::auth).with_reason(Reason::denied);
    });
    {
        Program::Run run{program, program.options()};
        for (int i = 0; i < 2; ++i) run.monitor->ping("by-reference");
        run.monitor->stop();
        INFO(program.text());
        CHECK(program.text().find("bad password ${env:QCONN_T_CANARY}") != std::string::npos);
        CHECK(program.text().find(canary) == std::string::npos);
    }
    // With another literal password it is the same connection: what the file has of it does not depend on the password.
    program.world->set_up("shop", false);
    {
        Program::Run run{program, program.options()};
        for (int i = 0; i < 2; ++i) run.monitor->ping("shop");
    }
    program.definitions[0] = remote("shop", "other");
    program.definitions[0].url = "remote://user:other@somewhere";
    Program::Run run{program, program.options()};
    CHECK(run.monitor->status("shop").state == ConnectionState::down);
}

TEST_CASE("a monitor that is destroyed without a stop, also from the I/O thread, has written what it knew", "[monitor][state][threads]") {
    Program program;
    std::optional<Program::Run> run;
    run.emplace(program, program.options());
    bring_down(program, *run->monitor, "shop");
    SECTION("here") { run->monitor.reset(); }
    SECTION("on the I/O thread") {
        std::atomic<bool> done{false};
        program.runtime.post([&] {
            run->monitor.reset();
            done = true;
        });
        REQUIRE(wait_until([&] { return done.load(); }));
    }
    CHECK(wait_until([&] {
        const auto seen = program.snapshot();
        return seen && !seen->running && seen->alerts.size() == 1;
    }));
    run->monitor.emplace(*run->registry, program.options());
    CHECK(run->monitor->status("shop").state == ConnectionState::down);
}

TEST_CASE("histories and the timeline are read while pings come and connections change", "[monitor][history][threads]") {
    MonitorOptions options;
    options.interval = 100ms;
    options.fast = 10ms;
    Scene scene{options, {"a", "b", "c", "d"}};
    std::atomic<bool> ended{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] {
            while (!ended) {
                for (const char* name : {"a", "b", "c", "d"}) {
                    const ConnectionHistory history = scene.monitor->history(name);
                    if (history.pings.size() > 64 || history.outages.size() > 16 || history.outages.size() > history.downs) std::abort();
                }
                const auto events = scene.monitor->timeline();
                for (std::size_t n = 1; n < events.size(); ++n)
                    if (events[n].seq <= events[n - 1].seq) std::abort();
                scene.monitor->snapshot();
            }
        });
    for (int round = 0; round < 5; ++round) {
        for (const char* name : {"a", "b", "c", "d"}) scene.world->set_up(name, round % 2 == 1);
        const auto down = round % 2 == 1 ? ConnectionState::up : ConnectionState::down;
        CHECK(wait_until([&] { return scene.monitor->status("d").state == down; }));
    }
    ended = true;
    for (auto& one : readers) one.join();
    CHECK(wait_until([&] { return scene.monitor->history("d").downs == 3; }));
    CHECK(error_name([&] { scene.monitor->history("none"); }) == "CONNECTION-UNKNOWN");
    const auto downs = scene.monitor->timeline({.kinds = {EventKind::down}, .names = {"d"}});
    CHECK(downs.size() == 3);
}

TEST_CASE("a second monitor over one state file leaves it alone and says so", "[monitor][state][threads]") {
    Program program;
    {
        Program::Run first{program, program.options()};
        program.world->set_up("shop", false);
        first.monitor->ping("shop");
        first.monitor->ping("shop");
        {
            program.world->set_up("shop", true);
            Program::Run second{program, program.options()};
            CHECK(program.logged_of("monitor-state-in-use") == 1);
            CHECK(second.monitor->alerts().empty());
            second.monitor->ping("shop");
            CHECK(second.monitor->status("shop").state == ConnectionState::up);
        }
        CHECK(first.monitor->status("shop").state == ConnectionState::down);
    }
    Program::Run third{program, program.options()};
    CHECK(third.monitor->alerts().size() == 1);
    CHECK(program.logged_of("monitor-state-in-use") == 1);
}
