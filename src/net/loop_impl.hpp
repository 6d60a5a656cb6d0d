// SPDX-License-Identifier: Apache-2.0
/// The event loop of one I/O thread, and that of a thread which waits for its own call.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <mutex>
#include <vector>

#include "net/poller.hpp"
#include "net/runtime_impl.hpp"
#include "net/timer_queue.hpp"
#include "net/unique_fd.hpp"

namespace qconn::net {

class LoopImpl final : public Loop {
public:
    LoopImpl(std::weak_ptr<RuntimeImpl> owner, Log log);
    ~LoopImpl() override;

    boost::asio::io_context* context() noexcept override { return &context_; }
    Poller& poller() noexcept override { return *poller_; }
    TimerQueue* timers() noexcept override { return nullptr; }
    bool on_thread() const noexcept override;
    void post(UniqueFunction<void()> work) override;
    std::shared_ptr<RuntimeImpl> runtime() const noexcept override { return owner_.lock(); }
    const Log& log() const noexcept override { return log_; }

    /// The body of the thread: until stop(), and then all that was posted before.
    void run();
    void stop();

private:
    std::weak_ptr<RuntimeImpl> owner_;
    Log log_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
    const std::unique_ptr<Poller> poller_;
};

/// For a thread that waits for one thing and does the work for it meanwhile. It has no use for Asio, and each of its waits is one call of the system.
class CallLoop final : public Loop {
public:
    /// @throws Error SYSTEM-ERROR (reason local): no descriptor is left
    CallLoop(std::weak_ptr<RuntimeImpl> owner, Log log);
    ~CallLoop() override;

    boost::asio::io_context* context() noexcept override { return nullptr; }
    Poller& poller() noexcept override { return poller_; }
    TimerQueue* timers() noexcept override { return &timers_; }
    bool on_thread() const noexcept override;
    void post(UniqueFunction<void()> work) override;
    std::shared_ptr<RuntimeImpl> runtime() const noexcept override { return owner_.lock(); }
    const Log& log() const noexcept override { return log_; }

    /// On one thread at a time.
    void run_until(const bool& done);

private:
    bool run_posted();
    void set_waits(bool waits);
    void watch_wake();

    const std::weak_ptr<RuntimeImpl> owner_;
    const Log log_;
    Poller poller_;
    TimerQueue timers_;
    const UniqueFd wake_;
    Poller::Watched wake_watch_;
    std::mutex mutex_;
    std::vector<UniqueFunction<void()>> posted_;  // guarded by mutex_
    bool waits_{false};                           // likewise: to be woken by what is posted
    std::vector<UniqueFunction<void()>> running_;
};

/// Runs it and logs what it throws.
void run_guarded(UniqueFunction<void()>& work, const Log& log) noexcept;

}  // namespace qconn::net
