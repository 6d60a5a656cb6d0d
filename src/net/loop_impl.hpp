// SPDX-License-Identifier: Apache-2.0
/// The event loop of one I/O thread.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>

#include "net/runtime_impl.hpp"

namespace qconn::net {

class LoopImpl final : public Loop {
public:
    LoopImpl(std::weak_ptr<RuntimeImpl> owner, Log log);
    ~LoopImpl() override;

    boost::asio::io_context& context() noexcept override { return context_; }
    Poller& poller() noexcept override { return *poller_; }
    bool on_thread() const noexcept override;
    void post(UniqueFunction<void()> work) override;
    std::shared_ptr<RuntimeImpl> runtime() const noexcept override { return owner_.lock(); }
    const Log& log() const noexcept override { return log_; }

    /// The body of the thread: until stop(), and then all that was posted before.
    void run();
    void stop();
    /// For a thread that waits for one thing and does the work for it meanwhile: until `done`. Not beside run().
    void run_until(const bool& done);

private:
    std::weak_ptr<RuntimeImpl> owner_;
    Log log_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
    const std::unique_ptr<Poller> poller_;
};

/// Runs it and logs what it throws.
void run_guarded(UniqueFunction<void()>& work, const Log& log) noexcept;

}  // namespace qconn::net
