// SPDX-License-Identifier: Apache-2.0
// A watch keeps a registry as its files are, whatever way they change.
#include <qconn/core/watch.hpp>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/watched_places.hpp"
#include "registry_scheme.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::atomic<bool> no_inotify{false};

}  // namespace

/// In the place of the system's. A limit of descriptors would do, but UBSan needs some to look at objects.
extern "C" int inotify_init1(int flags) noexcept {
    static const auto next = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "inotify_init1"));
    if (!no_inotify) return next(flags);
    errno = EMFILE;
    return -1;
}

namespace {

struct Watched : FakeRegistry {
    /// Quick ones; a test that must not be helped by looking leaves `poll` long.
    WatchOptions quick() {
        WatchOptions watch;
        watch.debounce = 10ms;
        watch.poll = 1h;
        watch.on_reload = [this](const LoadReport& report) {
            read += static_cast<int>(report.read);
            ++reloads;
        };
        return watch;
    }
    WatchOptions polling() {
        WatchOptions watch = quick();
        watch.poll = 10ms;
        watch.notified = false;
        return watch;
    }
    bool becomes(const std::string& name, const std::string& url) {
        return wait_until([&] { return registry->contains(name) && registry->info(name).url == url; });
    }
    bool goes(const std::string& name) {
        return wait_until([&] { return !registry->contains(name); });
    }
    /// After this every change is told by the system.
    bool settles(int at_least = 1) {
        return wait_until([&] { return reloads >= at_least; });
    }

    std::atomic<int> reloads{0};
    std::atomic<int> read{0};
};

void set_old(const std::string& path) {
    const timespec time{::time(nullptr) - 1000, 0};
    const std::array<timespec, 2> times{time, time};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0);
}

}  // namespace

TEST_CASE("a watch takes over new, changed and removed files", "[registry][watch][threads]") {
    Watched f;
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());
    const auto ref = f.registry->get<FakeClient>("a");
    const Watch watch = f.registry->watch(f.quick());
    REQUIRE(f.settles());

    f.write("b", "fake://b");
    CHECK(f.becomes("b", "fake://b"));
    f.write("a", "fake://a2");
    CHECK(f.becomes("a", "fake://a2"));
    CHECK(ref->greet() == "a@a2 grey");
    fs::remove(f.directory / "b.qconn.yaml");
    CHECK(f.goes("b"));
    CHECK_FALSE(watch.polls());
}

TEST_CASE("a watch reads nothing but what has changed", "[registry][watch][threads]") {
    Watched f;
    set_old(f.write("a", "fake://a"));
    set_old(f.write("b", "fake://b"));
    f.registry->load(f.directory.path());
    const Watch watch = f.registry->watch(f.quick());
    REQUIRE(f.settles());
    CHECK(f.read == 0);

    const std::string aside = f.directory.write("aside", FakeRegistry::text("b", "fake://b2"));
    set_old(aside);
    fs::rename(aside, f.directory / "b.qconn.yaml");

    CHECK(f.becomes("b", "fake://b2"));
    REQUIRE(f.settles(2));
    CHECK(f.read == 1);
}

TEST_CASE("what was changed between the load and the watch is taken over", "[registry][watch][threads]") {
    Watched f;
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());
    f.write("a", "fake://a2");

    const Watch watch = f.registry->watch(f.quick());

    CHECK(f.becomes("a", "fake://a2"));
}

TEST_CASE("a watch follows links that are switched, as Kubernetes and deployments do it", "[registry][watch][threads]") {
    Watched f;
    const auto put = [&](const std::string& file, const std::string& url) { f.directory.write(file, FakeRegistry::text("a", url)); };
    const auto turn = [&](const std::string& link, const std::string& target) {
        fs::create_symlink(target, f.directory / "fresh");
        fs::rename(f.directory / "fresh", f.directory / link);
    };

    SECTION("..data in the directory") {
        put("conf/..1/a.qconn.yaml", "fake://one");
        put("conf/..2/a.qconn.yaml", "fake://two");
        turn("conf/..data", "..1");
        turn("conf/a.qconn.yaml", "..data/a.qconn.yaml");
        f.registry->load(f.directory / "conf");
        const Watch watch = f.registry->watch(f.quick());
        REQUIRE(f.settles());
        turn("conf/..data", "..2");
        CHECK(f.becomes("a", "fake://two"));
        fs::remove_all(f.directory / "conf/..1");
        put("conf/..2/a.qconn.yaml", "fake://three");
        CHECK(f.becomes("a", "fake://three"));
    }
    SECTION("a link on the way to the directory") {
        put("releases/1/conf/a.qconn.yaml", "fake://one");
        put("releases/2/conf/a.qconn.yaml", "fake://two");
        turn("current", "releases/1");
        f.registry->load(f.directory / "current/conf");
        const Watch watch = f.registry->watch(f.quick());
        REQUIRE(f.settles());
        turn("current", f.directory / "releases/2");
        CHECK(f.becomes("a", "fake://two"));
        put("releases/2/conf/a.qconn.yaml", "fake://three");
        CHECK(f.becomes("a", "fake://three"));
    }
    SECTION("a file that is given and is a link") {
        put("one", "fake://one");
        put("two", "fake://two");
        turn("given", "one");
        f.registry->load(f.directory / "given");
        const Watch watch = f.registry->watch(f.quick());
        REQUIRE(f.settles());
        put("one", "fake://one-more");
        CHECK(f.becomes("a", "fake://one-more"));
        turn("given", "two");
        CHECK(f.becomes("a", "fake://two"));
    }
}

TEST_CASE("a watch survives that its directory goes and comes back", "[registry][watch][threads]") {
    Watched f;
    const auto put = [&](const std::string& url) { f.directory.write("x/conf/a.qconn.yaml", FakeRegistry::text("a", url)); };
    put("fake://one");
    f.registry->load(f.directory / "x/conf");
    const Watch watch = f.registry->watch(f.quick());
    REQUIRE(f.settles());

    fs::remove_all(f.directory / "x");
    CHECK(wait_until([&] { return f.registry->info("a").validity == Validity::stale; }));
    put("fake://two");
    CHECK(f.becomes("a", "fake://two"));
    CHECK(wait_until([&] { return f.registry->info("a").validity == Validity::valid; }));
    put("fake://three");
    CHECK(f.becomes("a", "fake://three"));

    fs::rename(f.directory / "x/conf", f.directory / "x/aside");
    CHECK(wait_until([&] { return f.registry->info("a").validity == Validity::stale; }));
    fs::rename(f.directory / "x/aside", f.directory / "x/conf");
    CHECK(wait_until([&] { return f.registry->info("a").validity == Validity::valid; }));
}

TEST_CASE("a broken file under a watch makes its connection stale until it is mended", "[registry][watch][threads]") {
    Watched f;
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());
    const Watch watch = f.registry->watch(f.quick());
    REQUIRE(f.settles());

    f.write("a", "fake://a", "options:\n  color: red\n");
    CHECK(wait_until([&] { return f.registry->info("a").validity == Validity::stale; }));
    f.write("a", "fake://a");
    CHECK(wait_until([&] { return f.registry->info("a").validity == Validity::valid; }));
}

TEST_CASE("what is loaded after the watch began is watched too", "[registry][watch][threads]") {
    Watched f;
    const Watch watch = f.registry->watch(f.quick());
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());
    REQUIRE(f.settles());

    f.write("a", "fake://a2");

    CHECK(f.becomes("a", "fake://a2"));
}

TEST_CASE("changes without end are read after the longest wait", "[registry][watch][threads]") {
    Watched f;
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());
    WatchOptions options = f.quick();
    options.debounce = 1h;
    options.at_most = 50ms;
    const Watch watch = f.registry->watch(options);
    REQUIRE(f.settles());

    int n = 0;
    CHECK(wait_until([&] {
        f.write("a", "fake://a" + std::to_string(++n));
        return f.reloads >= 3;
    }));
}

TEST_CASE("where the system tells nothing a watch looks from time to time", "[registry][watch][threads]") {
    Watched f;
    set_old(f.write("a", "fake://a"));
    f.registry->load(f.directory.path());
    const Watch watch = f.registry->watch(f.polling());
    REQUIRE(f.settles());
    CHECK(watch.polls());

    f.write("a", "fake://a2");
    CHECK(f.becomes("a", "fake://a2"));
    f.write("b", "fake://b");
    CHECK(f.becomes("b", "fake://b"));
    fs::remove(f.directory / "b.qconn.yaml");
    CHECK(f.goes("b"));
}

TEST_CASE("without a descriptor for inotify a watch looks instead, and says so in the log", "[registry][watch][threads]") {
    std::atomic<int> told{0};
    Watched f;
    f.runtime = Runtime{
        RuntimeOptions{.io_threads = 1, .blocking_threads = 4, .resolver_threads = 1, .log = Log{LogLevel::warning, [&told](const LogRecord& record) {
                                                                                                     told += record.event == "watch-polls";
                                                                                                 }}}};
    f.options.runtime = f.runtime;
    f.registry.emplace(f.options);
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());

    WatchOptions options = f.quick();
    options.poll = 10ms;
    no_inotify = true;
    const Watch watch = f.registry->watch(options);
    no_inotify = false;

    CHECK(watch.polls());
    CHECK(told == 1);
    f.write("a", "fake://a2");
    CHECK(f.becomes("a", "fake://a2"));
}

TEST_CASE("a watch may end inside a listener and inside on_reload, and nothing begins after", "[registry][watch][threads]") {
    Watched f;
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());
    std::atomic<int> ended{0};
    Watch watch;
    Subscription listening;
    WatchOptions options = f.quick();
    const auto end = [&] {
        watch.stop();
        ++ended;
    };

    SECTION("in a listener") {
        listening = f.registry->subscribe([&](const RegistryChange& change) {
            if (change.kind == RegistryChange::Kind::updated) end();
        });
    }
    SECTION("in on_reload") {
        options.on_reload = [&](const LoadReport& report) {
            ++f.reloads;
            if (report.updated > 0) end();
        };
    }
    watch = f.registry->watch(options);
    REQUIRE(f.settles());
    f.write("a", "fake://a2");
    REQUIRE(wait_until([&] { return ended == 1; }));

    // Another watch sees what comes then: it would have been told no earlier than the one that ended.
    const Watch other = f.registry->watch([] {
        WatchOptions slow;
        slow.debounce = 50ms;
        return slow;
    }());
    const int reloads = f.reloads;
    f.write("a", "fake://a3");
    CHECK(f.becomes("a", "fake://a3"));
    CHECK(f.reloads - reloads <= 1);  // one that was under way
}

TEST_CASE("registry and watch may go in any order, while files change", "[registry][watch][threads]") {
    for (int round = 0; round < 20; ++round) {
        Watched f;
        f.write("a", "fake://a");
        f.registry->load(f.directory.path());
        WatchOptions options = f.quick();
        options.debounce = std::chrono::milliseconds{round % 3};
        std::optional<Watch> watch{f.registry->watch(options)};
        f.write("a", "fake://a" + std::to_string(round));
        if (round % 2 == 0) {
            f.registry.reset();
            f.write("a", "fake://b");
            watch.reset();
        } else {
            watch.reset();
            f.registry.reset();
        }
    }
}

TEST_CASE("a queue of the system that overflowed counts as a change", "[registry][watch]") {
    std::size_t length = 0;
    std::ifstream{"/proc/sys/fs/inotify/max_queued_events"} >> length;
    REQUIRE(length > 0);
    TempDir directory;
    core::WatchedPlaces places{{".qconn.yaml", ".qconn"}};
    REQUIRE(places.open() == 0);
    CHECK(places.follow({{directory.path(), 2}}).added == 2);
    CHECK(places.follow({{directory.path(), 2}}).added == 0);
    directory.write("other", "");
    CHECK(places.take() == 0);

    for (std::size_t i = 0; i < length; i += 2) {  // each two events, of a name that does not count
        directory.write("other", "");
        fs::remove(directory / "other");
    }

    CHECK(places.take() == 2);
    CHECK(places.take() == 0);
}

TEST_CASE("a watch that ends on an I/O thread waits for no on_reload", "[registry][watch][threads]") {
    Watched f;
    f.write("a", "fake://a");
    f.registry->load(f.directory.path());
    std::atomic<bool> inside{false};
    std::atomic<bool> may_return{false};
    std::atomic<bool> has_returned{false};
    WatchOptions options = f.quick();
    options.on_reload = [&](const LoadReport&) {
        inside = true;
        wait_until([&] { return may_return.load(); }, 60s);
        has_returned = true;
    };
    Watch watch = f.registry->watch(options);
    REQUIRE(wait_until([&] { return inside.load(); }));

    std::atomic<bool> has_stopped{false};
    f.runtime.post([&] {
        watch.stop();
        has_stopped = true;
    });
    CHECK(wait_until([&] { return has_stopped.load(); }));
    CHECK_FALSE(has_returned);

    may_return = true;
    CHECK(wait_until([&] { return has_returned && has_stopped; }));
}

// ---- the file of operator settings -------------------------------------------------------------------------------------------------------------

namespace {

struct WatchedState : Watched {
    WatchedState() {
        options.state_file = directory / "state.json";
        directory.write("conf/a.qconn.yaml", text("a", "fake://a"));
        registry.emplace(options);
        registry->load(directory / "conf");
    }
};

}  // namespace

TEST_CASE("a watch takes over what another program writes into the file of operator settings, and reloads no definitions for it",
          "[registry][watch][state][threads]") {
    WatchedState f;
    const bool polls = GENERATE(false, true);
    const Watch watch = f.registry->watch(polls ? f.polling() : f.quick());
    REQUIRE(f.settles());
    const int reloads = f.reloads;
    Registry other{f.options};
    other.load(f.directory / "conf");

    other.disable("a");
    CHECK(wait_until([&] { return !f.registry->info("a").enabled; }));
    other.enable("a");
    CHECK(wait_until([&] { return f.registry->info("a").enabled; }));
    other.set_silence("a", Silence{.by = "ann"});
    CHECK(wait_until([&] { return f.registry->info("a").silence.has_value(); }));
    f.registry->disable("a");
    other.set_silence("a", std::nullopt);
    CHECK(wait_until([&] { return !f.registry->info("a").silence; }));
    CHECK_FALSE(f.registry->info("a").enabled);
    if (!polls) CHECK(f.reloads == reloads);
}

TEST_CASE("a watch follows the settings also where nothing was loaded from files", "[registry][watch][state][threads]") {
    WatchedState f;
    f.registry.emplace(f.options);
    Definition definition;
    definition.name = "a";
    definition.url = "fake://a";
    f.registry->add(definition);
    const Watch watch = f.registry->watch(f.quick());
    Registry other{f.options};
    other.load(f.directory / "conf");
    other.disable("a");
    CHECK(wait_until([&] { return !f.registry->info("a").enabled; }));
}
