// SPDX-License-Identifier: Apache-2.0
/// The instant by which a call must have ended.
#pragma once

#include <chrono>

namespace qconn {

using Clock = std::chrono::steady_clock;

/// An instant of the monotonic clock, or never. Made once at the outermost call and handed down, so that nested waits do not
/// add up. A value type.
class Deadline {
public:
    /// Never.
    constexpr Deadline() noexcept = default;
    constexpr Deadline(Clock::time_point when) noexcept : when_{when} {}
    /// That long from now; beyond what the clock can count means never.
    template <class Rep, class Period>
    Deadline(std::chrono::duration<Rep, Period> time) : when_{from_now(std::chrono::duration<double>(time).count())} {}

    constexpr bool is_never() const noexcept { return when_ == Clock::time_point::max(); }
    constexpr Clock::time_point when() const noexcept { return when_; }
    bool has_passed() const noexcept { return !is_never() && Clock::now() >= when_; }
    /// Zero once it has passed; Clock::duration::max() for never.
    Clock::duration remaining() const noexcept {
        if (is_never()) return Clock::duration::max();
        const auto now = Clock::now();
        return now < when_ ? when_ - now : Clock::duration::zero();
    }
    friend constexpr Deadline earlier(Deadline a, Deadline b) noexcept { return a.when_ < b.when_ ? a : b; }
    friend constexpr bool operator==(Deadline, Deadline) = default;

private:
    static Clock::time_point from_now(double seconds) noexcept {
        if (seconds > 1e9) return Clock::time_point::max();  // 31 years
        return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    }
    Clock::time_point when_{Clock::time_point::max()};
};

}  // namespace qconn
