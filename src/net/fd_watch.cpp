// SPDX-License-Identifier: Apache-2.0
#include "net/fd_watch.hpp"

#include <utility>

#include "net/poller.hpp"
#include "net/runtime_impl.hpp"
#include "net/threads.hpp"

namespace qconn::net {

struct FdWatch::State {
    std::shared_ptr<Loop> loop;  // first, so that it goes last
    Poller& poller;
    Poller::Watched watched;
    unsigned forks{fork_generation()};
};

FdWatch::FdWatch(Loop& loop, int fd) : state_{new State{loop.shared_from_this(), loop.poller(), {}}} { state_->watched.fd = fd; }

FdWatch::~FdWatch() {
    cancel();
    if (state_->forks != fork_generation()) {
        // A child's closing would reach into the parent's epoll set: leave everything as it is there.
        static_cast<void>(state_.release());
        return;
    }
    state_->poller.forget(state_->watched);
}

void FdWatch::wait(Ready side, UniqueFunction<void()> callback) {
    auto& mine = state_->watched.callbacks[static_cast<std::size_t>(side)];
    const auto dropped = std::exchange(mine, std::move(callback));
    try {
        state_->poller.want(state_->watched);
    } catch (...) {
        mine = nullptr;
        throw;
    }
}

void FdWatch::cancel(Ready side) noexcept { const auto dropped = std::exchange(state_->watched.callbacks[static_cast<std::size_t>(side)], nullptr); }

void FdWatch::cancel() noexcept {
    cancel(Ready::read);
    cancel(Ready::write);
}

}  // namespace qconn::net
