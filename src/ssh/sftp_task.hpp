// SPDX-License-Identifier: Apache-2.0
/// What is done over a session, step by step: coroutines that run on the loop's thread and wait for one thing at a time.
#pragma once

#include <coroutine>
#include <utility>

#include "net/task.hpp"

namespace qconn::sftp {

using net::Detached;
using net::Task;

/// Something that one coroutine at a time waits for, until it is done.
class Awaited {
public:
    bool is_done() const noexcept { return done_; }

protected:
    Awaited() noexcept = default;
    Awaited(const Awaited&) = delete;
    Awaited& operator=(const Awaited&) = delete;
    ~Awaited() = default;
    /// Resumes who waits: the last that is done before a return.
    void finish() {
        done_ = true;
        wake();
    }

private:
    friend class Call;
    void wake() {
        if (const auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
    }
    std::coroutine_handle<> waiter_{nullptr};
    bool done_{false};
};

}  // namespace qconn::sftp
