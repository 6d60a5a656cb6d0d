// SPDX-License-Identifier: Apache-2.0
#include "core/uses.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <qconn/base/deadline.hpp>

namespace qconn::core {

class Uses::Listening final : public Subscription::State {
public:
    Listening(std::shared_ptr<Uses> uses, std::list<Listener>::iterator at) : uses_{std::move(uses)}, at_{at} {}
    void unsubscribe() noexcept override {
        const auto uses = std::exchange(uses_, nullptr);
        if (!uses) return;
        const std::scoped_lock lock{uses->mutex_};
        uses->listeners_.erase(at_);
        uses->count();
    }

private:
    std::shared_ptr<Uses> uses_;
    std::list<Listener>::iterator at_;
};

Subscription Uses::listen(UseListener listener, UseInterest interest) {
    const std::scoped_lock lock{mutex_};
    listeners_.push_back({std::move(listener), interest});
    auto state = std::make_shared<Listening>(shared_from_this(), std::prev(listeners_.end()));
    count();
    return Subscription{std::move(state)};
}

void Uses::count() noexcept {
    bool successes = false;
    auto slow_from = k_never;
    for (const Listener& one : listeners_) {
        successes = successes || one.interest.successes;
        if (one.interest.slow_from.count() > 0) slow_from = std::min(slow_from, one.interest.slow_from.count());
    }
    for_failures_.store(!listeners_.empty(), std::memory_order_relaxed);
    for_successes_.store(successes, std::memory_order_relaxed);
    slow_from_.store(slow_from, std::memory_order_relaxed);
}

Client::UseObserver Uses::observer(std::string name) {
    struct State {
        std::string name;
        std::atomic<Clock::rep> quiet_until{0};
    };
    return [uses = shared_from_this(), state = std::make_shared<State>(std::move(name))](const Error* failure, const Transfer& transfer) {
        if (failure) {
            state->quiet_until.store(0, std::memory_order_relaxed);
            if (uses->for_failures_.load(std::memory_order_relaxed)) uses->tell(Kind::failure, state->name, failure, transfer);
            return;
        }
        if (std::max(transfer.wait, transfer.time).count() >= uses->slow_from_.load(std::memory_order_relaxed))
            uses->tell(Kind::slow, state->name, nullptr, transfer);
        if (!uses->for_successes_.load(std::memory_order_relaxed)) return;
        const Clock::time_point now = Clock::now();
        if (now.time_since_epoch().count() < state->quiet_until.load(std::memory_order_relaxed)) return;
        state->quiet_until.store((now + std::chrono::seconds{1}).time_since_epoch().count(), std::memory_order_relaxed);
        uses->tell(Kind::success, state->name, nullptr, {});
    };
}

void Uses::tell(Kind kind, const std::string& name, const Error* failure, const Transfer& transfer) noexcept {
    const auto wants = [&](const UseInterest& interest) {
        switch (kind) {
            case Kind::failure: return true;
            case Kind::success: return interest.successes;
            case Kind::slow: break;
        }
        return interest.slow_from.count() > 0 && std::max(transfer.wait, transfer.time) >= interest.slow_from;
    };
    const std::scoped_lock lock{mutex_};
    for (const Listener& listener : listeners_) {
        if (!wants(listener.interest)) continue;
        try {
            listener.call(name, failure, transfer);
        } catch (const std::exception&) {
            // No memory for a message between threads: the next use says the same.
        }
    }
}

}  // namespace qconn::core
