// SPDX-License-Identifier: Apache-2.0
/// Whose function may be called next, and when: stops before restarts, restarts at a pace, what hangs in nobody's way. Pure: the time is given.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include <qconn/base/deadline.hpp>
#include <qconn/monitor/monitor.hpp>

namespace qconn::monitor {

struct CallLimits {
    /// Zero: no limit.
    std::size_t restarts_at_once{8};
    std::size_t restarts_per_second{50};
    /// Urgent functions that run at once. One that has run longer than `slow` does not count any more.
    std::size_t at_once{16};
    std::chrono::milliseconds slow{100};
    /// Nor does a restart that has run longer than that, for restarts_at_once.
    std::chrono::seconds slow_restart{10};
    /// All functions that run at once, whatever hangs; as many as `at_once` of these places are never taken by restarts.
    std::size_t most{63};

    static CallLimits of(const MonitorOptions& options) noexcept {
        CallLimits limits;
        limits.restarts_at_once = options.restarts_at_once;
        limits.restarts_per_second = options.restarts_per_second;
        return limits;
    }
};

/// Interfaces whose function is to be called, each once.
class CallQueue {
public:
    using Id = std::uint32_t;
    enum class Lane : std::uint8_t {
        urgent,   ///< stops, and starts by hand
        restart,  ///< starts after an outage
    };
    struct Next {
        std::optional<Id> id;
        Lane lane{Lane::urgent};
        /// Where there is none: when to ask again, if no function ends and nothing is added before.
        Clock::time_point until{Clock::time_point::max()};
    };

    explicit CallQueue(const CallLimits& limits) noexcept;

    /// One that is in it stays where it is, unless it has become urgent.
    void add(Id id, Lane lane);
    /// Takes out what may begin.
    Next next(Clock::time_point now);
    void begun(Id id, Lane lane, Clock::time_point now);
    void ended(Id id) { running_.erase(id); }

    bool empty() const noexcept { return lanes_.empty(); }
    std::size_t queued() const noexcept { return lanes_.size(); }
    std::size_t running() const noexcept { return running_.size(); }
    void clear() noexcept;

private:
    struct Run {
        Lane lane;
        Clock::time_point begun;
    };
    std::optional<Id> take(std::deque<Id>& queue, Lane lane);
    /// Whether one more may run beside those of its lane that count. @param until  lowered to when another will not count any more
    bool has_room(Lane lane, Clock::duration slow, std::size_t most, Clock::time_point now, Clock::time_point& until) const;

    CallLimits limits_;
    Clock::duration gap_;
    Clock::time_point next_restart_{};  // the first at once
    std::deque<Id> urgent_;
    std::deque<Id> restarts_;
    std::map<Id, Lane> lanes_;  // of what is queued; what is in a queue and not in its lane here is passed over
    std::map<Id, Run> running_;
};

}  // namespace qconn::monitor
