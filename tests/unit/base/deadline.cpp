// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/deadline.hpp>

#include "support/catch.hpp"

using namespace qconn;
using namespace std::chrono_literals;

TEST_CASE("the default deadline is never", "[base][deadline]") {
    CHECK(Deadline{}.is_never());
    CHECK_FALSE(Deadline{}.has_passed());
    CHECK(Deadline{}.remaining() == Clock::duration::max());
    CHECK(Deadline{std::chrono::hours::max()}.is_never());
}

TEST_CASE("a deadline in the past has passed", "[base][deadline]") {
    const Deadline past{Clock::now() - 1s};
    CHECK(past.has_passed());
    CHECK(past.remaining() == Clock::duration::zero());
    CHECK(Deadline{-5s}.has_passed());
}

TEST_CASE("the earlier of two deadlines", "[base][deadline]") {
    const Deadline soon{Clock::time_point{} + 1s};
    CHECK(earlier(soon, Deadline{}) == soon);
    CHECK(earlier(Deadline{}, soon) == soon);
}
