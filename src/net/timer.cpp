// SPDX-License-Identifier: Apache-2.0
#include "net/timer.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <utility>

#include "net/loop_impl.hpp"
#include "net/threads.hpp"

namespace qconn::net {

struct Timer::State {
    explicit State(Loop& on) : loop{on.shared_from_this()}, timer{on.context()} {}

    std::shared_ptr<Loop> loop;  // first, so that it goes last
    boost::asio::steady_timer timer;
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
    state_->timer.expires_at(when.when());
    // Weak, as the loop must not own what owns the loop.
    state_->timer.async_wait([weak = std::weak_ptr<State>{state_}, round = state_->round](const boost::system::error_code&) {
        const auto state = weak.lock();
        if (!state || state->round != round || !state->callback) return;
        auto once = std::exchange(state->callback, nullptr);
        run_guarded(once, state->loop->log());
    });
}

void Timer::cancel() noexcept {
    ++state_->round;
    if (!state_->callback) return;
    const auto dropped = std::exchange(state_->callback, nullptr);
    try {
        state_->timer.cancel();
    } catch (const boost::system::system_error&) {
        // The round makes the handler do nothing, whether it was cancelled or not.
    }
}

}  // namespace qconn::net
