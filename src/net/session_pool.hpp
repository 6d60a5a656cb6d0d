// SPDX-License-Identifier: Apache-2.0
/// The sessions of a client whose protocol carries one call at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>

#include "net/call.hpp"
#include "net/loop_impl.hpp"
#include "net/pause.hpp"
#include "net/run_task.hpp"
#include "net/runtime_impl.hpp"
#include "net/task.hpp"

namespace qconn::net {

/// Hands out sessions one user at a time, makes them up to a number, keeps idle ones for a time.
///
/// A Session has:
///   `Common`, what all sessions of a client have in common, with max_sessions(), idle_time() and job(verb);
///   static open(call, common), a task for a new one, and is_full(error): the server has refused one more, others of ours may do;
///   attach(loop); looks_idle(); probe(call), a task: whether it answers; begin_use();
///   is_spoilt(); spoil(); is_ready(): it needs nothing before the next use; is_unheard(): nothing has come in this use;
///   recover(call), a task that brings it back into order: whether it is; k_recovering, what that is called; leave();
///   idle_since.
/// @note Thread-safe. A session is attached to its user's loop while it is handed out.
template <class Session>
class SessionPool : public std::enable_shared_from_this<SessionPool<Session>> {
public:
    using Common = typename Session::Common;
    SessionPool(std::shared_ptr<const Common> common, Runtime runtime)
        : common_{std::move(common)}, runtime_{std::move(runtime)}, most_{std::max<std::size_t>(1, common_->max_sessions())} {}
    SessionPool(const SessionPool&) = delete;
    SessionPool& operator=(const SessionPool&) = delete;
    ~SessionPool() { close(); }

    /// One that is kept, a new one, or the next that somebody gives back.
    /// @param fresh  set: whether it was made for this call
    Task<std::unique_ptr<Session>> acquire(Call& call, bool& fresh);
    /// On the thread of the loop that it was used on. One that is in no order is brought into it in the background.
    void give_back(std::unique_ptr<Session> session);
    /// All that nobody uses; they are the caller's, and none of the pool's any more.
    std::vector<std::unique_ptr<Session>> take_idle();
    /// Idle ones go, and those that come back too.
    void close();

private:
    /// An idle session is asked whether it is still there when it has been so for that long: servers and firewalls drop what says nothing.
    static constexpr std::chrono::seconds k_fresh{5};
    /// For a session to be brought back into order after a call has left it.
    static constexpr std::chrono::seconds k_recovery{15};

    /// A call that waits for a session, or for the right to make one.
    struct Waiter {
        explicit Waiter(Loop& l) : loop{l.shared_from_this()} {}
        const std::shared_ptr<Loop> loop;
        Baton baton;  // of the loop's thread
        // Guarded by the pool's mutex:
        std::unique_ptr<Session> session;
        bool may_open{false};
        bool woken{false};
    };

    std::unique_ptr<Session> take_idle(bool& may_open, std::shared_ptr<Waiter>& waiter, Loop& loop);
    void keep(std::unique_ptr<Session> session);
    void lose();
    void recover(std::unique_ptr<Session> session);
    void sweep();
    // With the mutex held:
    void wake(std::shared_ptr<Waiter> waiter);
    void schedule_sweep();

    const std::shared_ptr<const Common> common_;
    const Runtime runtime_;
    std::mutex mutex_;
    // Guarded by mutex_:
    std::vector<std::unique_ptr<Session>> idle_;  // the last one was used last
    std::deque<std::shared_ptr<Waiter>> waiting_;
    std::size_t open_{0};  // idle ones and those that are being made included
    std::size_t most_;     // as many as the server has let us have
    bool closed_{false};
    bool sweeping_{false};
    Operation sweep_;
};

template <class Session>
std::unique_ptr<Session> SessionPool<Session>::take_idle(bool& may_open, std::shared_ptr<Waiter>& waiter, Loop& loop) {
    const std::scoped_lock lock{mutex_};
    while (!idle_.empty()) {
        auto session = std::move(idle_.back());
        idle_.pop_back();
        session->attach(loop);
        if (session->looks_idle()) return session;
        --open_;  // the server has closed it, or said that it will
    }
    may_open = open_ < most_;
    if (may_open) {
        ++open_;
    } else {
        waiter = std::make_shared<Waiter>(loop);
        waiting_.push_back(waiter);
    }
    return nullptr;
}

template <class Session>
Task<std::unique_ptr<Session>> SessionPool<Session>::acquire(Call& call, bool& fresh) {
    for (;;) {
        call.check();
        bool may_open = false;
        std::shared_ptr<Waiter> waiter;
        auto session = take_idle(may_open, waiter, call.loop());
        if (waiter) {
            call.expect(Phase::none, "one of the other calls to end", {});
            std::exception_ptr stopped;
            try {
                co_await Wait{call, waiter->baton};
            } catch (const Error&) { stopped = std::current_exception(); }
            {
                const std::scoped_lock lock{mutex_};
                std::erase(waiting_, waiter);
                session = std::move(waiter->session);
                may_open = waiter->may_open;
            }
            if (session) session->attach(call.loop());
            if (stopped) {
                if (session)
                    give_back(std::move(session));
                else if (may_open)
                    lose();
                std::rethrow_exception(stopped);
            }
        }
        if (session) {
            session->begin_use();
            bool good = true;
            if (Clock::now() - session->idle_since > k_fresh) {
                std::exception_ptr stopped;
                try {
                    good = co_await session->probe(call);
                } catch (const Error&) { stopped = std::current_exception(); }
                if (stopped) {
                    give_back(std::move(session));
                    std::rethrow_exception(stopped);
                }
            }
            if (good) {
                session->begin_use();
                fresh = false;
                co_return session;
            }
            session.reset();
            lose();
            continue;
        }
        if (!may_open) continue;
        std::exception_ptr failed;
        bool full = false;
        try {
            session = co_await Session::open(call, common_);
        } catch (const Error& error) {
            failed = std::current_exception();
            full = Session::is_full(error);
        } catch (...) { failed = std::current_exception(); }
        if (!failed) {
            session->begin_use();
            fresh = true;
            co_return session;
        }
        if (full) {
            // The server allows fewer: others of ours will do, where there are any.
            const std::scoped_lock lock{mutex_};
            if (open_ > 1) {
                most_ = open_ - 1;
                failed = nullptr;
            }
        }
        lose();
        if (failed) std::rethrow_exception(failed);
    }
}

template <class Session>
void SessionPool<Session>::give_back(std::unique_ptr<Session> session) {
    if (session->is_spoilt()) {
        session.reset();
        lose();
    } else if (session->is_ready()) {
        keep(std::move(session));
    } else {
        recover(std::move(session));
    }
}

template <class Session>
void SessionPool<Session>::keep(std::unique_ptr<Session> session) {
    session->attach(runtime_.impl().loop());
    session->idle_since = Clock::now();
    std::unique_lock lock{mutex_};
    if (closed_) {
        --open_;
        lock.unlock();
        session->leave();
        return;
    }
    if (!waiting_.empty()) {
        auto waiter = std::move(waiting_.front());
        waiting_.pop_front();
        waiter->session = std::move(session);
        wake(std::move(waiter));
        return;
    }
    idle_.push_back(std::move(session));
    schedule_sweep();
}

template <class Session>
void SessionPool<Session>::lose() {
    const std::scoped_lock lock{mutex_};
    --open_;
    if (waiting_.empty() || open_ >= most_) return;
    ++open_;
    auto waiter = std::move(waiting_.front());
    waiting_.pop_front();
    waiter->may_open = true;
    wake(std::move(waiter));
}

template <class Session>
void SessionPool<Session>::wake(std::shared_ptr<Waiter> waiter) {
    Loop& loop = *waiter->loop;
    // Who was given up meanwhile is gone: its loop may never run again, and would be held by this.
    loop.post([weak = std::weak_ptr<Waiter>{waiter}] {
        if (const auto one = weak.lock()) one->baton.notify();
    });
}

template <class Session>
void SessionPool<Session>::recover(std::unique_ptr<Session> session) {
    Loop& loop = runtime_.impl().loop();
    session->attach(loop);
    loop.post([self = this->shared_from_this(), session = std::move(session), &loop]() mutable {
        const auto call = std::make_shared<Call>(loop, self->common_->job(Session::k_recovering), Deadline{k_recovery});
        Session& used = *session;
        run_task<bool>(used.recover(*call), [self, call, session = std::move(session)](Result<bool> outcome) mutable {
            call->end();
            if (!outcome || !*outcome) session->spoil();
            self->give_back(std::move(session));
        });
    });
}

template <class Session>
void SessionPool<Session>::schedule_sweep() {
    if (sweeping_ || idle_.empty() || closed_) return;
    sweeping_ = true;
    const Deadline when{idle_.front()->idle_since + common_->idle_time()};
    sweep_ = async_pause(runtime_, when, [weak = this->weak_from_this()](Result<void> result) {
        const auto self = weak.lock();
        if (self && result) self->sweep();
    });
}

template <class Session>
void SessionPool<Session>::sweep() {
    std::vector<std::unique_ptr<Session>> old;
    {
        const std::scoped_lock lock{mutex_};
        sweeping_ = false;
        const auto now = Clock::now();
        while (!idle_.empty() && idle_.front()->idle_since + common_->idle_time() <= now) {
            old.push_back(std::move(idle_.front()));
            idle_.erase(idle_.begin());
            --open_;
        }
        // What the server allows may be more by now.
        most_ = std::max<std::size_t>(1, common_->max_sessions());
        schedule_sweep();
    }
    for (const auto& session : old) session->leave();
}

template <class Session>
void SessionPool<Session>::close() {
    std::vector<std::unique_ptr<Session>> all;
    Operation sweep;
    {
        const std::scoped_lock lock{mutex_};
        closed_ = true;
        all.swap(idle_);
        open_ -= all.size();
        sweep = std::move(sweep_);
    }
    sweep.cancel();
    for (const auto& session : all) session->leave();
}

template <class Session>
std::vector<std::unique_ptr<Session>> SessionPool<Session>::take_idle() {
    std::vector<std::unique_ptr<Session>> all;
    const std::scoped_lock lock{mutex_};
    all.swap(idle_);
    open_ -= all.size();
    return all;
}

/// A session for the work, which is done once more with another where a kept one has turned out to be dead.
/// @param work  Task<T>(Session&, Call&); called while it lives
template <class T, class Session, class Work>
Task<T> with_session(std::shared_ptr<SessionPool<Session>> pool, std::shared_ptr<Call> call, Work work) {
    for (;;) {
        bool fresh = false;
        std::unique_ptr<Session> session = co_await pool->acquire(*call, fresh);
        std::optional<T> result;
        std::exception_ptr failed;
        try {
            result = co_await work(*session, *call);
        } catch (...) { failed = std::current_exception(); }
        if (!failed) {
            pool->give_back(std::move(session));
            co_return std::move(*result);
        }
        if (session->is_spoilt() && session->is_unheard() && !fresh) {
            pool->give_back(std::move(session));
            continue;
        }
        // What is left of it goes before the caller is told, where there is the time for that.
        if (!session->is_spoilt() && !session->is_ready()) {
            try {
                const bool good = co_await session->recover(*call);
                if (!good) session->spoil();
            } catch (...) {
                // In the background, then.
            }
        }
        pool->give_back(std::move(session));
        std::rethrow_exception(failed);
    }
}

}  // namespace qconn::net
