// SPDX-License-Identifier: Apache-2.0
/// Whether the monitor itself can do its work: it comes too late, or this machine lacks what pings need. Pure: the time is an argument.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/monitor/event.hpp>

namespace qconn::monitor {

/// @note Written by the loop's thread; read() from any.
class SelfCheck {
public:
    /// Trouble is over when nothing of it was seen for so long.
    static constexpr Clock::duration k_calm = std::chrono::minutes{1};

    /// @param late_from  pings that begin so much later than they are due, and turns that come so much later, are trouble
    explicit SelfCheck(Clock::duration late_from) : late_from_{late_from} {}

    /// A turn came, or pings began, so much later than was asked for.
    void came(Clock::duration late, bool stalled, Clock::time_point now);
    /// A ping could not be made or judged for want of something on this machine.
    void could_not(const Error& why, Clock::time_point now);
    /// So many connections of all fail, with no success in between.
    void all_fail(std::size_t failing, std::size_t all, Clock::time_point now);
    void slept() noexcept { ++suspends_; }

    /// What there is to raise an alert for, or to clear it: once for each change. Nothing where nothing has changed.
    struct Change {
        bool degraded;
        std::string why;
    };
    std::optional<Change> change(Clock::time_point now);
    /// When to ask for a change although nothing else happens.
    std::optional<Clock::time_point> next() const noexcept;

    MonitorHealth read() const noexcept;

private:
    const Clock::duration late_from_;
    // Loop's thread:
    bool told_{false};
    std::optional<Clock::time_point> last_;  // sign of trouble
    std::string why_;
    Clock::time_point worst_until_{};
    // Any thread:
    std::atomic<bool> degraded_{false};
    std::atomic<std::int64_t> worst_{0};  // ns
    std::atomic<std::uint64_t> stalls_{0};
    std::atomic<std::uint64_t> faults_{0};
    std::atomic<std::uint64_t> suspends_{0};
};

}  // namespace qconn::monitor
