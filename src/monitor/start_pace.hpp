// SPDX-License-Identifier: Apache-2.0
/// How soon one restart may follow another. Pure: the time is given.
#pragma once

#include <algorithm>
#include <cstddef>

#include <qconn/base/deadline.hpp>

namespace qconn::monitor {

class StartPace {
public:
    /// @param per_second  zero: no limit
    explicit StartPace(std::size_t per_second) noexcept
        : gap_{per_second == 0 ? Clock::duration::zero() : Clock::duration{std::chrono::seconds{1}} / static_cast<Clock::rep>(per_second)} {}

    /// When the next may begin; what has passed: now.
    Clock::time_point next() const noexcept { return next_; }
    void begun(Clock::time_point now) noexcept { next_ = std::max(now, next_) + gap_; }

private:
    Clock::duration gap_;
    Clock::time_point next_{};  // the first at once
};

}  // namespace qconn::monitor
