// SPDX-License-Identifier: Apache-2.0
#include "net/threads.hpp"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <utility>

namespace qconn::net {

namespace {

std::atomic<unsigned> forks{0};
std::atomic<bool> exits{false};

/// Blocks every signal while it lives; a thread started meanwhile inherits that for good.
class SignalsBlocked {
public:
    SignalsBlocked() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &former_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &former_, nullptr); }

private:
    sigset_t former_{};
};

[[maybe_unused]] const bool hooks_are_set = [] {
    pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
    std::atexit([] { exits.store(true, std::memory_order_relaxed); });
    return true;
}();

}  // namespace

unsigned fork_generation() noexcept { return forks.load(std::memory_order_relaxed); }

bool process_exits() noexcept { return exits.load(std::memory_order_relaxed); }

Worker::Worker(const char* name, std::function<void()> body) : end_{std::make_shared<End>()} {
    const SignalsBlocked blocked;
    thread_ = std::thread{[end = end_, body = std::move(body)]() mutable {
        body();
        body = nullptr;  // what it held goes before the end is told
        const std::scoped_lock lock{end->mutex};
        end->ended = true;
        end->changed.notify_all();
    }};
    pthread_setname_np(thread_.native_handle(), name);
}

Worker::~Worker() { detach(); }

bool Worker::join(Deadline limit) {
    if (!thread_.joinable()) return true;
    {
        std::unique_lock lock{end_->mutex};
        const auto ended = [this] { return end_->ended; };
        if (limit.is_never())
            end_->changed.wait(lock, ended);
        else if (!end_->changed.wait_until(lock, limit.when(), ended)) {
            thread_.detach();
            return false;
        }
    }
    thread_.join();
    return true;
}

void Worker::detach() noexcept {
    if (thread_.joinable()) thread_.detach();
}

}  // namespace qconn::net
