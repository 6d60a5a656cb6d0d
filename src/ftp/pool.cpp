// SPDX-License-Identifier: Apache-2.0
#include "ftp/pool.hpp"

#include <algorithm>
#include <utility>

#include "net/pause.hpp"
#include "net/runtime_impl.hpp"

namespace qconn::ftp {
namespace {

/// An idle session is asked whether it is still there when it has been so for that long: servers and firewalls drop what says nothing.
constexpr std::chrono::seconds k_fresh{5};
/// For a session to be brought back into order after a call has left it.
constexpr std::chrono::seconds k_recovery{15};

}  // namespace

/// A call that waits for a session, or for the right to make one.
struct Pool::Waiter {
    explicit Waiter(net::Loop& l) : loop{l.shared_from_this()} {}
    const std::shared_ptr<net::Loop> loop;
    Baton baton;  // of the loop's thread
    // Guarded by the pool's mutex:
    std::unique_ptr<Session> session;
    bool may_open{false};
    bool woken{false};
};

Pool::Pool(std::shared_ptr<const Settings> settings, Runtime runtime)
    : settings_{std::move(settings)}, runtime_{std::move(runtime)}, most_{std::max<std::size_t>(1, settings_->options.max_sessions)} {}

Pool::~Pool() { close(); }

std::unique_ptr<Session> Pool::take_idle(bool& may_open, std::shared_ptr<Waiter>& waiter, net::Loop& loop) {
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

Task<std::unique_ptr<Session>> Pool::acquire(Call& call, bool& fresh) {
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
            session = co_await Session::open(call, settings_);
        } catch (const Error& error) {
            failed = std::current_exception();
            const auto* detail = error.detail<FtpErrorDetail>();
            full = error.reason() == Reason::limit && detail != nullptr && detail->reply.code != 0;
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

void Pool::give_back(std::unique_ptr<Session> session) {
    if (session->is_spoilt()) {
        session.reset();
        lose();
    } else if (session->is_clean() && session->unfinished.empty()) {
        keep(std::move(session));
    } else {
        recover(std::move(session));
    }
}

void Pool::keep(std::unique_ptr<Session> session) {
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

void Pool::lose() {
    const std::scoped_lock lock{mutex_};
    --open_;
    if (waiting_.empty() || open_ >= most_) return;
    ++open_;
    auto waiter = std::move(waiting_.front());
    waiting_.pop_front();
    waiter->may_open = true;
    wake(std::move(waiter));
}

void Pool::wake(std::shared_ptr<Waiter> waiter) {
    net::Loop& loop = *waiter->loop;
    loop.post([waiter = std::move(waiter)] { waiter->baton.notify(); });
}

void Pool::recover(std::unique_ptr<Session> session) {
    net::Loop& loop = runtime_.impl().loop();
    session->attach(loop);
    loop.post([self = shared_from_this(), session = std::move(session), &loop]() mutable {
        const auto call = std::make_shared<Call>(loop, session->settings().job("breaking off a transfer"), Deadline{k_recovery});
        Session& used = *session;
        run_task<bool>(used.recover(*call), [self, call, session = std::move(session)](Result<bool> outcome) mutable {
            call->end();
            if (!outcome || !*outcome) session->spoil();
            self->give_back(std::move(session));
        });
    });
}

void Pool::schedule_sweep() {
    if (sweeping_ || idle_.empty() || closed_) return;
    sweeping_ = true;
    const Deadline when{idle_.front()->idle_since + settings_->options.idle_time};
    sweep_ = net::async_pause(runtime_, when, [weak = weak_from_this()](Result<void> result) {
        const auto self = weak.lock();
        if (self && result) self->sweep();
    });
}

void Pool::sweep() {
    std::vector<std::unique_ptr<Session>> old;
    {
        const std::scoped_lock lock{mutex_};
        sweeping_ = false;
        const auto now = Clock::now();
        while (!idle_.empty() && idle_.front()->idle_since + settings_->options.idle_time <= now) {
            old.push_back(std::move(idle_.front()));
            idle_.erase(idle_.begin());
            --open_;
        }
        // What the server allows may be more by now.
        most_ = std::max<std::size_t>(1, settings_->options.max_sessions);
        schedule_sweep();
    }
    for (const auto& session : old) session->leave();
}

void Pool::close() {
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

}  // namespace qconn::ftp
