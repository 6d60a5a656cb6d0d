// SPDX-License-Identifier: Apache-2.0
#include "mail/pop3_gate.hpp"

#include <algorithm>
#include <exception>

#include "base/text.hpp"
#include "mail/pop3_error.hpp"
#include "net/loop_impl.hpp"

namespace qconn::mail::pop3 {

struct Gate::Waiter {
    Waiter(net::Loop& l, std::string who) : loop{l.shared_from_this()}, holder{std::move(who)} {}
    const std::shared_ptr<net::Loop> loop;
    Baton baton;  // of the loop's thread
    const std::string holder;
    bool granted{false};  // guarded by the gate's mutex
};

Task<Gate::Ticket> Gate::enter(Call& call, std::string holder, Deadline by) {
    std::shared_ptr<Waiter> waiter;
    std::string awaited;
    {
        const std::scoped_lock lock{mutex_};
        if (!taken_) {
            taken_ = true;
            holder_ = std::move(holder);
            since_ = Clock::now();
        } else {
            waiter = std::make_shared<Waiter>(call.loop(), std::move(holder));
            waiting_.push_back(waiter);
            awaited = "the end of this client's session that \"" + text::printable(holder_) + "\" holds";
        }
    }
    Ticket ticket;
    if (!waiter) {
        ticket = Ticket{shared_from_this()};
        co_return ticket;
    }
    call.expect(Phase::none, awaited, {}, by);
    std::exception_ptr stopped;
    bool late = false;
    try {
        co_await Wait{call, waiter->baton};
    } catch (const Error& error) {
        late = error.code() == Errc::timeout && by.has_passed();
        stopped = std::current_exception();
    }
    std::string who;
    std::chrono::seconds held{0};
    {
        const std::scoped_lock lock{mutex_};
        std::erase(waiting_, waiter);
        if (waiter->granted) ticket = Ticket{shared_from_this()};
        who = holder_;
        held = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - since_);
    }
    if (!stopped) co_return ticket;
    if (!late) std::rethrow_exception(stopped);
    throw failure(call.job(), Pop3Errc::in_use, Reason::limit,
                  "another session of this client is open: \"" + text::printable(who) + "\" has held it for " + std::to_string(held.count()) +
                      " s; a mailbox lets one in at a time",
                  Phase::none)
        .with_retryable(true);
}

void Gate::next() noexcept {
    std::shared_ptr<Waiter> waiter;
    {
        const std::scoped_lock lock{mutex_};
        if (waiting_.empty()) {
            taken_ = false;
            return;
        }
        waiter = std::move(waiting_.front());
        waiting_.pop_front();
        waiter->granted = true;
        holder_ = waiter->holder;
        since_ = Clock::now();
    }
    // What is posted does not hold the waiter, which holds the loop: a call that ended meanwhile leaves its loop with nobody to run it.
    waiter->loop->post([weak = std::weak_ptr<Waiter>{waiter}] {
        if (const auto one = weak.lock()) one->baton.notify();
    });
}

}  // namespace qconn::mail::pop3
