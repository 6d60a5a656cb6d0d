// SPDX-License-Identifier: Apache-2.0
#include "monitor/dependency_graph.hpp"

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace qconn;
using namespace qconn::monitor;
using Act = Dependent::Act;
using Id = DependencyGraph::Id;
using Ids = std::vector<Id>;
using Names = std::vector<std::string>;

DependencyGraph::Node node(std::string name, std::set<std::string, std::less<>> provides = {}, std::set<std::string, std::less<>> groups = {}) {
    return {std::move(name), Dependent{InterfaceKind::service, true, true}, std::move(provides), std::move(groups)};
}

/// One after the other, whatever is due of what has changed; "x1 s2" is a stop of 1 and a start of 2.
std::string settle(DependencyGraph& graph) {
    std::string done;
    for (auto changed = graph.take_changed(); !changed.empty(); changed = graph.take_changed()) {
        for (const Id id : changed) {
            const Act act = graph.due(id);
            if (act == Act::none) continue;
            done.append(done.empty() ? "" : " ").append(act == Act::stop ? "x" : "s").append(std::to_string(id));
            graph.begun(id, act);
            graph.ended(id, true);
        }
    }
    return done;
}

}  // namespace

TEST_CASE("the graph knows who depends on what and what each waits for", "[monitor]") {
    DependencyGraph graph;
    graph.add(1, node("one"));
    graph.add(2, node("two"));
    graph.depend(1, "b", Dependency::required);
    graph.depend(1, "a", Dependency::required);
    graph.depend(2, "a", Dependency::required);
    CHECK(settle(graph).empty());

    graph.block("a");
    CHECK(graph.take_changed() == Ids{1, 2});
    graph.block("a");
    CHECK(graph.take_changed().empty());
    CHECK(graph.waits_for(1) == Names{"a"});
    CHECK(graph.connections(1, Dependency::required) == Names{"a", "b"});
    CHECK(graph.at(1).blocks() == 1);

    SECTION("a dependency on what is down already blocks at once") {
        graph.add(3, node("three"));
        graph.depend(3, "a", Dependency::required);
        CHECK(graph.due(3) == Act::stop);
    }
    SECTION("one that is given up blocks no more") {
        graph.depend(1, "a", Dependency::none);
        CHECK(graph.at(1).blocks() == 0);
        graph.take_changed();
        graph.unblock("a");
        CHECK(graph.take_changed() == Ids{2});
    }
    SECTION("nor does one that has become optional") {
        graph.depend(1, "a", Dependency::optional);
        CHECK(graph.at(1).blocks() == 0);
        CHECK(graph.connections(1, Dependency::optional) == Names{"a"});
        CHECK(graph.dependents_of("a", Dependency::optional) == Ids{1});
        graph.depend(1, "a", Dependency::required);
        CHECK(graph.at(1).blocks() == 1);
    }
    SECTION("an interface that goes takes its dependencies along") {
        graph.remove(1);
        graph.take_changed();
        graph.unblock("a");
        CHECK(graph.take_changed() == Ids{2});
        graph.block("b");
        CHECK(graph.take_changed().empty());
        CHECK_FALSE(graph.knows("b"));
    }
    SECTION("what does not block has nobody to tell when it is released, but when it has come up anew") {
        graph.unblock("b");
        CHECK(graph.take_changed().empty());
        graph.came_up("b");
        CHECK(graph.take_changed() == Ids{1});
        CHECK(graph.at(1).blocks() == 1);
    }
}

TEST_CASE("what offers connections is stopped after and started before what requires them", "[monitor]") {
    DependencyGraph graph;
    graph.add(1, node("gateway", {"bus"}));
    graph.add(2, node("relay", {"feed"}));
    graph.add(3, node("orders"));
    graph.add(4, node("other"));
    graph.depend(1, "vpn", Dependency::required);
    graph.depend(2, "bus", Dependency::required);
    graph.depend(3, "feed", Dependency::required);
    graph.depend(4, "elsewhere", Dependency::required);
    CHECK(settle(graph).empty());

    SECTION("an outage below all") {
        graph.block("vpn");
        CHECK(graph.stops_after(1) == Ids{2});
        CHECK(graph.waits_for(3) == Names{"feed"});
        CHECK(settle(graph) == "x3 x2 x1");
        graph.unblock("vpn");
        CHECK(settle(graph) == "s1 s2 s3");
    }
    SECTION("a stop by hand in the middle") {
        graph.stop_by_hand(2);
        CHECK(settle(graph) == "x3 x2");
        CHECK(graph.state(3) == InterfaceState::blocked);
        CHECK(graph.is_withheld("feed"));
        graph.block("feed");
        graph.start_by_hand(2);
        CHECK(settle(graph) == "s2");
        graph.unblock("feed");
        CHECK(settle(graph) == "s3");
    }
    SECTION("a stop that takes its time holds up what it depends on, and what is over by then stops nothing") {
        graph.block("vpn");
        graph.begun(3, graph.due(3));
        CHECK(settle(graph).empty());
        graph.unblock("vpn");
        graph.ended(3, true);
        CHECK(settle(graph) == "s3");
    }
    SECTION("one that is still being stopped holds up nobody on whom it does not depend any more") {
        graph.block("vpn");
        graph.begun(3, graph.due(3));
        graph.take_changed();
        graph.depend(3, "feed", Dependency::none);
        CHECK(settle(graph) == "x2 x1");
    }
    SECTION("one that has ended by itself stops its dependents, and they start when it runs again") {
        graph.told(1, false);
        CHECK(settle(graph) == "x3 x2");
        graph.told(1, true);
        CHECK(settle(graph) == "s2 s3");
    }
    SECTION("a start that failed keeps its dependents waiting, and theirs are tried again when it runs") {
        graph.block("vpn");
        settle(graph);
        graph.unblock("vpn");
        graph.begun(1, graph.due(1));
        graph.ended(1, false);
        CHECK(settle(graph).empty());
        graph.start_by_hand(1);
        graph.begun(1, graph.due(1));
        graph.ended(1, true);
        graph.begun(2, graph.due(2));
        graph.ended(2, false);
        CHECK(settle(graph).empty());
        graph.stop_by_hand(1);
        CHECK(settle(graph) == "x1");
        graph.start_by_hand(1);
        CHECK(settle(graph) == "s1 s2 s3");
    }
    SECTION("one that goes withholds nothing") {
        graph.stop_by_hand(1);
        settle(graph);
        graph.remove(1);
        CHECK(settle(graph) == "s2 s3");
    }
    SECTION("one that comes while it does not run withholds what it offers") {
        graph.add(5, {"late", Dependent{InterfaceKind::service, true, false}, {"elsewhere"}, {}});
        CHECK(settle(graph) == "x4");
        graph.start_by_hand(5);
        CHECK(settle(graph) == "s5 s4");
    }
    SECTION("with connections not managed it stops alone") {
        graph.set_manage(false);
        graph.stop_by_hand(1);
        CHECK(settle(graph) == "x1");
        graph.set_manage(true);
        CHECK(settle(graph) == "x3 x2");
    }
    SECTION("all are stopped in order, managed or not") {
        graph.set_manage(GENERATE(true, false));
        settle(graph);
        graph.set_all_stopped(true);
        CHECK(settle(graph) == "x3 x4 x2 x1");
        graph.block("vpn");
        graph.unblock("vpn");
        graph.start_by_hand(3);
        CHECK(settle(graph).empty());
        graph.set_all_stopped(false);
        const std::string started = settle(graph);
        if (graph.manage()) CHECK(started == "s1 s2 s3 s4");
        CHECK(started.size() == 11);
    }
}

TEST_CASE("a circle is seen before it is made, and named", "[monitor]") {
    DependencyGraph graph;
    graph.add(1, node("gateway", {"bus"}));
    graph.add(2, node("relay", {"feed"}));
    CHECK(graph.circle(1, "bus") == Names{"service \"gateway\"", "\"bus\"", "service \"gateway\""});
    graph.depend(2, "bus", Dependency::required);
    CHECK(graph.circle(1, "feed") == Names{"service \"gateway\"", "\"feed\"", "service \"relay\"", "\"bus\"", "service \"gateway\""});
    CHECK(graph.circle(1, "elsewhere").empty());
    graph.depend(2, "bus", Dependency::optional);
    CHECK(graph.circle(1, "feed").empty());
}

TEST_CASE("a disabled group stops its interfaces, and what depends on them", "[monitor]") {
    DependencyGraph graph;
    graph.add(1, node("gateway", {"bus"}, {"night", "eu"}));
    graph.add(2, node("orders"));
    graph.depend(2, "bus", Dependency::required);
    settle(graph);
    graph.set_group("night", false);
    graph.set_group("night", false);
    CHECK(settle(graph) == "x2 x1");
    CHECK(graph.state(1) == InterfaceState::disabled);
    graph.set_group("eu", false);
    graph.set_group("night", true);
    CHECK(settle(graph).empty());
    graph.add(3, node("late", {}, {"eu"}));
    CHECK(settle(graph) == "x3");
    graph.set_group("eu", true);
    CHECK(settle(graph) == "s1 s3 s2");
}

// ---- random sequences --------------------------------------------------------------------------------------------------------------------

namespace {

/// The rules once more, without counters and marks: everything is worked out from the beginning each time.
struct Oracle {
    struct One {
        InterfaceKind kind{InterfaceKind::service};
        bool autostart{true};
        bool running{true};
        Dependent::Wish wish{Dependent::Wish::run};
        bool asked{false};
        bool resumes{false};
        bool failed{false};
        bool again{false};
        Act doing{Act::none};
        int said{-1};
        std::map<std::string, Dependency> uses;
        std::set<std::string, std::less<>> provides;
        std::set<std::string, std::less<>> groups;
    };
    std::map<Id, One> all;
    std::set<std::string> blocked;
    std::set<std::string> disabled;
    bool manage{true};
    bool all_stopped{false};

    const One* provider(const std::string& connection) const {
        for (const auto& [id, one] : all)
            if (one.provides.contains(connection)) return &one;
        return nullptr;
    }
    bool is_there(const std::string& connection) const {
        const One* by = provider(connection);
        return !blocked.contains(connection) && (by == nullptr || offers(*by));
    }
    bool held(const One& one) const {
        for (const auto& group : one.groups)
            if (disabled.contains(group)) return true;
        return all_stopped;
    }
    bool served(const One& one) const {
        for (const auto& [name, how] : one.uses)
            if (how == Dependency::required && !is_there(name)) return false;
        return true;
    }
    bool free(const One& one) const { return one.wish == Dependent::Wish::run && !held(one) && (!manage || served(one)); }
    bool offers(const One& one) const { return one.running && one.doing == Act::none && free(one); }
    bool requires_of(const One& user, const One& by) const {
        for (const auto& [name, how] : user.uses)
            if (how == Dependency::required && by.provides.contains(name)) return true;
        return false;
    }
    bool busy(const One& one) const { return !free(one) && (one.running || one.doing != Act::none); }
    Act due(const One& one) const {
        if (one.doing != Act::none) return Act::none;
        if (one.running) {
            if (free(one)) return Act::none;
            for (const auto& [id, user] : all)
                if (requires_of(user, one) && busy(user)) return Act::none;
            return Act::stop;
        }
        if (!free(one) || one.failed) return Act::none;
        if (!one.asked && !one.autostart && one.kind != InterfaceKind::job) return Act::none;
        return manage || one.asked || one.resumes ? Act::start : Act::none;
    }
    /// Whether requiring that connection would lead back to it.
    bool circle(Id id, const std::string& connection) const {
        const One* by = provider(connection);
        if (by == nullptr) return false;
        if (by == &all.at(id)) return true;
        for (const auto& [name, how] : by->uses)
            if (how == Dependency::required && circle(id, name)) return true;
        return false;
    }
    std::set<Id> out_of_service() const {
        std::set<Id> ids;
        for (const auto& [id, one] : all)
            if (!served(one)) ids.insert(id);
        return ids;
    }
    /// What could not be had before and can now is worth another try of what failed for it.
    template <class Change>
    void with_arrivals(Change change) {
        std::set<std::string> gone;
        for (const auto& [id, one] : all)
            if (!offers(one)) gone.insert(one.provides.begin(), one.provides.end());
        change();
        for (const auto& name : gone)
            if (const One* by = provider(name); by != nullptr && offers(*by)) arrived(name);
    }
    void arrived(const std::string& connection) {
        for (auto& [id, one] : all) {
            const auto use = one.uses.find(connection);
            if (use == one.uses.end() || use->second != Dependency::required) continue;
            one.failed = false;
            one.again = one.doing == Act::start;
        }
    }
};

class Duel {
public:
    explicit Duel(unsigned seed) : random_{seed} {}

    /// @returns what went wrong, with the way there; empty: nothing
    std::string run(int steps) {
        for (int i = 0; i < steps && wrong_.empty(); ++i) {
            step();
            if (wrong_.empty()) compare();
        }
        if (wrong_.empty()) finish();
        return wrong_.empty() ? wrong_ : way_ + "=> " + wrong_;
    }

private:
    unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
    bool coin() { return pick(2) == 0; }
    std::string connection() { return std::string(1, static_cast<char>('a' + pick(7))); }
    std::string group() { return std::string(1, static_cast<char>('G' + pick(2))); }
    void note(const std::string& what) { way_ += what + " "; }

    void add() {
        const Id id = ++last_;
        Oracle::One one;
        one.kind = static_cast<InterfaceKind>(pick(3));
        one.autostart = pick(4) != 0;
        one.running = pick(4) != 0;
        one.wish = one.running ? Dependent::Wish::run : Dependent::Wish::not_started;
        if (const auto name = connection(); coin() && oracle_.provider(name) == nullptr) one.provides.insert(name);
        if (const auto name = connection(); pick(4) == 0 && oracle_.provider(name) == nullptr) one.provides.insert(name);
        if (pick(3) == 0) one.groups.insert(group());
        note("add" + std::to_string(id));
        graph_.add(id, {std::to_string(id), Dependent{one.kind, one.autostart, one.running}, one.provides, one.groups});
        oracle_.all.emplace(id, one);
    }

    void step() {
        if (oracle_.all.size() < 2 || (oracle_.all.size() < 8 && pick(10) == 0)) return add();
        auto at = oracle_.all.begin();
        std::advance(at, pick(static_cast<unsigned>(oracle_.all.size())));
        const Id id = at->first;
        Oracle::One& one = at->second;
        const std::string number = std::to_string(id);
        oracle_.with_arrivals([&] { one_of(id, one, number); });
    }

    void one_of(Id id, Oracle::One& one, const std::string& number) {
        switch (pick(16)) {
            case 0: {
                const auto name = connection();
                const auto how = static_cast<Dependency>(pick(3));
                if (how == Dependency::required) {
                    const bool circle = oracle_.circle(id, name);
                    if (circle != !graph_.circle(id, name).empty()) wrong_ = "circle " + number + " " + name;
                    if (circle) return;
                }
                note("depend" + number + name + std::string{to_string(how)});
                graph_.depend(id, name, how);
                if (how == Dependency::none)
                    one.uses.erase(name);
                else
                    one.uses[name] = how;
                return;
            }
            case 1:
            case 2: {
                const auto name = connection();
                note("block-" + name);
                graph_.block(name);
                oracle_.blocked.insert(name);
                return;
            }
            case 3:
            case 4: {
                const auto name = connection();
                if (coin()) {
                    note("up-" + name);
                    graph_.came_up(name);
                    return oracle_.arrived(name);
                }
                note("release-" + name);
                graph_.unblock(name);
                oracle_.blocked.erase(name);
                return;
            }
            case 5:
                note("stop" + number);
                graph_.stop_by_hand(id);
                one.wish = Dependent::Wish::by_hand;
                one.asked = one.resumes = one.failed = false;
                return;
            case 6:
                note("start" + number);
                one.asked = !one.running || one.doing == Act::stop || !oracle_.served(one) || oracle_.held(one);
                one.wish = Dependent::Wish::run;
                one.failed = false;
                graph_.start_by_hand(id);
                return;
            case 7: {
                const bool running = coin();
                note((running ? "began" : "ended") + number);
                graph_.told(id, running);
                if (one.doing == Act::start) one.said = running ? 1 : 0;
                if (one.doing != Act::none || one.running == running) return;
                one.running = running;
                one.wish = running ? Dependent::Wish::run : Dependent::Wish::ended;
                one.asked = one.resumes = one.failed = false;
                return;
            }
            case 8:
                one.autostart = coin();
                graph_.set_autostart(id, one.autostart);
                return;
            case 9:
                if (pick(5) != 0) return;
                oracle_.manage = !oracle_.manage;
                note(oracle_.manage ? "managed" : "unmanaged");
                graph_.set_manage(oracle_.manage);
                return;
            case 10: {
                const auto name = group();
                const bool enabled = coin();
                note((enabled ? "enable-" : "disable-") + name);
                release([&] { enabled ? (void)oracle_.disabled.erase(name) : (void)oracle_.disabled.insert(name); });
                graph_.set_group(name, enabled);
                return;
            }
            case 11: {
                if (pick(5) != 0) return;
                const bool yes = coin();
                note(yes ? "stop-all" : "start-all");
                release([&] { oracle_.all_stopped = yes; });
                graph_.set_all_stopped(yes);
                return;
            }
            case 12:
                if (pick(8) != 0) return;
                note("remove" + number);
                graph_.remove(id);
                oracle_.all.erase(id);
                return;
            default: act(id, one, number);
        }
    }

    /// A start that failed is tried again when nothing holds it any more.
    template <class Change>
    void release(Change change) {
        std::set<Id> held;
        for (const auto& [id, one] : oracle_.all)
            if (oracle_.held(one)) held.insert(id);
        change();
        for (auto& [id, one] : oracle_.all)
            if (held.contains(id) && !oracle_.held(one)) one.failed = false;
    }

    void act(Id id, Oracle::One& one, const std::string& number) {
        if (one.doing == Act::none) {
            const Act due = graph_.due(id);
            if (due == Act::none) return;
            note((due == Act::stop ? "x" : "s") + number);
            check_order(one, due);
            graph_.begun(id, due);
            one.doing = due;
            one.again = false;
            if (due == Act::stop && oracle_.held(one)) one.resumes = true;
            return;
        }
        const bool ok = pick(4) != 0;
        note((ok ? "done" : "failed") + number);
        graph_.ended(id, ok);
        end(one, ok);
    }

    static void end(Oracle::One& one, bool ok) {
        const Act done = one.doing;
        one.doing = Act::none;
        if (done == Act::stop) one.running = false;
        if (done == Act::start) {
            one.failed = !ok && !one.again;
            if (ok) {
                one.running = true;
                one.asked = one.resumes = false;
                if (one.said == 0) {
                    one.running = false;
                    if (one.wish == Dependent::Wish::run) one.wish = Dependent::Wish::ended;
                }
            }
        }
        one.said = -1;
    }

    /// The promise itself, without the rules by which it comes about.
    void check_order(const Oracle::One& one, Act act) {
        if (act == Act::start) {
            if (one.wish != Dependent::Wish::run) wrong_ = "started although it is not to run";
            if (oracle_.manage && !oracle_.served(one)) wrong_ = "started although a connection is missing";
        } else if (oracle_.manage) {
            for (const auto& [id, user] : oracle_.all)
                if (oracle_.requires_of(user, one) && (user.running || user.doing != Act::none)) wrong_ = "stopped before " + std::to_string(id);
        }
    }

    void compare() {
        const auto told = graph_.take_changed();
        changed_.insert(told.begin(), told.end());
        for (const auto& [id, one] : oracle_.all) {
            if (graph_.due(id) != oracle_.due(one)) wrong_ = "due of " + std::to_string(id);
            if (graph_.at(id).running() != one.running) wrong_ = "running of " + std::to_string(id);
            std::vector<std::string> missing;
            for (const auto& [name, how] : one.uses)
                if (how == Dependency::required && !oracle_.is_there(name)) missing.push_back(name);
            if (graph_.waits_for(id) != missing) wrong_ = "what " + std::to_string(id) + " waits for";
            // Who only looks at what was told of must miss nothing.
            if (graph_.due(id) != Act::none && !changed_.contains(id)) wrong_ = "nobody was told of " + std::to_string(id);
            if (graph_.due(id) == Act::none) changed_.erase(id);
        }
    }

    /// When all is well again and functions succeed, all runs that should, and nothing is stuck.
    void finish() {
        note("| finish:");
        oracle_.with_arrivals([&] {
            release([&] { oracle_.all_stopped = false, oracle_.disabled.clear(); });
            oracle_.manage = true;
            oracle_.blocked.clear();
        });
        graph_.set_all_stopped(false);
        for (const char* name : {"G", "H"}) graph_.set_group(name, true);
        graph_.set_manage(true);
        for (char name = 'a'; name < 'a' + 7; ++name) graph_.unblock(std::string(1, name));
        std::map<Id, std::string> done;
        for (bool more = true; more && wrong_.empty();) {
            more = false;
            for (auto& [id, one] : oracle_.all) {
                const Act act = one.doing == Act::none ? graph_.due(id) : one.doing;
                if (act == Act::none) continue;
                more = true;
                if (one.doing == Act::none) {
                    check_order(one, act);
                    graph_.begun(id, act);
                    one.doing = act;
                    if ((done[id] += act == Act::stop ? 'x' : 's').size() > 3) wrong_ = "no end with " + std::to_string(id) + " " + done[id];
                }
                graph_.ended(id, true);
                oracle_.with_arrivals([&one = one] { end(one, true); });
            }
        }
        for (const auto& [id, one] : oracle_.all) {
            if (!oracle_.free(one) && one.running) wrong_ = "still running: " + std::to_string(id);
            if (oracle_.free(one) && graph_.at(id).may_start() && !graph_.at(id).start_failed() && !one.running)
                wrong_ = "not running: " + std::to_string(id);
        }
    }

    std::mt19937 random_;
    DependencyGraph graph_;
    Oracle oracle_;
    std::set<Id> changed_;
    std::string way_;
    std::string wrong_;
    Id last_{0};
};

}  // namespace

TEST_CASE("random sequences do what the plain rules say, in order, and leave nothing stuck", "[monitor]") {
    std::string wrong;
    for (unsigned seed = 1; seed <= 400 && wrong.empty(); ++seed) {
        wrong = Duel{seed}.run(250);
        if (!wrong.empty()) wrong = "seed " + std::to_string(seed) + ": " + wrong;
    }
    CHECK(wrong == "");
}

TEST_CASE("however an outage comes and goes, each dependent is stopped once and started once", "[monitor]") {
    std::string wrong;
    for (unsigned seed = 1; seed <= 200 && wrong.empty(); ++seed) {
        std::mt19937 random{seed};
        const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
        DependencyGraph graph;
        // Three storeys: each interface offers a connection, and requires some of the storey below and of the world.
        for (Id id = 0; id < 30; ++id) {
            graph.add(id, node(std::to_string(id), {"of-" + std::to_string(id)}));
            graph.depend(id, "w" + std::to_string(pick(10)), Dependency::required);
            if (id >= 10) graph.depend(id, "of-" + std::to_string(id / 10 * 10 - 1 - pick(10)), Dependency::required);
        }
        std::map<Id, std::string> done;
        std::map<Id, Act> doing;
        const auto work = [&](unsigned times) {
            for (unsigned i = 0; i < times; ++i) {
                const Id id = pick(30);
                if (doing.contains(id)) {
                    graph.ended(id, true);
                    doing.erase(id);
                } else if (const Act due = graph.due(id); due != Act::none) {
                    graph.begun(id, due);
                    doing[id] = due;
                    done[id] += due == Act::stop ? 'x' : 's';
                }
            }
        };
        for (unsigned i = 0; i < 10; ++i)
            if (i == 0 || pick(3) == 0) graph.block("w" + std::to_string(i)), work(pick(40));
        work(2000);
        for (unsigned i = 0; i < 10; ++i) graph.unblock("w" + std::to_string(9 - i)), work(pick(40));
        work(2000);
        for (Id id = 0; id < 30; ++id) {
            if (graph.state(id) != InterfaceState::running) wrong = std::to_string(seed) + ": " + std::to_string(id) + " does not run";
            if (!done[id].empty() && done[id] != "xs") wrong = std::to_string(seed) + ": " + std::to_string(id) + " " + done[id];
        }
    }
    CHECK(wrong == "");
}
