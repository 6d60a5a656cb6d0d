// SPDX-License-Identifier: Apache-2.0
/// Listeners that each get the same events in order, one at a time, on threads of a runtime. Used for the registry's changes and for the monitor's
/// events.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/log.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn::net {

/// What waits for one listener: all of it, in its order.
template <class Event>
class WholeQueue {
public:
    using Item = std::shared_ptr<const Event>;

    /// @returns how many events, this one among them, will not be delivered because of this
    std::size_t push(const Item& event) {
        events_.push_back(event);
        return 0;
    }
    bool empty() const noexcept { return events_.empty(); }
    std::size_t size() const noexcept { return events_.size(); }
    Item pop() {
        Item event = std::move(events_.front());
        events_.pop_front();
        return event;
    }
    void clear() noexcept { events_.clear(); }

private:
    std::deque<Item> events_;
};

/// What a set of listeners has cost. Counts.
struct ListenerTotals {
    std::uint64_t exceptions{0};
    std::uint64_t skipped{0};  ///< events that were left out for slow ones
};

/// A set of listeners for one kind of event.
///
/// - Every listener gets every event published after its subscription that its queue takes, in the order of publication, never two at a time.
/// - Calls come from the runtime's blocking pool with no lock held: a listener may block, throw (counted; logged at most once in ten seconds),
/// publish, subscribe and unsubscribe.
/// - A slow listener delays only itself: each has a queue of its own. Events are shared between the queues, not copied.
/// - After `StateBase::unsubscribe()` has returned the function is not called any more, and has been destroyed unless it is the caller.
/// - publish() never calls a listener and never waits for one, so it may be called under a lock of the publisher's.
///
/// StateBase is what a subscription handle of the layer above wants: a class with a virtual destructor and `virtual void unsubscribe() noexcept = 0`.
/// Queue is what waits for a listener; it may be choosy (WholeQueue says what it has to offer) and is called under a lock.
/// @note Thread-safe.
template <class Event, class StateBase, class Queue = WholeQueue<Event>>
class Listeners {
public:
    using Function = std::function<void(const Event&)>;

    /// @param what  for the log when a listener throws: "registry", "monitor"
    Listeners(Runtime runtime, std::string_view what) : what_{what}, runtime_{std::move(runtime)} {}
    Listeners(const Listeners&) = delete;
    Listeners& operator=(const Listeners&) = delete;
    ~Listeners() { close(); }

    std::shared_ptr<StateBase> subscribe(Function function, Queue queue = {}) {
        auto listener = std::make_shared<Listener>(runtime_, what_, totals_, std::move(function), std::move(queue));
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

    ListenerTotals totals() const noexcept { return {totals_->exceptions, totals_->skipped}; }

    /// Waits until every listener has been called for every event published so far. Must not be called from a listener.
    /// @returns false where the deadline came first
    bool drain(Deadline deadline) {
        std::vector<std::shared_ptr<Listener>> listeners;
        {
            const std::scoped_lock lock{mutex_};
            listeners = listeners_;
        }
        return std::all_of(listeners.begin(), listeners.end(), [deadline](const auto& one) { return one->wait_idle(deadline); });
    }

private:
    struct Totals {
        std::atomic<std::uint64_t> exceptions{0};
        std::atomic<std::uint64_t> skipped{0};
    };

    class Listener final : public StateBase, public std::enable_shared_from_this<Listener> {
    public:
        Listener(Runtime runtime, std::string_view what, std::shared_ptr<Totals> totals, Function function, Queue queue)
            : runtime_{std::move(runtime)},
              what_{what},
              totals_{std::move(totals)},
              function_{std::make_shared<Function>(std::move(function))},
              queue_{std::move(queue)} {}

        bool is_active() const {
            const std::scoped_lock lock{mutex_};
            return function_ != nullptr;
        }

        void offer(const std::shared_ptr<const Event>& event) {
            const std::scoped_lock lock{mutex_};
            if (!function_) return;
            totals_->skipped += queue_.push(event);
            if (running_ || queue_.empty()) return;
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
            Queue dropped;
            std::shared_ptr<Function> function;  // destroyed without the lock: it is the caller's code
            const std::scoped_lock lock{mutex_};
            std::swap(dropped, queue_);
            function.swap(function_);
        }

        void unsubscribe() noexcept override {
            Queue dropped;
            std::shared_ptr<Function> function;
            std::unique_lock lock{mutex_};
            std::swap(dropped, queue_);
            function.swap(function_);
            // The thread id, not a flag, tells a call from inside the function apart from one beside it.
            idle_.wait(lock, [this] { return calling_ == std::thread::id{} || calling_ == std::this_thread::get_id(); });
            lock.unlock();
        }

        bool wait_idle(Deadline deadline) {
            std::unique_lock lock{mutex_};
            const auto is_idle = [this] { return !running_; };
            if (!deadline.is_never()) return idle_.wait_until(lock, deadline.when(), is_idle);
            idle_.wait(lock, is_idle);
            return true;
        }

    private:
        void run() {
            std::unique_lock lock{mutex_};
            while (function_ && !queue_.empty()) {
                const auto event = queue_.pop();
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

        void call(const Function& function, const Event& event) noexcept {
            std::string text;
            try {
                function(event);
                return;
            } catch (const std::exception& e) { text = e.what(); } catch (...) {
                text = "something that is no std::exception";
            }
            ++totals_->exceptions;
            const auto now = std::chrono::steady_clock::now();
            if (logged_ && now - *logged_ < std::chrono::seconds{10}) {
                ++unlogged_;
                return;
            }
            runtime_.log().write({LogLevel::error, {}, "listener-threw", text, {{"source", what_}, {"unlogged", std::to_string(unlogged_)}}});
            logged_ = now;
            unlogged_ = 0;
        }

        const Runtime runtime_;
        const std::string what_;
        const std::shared_ptr<Totals> totals_;
        // Of the thread that is inside the function:
        std::optional<std::chrono::steady_clock::time_point> logged_;
        std::uint64_t unlogged_{0};  // exceptions since

        mutable std::mutex mutex_;
        std::condition_variable idle_;
        // Guarded by mutex_:
        std::shared_ptr<Function> function_;  // null once unsubscribed
        Queue queue_;
        std::thread::id calling_;  // the thread that is inside the function
        bool running_{false};      // run() is posted or running
    };

    const std::string what_;
    const Runtime runtime_;
    const std::shared_ptr<Totals> totals_{std::make_shared<Totals>()};
    std::mutex mutex_;
    // Guarded by mutex_:
    std::vector<std::shared_ptr<Listener>> listeners_;
    bool closed_{false};
};

}  // namespace qconn::net
