// SPDX-License-Identifier: Apache-2.0
#include "monitor/dependents.hpp"

#include <string>

#include "support/catch.hpp"

namespace {

using namespace qconn;
using namespace qconn::monitor;
using Act = Dependent::Act;

/// Does what is due until nothing is; what was done, in order: 'x' a stop, 's' a start, 'f' a start that failed.
std::string settle(Dependent& dependent, bool starts_work = true, bool manage = true) {
    std::string done;
    for (Act act = dependent.due(manage); act != Act::none; act = dependent.due(manage)) {
        dependent.begun(act);
        dependent.ended(act == Act::stop || starts_work);
        done += act == Act::stop ? 'x' : starts_work ? 's' : 'f';
        if (done.size() > 10) break;
    }
    return done;
}

}  // namespace

TEST_CASE("down stops an interface once, and up starts it once when nothing else blocks it", "[monitor]") {
    Dependent service{InterfaceKind::service, true, true};
    service.block();
    CHECK(service.state(true) == InterfaceState::stopping);
    CHECK(settle(service) == "x");
    service.block();
    CHECK(settle(service).empty());
    CHECK(service.state(true) == InterfaceState::blocked);
    service.unblock();
    CHECK(settle(service).empty());
    service.unblock();
    CHECK(settle(service) == "s");
    CHECK(service.state(true) == InterfaceState::running);
}

TEST_CASE("workflows and services restart only with autostart, jobs always", "[monitor]") {
    for (const auto kind : {InterfaceKind::workflow, InterfaceKind::service, InterfaceKind::job}) {
        Dependent one{kind, false, true};
        one.block();
        CHECK(settle(one) == "x");
        one.unblock();
        const std::string expected = kind == InterfaceKind::job ? "s" : "";
        CHECK(settle(one) == expected);
        if (kind != InterfaceKind::job) {
            CHECK(one.state(true) == InterfaceState::stopped);
            one.set_autostart(true);
            CHECK(settle(one) == "s");
        }
    }
}

TEST_CASE("an interface stopped by hand stays stopped", "[monitor]") {
    Dependent job{InterfaceKind::job, true, true};
    job.stop_by_hand();
    CHECK(settle(job) == "x");
    job.block();
    job.unblock();
    CHECK(settle(job).empty());
    CHECK(job.state(true) == InterfaceState::stopped);

    SECTION("until it is started by hand") {
        job.start_by_hand();
        CHECK(settle(job) == "s");
    }
    SECTION("also when that happens while it is blocked") {
        job.start_by_hand();
        settle(job);
        job.block();
        CHECK(settle(job) == "x");
        job.stop_by_hand();
        job.unblock();
        CHECK(settle(job).empty());
    }
}

TEST_CASE("a start by hand waits for the connections and then happens without autostart too", "[monitor]") {
    Dependent service{InterfaceKind::service, false, false};
    CHECK(service.state(true) == InterfaceState::stopped);
    service.block();
    service.start_by_hand();
    CHECK(settle(service).empty());
    CHECK(service.state(true) == InterfaceState::blocked);
    service.unblock();
    CHECK(settle(service) == "s");
    service.block();
    CHECK(settle(service) == "x");
    service.unblock();
    CHECK(settle(service).empty());  // that was once
}

TEST_CASE("a start that fails is not repeated until a connection has come up or somebody asks", "[monitor]") {
    Dependent service{InterfaceKind::service, true, true};
    service.block();
    settle(service);
    service.unblock();
    CHECK(settle(service, false) == "f");
    CHECK(settle(service).empty());
    CHECK(service.state(true) == InterfaceState::stopped);

    SECTION("a connection went down and came up") {
        service.block();
        CHECK(settle(service).empty());
        service.unblock();
        service.connection_came_up();
        CHECK(settle(service) == "s");
    }
    SECTION("by hand") {
        service.start_by_hand();
        CHECK(settle(service) == "s");
    }
}

TEST_CASE("a start that fails is tried again where a connection has come up anew meanwhile", "[monitor]") {
    Dependent service{InterfaceKind::service, true, true};
    service.block();
    settle(service);
    service.unblock();
    service.begun(service.due(true));
    service.block();
    service.unblock();
    service.connection_came_up();
    service.ended(false);
    CHECK(settle(service, false) == "f");  // once more, and that is all
    CHECK(settle(service).empty());
}

TEST_CASE("what an operator has said of many keeps an interface from running, connections managed or not", "[monitor]") {
    const bool manage = GENERATE(true, false);
    Dependent service{InterfaceKind::service, true, true};
    service.hold();
    CHECK(service.state(manage) == InterfaceState::stopping);
    CHECK(settle(service, true, manage) == "x");
    CHECK(service.state(manage) == InterfaceState::disabled);
    service.hold();
    service.unhold();
    CHECK(settle(service, true, manage).empty());

    SECTION("until that is over") {
        service.unhold();
        CHECK(settle(service, true, manage) == "s");
    }
    SECTION("a failed start is worth another try then") {
        service.unhold();
        CHECK(settle(service, false, manage) == "f");
        service.hold();
        service.unhold();
        CHECK(settle(service, true, manage) == "s");
    }
    SECTION("and it stays stopped where that was by hand, or it has no autostart") {
        service.stop_by_hand();
        service.unhold();
        CHECK(settle(service, true, manage).empty());
        Dependent other{InterfaceKind::service, false, true};
        other.hold();
        settle(other, true, manage);
        other.unhold();
        CHECK(settle(other, true, manage).empty());
    }
}

TEST_CASE("what changes while a function runs is looked at when it has ended", "[monitor]") {
    Dependent service{InterfaceKind::service, true, true};
    service.block();
    service.begun(service.due(true));
    service.unblock();
    CHECK(service.due(true) == Act::none);
    service.ended(true);
    CHECK(service.due(true) == Act::start);

    service.begun(Act::start);
    service.block();
    CHECK(service.due(true) == Act::none);
    CHECK(service.state(true) == InterfaceState::starting);
    service.ended(true);
    CHECK(settle(service) == "x");
}

TEST_CASE("a block that goes before the stop has begun stops nothing", "[monitor]") {
    Dependent service{InterfaceKind::service, true, true};
    service.block();
    service.unblock();
    CHECK(settle(service).empty());
    CHECK(service.running());
}

TEST_CASE("an interface that ended by itself is not started by its connections", "[monitor]") {
    Dependent job{InterfaceKind::job, true, true};
    job.told(false);
    job.block();
    job.unblock();
    job.connection_came_up();
    CHECK(settle(job).empty());
    job.told(true);
    CHECK(job.state(true) == InterfaceState::running);
    job.block();
    CHECK(settle(job) == "x");
}

TEST_CASE("a start function may say that nothing runs", "[monitor]") {
    Dependent job{InterfaceKind::job, true, false};
    job.start_by_hand();
    job.begun(job.due(true));
    job.told(false);
    job.ended(true);
    CHECK(job.state(true) == InterfaceState::stopped);
    CHECK(settle(job).empty());
}

TEST_CASE("with the mechanism off connections stop and start nothing, switched on it catches up", "[monitor]") {
    Dependent service{InterfaceKind::service, true, true};
    service.block();
    CHECK(settle(service, true, false).empty());
    CHECK(service.state(false) == InterfaceState::running);
    CHECK(settle(service, true, true) == "x");
    service.unblock();
    CHECK(settle(service, true, false).empty());
    CHECK(settle(service, true, true) == "s");
    service.stop_by_hand();
    CHECK(settle(service, true, false) == "x");
    service.start_by_hand();
    CHECK(settle(service, true, false) == "s");
}

namespace {

/// All sequences of what can happen to one interface, checked step by step for what must never be.
struct Walk {
    std::size_t wrong{0};
    std::string first_wrong;

    struct World {
        Dependent dependent;
        int blocks{0};
        bool by_hand_stopped{false};
    };

    void go(World world, int depth, std::string path) {
        if (depth == 0) return;
        for (const char input : std::string{"bursSoepa"}) {
            World next = world;
            const Act due = next.dependent.due(true);
            switch (input) {
                case 'b': next.dependent.block(), ++next.blocks; break;
                case 'u':
                    if (next.blocks == 0) continue;
                    next.dependent.unblock(), --next.blocks;
                    break;
                case 'r':  // begin what is due
                    if (due == Act::none) continue;
                    next.dependent.begun(due);
                    break;
                case 'o':  // ended
                case 'e':  // ended by throwing
                    if (next.dependent.doing() == Act::none) continue;
                    next.dependent.ended(input == 'o');
                    break;
                case 's': next.dependent.stop_by_hand(), next.by_hand_stopped = true; break;
                case 'S': next.dependent.start_by_hand(), next.by_hand_stopped = false; break;
                case 'p': next.dependent.connection_came_up(); break;
                default: next.dependent.set_autostart(false); break;
            }
            const Act then = next.dependent.due(true);
            const bool running = next.dependent.running();
            const bool right = !(then == Act::start && (running || next.blocks > 0 || next.by_hand_stopped)) && !(then == Act::stop && !running) &&
                               !(next.dependent.doing() != Act::none && then != Act::none) &&
                               // What runs although it must not is on its way to being stopped.
                               !(running && next.dependent.doing() == Act::none && (next.blocks > 0 || next.by_hand_stopped) && then != Act::stop) &&
                               next.dependent.blocks() == next.blocks;
            if (!right && wrong++ == 0) first_wrong = path + input;
            go(next, depth - 1, path + input);
        }
    }
};

}  // namespace

TEST_CASE("no sequence of events starts what is blocked or stopped by hand, or does two things at once", "[monitor]") {
    Walk walk;
    for (const bool running : {false, true}) walk.go({Dependent{InterfaceKind::service, true, running}, 0, false}, 6, "");
    INFO(walk.first_wrong);
    CHECK(walk.wrong == 0);
}
