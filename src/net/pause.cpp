// SPDX-License-Identifier: Apache-2.0
#include "net/pause.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "net/runtime_impl.hpp"
#include "net/timer.hpp"

namespace qconn::net {

namespace {

class Pause final : public Operation::State, public std::enable_shared_from_this<Pause> {
public:
    Pause(const Runtime& runtime, UniqueFunction<void(Result<void>)> callback) : runtime_{runtime}, callback_{std::move(callback)} {}

    void begin(Deadline until) {
        loop().post([self = shared_from_this(), until] { self->arm(until); });
    }
    void cancel() noexcept override {
        try {
            loop().post([self = shared_from_this()] { self->end(make_error(Errc::cancelled, "the wait was cancelled")); });
        } catch (...) {  // no memory: it ends in its own time
        }
    }
    bool done() const noexcept override { return done_.load(); }

private:
    Loop& loop() { return runtime_.impl().loop(); }

    // On the loop's thread:
    void arm(Deadline until) {
        if (done_.load()) return;
        timer_.emplace(loop());
        timer_->arm(until, [self = shared_from_this()] { self->end({}); });
    }
    void end(Result<void> result) {
        if (done_.exchange(true)) return;
        const auto self = shared_from_this();  // the timer's callback may be the last to hold it
        timer_.reset();
        auto callback = std::move(callback_);
        callback(std::move(result));
    }

    const Runtime runtime_;
    UniqueFunction<void(Result<void>)> callback_;
    std::optional<Timer> timer_;
    std::atomic<bool> done_{false};
};

}  // namespace

Operation async_pause(const Runtime& runtime, Deadline until, UniqueFunction<void(Result<void>)> callback) {
    const auto pause = std::make_shared<Pause>(runtime, std::move(callback));
    pause->begin(until);
    return Operation{pause};
}

}  // namespace qconn::net
