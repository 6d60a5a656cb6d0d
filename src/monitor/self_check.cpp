// SPDX-License-Identifier: Apache-2.0
#include "monitor/self_check.hpp"

#include <utility>

namespace qconn::monitor {
namespace {

std::string seconds_text(Clock::duration time) {
    const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(time).count() / 100;
    return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " s";
}

}  // namespace

void SelfCheck::came(Clock::duration late, bool stalled, Clock::time_point now) {
    const auto ns = std::chrono::nanoseconds{late}.count();
    if (ns > worst_.load(std::memory_order_relaxed) || now >= worst_until_) {
        worst_.store(ns, std::memory_order_relaxed);
        worst_until_ = now + k_calm;
    }
    if (stalled) ++stalls_;
    if (late < late_from_) return;
    last_ = now;
    if (!told_)
        why_ = stalled ? "the monitor did not run for " + seconds_text(late) +
                             ": this process was stopped, or its machine is overloaded; pings of that time do not count"
                       : "pings begin up to " + seconds_text(late) +
                             " after they are due: too many hang, or too many are due for max_in_flight and max_per_host";
}

void SelfCheck::could_not(const Error& why, Clock::time_point now) {
    ++faults_;
    last_ = now;
    if (!told_) why_ = std::string{"pings could not be made for want of something on this machine, and do not count: "} + why.what();
}

void SelfCheck::all_fail(std::size_t failing, std::size_t all, Clock::time_point now) {
    last_ = now;
    if (!told_)
        why_ = std::to_string(failing) + " of " + std::to_string(all) +
               " connections, to several hosts, failed one after the other with no success in between: look at the network of this machine first";
}

std::optional<SelfCheck::Change> SelfCheck::change(Clock::time_point now) {
    if (!last_) return std::nullopt;
    if (now - *last_ >= k_calm) {
        last_.reset();
        degraded_.store(false, std::memory_order_relaxed);
        return std::exchange(told_, false) ? std::optional{Change{false, std::exchange(why_, {})}} : std::nullopt;
    }
    if (std::exchange(told_, true)) return std::nullopt;
    degraded_.store(true, std::memory_order_relaxed);
    return Change{true, why_};
}

std::optional<Clock::time_point> SelfCheck::next() const noexcept { return last_ ? std::optional{*last_ + k_calm} : std::nullopt; }

MonitorHealth SelfCheck::read() const noexcept {
    MonitorHealth health;
    health.degraded = degraded_.load(std::memory_order_relaxed);
    health.worst_lag = std::chrono::nanoseconds{worst_.load(std::memory_order_relaxed)};
    health.stalls = stalls_;
    health.local_faults = faults_;
    health.suspends = suspends_;
    return health;
}

}  // namespace qconn::monitor
