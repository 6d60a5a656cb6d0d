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

TEST_CASE("a cell shows what was published last", "[monitor]") {
    Cell cell{"shop"};
    CHECK(cell.read().name == "shop");
    CHECK(cell.read().state == ConnectionState::unknown);

    Standing standing;
    standing.state = ConnectionState::down;
    standing.failures = 3;
    standing.pings = 9;
    standing.error = make_error(Errc::timeout, "nothing came").with_phase(Phase::tls);
    CHECK(cell.try_publish(standing));

    const auto status = cell.read();
    CHECK(status.state == ConnectionState::down);
    CHECK(status.failures == 3);
    CHECK(status.pings == 9);
    CHECK(status.phase == Phase::tls);
    CHECK(status.reason == Reason::timeout);
    CHECK(status.error.find("nothing came") != std::string::npos);
}
