// SPDX-License-Identifier: Apache-2.0
#include "monitor/call_queue.hpp"

#include <chrono>
#include <string>

#include "support/catch.hpp"

namespace {

using namespace qconn;
using namespace qconn::monitor;
using namespace std::chrono_literals;
using Lane = CallQueue::Lane;
using Id = CallQueue::Id;

const Clock::time_point k_now = Clock::now();

CallLimits limits(std::size_t at_once, std::size_t per_second) {
    CallLimits limits;
    limits.restarts_at_once = at_once;
    limits.restarts_per_second = per_second;
    return limits;
}

/// Begins all that may begin: "1 2 3".
std::string begin(CallQueue& queue, Clock::time_point now) {
    std::string text;
    for (auto next = queue.next(now); next.id; next = queue.next(now)) {
        queue.begun(*next.id, next.lane, now);
        text.append(text.empty() ? "" : " ").append(std::to_string(*next.id));
    }
    return text;
}

void add(CallQueue& queue, Id from, Id to, Lane lane) {
    for (Id id = from; id <= to; ++id) queue.add(id, lane);
}

}  // namespace

TEST_CASE("restarts follow each other at the pace that is allowed, the first at once", "[monitor]") {
    CallQueue queue{limits(0, 50)};
    add(queue, 1, 4, Lane::restart);
    CHECK(begin(queue, k_now) == "1");
    CHECK(queue.next(k_now).until == k_now + 20ms);
    CHECK(begin(queue, k_now + 19ms).empty());
    CHECK(begin(queue, k_now + 20ms) == "2");
    CHECK(begin(queue, k_now + 10s) == "3");  // nothing is made good that was not used
    CHECK(begin(queue, k_now + 10s + 20ms) == "4");
    CHECK(queue.empty());
}

TEST_CASE("so many restarts run at once as are allowed, and those that hang are not counted for ever", "[monitor]") {
    CallQueue queue{limits(2, 0)};
    add(queue, 1, 5, Lane::restart);
    CHECK(begin(queue, k_now) == "1 2");
    CHECK(queue.next(k_now).until == k_now + 10s);
    queue.ended(1);
    CHECK(begin(queue, k_now + 1s) == "3");
    CHECK(begin(queue, k_now + 10s) == "4");
    CHECK(queue.running() == 3);
}

TEST_CASE("stops and starts by hand go before restarts and do not wait for them", "[monitor]") {
    CallQueue queue{limits(2, 50)};
    add(queue, 1, 3, Lane::restart);
    CHECK(begin(queue, k_now) == "1");
    CHECK(begin(queue, k_now + 20ms) == "2");
    add(queue, 11, 14, Lane::urgent);
    CHECK(begin(queue, k_now + 20ms) == "11 12 13 14");
    queue.add(3, Lane::urgent);  // it is to be stopped by now
    CHECK(begin(queue, k_now + 20ms) == "3");
    CHECK(queue.empty());
}

TEST_CASE("each is queued once", "[monitor]") {
    CallQueue queue{limits(0, 0)};
    queue.add(1, Lane::urgent);
    queue.add(1, Lane::urgent);
    queue.add(1, Lane::restart);
    queue.add(2, Lane::restart);
    queue.add(2, Lane::restart);
    CHECK(queue.queued() == 2);
    CHECK(begin(queue, k_now) == "1 2");
    queue.add(3, Lane::restart);
    queue.clear();
    CHECK(begin(queue, k_now).empty());
}

TEST_CASE("functions that take long make room for others, up to a limit, of which restarts leave some", "[monitor]") {
    CallLimits few = limits(0, 0);
    few.at_once = 2;
    few.slow = 500ms;
    few.most = 6;
    CallQueue queue{few};
    add(queue, 1, 9, Lane::urgent);
    CHECK(begin(queue, k_now) == "1 2");
    CHECK(queue.next(k_now).until == k_now + 500ms);
    CHECK(begin(queue, k_now + 500ms) == "3 4");
    add(queue, 21, 22, Lane::restart);
    CHECK(begin(queue, k_now + 600ms).empty());  // two places are left for what is urgent
    CHECK(begin(queue, k_now + 1s) == "5 6");
    CHECK(queue.next(k_now + 5s).until == Clock::time_point::max());
    queue.ended(1);
    CHECK(begin(queue, k_now + 5s) == "7");
    for (Id id = 2; id <= 7; ++id) queue.ended(id);
    CHECK(begin(queue, k_now + 6s) == "8 9 21 22");
}
