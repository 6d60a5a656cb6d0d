// SPDX-License-Identifier: Apache-2.0
/// One call of a client: what ends it, and what it waits for.
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>

#include "net/fd_watch.hpp"
#include "net/job.hpp"
#include "net/timer.hpp"

namespace qconn::net {

class Loop;
class Stream;

/// Where a coroutine waits until it is told to go on. @note Loop's thread
class Baton {
public:
    void notify() {
        if (waiting_)
            std::exchange(waiting_, {}).resume();
        else
            told_ = true;
    }

private:
    friend class Wait;
    std::coroutine_handle<> waiting_;
    bool told_{false};
};

/// What may end it from outside, and when. Lives on one loop; cancel() and done() are for any thread.
class Call final : public Operation::State, public std::enable_shared_from_this<Call> {
public:
    Call(Loop& loop, Job job, Deadline deadline);

    Loop& loop() const noexcept { return *loop_; }
    const Job& job() const noexcept { return job_; }

    void cancel() noexcept override;
    bool done() const noexcept override { return done_.load(); }

    // On the loop's thread:

    /// What is waited for from now on, and for how long: `silence` at a time (zero: no limit) and not beyond `by`.
    void expect(Phase phase, std::string_view awaited, std::chrono::milliseconds silence, Deadline by = {});
    /// @throws Error TIMEOUT, CANCELLED
    void check();
    /// It is over: nothing can stop it any more, and the timer goes.
    void end() noexcept;

private:
    friend class Wait;
    enum class Stop : std::uint8_t { none, cancelled, deadline, silence };

    void begin_wait(Baton& baton);
    void on_timer();
    void stop(Stop why);
    [[noreturn]] void throw_stop(Stop why) const;

    const std::shared_ptr<Loop> loop_;
    const Job job_;
    const Deadline deadline_;
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> done_{false};
    // Of the loop's thread:
    std::optional<Timer> timer_;
    Deadline armed_{};  // never: not armed
    Deadline limit_{};
    Stop stop_{Stop::none};
    Baton* waiting_{nullptr};
    Phase phase_{Phase::none};
    std::string_view awaited_{"an answer"};
    std::chrono::milliseconds silence_{0};
    Deadline by_{};
};

/// `co_await Wait{call, baton}`: goes on when the baton is told to, or the call ends. @throws Error TIMEOUT, CANCELLED
class Wait {
public:
    Wait(Call& call, Baton& baton) noexcept : call_{call}, baton_{baton} {}
    bool await_ready() const noexcept { return baton_.told_ || call_.cancelled_.load(); }
    void await_suspend(std::coroutine_handle<> handle) {
        baton_.waiting_ = handle;
        call_.begin_wait(baton_);
    }
    void await_resume() {
        baton_.told_ = false;
        baton_.waiting_ = {};
        call_.waiting_ = nullptr;
        call_.check();
    }

private:
    Call& call_;
    Baton& baton_;
};

/// `co_await StreamWait{call, stream, side, other}`: until the stream can be read or written, or `other`, if there is one, can be read.
class StreamWait {
public:
    StreamWait(Call& call, Stream& stream, Ready side, Stream* other = nullptr) noexcept
        : stream_{stream}, other_{other}, side_{side}, wait_{call, baton_} {}
    StreamWait(const StreamWait&) = delete;
    StreamWait& operator=(const StreamWait&) = delete;
    ~StreamWait() { release(); }

    bool await_ready() const noexcept { return wait_.await_ready(); }
    void await_suspend(std::coroutine_handle<> handle);
    void await_resume() {
        release();
        wait_.await_resume();
    }

private:
    void release() noexcept;

    Stream& stream_;
    Stream* const other_;
    const Ready side_;
    bool waits_{false};
    Baton baton_;
    Wait wait_;
};

/// `co_await Turn{call}`: lets others of the loop have a turn.
class Turn {
public:
    explicit Turn(Call& call) noexcept : call_{call} {}
    static bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle);
    void await_resume() { call_.check(); }

private:
    Call& call_;
};

}  // namespace qconn::net
