// SPDX-License-Identifier: Apache-2.0
#include "monitor/call_queue.hpp"

#include <algorithm>

namespace qconn::monitor {

CallQueue::CallQueue(const CallLimits& limits) noexcept
    : limits_{limits},
      gap_{limits.restarts_per_second == 0 ? Clock::duration::zero()
                                           : Clock::duration{std::chrono::seconds{1}} / static_cast<Clock::rep>(limits.restarts_per_second)} {}

void CallQueue::add(Id id, Lane lane) {
    const auto [at, is_new] = lanes_.emplace(id, lane);
    if (!is_new && (at->second == lane || at->second == Lane::urgent)) return;
    at->second = lane;
    (lane == Lane::urgent ? urgent_ : restarts_).push_back(id);
}

std::optional<CallQueue::Id> CallQueue::take(std::deque<Id>& queue, Lane lane) {
    while (!queue.empty()) {
        const Id id = queue.front();
        queue.pop_front();
        const auto found = lanes_.find(id);
        if (found == lanes_.end() || found->second != lane) continue;
        lanes_.erase(found);
        return id;
    }
    return std::nullopt;
}

bool CallQueue::has_room(Lane lane, Clock::duration slow, std::size_t most, Clock::time_point now, Clock::time_point& until) const {
    std::size_t count = 0;
    auto first = Clock::time_point::max();
    for (const auto& [id, run] : running_) {
        if (run.lane != lane || now - run.begun >= slow) continue;
        ++count;
        first = std::min(first, run.begun + slow);
    }
    if (count < most) return true;
    until = std::min(until, first);
    return false;
}

CallQueue::Next CallQueue::next(Clock::time_point now) {
    Next next;
    if (running_.size() >= limits_.most) return next;
    if (!urgent_.empty() && has_room(Lane::urgent, limits_.slow, limits_.at_once, now, next.until)) {
        next.id = take(urgent_, Lane::urgent);
        if (next.id) return next;
    }
    next.lane = Lane::restart;
    if (restarts_.empty() || running_.size() + limits_.at_once >= limits_.most) return next;
    if (limits_.restarts_at_once != 0 && !has_room(Lane::restart, limits_.slow_restart, limits_.restarts_at_once, now, next.until)) return next;
    if (next_restart_ > now)
        next.until = std::min(next.until, next_restart_);
    else
        next.id = take(restarts_, Lane::restart);
    return next;
}

void CallQueue::begun(Id id, Lane lane, Clock::time_point now) {
    running_.insert_or_assign(id, Run{lane, now});
    if (lane == Lane::restart) next_restart_ = std::max(now, next_restart_) + gap_;
}

void CallQueue::clear() noexcept {
    urgent_.clear();
    restarts_.clear();
    lanes_.clear();
}

}  // namespace qconn::monitor
