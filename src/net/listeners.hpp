// SPDX-License-Identifier: Apache-2.0
/// Listeners that each get the same events in order, one at a time, on threads of a runtime. Used for the registry's changes and for the monitor's
/// events.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <qconn/base/log.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn::net {

/// A set of listeners for one kind of event.
///
/// - Every listener gets every event published after its subscription, in the order of publication, never two at a time.
/// - Calls come from the runtime's blocking pool with no lock held: a listener may block, throw (logged), publish, subscribe and unsubscribe.
/// - A slow listener delays only itself: each has a queue of its own. Events are shared between the queues, not copied.
/// - After `StateBase::unsubscribe()` has returned the function is not called any more, and has been destroyed unless it is the caller.
/// - publish() never calls a listener and never waits for one, so it may be called under a lock of the publisher's.
///
/// StateBase is what a subscription handle of the layer above wants: a class with a virtual destructor and `virtual void unsubscribe() noexcept = 0`.
/// @note Thread-safe.
template <class Event, class StateBase>
class Listeners {
public:
    using Function = std::function<void(const Event&)>;

    /// @param what  for the log when a listener throws: "registry", "monitor"
    Listeners(Runtime runtime, std::string_view what) : what_{what}, runtime_{std::move(runtime)} {}
    Listeners(const Listeners&) = delete;
    Listeners& operator=(const Listeners&) = delete;
    ~Listeners() { close(); }

    std::shared_ptr<StateBase> subscribe(Function function) {
        auto listener = std::make_shared<Listener>(runtime_, what_, std::move(function));
        const std::scoped_lock lock{mutex_};
        if (closed_)
            listener->deactivate();
        else {
            std::erase_if(listeners_, [](const auto& one) { return !one->is_active(); });
            listeners_.push_back(listener);
        }
        return listener;
    }

    void publish(Event event) {
        const std::scoped_lock lock{mutex_};
        if (closed_ || listeners_.empty()) return;
        const auto shared = std::make_shared<const Event>(std::move(event));
        for (const auto& listener : listeners_) listener->offer(shared);
    }

    /// Ends all subscriptions. Events still queued are dropped.
    /// @param wait  for calls under way, except for one that it is called from
    void close(bool wait = true) noexcept {
        std::vector<std::shared_ptr<Listener>> listeners;
        {
            const std::scoped_lock lock{mutex_};
            closed_ = true;
            listeners.swap(listeners_);
        }
        for (const auto& listener : listeners) {
            if (wait)
                listener->unsubscribe();
            else
                listener->deactivate();
        }
    }

    /// Waits until every listener has been called for every event published so far. Must not be called from a listener.
    void drain() {
        std::vector<std::shared_ptr<Listener>> listeners;
        {
            const std::scoped_lock lock{mutex_};
            listeners = listeners_;
        }
        for (const auto& listener : listeners) listener->wait_idle();
    }

private:
    class Listener final : public StateBase, public std::enable_shared_from_this<Listener> {
    public:
        Listener(Runtime runtime, std::string_view what, Function function)
            : runtime_{std::move(runtime)}, what_{what}, function_{std::make_shared<Function>(std::move(function))} {}

        bool is_active() const {
            const std::scoped_lock lock{mutex_};
            return function_ != nullptr;
        }

        void offer(const std::shared_ptr<const Event>& event) {
            const std::scoped_lock lock{mutex_};
            if (!function_) return;
            queue_.push_back(event);
            if (running_) return;
            running_ = true;
            try {
                runtime_.post_blocking([self = this->shared_from_this()] { self->run(); });
            } catch (const std::exception& e) {
                running_ = false;
                queue_.clear();
                runtime_.log().write({LogLevel::error, {}, "listener-not-called", e.what(), {{"source", what_}}});
            }
        }

        void deactivate() noexcept {
            std::deque<std::shared_ptr<const Event>> dropped;
            std::shared_ptr<Function> function;  // destroyed without the lock: it is the caller's code
            const std::scoped_lock lock{mutex_};
            dropped.swap(queue_);
            function.swap(function_);
        }

        void unsubscribe() noexcept override {
            std::deque<std::shared_ptr<const Event>> dropped;
            std::shared_ptr<Function> function;
            std::unique_lock lock{mutex_};
            dropped.swap(queue_);
            function.swap(function_);
            // The thread id, not a flag, tells a call from inside the function apart from one beside it.
            idle_.wait(lock, [this] { return calling_ == std::thread::id{} || calling_ == std::this_thread::get_id(); });
            lock.unlock();
        }

        void wait_idle() {
            std::unique_lock lock{mutex_};
            idle_.wait(lock, [this] { return !running_; });
        }

    private:
        void run() {
            std::unique_lock lock{mutex_};
            while (function_ && !queue_.empty()) {
                const auto event = std::move(queue_.front());
                queue_.pop_front();
                auto function = function_;  // an unsubscribe from inside must not destroy what is running
                calling_ = std::this_thread::get_id();
                lock.unlock();
                call(*function, *event);
                function.reset();
                lock.lock();
                calling_ = {};
                idle_.notify_all();
            }
            running_ = false;
            idle_.notify_all();
        }

        void call(const Function& function, const Event& event) const noexcept {
            std::string text;
            try {
                function(event);
                return;
            } catch (const std::exception& e) { text = e.what(); } catch (...) {
                text = "something that is no std::exception";
            }
            runtime_.log().write({LogLevel::error, {}, "listener-threw", text, {{"source", what_}}});
        }

        const Runtime runtime_;
        const std::string what_;
        mutable std::mutex mutex_;
        std::condition_variable idle_;
        // Guarded by mutex_:
        std::shared_ptr<Function> function_;  // null once unsubscribed
        std::deque<std::shared_ptr<const Event>> queue_;
        std::thread::id calling_;  // the thread that is inside the function
        bool running_{false};      // run() is posted or running
    };

    const std::string what_;
    const Runtime runtime_;
    std::mutex mutex_;
    // Guarded by mutex_:
    std::vector<std::shared_ptr<Listener>> listeners_;
    bool closed_{false};
};

}  // namespace qconn::net
