// SPDX-License-Identifier: Apache-2.0
#include "core/uses.hpp"

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
        if (at_->successes) --uses->for_successes_;
        --uses->for_failures_;
        uses->listeners_.erase(at_);
    }

private:
    std::shared_ptr<Uses> uses_;
    std::list<Listener>::iterator at_;
};

Subscription Uses::listen(UseListener listener, bool successes) {
    const std::scoped_lock lock{mutex_};
    listeners_.push_back({std::move(listener), successes});
    auto state = std::make_shared<Listening>(shared_from_this(), std::prev(listeners_.end()));
    if (successes) ++for_successes_;
    ++for_failures_;
    return Subscription{std::move(state)};
}

Client::UseObserver Uses::observer(std::string name) {
    struct State {
        std::string name;
        std::atomic<Clock::rep> quiet_until{0};
    };
    return [uses = shared_from_this(), state = std::make_shared<State>(std::move(name))](const Error* failure) {
        if (failure) {
            state->quiet_until.store(0, std::memory_order_relaxed);
            if (uses->for_failures_.load(std::memory_order_relaxed) != 0) uses->tell(state->name, failure);
            return;
        }
        if (uses->for_successes_.load(std::memory_order_relaxed) == 0) return;
        const Clock::time_point now = Clock::now();
        if (now.time_since_epoch().count() < state->quiet_until.load(std::memory_order_relaxed)) return;
        state->quiet_until.store((now + std::chrono::seconds{1}).time_since_epoch().count(), std::memory_order_relaxed);
        uses->tell(state->name, nullptr);
    };
}

void Uses::tell(const std::string& name, const Error* failure) noexcept {
    const std::scoped_lock lock{mutex_};
    for (const Listener& listener : listeners_) {
        if (!failure && !listener.successes) continue;
        try {
            listener.call(name, failure);
        } catch (const std::exception&) {
            // No memory for a message between threads: the next use says the same.
        }
    }
}

}  // namespace qconn::core
