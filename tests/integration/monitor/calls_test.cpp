// SPDX-License-Identifier: Apache-2.0
// Servers die and return while threads use the connections, the monitor watches them, interfaces depend on them and the registry is reloaded.
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/testing/fault_proxy.hpp>

#include "support/black_hole.hpp"
#include "support/callers.hpp"
#include "support/catch.hpp"
#include "support/event_log.hpp"
#include "support/fd_count.hpp"
#include "support/http_use.hpp"
#include "support/name_service.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_call = 400ms;    // deadline of a call
constexpr auto k_call_end = 10s;  // by when it has ended also on a loaded machine: far below the silence of any peer here
constexpr auto k_enough = 60s;    // for what takes a moment
constexpr int k_rounds = 5;       // calls of each kind that have to be seen
const std::string k_out_and_back = "up failing down alert up alert-cleared";

/// A directory of definitions with everything that uses them. "steady" is on a server that lives, and is changed again and again.
class Estate {
public:
    Estate(const Server& steady, const std::vector<std::pair<std::string, std::string>>& connections) : steady_{steady} {
        for (const auto& [name, lines] : connections)
            directory_.write(name + ".qconn.yaml", "type: connection\nname: " + name + "\ndesc: watched\n" + lines);
        write_steady(1000);
        REQUIRE(registry_.load(directory_.path()).ok());
        for (const auto& [name, lines] : connections) add(name, k_call);
        add("steady", k_call_end);  // none of its calls may fail, however loaded the machine is
        watching_ = monitor_.subscribe(log.listener());
        monitor_.start();
        reloader_ = std::thread{[this] {
            for (int i = 0; !stopped_; ++i) {
                write_steady(1001 + i % 100);
                if (!registry_.reload().ok()) ++bad_reloads_;
                std::this_thread::sleep_for(20ms);
            }
        }};
    }
    ~Estate() {
        stopped_ = true;
        reloader_.join();
    }

    /// Sees calls of that connection come and go until there were enough of each kind that ended otherwise than before, and nothing else any more.
    /// @param kinds  what may go wrong with them; empty: all must be good
    void settle(const std::string& name, const std::set<std::string>& kinds) {
        Callers& callers = users_.at(name)->callers;
        INFO(name);
        const auto is_so = [&] {
            const Tally tally = callers.tally();
            if (tally.good > 0 ? !kinds.empty() : kinds.empty()) return false;
            for (const auto& [kind, count] : tally.failures)
                if (!kinds.contains(kind)) return false;
            return callers.rounds() >= k_rounds;
        };
        // Calls from before may still end in their own way: they are forgotten, and what comes later has to be pure.
        const bool settled = wait_until(
            [&] {
                callers.forget();
                return wait_until([&] { return callers.rounds() >= k_rounds; }, k_enough) && is_so();
            },
            k_enough);
        const Tally tally = callers.tally();
        CAPTURE(tally.good, tally.kinds(), tally.texts);
        CHECK(settled);
        CHECK(tally.longest < k_call_end);
    }

    /// All of them went down and came up once, with what depends on them, and are used again; nothing else was touched.
    void check_returned(const std::vector<std::string>& names) {
        for (const std::string& name : names) {
            CHECK(wait_for(name, k_out_and_back));
            CHECK(bounced(name, 1));
            settle(name, {});
        }
        check_steady();
        check_order();
    }

    /// Calls to the other server have been good all the time, whatever became of their definition.
    void check_steady() {
        const Tally tally = users_.at("steady")->callers.tally();
        CAPTURE(tally.kinds(), tally.texts);
        CHECK(tally.good >= k_rounds);
        CHECK(tally.failures.empty());
        CHECK(only_up("steady"));
        CHECK(bad_reloads_ == 0);
    }

    /// A change of what it connects to makes it unknown, so each of those may be followed by an up; by nothing else.
    bool only_up(const std::string& name) const {
        const std::string told = story(name);
        return told.find_first_not_of("up ") == std::string::npos && !told.empty();
    }

    /// Of a connection, without what the reloads say.
    std::string story(const std::string& name) const {
        std::string told;
        std::istringstream words{log.of(name)};
        for (std::string word; words >> word;)
            if (word != "updated") told.append(told.empty() ? "" : " ").append(word);
        return told;
    }
    bool wait_for(const std::string& name, const std::string& wanted) const {
        return wait_until([&] { return story(name) == wanted; }, k_enough);
    }
    /// The interface that depends on it was stopped and started that often each.
    bool bounced(const std::string& name, int times) const {
        const User& user = *users_.at(name);
        return wait_until([&] { return user.stops == times && user.starts == times; }, k_enough);
    }

    EventLog log;

    /// In the order in which the states changed, without a gap; what comes up was not up before, and what goes down was not down.
    void check_order() const {
        std::uint64_t seq = 0;
        Clock::time_point mono;
        std::map<std::string, ConnectionState> states;
        for (const Event& event : log.events()) {
            if (seq == 0) seq = event.seq - 1;  // those of the beginning came before anybody listened
            CHECK(event.seq == ++seq);
            CHECK(event.mono >= mono);
            mono = event.mono;
            if (event.kind == EventKind::updated) states[event.name] = ConnectionState::unknown;
            if (event.kind != EventKind::up && event.kind != EventKind::down && event.kind != EventKind::failing &&
                event.kind != EventKind::recovered)
                continue;
            CHECK(event.from == states[event.name]);
            CHECK(event.from != event.state);
            states[event.name] = event.state;
        }
    }

private:
    struct User {
        User(Registry& registry, const std::string& name, std::chrono::milliseconds limit) : callers{registry, name, http_get("/hello.txt"), limit} {}

        Callers callers;
        std::atomic<int> stops{0};
        std::atomic<int> starts{0};
        std::optional<Interface> interface;
    };

    static MonitorOptions quick() {
        MonitorOptions options;
        options.interval = 200ms;
        options.group_alerts = false;
        options.timeout = 1500ms;
        return options;
    }

    void write_steady(int timeout) {
        // Renamed into place, as deployments do.
        const std::string text = "type: connection\nname: steady\ndesc: on a server that lives\nurl: http://" + steady_.address() +
                                 "\noptions:\n  timeout: " + std::to_string(timeout * 10) + "\n";
        const std::string made = directory_.write("steady.new", text);
        if (::rename(made.c_str(), (directory_ / "steady.qconn.yaml").c_str()) != 0) ++bad_reloads_;  // no assertion: not on the test's thread
    }

    void add(const std::string& name, std::chrono::milliseconds limit) {
        auto user = std::make_unique<User>(registry_, name, limit);
        User& of = *user;
        user->interface = monitor_.add_interface({InterfaceKind::job, "uses-" + name, [&of] { ++of.starts; }, [&of] { ++of.stops; }});
        user->interface->depend(name);
        users_.emplace(name, std::move(user));
    }

    const Server& steady_;
    TempDir directory_;
    Runtime runtime_{RuntimeOptions{}};
    Registry registry_{RegistryOptions{.runtime = runtime_}};
    Monitor monitor_{registry_, quick()};
    std::map<std::string, std::unique_ptr<User>> users_;
    Subscription watching_;
    std::atomic<bool> stopped_{false};
    std::atomic<int> bad_reloads_{0};
    std::thread reloader_;
};

/// A test with it leaves neither descriptors nor threads.
class NothingLeft {
public:
    ~NothingLeft() {
        CHECK(wait_until([&] { return open_descriptors() <= descriptors_; }, k_enough));
        CHECK(wait_until([&] { return count_threads() <= threads_; }, k_enough));
    }

private:
    std::size_t descriptors_{open_descriptors()};
    std::size_t threads_{counted()};

    static std::size_t counted() {
        std::thread{[] {}}.join();  // ThreadSanitizer starts one of its own with the first
        return count_threads();
    }
};

/// Asks for a page over a kept stream.
std::string asking(const std::string& url, const std::string& options = {}) {
    return "url: " + url + "\noptions:\n  ping_method: GET\n  ping_path: /hello.txt\n" + options;
}

std::string trusting() { return "  ssl_ca_file: " + tls_file("ca.crt") + "\n"; }

}  // namespace

TEST_CASE("calls and the monitor while a server is killed and returns", "[monitor][integration]") {
    Server steady{"nginx"};
    Server mortal{"nginx"};
    const NothingLeft nothing_left;
    Estate estate{steady,
                  {{"plain", asking("rest://" + mortal.address())},
                   {"secure", asking("rests://" + mortal.address2(), trusting())},
                   {"connecting", "url: http://" + mortal.address() + "\n"}}};
    for (const char* name : {"plain", "secure", "connecting"}) {
        REQUIRE(estate.wait_for(name, "up"));
        estate.settle(name, {});
    }

    mortal.kill();
    for (const char* name : {"plain", "secure", "connecting"}) {
        CHECK(estate.wait_for(name, "up failing down alert"));
        const Event down = estate.log.last(EventKind::down, name);
        CHECK(down.phase == Phase::connect);
        CHECK(down.reason == Reason::refused);
        estate.settle(name, {"connect refused"});
    }
    estate.check_steady();

    mortal.start();
    estate.check_returned({"plain", "secure", "connecting"});
}

TEST_CASE("calls and the monitor while a server is frozen and goes on", "[monitor][integration]") {
    Server steady{"nginx"};
    Server frozen{"nginx"};
    const NothingLeft nothing_left;
    Estate estate{steady, {{"plain", asking("rest://" + frozen.address())}, {"secure", asking("rests://" + frozen.address2(), trusting())}}};
    for (const char* name : {"plain", "secure"}) REQUIRE(estate.wait_for(name, "up"));

    frozen.freeze();
    for (const char* name : {"plain", "secure"}) {
        CHECK(estate.wait_for(name, "up failing down alert"));
        CHECK(estate.log.last(EventKind::down, name).reason == Reason::timeout);
    }
    estate.settle("plain", {"head timeout"});
    estate.settle("secure", {"head timeout", "tls timeout"});
    estate.check_steady();

    frozen.thaw();
    estate.check_returned({"plain", "secure"});
}

TEST_CASE("calls and the monitor while nothing answers in the place of a server", "[monitor][integration]") {
    Server steady{"nginx"};
    Server mortal{"nginx"};
    const NothingLeft nothing_left;
    Estate estate{steady, {{"plain", asking("rest://" + mortal.address())}, {"secure", asking("rests://" + mortal.address2(), trusting())}}};
    for (const char* name : {"plain", "secure"}) REQUIRE(estate.wait_for(name, "up"));

    mortal.kill();
    std::optional<BlackHole> plain{mortal.port()};
    std::optional<BlackHole> secure{mortal.port2()};
    for (const char* name : {"plain", "secure"}) {
        CHECK(estate.wait_for(name, "up failing down alert"));
        CHECK(estate.log.last(EventKind::down, name).phase == Phase::connect);  // refused or in vain: the hole came a moment after the death
        estate.settle(name, {"connect timeout"});
    }
    estate.check_steady();

    plain.reset();
    secure.reset();
    mortal.start();
    estate.check_returned({"plain", "secure"});
}

TEST_CASE("calls and the monitor while the network swallows everything, and cuts", "[monitor][integration]") {
    Server steady{"nginx"};
    Server far{"nginx"};
    testing::FaultProxy network{far.port()};
    const NothingLeft nothing_left;
    Estate estate{steady, {{"far", asking("rest://" + network.address())}}};
    REQUIRE(estate.wait_for("far", "up"));

    network.set({.stall_after = 0});
    CHECK(estate.wait_for("far", "up failing down alert"));
    CHECK(estate.log.last(EventKind::down, "far").reason == Reason::timeout);
    estate.settle("far", {"head timeout"});
    network.clear();
    network.cut();
    CHECK(estate.wait_for("far", k_out_and_back));
    estate.settle("far", {});

    network.set({.door = testing::Door::reset});
    network.cut();
    CHECK(estate.wait_for("far", k_out_and_back + " failing down alert"));
    const Reason cut = estate.log.last(EventKind::down, "far").reason;
    CHECK((cut == Reason::reset || cut == Reason::closed));  // whether the RST finds a request on its way or not
    estate.settle("far", {"head reset", "connect reset", "head closed"});
    network.clear();
    CHECK(estate.wait_for("far", k_out_and_back + " failing down alert up alert-cleared"));
    CHECK(estate.bounced("far", 2));
    estate.settle("far", {});
    estate.check_steady();
    estate.check_order();
}

TEST_CASE("calls and the monitor while a certificate runs out and is replaced by one for another host", "[monitor][integration]") {
    Server steady{"nginx"};
    Server shop{"nginx"};
    // What certbot and its kind do: another file, and a reload of the server.
    const auto present = [&shop](const std::string& certificate) {
        std::string text = shop.directory().read("nginx.conf");
        const std::string mark = "ssl_certificate ";
        const auto at = text.find(mark) + mark.size();
        text.replace(at, text.find(';', at) - at, tls_file(certificate));
        shop.directory().write("nginx.conf", text);
        REQUIRE(::kill(shop.pid(), SIGHUP) == 0);
    };
    const NothingLeft nothing_left;
    Estate estate{steady, {{"shop", "url: https://" + shop.address2() + "\noptions:\n" + trusting()}}};
    REQUIRE(estate.wait_for("shop", "up"));
    estate.settle("shop", {});

    present("expired.crt");
    CHECK(estate.wait_for("shop", "up failing down alert"));
    CHECK(estate.log.last(EventKind::down, "shop").phase == Phase::tls);
    CHECK(estate.log.last(EventKind::down, "shop").reason == Reason::certificate_expired);
    estate.settle("shop", {"tls certificate-expired"});
    estate.check_steady();

    present("wrong.crt");
    estate.settle("shop", {"tls certificate-name"});
    CHECK(estate.story("shop") == "up failing down alert");

    present("server.crt");
    estate.check_returned({"shop"});
}

TEST_CASE("calls and the monitor while the name service is silent", "[monitor][integration]") {
    const auto passed = run_in_own_network("[inside]");
    if (!passed) WARN("skipped: no right to make namespaces");
    CHECK(passed.value_or(true));
}

TEST_CASE("inside: one connection by name, one by address", "[.inside]") {
    if (!has_own_network()) return;
    Server steady{"nginx"};
    Server named{"nginx"};
    const NothingLeft nothing_left;
    NameService names;
    Estate estate{steady, {{"named", asking("rest://shop.example.test:" + std::to_string(named.port()))}}};
    CHECK(estate.wait_for("named", "down alert"));
    CHECK(estate.log.last(EventKind::down, "named").phase == Phase::resolve);
    estate.settle("named", {"resolve timeout"});
    estate.check_steady();

    const bool is_back = wait_until(
        [&] {
            names.answer(0, "\1");
            return estate.story("named") == "down alert up alert-cleared";
        },
        k_enough);
    CHECK(is_back);
    CHECK(estate.bounced("named", 1));
    estate.settle("named", {});
    estate.check_steady();
    estate.check_order();
}
