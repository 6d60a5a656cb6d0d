// SPDX-License-Identifier: Apache-2.0
#include "telnet/turns.hpp"

#include <exception>
#include <utility>

#include "net/runtime_impl.hpp"

namespace qconn::telnet {

struct Turns::Waiter {
    explicit Waiter(net::Loop& l) : loop{l.shared_from_this()} {}
    const std::shared_ptr<net::Loop> loop;
    net::Baton baton;      // of the loop's thread
    bool has_turn{false};  // guarded by the mutex of the turns
};

net::Task<bool> Turns::take(net::Call& call) {
    call.check();
    const auto waiter = std::make_shared<Waiter>(call.loop());
    bool at_once = false;
    {
        const std::scoped_lock lock{mutex_};
        at_once = !at_;
        if (at_once) {
            at_ = waiter->loop;
            ++turn_;
        } else {
            waiting_.push_back(waiter);
        }
    }
    if (at_once) co_return true;
    call.expect(Phase::none, "one of the other calls to end", {});
    std::exception_ptr stopped;
    try {
        co_await net::Wait{call, waiter->baton};
    } catch (const Error&) { stopped = std::current_exception(); }
    if (!stopped) co_return true;
    bool has_turn = false;
    {
        const std::scoped_lock lock{mutex_};
        std::erase(waiting_, waiter);
        has_turn = waiter->has_turn;
    }
    if (has_turn) give();
    std::rethrow_exception(stopped);
}

void Turns::give() {
    const std::scoped_lock lock{mutex_};
    at_ = nullptr;
    if (waiting_.empty()) return;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    next->has_turn = true;
    at_ = next->loop;
    ++turn_;
    const auto loop = next->loop;
    // A loop whose call was given up meanwhile may never run again: what waits in it must not hold it.
    loop->post([weak = std::weak_ptr<Waiter>{next}] {
        if (const auto waiter = weak.lock()) waiter->baton.notify();
    });
}

bool Turns::has(std::uint64_t turn) {
    const std::scoped_lock lock{mutex_};
    return at_ && turn_ == turn;
}

bool Turns::hand_over(const std::shared_ptr<void>& owner, UniqueFunction<void()> work) {
    std::shared_ptr<net::Loop> loop;
    std::uint64_t turn = 0;
    {
        const std::scoped_lock lock{mutex_};
        if (!at_) return false;
        loop = at_;
        turn = turn_;
    }
    loop->post([this, weak = std::weak_ptr<void>{owner}, turn, work = std::move(work)]() mutable {
        const auto held = weak.lock();
        if (held && has(turn)) work();  // it changes on this thread only
    });
    return true;
}

}  // namespace qconn::telnet
