// SPDX-License-Identifier: Apache-2.0
/// The timers of a loop that waits by itself.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include <qconn/base/deadline.hpp>
#include <qconn/base/log.hpp>
#include <qconn/base/operation.hpp>

namespace qconn::net {

/// @note Thread-safe: a timer may be let go of by another thread than its loop's, when that has nothing more to do.
class TimerQueue {
public:
    using Key = std::pair<Clock::time_point, std::uint64_t>;

    Key add(Clock::time_point when, UniqueFunction<void()> callback) {
        const std::scoped_lock lock{mutex_};
        const Key key{when, ++number_};
        timers_.emplace(key, std::move(callback));
        return key;
    }
    /// Nothing where it has been called, or is about to be.
    void remove(const Key& key) noexcept {
        UniqueFunction<void()> dropped;  // without the lock
        const std::scoped_lock lock{mutex_};
        const auto found = timers_.find(key);
        if (found == timers_.end()) return;
        dropped = std::move(found->second);
        timers_.erase(found);
    }
    /// When the first is due; Clock::time_point::max() where there is none.
    Clock::time_point next() const {
        const std::scoped_lock lock{mutex_};
        return timers_.empty() ? Clock::time_point::max() : timers_.begin()->first.first;
    }
    /// Calls those that are due by then.
    void run_due(Clock::time_point now, const Log& log);

private:
    mutable std::mutex mutex_;
    std::map<Key, UniqueFunction<void()>> timers_;
    std::uint64_t number_{0};
};

}  // namespace qconn::net
