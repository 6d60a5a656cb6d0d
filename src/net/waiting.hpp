// SPDX-License-Identifier: Apache-2.0
/// Somebody who waits for something on a loop, with a deadline, and may cancel that.
#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/result.hpp>

#include "net/timer.hpp"

namespace qconn::net {

/// TIMEOUT or CANCELLED of a call: "WHAT failed: the deadline has passed before the peer had answered".
/// @param trouble  why there is no connection; empty: there is one, or nothing is known of it
Error stopped(bool cancelled, std::string_view what, std::string_view trouble = {});

/// One outcome, told once on the owner's loop.
/// @tparam Owner  what the waiting is for, which lives as long as anybody waits. Has post(work), which runs on its loop; loop(); labelled(error), for
/// messages; stopped(cancelled, what), the error for who waits no longer; callback_threw(text); and settled(), after a deadline has changed
/// something.
template <class Owner, class T>
class Waiting final : public Operation::State, public std::enable_shared_from_this<Waiting<Owner, T>> {
public:
    Waiting(std::shared_ptr<Owner> owner, std::string what, Callback<T> callback)
        : owner_{std::move(owner)}, what_{std::move(what)}, callback_{std::move(callback)} {}

    void cancel() noexcept override {
        if (done()) return;
        try {
            owner_->post([self = this->shared_from_this()] { self->give_up(true); });
        } catch (const std::exception&) {}  // without memory for a message it ends with its deadline
    }
    bool done() const noexcept override { return done_.load(); }

    // The loop's:
    void arm(Deadline deadline) {
        if (deadline.is_never() || done()) return;
        timer_ = std::make_unique<Timer>(owner_->loop());
        timer_->arm(deadline, [weak = this->weak_from_this()] {
            if (const auto self = weak.lock()) {
                self->give_up(false);
                self->owner_->settled();
            }
        });
    }
    void finish(Result<T> result) {
        if (done_.exchange(true)) return;
        // Not from inside its own callback.
        if (timer_) owner_->loop().post([timer = std::shared_ptr<Timer>{std::move(timer_)}] {});
        on_give_up = nullptr;
        auto callback = std::move(callback_);
        if (!callback) return;
        try {
            if (result)
                callback(std::move(result));
            else
                callback(owner_->labelled(result.error()));
        } catch (const std::exception& e) { owner_->callback_threw(e.what()); }
    }
    void give_up(bool cancelled) {
        if (done()) return;
        const Error why = owner_->stopped(cancelled, what_);
        auto also = std::move(on_give_up);
        const auto keep = this->shared_from_this();
        if (also) also(why);
        finish(why);
    }

    /// What else is to be done where it is given up. finish() may be called from inside.
    UniqueFunction<void(const Error&)> on_give_up;

private:
    const std::shared_ptr<Owner> owner_;
    const std::string what_;
    Callback<T> callback_;
    std::unique_ptr<Timer> timer_;
    std::atomic<bool> done_{false};
};

}  // namespace qconn::net
