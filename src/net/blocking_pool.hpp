// SPDX-License-Identifier: Apache-2.0
/// Threads for work that can only block.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/log.hpp>
#include <qconn/base/operation.hpp>

#include "net/threads.hpp"

namespace qconn::net {

/// Starts threads as they are needed, up to a limit. @note Thread-safe.
class BlockingPool : public std::enable_shared_from_this<BlockingPool> {
public:
    BlockingPool(std::size_t threads, Log log, const void* owner);

    /// @throws Error SYSTEM-ERROR (reason local) where the system has no thread and none is running
    void post(UniqueFunction<void()> work);
    /// Runs what is queued, then the threads end. @returns false where some are still busy by then; they are left to themselves
    bool stop(Deadline limit);

private:
    void run();

    const std::size_t limit_;
    const Log log_;
    const void* const owner_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::deque<UniqueFunction<void()>> queue_;
    std::vector<Worker> workers_;
    std::size_t idle_{0};
    bool stopped_{false};
};

/// Which runtime the calling thread belongs to, as an opaque pointer; null for others.
const void* thread_owner() noexcept;
void set_thread_owner(const void* owner) noexcept;

}  // namespace qconn::net
