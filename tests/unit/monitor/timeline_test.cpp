// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <qconn/monitor/history.hpp>

#include "monitor/timeline.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::monitor;
using namespace std::chrono_literals;

namespace {

using Instant = std::chrono::system_clock::time_point;

Event make(std::uint64_t seq, EventKind kind, std::string name, ConnectionState from = ConnectionState::up) {
    Event event;
    event.seq = seq;
    event.kind = kind;
    event.name = std::move(name);
    event.from = from;
    event.time = Instant{std::chrono::seconds{seq}};
    return event;
}

std::string names(const std::vector<Event>& events) {
    std::string text;
    for (const Event& one : events) text += (text.empty() ? "" : " ") + std::string{to_string(one.kind)} + ':' + one.name;
    return text;
}

}  // namespace

TEST_CASE("a timeline has what was told, the latest thousand, in the order of their numbers", "[timeline]") {
    Timeline timeline{true};
    for (std::uint64_t seq = 1; seq <= 3000; seq += 2) {
        timeline.add(make(seq + 1, EventKind::down, "shop"));
        timeline.add_waiting(make(seq, EventKind::stop, "orders"));
    }
    const auto events = timeline.list();
    REQUIRE(events.size() == Timeline::k_events);
    for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].seq == 2001 + i);
}

TEST_CASE("a start of many leaves no room taken in a timeline, a recovery does", "[timeline]") {
    Timeline timeline{true};
    timeline.add(make(1, EventKind::down, "bus"));
    for (std::uint64_t i = 0; i < 5000; ++i) timeline.add(make(2 + i, EventKind::up, "c" + std::to_string(i), ConnectionState::unknown));
    timeline.add(make(6000, EventKind::failing, "bus"));
    timeline.add(make(6001, EventKind::up, "bus", ConnectionState::unknown));
    timeline.add(make(6002, EventKind::up, "shop", ConnectionState::down));
    CHECK(names(timeline.list()) == "down:bus up:bus up:shop");
}

TEST_CASE("a timeline takes bounded memory for one event", "[timeline]") {
    Timeline timeline{true};
    Event event = make(1, EventKind::outage, "db:1");
    event.members.assign(20'000, "one");
    event.error = std::string(100'000, 'x');
    timeline.add(event);
    CHECK(timeline.list().front().members.size() == Timeline::k_members);
    CHECK(timeline.list().front().error.size() < Timeline::k_text + 10);
}

TEST_CASE("events of an earlier run come first in a timeline, without numbers", "[timeline]") {
    Timeline timeline{true};
    timeline.restore({make(71, EventKind::down, "bus"), make(72, EventKind::up, "bus", ConnectionState::down)});
    timeline.add(make(2, EventKind::down, "shop"));
    timeline.add_waiting(make(1, EventKind::stop, "orders"));
    const auto events = timeline.list();
    CHECK(names(events) == "down:bus up:bus stop:orders down:shop");
    CHECK(events[0].seq == 0);
    CHECK(events[3].seq == 2);
}

TEST_CASE("a timeline that is switched off stays empty", "[timeline]") {
    Timeline timeline{false};
    timeline.add(make(1, EventKind::down, "shop"));
    timeline.add_waiting(make(2, EventKind::down, "shop"));
    timeline.restore({make(3, EventKind::down, "shop")});
    CHECK(timeline.list().empty());
}

TEST_CASE("events are found by kind, by patterns of names, by the members of an outage, and by time", "[timeline]") {
    std::vector<Event> events{make(1, EventKind::down, "shop-api"), make(2, EventKind::outage, "db:1"), make(3, EventKind::up, "shop-api"),
                              make(4, EventKind::down, "bus"), make(5, EventKind::stop, "orders")};
    events[1].members = {"shop-db", "other"};
    const auto found = [&](const TimelineFilter& filter) { return names(filtered(events, filter)); };
    CHECK(found({}) == names(events));
    CHECK(found({.kinds = {EventKind::down}}) == "down:shop-api down:bus");
    CHECK(found({.names = {"shop*"}}) == "down:shop-api outage:db:1 up:shop-api");
    CHECK(found({.names = {"bus", "orders"}}) == "down:bus stop:orders");
    CHECK(found({.from = Instant{2s}, .until = Instant{4s}}) == "outage:db:1 up:shop-api");
    CHECK(found({.names = {"*"}, .most = 2}) == "down:bus stop:orders");
    CHECK(found({.most = 0}).empty());
}
