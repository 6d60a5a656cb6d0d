// SPDX-License-Identifier: Apache-2.0
#include "monitor/alerts.hpp"

#include "monitor/cell.hpp"
#include "support/catch.hpp"

namespace {

using namespace qconn;
using namespace qconn::monitor;

const std::chrono::system_clock::time_point k_when{std::chrono::seconds{1'700'000'000}};

}  // namespace

TEST_CASE("an alert is raised once and cleared once", "[monitor]") {
    AlertBoard board;
    const auto first = board.raise(k_alert_unavailable, "shop", "refused", k_when);
    REQUIRE(first);
    CHECK_FALSE(board.raise(k_alert_unavailable, "shop", "timeout", k_when));
    CHECK(board.raise(k_alert_filesystem, "shop", "91 %", k_when)->id == first->id + 1);
    CHECK(board.flush());
    REQUIRE(board.list().size() == 2);
    CHECK(board.list()[0].text == "refused");
    CHECK(board.list()[0].since == k_when);

    CHECK(board.clear(k_alert_unavailable, "shop")->id == first->id);
    CHECK_FALSE(board.clear(k_alert_unavailable, "shop"));
    CHECK(board.flush());
    REQUIRE(board.list().size() == 1);
    CHECK(board.list()[0].type == k_alert_filesystem);
    CHECK(board.raise(k_alert_unavailable, "shop", "again", k_when)->id > first->id + 1);
}

TEST_CASE("an alert that somebody sees to stands and is cleared as ever, and the next one is nobody's yet", "[monitor]") {
    AlertBoard board;
    const auto raised = board.raise(k_alert_unavailable, "shop", "refused", k_when);
    board.flush();
    CHECK_FALSE(board.acknowledge(raised->id + 1, {"ann", "", k_when}));
    CHECK(board.acknowledge(raised->id, {"ann", "on it", k_when}) == "shop");
    CHECK(board.acknowledge(raised->id, {"bob", "mine", k_when}));
    REQUIRE(board.list().size() == 1);
    CHECK(board.list()[0].acknowledged_by == "bob");
    CHECK(board.list()[0].note == "mine");
    CHECK(board.list()[0].acknowledged == k_when);
    CHECK(board.list()[0].text == "refused");

    board.rename(k_alert_unavailable, "shop", "depot");
    board.flush();
    CHECK(board.list().at(0).name == "depot");
    CHECK(board.list().at(0).acknowledged_by == "bob");

    CHECK(board.clear(k_alert_unavailable, "depot"));
    board.flush();
    CHECK_FALSE(board.acknowledge(raised->id, {"ann", "", k_when}));
    board.raise(k_alert_unavailable, "shop", "refused", k_when);
    board.flush();
    CHECK(board.list().at(0).acknowledged_by.empty());
}

TEST_CASE("of transient alerts the latest are kept, apart from those that stand", "[monitor]") {
    AlertBoard board;
    for (int i = 0; i < 150; ++i) board.note("SLOW", "shop", std::to_string(i), k_when);
    CHECK(board.list().empty());
    const auto recent = board.recent();
    REQUIRE(recent.size() == 100);
    CHECK(recent.front().text == "50");
    CHECK(recent.back().text == "149");
    CHECK(recent.back().transient);
    CHECK(recent.back().id == 0);
}

TEST_CASE("a cell shows what was published last", "[monitor]") {
    Cell cell{"shop"};
    CHECK(cell.read().name == "shop");
    CHECK(cell.read().state == ConnectionState::unknown);

    Standing standing;
    standing.state = ConnectionState::down;
    standing.failures = 3;
    standing.pings = 9;
    standing.set_error(make_error(Errc::timeout, "nothing came").with_phase(Phase::tls));
    CHECK(cell.try_publish(standing));

    const auto status = cell.read();
    CHECK(status.state == ConnectionState::down);
    CHECK(status.failures == 3);
    CHECK(status.pings == 9);
    CHECK(status.phase == Phase::tls);
    CHECK(status.reason == Reason::timeout);
    CHECK(status.error.find("nothing came") != std::string::npos);
}
