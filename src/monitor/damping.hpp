// SPDX-License-Identifier: Apache-2.0
/// What keeps a connection that comes and goes from stirring up all that depends on it. Pure: the time is an argument.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>

#include <qconn/base/deadline.hpp>

#include "monitor/rules.hpp"

namespace qconn::monitor {

/// One connection. It flaps while it has gone down more than `flap_changes` times within `flap_window`; who depends on it then waits until that is
/// over, and in any case until it has been up for `restart_delay`.
class Damping {
public:
    void went_down(Clock::time_point now, const Rules& rules) {
        held_.reset();
        if (rules.flap_changes <= 0) return;
        downs_.push_back(now);
        while (downs_.size() > static_cast<std::size_t>(rules.flap_changes) + 1) downs_.pop_front();
        flapping_ = flapping_ || end_of_flapping(rules) > now;
    }
    /// @returns whether dependents must wait: is_released() says when no longer
    bool came_up(Clock::time_point now, const Rules& rules) {
        if (!flapping_ && rules.restart_delay <= Clock::duration::zero()) return false;
        held_ = now + rules.restart_delay;
        return true;
    }
    /// Neither up nor down any more.
    void reset() noexcept {
        held_.reset();
        downs_.clear();
        flapping_ = false;
    }

    bool is_flapping() const noexcept { return flapping_; }
    /// @returns whether it flapped until now
    bool stop_flapping(Clock::time_point now, const Rules& rules) {
        if (!flapping_ || end_of_flapping(rules) > now) return false;
        flapping_ = false;
        return true;
    }
    /// @returns whether dependents waited until now
    bool release(Clock::time_point now) {
        if (!held_ || flapping_ || *held_ > now) return false;
        held_.reset();
        return true;
    }
    bool is_holding() const noexcept { return held_.has_value(); }
    std::size_t downs() const noexcept { return downs_.size(); }

    /// When to ask again.
    std::optional<Clock::time_point> next(const Rules& rules) const {
        if (flapping_) return end_of_flapping(rules);
        return held_;
    }

private:
    /// When no more of them than allowed lie within the window.
    Clock::time_point end_of_flapping(const Rules& rules) const {
        const auto allowed = static_cast<std::size_t>(std::max(rules.flap_changes, 0));
        return downs_.size() <= allowed ? Clock::time_point::min() : downs_[downs_.size() - 1 - allowed] + rules.flap_window;
    }

    std::deque<Clock::time_point> downs_;
    std::optional<Clock::time_point> held_;  // dependents wait, at least until then
    bool flapping_{false};
};

}  // namespace qconn::monitor
