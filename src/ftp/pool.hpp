// SPDX-License-Identifier: Apache-2.0
/// The sessions of a client.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>

#include "ftp/session.hpp"

namespace qconn::ftp {

/// Hands out sessions one user at a time, makes them up to a number, keeps idle ones for a time.
/// @note Thread-safe. A session is attached to its user's loop while it is handed out.
class Pool : public std::enable_shared_from_this<Pool> {
public:
    Pool(std::shared_ptr<const Settings> settings, Runtime runtime);
    ~Pool();

    /// One that is kept, a new one, or the next that somebody gives back.
    /// @param fresh  set: whether it was made for this call
    Task<std::unique_ptr<Session>> acquire(Call& call, bool& fresh);
    /// On the thread of the loop that it was used on. One that is in no order is brought into it in the background.
    void give_back(std::unique_ptr<Session> session);
    /// Idle ones go, and those that come back too.
    void close();

private:
    struct Waiter;

    std::unique_ptr<Session> take_idle(bool& may_open, std::shared_ptr<Waiter>& waiter, net::Loop& loop);
    void keep(std::unique_ptr<Session> session);
    void lose();
    void recover(std::unique_ptr<Session> session);
    void sweep();
    // With the mutex held:
    void wake(std::shared_ptr<Waiter> waiter);
    void schedule_sweep();

    const std::shared_ptr<const Settings> settings_;
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

}  // namespace qconn::ftp
