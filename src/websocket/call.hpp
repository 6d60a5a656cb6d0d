// SPDX-License-Identifier: Apache-2.0
/// One call of a client that waits for something: what ends it.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/result.hpp>

#include "net/runtime_impl.hpp"
#include "net/timer.hpp"

namespace qconn::websocket {

/// Lives on one loop; cancel() and done() are for any thread.
class Call : public Operation::State, public std::enable_shared_from_this<Call> {
public:
    /// @param what  for messages: "sending a message to ws://host/path"
    Call(net::Loop& loop, std::string label, std::string what) : loop_{loop.shared_from_this()}, label_{std::move(label)}, what_{std::move(what)} {}

    void cancel() noexcept override {
        if (done_.load() || cancelled_.exchange(true)) return;
        try {
            loop_->post([self = shared_from_this()] { self->give_up(true); });
        } catch (const std::exception&) {
            // Without memory for that it ends by itself.
        }
    }
    bool done() const noexcept override { return done_.load(); }

    // On the loop's thread:

    /// @param on_give_up  called where the deadline passes or it is cancelled, with that error: ends the call
    void begin(Deadline deadline, UniqueFunction<void(Error)> on_give_up) {
        on_give_up_ = std::move(on_give_up);
        if (cancelled_.load()) return give_up(true);
        if (deadline.is_never()) return;
        timer_.emplace(*loop_);
        timer_->arm(deadline, [this] { give_up(false); });
    }
    virtual void fail(Error error) = 0;
    /// The reason of the last failure of what it waits for: said where its time is over before that succeeds.
    void note(const Error& error) { last_ = error; }

protected:
    /// True once: it may be ended.
    bool end() noexcept {
        if (done_.exchange(true)) return false;
        timer_.reset();
        on_give_up_ = nullptr;
        return true;
    }
    template <class F>
    void guarded(F&& call) {
        try {
            call();
        } catch (const std::exception& e) { log(e.what()); } catch (...) {
            log("an exception that is no std::exception");
        }
    }

private:
    void give_up(bool cancelled) {
        if (done_.load()) return;
        const auto self = shared_from_this();
        std::string words = what_ + (cancelled ? " was cancelled" : " was not done in time");
        if (!cancelled && last_) words.append("; before that: ").append(last_->message());
        Error error = make_error(cancelled ? Errc::cancelled : Errc::timeout, std::move(words)).with_phase(Phase::protocol).with_connection(label_);
        if (!cancelled) error.with_retryable(true);
        auto then = std::exchange(on_give_up_, nullptr);
        if (then)
            then(std::move(error));
        else
            fail(std::move(error));
    }
    void log(std::string_view words) const {
        loop_->log().write({.level = LogLevel::error, .connection = label_, .event = "callback-threw", .text = words, .fields = {}});
    }

    const std::shared_ptr<net::Loop> loop_;  // first, so that it goes last
    const std::string label_;
    const std::string what_;
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> done_{false};
    std::optional<net::Timer> timer_;
    UniqueFunction<void(Error)> on_give_up_;
    std::optional<Error> last_;
};

/// One that ends with a value.
template <class T>
class CallOf : public Call {
public:
    CallOf(net::Loop& loop, std::string label, std::string what, Callback<T> callback)
        : Call{loop, std::move(label), std::move(what)}, callback_{std::move(callback)} {}

    void finish(Result<T> result) {
        if (!end()) return;
        auto callback = std::move(callback_);
        guarded([&] {
            if (callback) callback(std::move(result));
        });
    }
    void fail(Error error) override { finish(Result<T>{std::move(error)}); }

private:
    Callback<T> callback_;
};

}  // namespace qconn::websocket
