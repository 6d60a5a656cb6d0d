// SPDX-License-Identifier: Apache-2.0
#include "net/timer.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <optional>
#include <utility>

#include "net/loop_impl.hpp"
#include "net/threads.hpp"
#include "net/timer_queue.hpp"

namespace qconn::net {

void TimerQueue::run_due(Clock::time_point now, const Log& log) {
    for (;;) {
        UniqueFunction<void()> due;
        {
            const std::scoped_lock lock{mutex_};
            if (timers_.empty() || timers_.begin()->first.first > now) return;
            due = std::move(timers_.begin()->second);
            timers_.erase(timers_.begin());
        }
        run_guarded(due, log);
    }
}

struct Timer::State {
    explicit State(Loop& on) : loop{on.shared_from_this()} {
        if (auto* const context = on.context()) timer.emplace(*context);
    }

    std::shared_ptr<Loop> loop;                      // first, so that it goes last
    std::optional<boost::asio::steady_timer> timer;  // where the loop has none of its own
    TimerQueue::Key key{};
    UniqueFunction<void()> callback;
    std::uint64_t round{0};
    unsigned forks{fork_generation()};
};

Timer::Timer(Loop& loop) : state_{std::make_shared<State>(loop)} {}

Timer::~Timer() {
    cancel();
    // A child's closing would reach into the parent's epoll set: leave everything as it is there.
    if (state_->forks != fork_generation()) new std::shared_ptr<State>(std::move(state_));
}

void Timer::arm(Deadline when, UniqueFunction<void()> callback) {
    cancel();
    if (when.is_never()) return;
    state_->callback = std::move(callback);
    // Weak, as the loop must not own what owns the loop.
    auto ring = [weak = std::weak_ptr<State>{state_}, round = state_->round] {
        const auto state = weak.lock();
        if (!state || state->round != round || !state->callback) return;
        auto once = std::exchange(state->callback, nullptr);
        run_guarded(once, state->loop->log());
    };
    if (TimerQueue* const own = state_->loop->timers()) {
        state_->key = own->add(when.when(), std::move(ring));
        return;
    }
    state_->timer->expires_at(when.when());
    state_->timer->async_wait([ring = std::move(ring)](const boost::system::error_code&) { ring(); });
}

void Timer::cancel() noexcept {
    ++state_->round;
    if (!state_->callback) return;
    const auto dropped = std::exchange(state_->callback, nullptr);
    if (TimerQueue* const own = state_->loop->timers()) return own->remove(state_->key);
    try {
        state_->timer->cancel();
    } catch (const boost::system::system_error&) {
        // The round makes the handler do nothing, whether it was cancelled or not.
    }
}

}  // namespace qconn::net
