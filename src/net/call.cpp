// SPDX-License-Identifier: Apache-2.0
#include "net/call.hpp"

#include "net/run_task.hpp"
#include "net/runtime_impl.hpp"
#include "net/stream.hpp"

namespace qconn::net {

Call::Call(Loop& loop, Job job, Deadline deadline) : loop_{loop.shared_from_this()}, job_{std::move(job)}, deadline_{deadline} {}

void Call::cancel() noexcept {
    if (done_.load() || cancelled_.exchange(true)) return;
    try {
        loop_->post([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->stop(Stop::cancelled);
        });
    } catch (const std::exception&) {
        // Out of memory: it is seen at the next wait.
    }
}

void Call::expect(Phase phase, std::string_view awaited, std::chrono::milliseconds silence, Deadline by) {
    phase_ = phase;
    awaited_ = awaited;
    silence_ = silence;
    by_ = by;
}

void Call::check() {
    if (cancelled_.load()) stop_ = Stop::cancelled;
    if (stop_ == Stop::none && deadline_.has_passed()) stop_ = Stop::deadline;
    if (stop_ != Stop::none) throw_stop(std::exchange(stop_, Stop::none));  // what stands for good is seen again the next time
}

void Call::throw_stop(Stop why) const {
    std::string what;
    switch (why) {
        case Stop::cancelled: what = "it was cancelled"; break;
        case Stop::deadline: what = "its time was over while it waited for "; break;
        default: what = "time was over that the server has for "; break;
    }
    if (why != Stop::cancelled) what.append(awaited_);
    Error error = in_job(job_, make_error(why == Stop::cancelled ? Errc::cancelled : Errc::timeout, std::move(what)));
    throw std::move(error).with_phase(phase_).with_retryable(why != Stop::cancelled);
}

void Call::end() noexcept {
    done_.store(true);
    timer_.reset();
}

void Call::begin_wait(Baton& baton) {
    waiting_ = &baton;
    limit_ = earlier(deadline_, by_);
    if (silence_.count() > 0) limit_ = earlier(limit_, Deadline{silence_});
    if (limit_.is_never() || (!armed_.is_never() && armed_.when() <= limit_.when())) return;  // it looks again when it rings
    if (!timer_) timer_.emplace(*loop_);
    armed_ = limit_;
    timer_->arm(limit_, [this] { on_timer(); });
}

void Call::on_timer() {
    armed_ = {};
    if (waiting_ == nullptr) return;
    if (!limit_.has_passed()) {
        armed_ = limit_;
        if (!limit_.is_never()) timer_->arm(limit_, [this] { on_timer(); });
        return;
    }
    const auto self = shared_from_this();
    stop(deadline_.has_passed() ? Stop::deadline : Stop::silence);
}

void Call::stop(Stop why) {
    if (done_.load() || stop_ != Stop::none) return;
    stop_ = why;
    if (waiting_ != nullptr) std::exchange(waiting_, nullptr)->notify();
}

void StreamWait::await_suspend(std::coroutine_handle<> handle) {
    waits_ = true;
    stream_.wait(side_, [this] { baton_.notify(); });
    if (other_ != nullptr) other_->wait(Ready::read, [this] { baton_.notify(); });
    wait_.await_suspend(handle);
}

void StreamWait::release() noexcept {
    if (!std::exchange(waits_, false)) return;
    stream_.cancel_waits();
    if (other_ != nullptr) other_->cancel_waits();
}

void Turn::await_suspend(std::coroutine_handle<> handle) {
    call_.loop().post([handle] { handle.resume(); });
}

Error error_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error& error) { return error; } catch (const std::exception& other) {
        return make_error(Errc::system, other.what()).with_reason(Reason::local);
    } catch (...) { return make_error(Errc::system, "something was thrown that is no std::exception").with_reason(Reason::local); }
}

}  // namespace qconn::net
