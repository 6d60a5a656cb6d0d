// SPDX-License-Identifier: Apache-2.0
/// Threads for work that can only block, and what to do about work that hangs.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/log.hpp>
#include <qconn/base/operation.hpp>

#include "net/threads.hpp"

namespace qconn::net {

/// Starts threads as they are needed, up to a limit.
///
/// A *check* is work with somebody who waits for it and may give up: it may hang, as a look-up in a name service or a call to a dead file system
/// does. The thread of a check that was given up counts as hung until it returns, and another is started in its place. At most as many hang as there
/// are threads; no further check is begun then, and the last thread is left to other work.
/// @note Thread-safe.
class BlockingPool : public std::enable_shared_from_this<BlockingPool> {
public:
    class Check;

    /// @param name   of the threads, at most 15 characters
    /// @param owner  what thread_owner() says on them
    BlockingPool(const char* name, std::size_t threads, Log log, const void* owner);

    /// @throws Error SYSTEM-ERROR (reason local) where the system has no thread and none is running
    void post(UniqueFunction<void()> work);
    /// @param key  of two checks with the same key the second begins when the first has returned; null: with no other
    /// @throws Error SYSTEM-ERROR (reason local), also where as many checks hang as may
    std::shared_ptr<Check> post_check(UniqueFunction<void()> work, const void* key = nullptr);
    /// Nobody waits for it any more. @returns true where it had not begun; it is then never run
    bool give_up(const std::shared_ptr<Check>& check);
    /// Somebody waits again for one that was given up while it ran.
    void take_back(const std::shared_ptr<Check>& check);
    /// When the check began that this one has to wait for because they have the same key; none where that is not what it waits for.
    std::optional<Clock::time_point> held_up_since(const std::shared_ptr<Check>& check) const;

    std::size_t limit() const noexcept { return limit_; }
    /// Threads whose check was given up.
    std::size_t hung() const;
    /// All threads, hung and idle ones included.
    std::size_t threads() const;

    /// Runs what is queued, then the threads end. Waits for none that hangs.
    /// @returns false where some are still busy by then; they are left to themselves
    bool stop(Deadline limit);
    /// Drops what is queued; the threads end by themselves.
    void discard();

private:
    struct Thread {
        Worker worker;
        bool given_up{false};  // nobody waits for what it does
        bool hung{false};      // and it is counted as hung, for which there may be no room
    };

    void run(const std::shared_ptr<Thread>& thread);
    // With the mutex held:
    bool has_next() const;
    std::shared_ptr<Check> next();
    void enqueue(const std::shared_ptr<Check>& check);
    /// @throws std::system_error
    void want_thread();
    void leave_line(const std::shared_ptr<Check>& check);

    const char* const name_;
    const std::size_t limit_;
    const Log log_;
    const void* const owner_;
    mutable std::mutex mutex_;
    std::condition_variable work_;
    // Guarded by mutex_:
    std::deque<std::shared_ptr<Check>> queue_;
    std::deque<std::shared_ptr<Check>> checks_;
    std::map<const void*, std::deque<std::shared_ptr<Check>>> lines_;  // by key; the first of each is queued or runs
    std::vector<std::shared_ptr<Thread>> threads_;
    std::size_t idle_{0};
    std::size_t active_{0};  // threads that are not hung, idle ones included
    std::size_t hung_{0};
    bool stopped_{false};
};

/// Which runtime the calling thread belongs to, as an opaque pointer; null for others.
const void* thread_owner() noexcept;
void set_thread_owner(const void* owner) noexcept;

}  // namespace qconn::net
