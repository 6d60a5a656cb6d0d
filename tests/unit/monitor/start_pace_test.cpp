// SPDX-License-Identifier: Apache-2.0
#include "monitor/start_pace.hpp"

#include <chrono>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::monitor;
using namespace std::chrono_literals;

TEST_CASE("restarts follow each other at the pace that is allowed, the first at once", "[monitor]") {
    const Clock::time_point now = Clock::now();
    StartPace pace{50};
    CHECK(pace.next() <= now);
    pace.begun(now);
    CHECK(pace.next() == now + 20ms);
    pace.begun(now + 20ms);
    CHECK(pace.next() == now + 40ms);

    SECTION("no time is made good that nobody used") {
        pace.begun(now + 10s);
        CHECK(pace.next() == now + 10s + 20ms);
    }
    SECTION("without a limit there is no waiting") {
        StartPace free{0};
        free.begun(now);
        CHECK(free.next() <= now);
    }
}
