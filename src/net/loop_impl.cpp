// SPDX-License-Identifier: Apache-2.0
#include "net/loop_impl.hpp"

#include <boost/asio/post.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <exception>
#include <utility>

namespace qconn::net {

namespace {

thread_local const Loop* current_loop = nullptr;

void log_throw(const Log& log, std::string_view words) noexcept {
    log.write({.level = LogLevel::error, .connection = {}, .event = "callback-threw", .text = words, .fields = {}});
}

void log_current_exception(const Log& log) noexcept {
    try {
        throw;
    } catch (const std::exception& e) { log_throw(log, e.what()); } catch (...) {
        log_throw(log, "an exception that is no std::exception");
    }
}

}  // namespace

void run_guarded(UniqueFunction<void()>& work, const Log& log) noexcept {
    try {
        work();
    } catch (...) { log_current_exception(log); }
    work = nullptr;
}

LoopImpl::LoopImpl(std::weak_ptr<RuntimeImpl> owner, Log log)
    : owner_{std::move(owner)},
      log_{std::move(log)},
      guard_{boost::asio::make_work_guard(context_)},
      poller_{std::make_unique<Poller>(log_, &context_)} {}

LoopImpl::~LoopImpl() = default;

bool LoopImpl::on_thread() const noexcept { return current_loop == this; }

void LoopImpl::post(UniqueFunction<void()> work) {
    boost::asio::post(context_, [work = std::move(work), this]() mutable { run_guarded(work, log_); });
}

void LoopImpl::run() {
    current_loop = this;
    for (bool stopped = false; !stopped;) {
        try {
            context_.run();
            stopped = true;
        } catch (...) { log_current_exception(log_); }
    }
    guard_.reset();
    context_.restart();
    while (context_.poll() > 0) context_.restart();  // run_guarded() lets nothing through
    current_loop = nullptr;
}

void LoopImpl::stop() {
    boost::asio::post(context_, [this] { context_.stop(); });
}

// ---- the loop of one thread's call ----

CallLoop::CallLoop(std::weak_ptr<RuntimeImpl> owner, Log log)
    : owner_{std::move(owner)}, log_{std::move(log)}, poller_{log_}, wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (!wake_) throw make_error(Errc::system, "no descriptor is left for a loop").with_reason(Reason::local).with_retryable(true);
    wake_watch_.fd = wake_.get();
    watch_wake();
}

CallLoop::~CallLoop() { poller_.forget(wake_watch_); }

bool CallLoop::on_thread() const noexcept { return current_loop == this; }

void CallLoop::watch_wake() {
    wake_watch_.callbacks[static_cast<std::size_t>(Ready::read)] = [this] {
        std::uint64_t count = 0;
        static_cast<void>(::read(wake_.get(), &count, sizeof count) == 0);
        watch_wake();
    };
    poller_.want(wake_watch_);
}

void CallLoop::post(UniqueFunction<void()> work) {
    bool wake = false;
    {
        const std::scoped_lock lock{mutex_};
        posted_.push_back(std::move(work));
        wake = std::exchange(waits_, false);
    }
    const std::uint64_t one = 1;
    if (wake) static_cast<void>(::write(wake_.get(), &one, sizeof one) == 0);
}

void CallLoop::set_waits(bool waits) {
    const std::scoped_lock lock{mutex_};
    waits_ = waits;
}

bool CallLoop::run_posted() {
    {
        const std::scoped_lock lock{mutex_};
        running_.swap(posted_);
        waits_ = running_.empty();
    }
    const bool any = !running_.empty();
    for (auto& work : running_) run_guarded(work, log_);
    running_.clear();
    return any;
}

void CallLoop::run_until(const bool& done) {
    const Loop* const before = std::exchange(current_loop, this);
    while (!done) {
        if (run_posted()) continue;
        poller_.wait(timers_.next());
        set_waits(false);
        timers_.run_due(Clock::now(), log_);
    }
    run_posted();  // what is left to be let go of
    current_loop = before;
}

}  // namespace qconn::net
