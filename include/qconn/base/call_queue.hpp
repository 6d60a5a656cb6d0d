// SPDX-License-Identifier: Apache-2.0
/// Calls that a thread of the program's own makes, when it finds the time.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/operation.hpp>

namespace qconn {

struct CallQueueState;

/// Calls in the order in which they came about, made one at a time by whoever calls run(): for programs that want their handlers on one thread of
/// theirs, or in an event loop that they have already.
/// @note Thread-safe. Calls that wait when it is destroyed are not made.
class QCONN_API CallQueue {
public:
    /// @throws Error SYSTEM-ERROR (reason local): no descriptor is left
    CallQueue();
    CallQueue(const CallQueue&) = delete;
    CallQueue& operator=(const CallQueue&) = delete;
    ~CallQueue();

    void post(UniqueFunction<void()> call);
    /// For an asynchronous call of any client: its callback, to be made by this queue. It may outlive the queue, and does nothing then.
    template <class T>
    Callback<T> wrap(Callback<T> callback) {
        return [to = weak(), callback = std::move(callback)](Result<T> result) mutable {
            post_to(to, [callback = std::move(callback), result = std::move(result)]() mutable { callback(std::move(result)); });
        };
    }

    /// Waits until there is a call, and makes all that are there then. What a call throws comes out of here, with those after it still waiting.
    /// @returns how many were made: 0 where the deadline has passed
    /// @throws Error INVALID-ARGUMENT: from inside one of its calls; where another thread is in here it waits for that
    std::size_t run(Deadline deadline = {});
    /// Makes those that are there, and does not wait.
    std::size_t run_pending() { return run(Deadline{Clock::time_point{}}); }
    std::size_t waiting() const;
    /// Readable as long as calls wait: for poll() and its like. The queue's own: only to be looked at.
    int descriptor() const noexcept;

    /// Calls of one owner, who ends.
    /// @note Thread-safe.
    class QCONN_API Source {
    public:
        explicit Source(CallQueue& queue);
        Source(const Source&) = delete;
        Source& operator=(const Source&) = delete;
        ~Source() { close(); }
        /// Nothing once the source is closed, or the queue is gone.
        void post(UniqueFunction<void()> call);
        /// None of its calls is made any more.
        /// @param wait  for one that is being made, unless it is called from that
        void close(bool wait = true) noexcept;

    private:
        const std::weak_ptr<CallQueueState> queue_;
        bool closed_{false};  // guarded by the queue's mutex
    };

private:
    std::weak_ptr<CallQueueState> weak() const;
    static void post_to(const std::weak_ptr<CallQueueState>& queue, UniqueFunction<void()> call);
    std::shared_ptr<CallQueueState> state_;
};

}  // namespace qconn
