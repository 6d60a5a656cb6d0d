// SPDX-License-Identifier: Apache-2.0
/// How this layer starts its threads, and how it knows that the process was forked.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include <qconn/base/deadline.hpp>

namespace qconn::net {

/// Counts the forks between the process that loaded the library and this one.
unsigned fork_generation() noexcept;
/// Whether the process has begun to exit: nothing is waited for any more.
bool process_exits() noexcept;

/// A thread whose end can be waited for with a limit. All signals are blocked in it, so that they reach the application's own threads.
class Worker {
public:
    Worker() noexcept = default;
    /// @param name  at most 15 characters, as debuggers show it
    /// @throws std::system_error where the system has no thread
    Worker(const char* name, std::function<void()> body);
    Worker(Worker&&) noexcept = default;
    Worker& operator=(Worker&&) noexcept = default;
    /// Lets it run on where it has not been joined.
    ~Worker();

    /// Waits for its end. @returns false where that has not come by then; the thread is then left to itself
    bool join(Deadline limit);
    void detach() noexcept;

private:
    struct End {
        std::mutex mutex;
        std::condition_variable changed;
        bool ended{false};
    };
    std::shared_ptr<End> end_;
    std::thread thread_;
};

}  // namespace qconn::net
