// SPDX-License-Identifier: Apache-2.0
#include "net/fd_watch.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <utility>

#include "net/loop_impl.hpp"
#include "net/threads.hpp"

namespace qconn::net {

struct FdWatch::State {
    State(Loop& on, int fd) : loop{on.shared_from_this()}, descriptor{on.context()} {
        boost::system::error_code failed;
        descriptor.assign(fd, failed);
        if (failed) {
            throw make_error(Errc::system, "watching a descriptor failed: " + failed.message()).with_reason(Reason::local).with_retryable(true);
        }
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (descriptor.is_open()) descriptor.release();  // not ours to close
    }

    struct Side {
        UniqueFunction<void()> callback;
        bool waiting{false};  // a wait of Asio's is under way
    };

    std::shared_ptr<Loop> loop;  // first, so that it goes last
    boost::asio::posix::stream_descriptor descriptor;
    std::array<Side, 2> sides;
    unsigned forks{fork_generation()};
};

FdWatch::FdWatch(Loop& loop, int fd) : state_{std::make_shared<State>(loop, fd)} {}

FdWatch::~FdWatch() {
    cancel();
    if (state_->forks != fork_generation()) {
        // A child's closing would reach into the parent's epoll set: leave everything as it is there.
        new std::shared_ptr<State>(std::move(state_));
        return;
    }
    state_->descriptor.release();
}

void FdWatch::wait(Ready side, UniqueFunction<void()> callback) {
    auto& mine = state_->sides[static_cast<std::size_t>(side)];
    const auto dropped = std::exchange(mine.callback, std::move(callback));
    if (mine.waiting) return;
    mine.waiting = true;
    using Descriptor = boost::asio::posix::stream_descriptor;
    // Weak, as the loop must not own what owns the loop.
    state_->descriptor.async_wait(side == Ready::read ? Descriptor::wait_read : Descriptor::wait_write,
                                  [weak = std::weak_ptr<State>{state_}, side](const boost::system::error_code&) {
                                      const auto state = weak.lock();
                                      if (!state) return;
                                      auto& at = state->sides[static_cast<std::size_t>(side)];
                                      at.waiting = false;
                                      if (!at.callback) return;
                                      auto once = std::exchange(at.callback, nullptr);
                                      run_guarded(once, state->loop->log());
                                  });
}

void FdWatch::cancel(Ready side) noexcept { const auto dropped = std::exchange(state_->sides[static_cast<std::size_t>(side)].callback, nullptr); }

void FdWatch::cancel() noexcept {
    cancel(Ready::read);
    cancel(Ready::write);
}

}  // namespace qconn::net
