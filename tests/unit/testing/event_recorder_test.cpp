// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <thread>

#include <qconn/testing/event_recorder.hpp>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::testing;
using namespace std::chrono_literals;

namespace {

Event event(EventKind kind, const std::string& name, std::uint64_t seq = 0) {
    Event one;
    one.kind = kind;
    one.name = name;
    one.seq = seq;
    return one;
}

template <class F>
std::string failure(F&& call) {
    try {
        call();
    } catch (const Unexpected& e) { return e.what(); }
    return {};
}

}  // namespace

TEST_CASE("a recorder tells what came of one name, and all of it in lines", "[testing]") {
    EventRecorder recorder;
    const auto tell = recorder.listener();
    tell(event(EventKind::up, "shop", 1));
    tell(event(EventKind::up, "depot", 2));
    Event down = event(EventKind::down, "shop", 3);
    down.phase = Phase::connect;
    down.reason = Reason::refused;
    down.error = "it said no";
    tell(down);
    Event alert = event(EventKind::alert, "shop", 4);
    alert.alert = "USER-CONNECTION-UNAVAILABLE";
    tell(alert);

    CHECK(recorder.of("shop") == "up down alert");
    CHECK(recorder.of("depot") == "up");
    CHECK(recorder.of("other").empty());
    CHECK(recorder.text() == "1 up shop\n2 up depot\n3 down shop (connect, refused): it said no\n4 alert shop USER-CONNECTION-UNAVAILABLE\n");
    CHECK(recorder.has(EventKind::down, "shop"));
    CHECK_FALSE(recorder.has(EventKind::down, "depot"));
    CHECK(recorder.last(EventKind::down, "shop").error == "it said no");
    recorder.clear();
    CHECK(recorder.events().empty());
}

TEST_CASE("events are expected in order, whatever comes in between", "[testing]") {
    EventRecorder recorder;
    const auto tell = recorder.listener();
    std::thread teller{[&] {
        for (const EventKind kind : {EventKind::up, EventKind::failing, EventKind::down, EventKind::up}) tell(event(kind, "shop"));
    }};
    CHECK(recorder.expect(EventKind::up, "shop").name == "shop");
    recorder.expect(EventKind::down);
    recorder.expect(EventKind::up, "shop");
    recorder.expect_story("shop", "up failing down up");
    teller.join();
}

TEST_CASE("a recorder that waited in vain says what came instead", "[testing]") {
    EventRecorder recorder;
    CHECK(failure([&] { recorder.expect(EventKind::up, "shop", 1ms); }) == "no \"up\" of \"shop\" came; what came instead:\n  nothing\n");
    const auto tell = recorder.listener();
    tell(event(EventKind::up, "shop", 1));
    tell(event(EventKind::failing, "shop", 2));
    recorder.expect(EventKind::up);
    CHECK(failure([&] { recorder.expect(EventKind::up, {}, 1ms); }) == "no \"up\" came; what came instead:\n  2 failing shop\n");
    CHECK(failure([&] { recorder.expect_story("shop", "up down", 1ms); }) ==
          "of \"shop\" this was expected: up down\n  and this came: up failing\nall that came:\n  1 up shop\n  2 failing shop\n");
    CHECK_FALSE(recorder.wait_for("shop", "up", 1ms));
    CHECK_FALSE(recorder.wait_until([](const auto& events) { return events.size() == 3; }, 1ms));
}
