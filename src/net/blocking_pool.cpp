// SPDX-License-Identifier: Apache-2.0
#include "net/blocking_pool.hpp"

#include <memory>
#include <system_error>
#include <utility>

#include <qconn/base/error.hpp>

#include "net/loop_impl.hpp"

namespace qconn::net {

namespace {

thread_local const void* current_owner = nullptr;

}  // namespace

const void* thread_owner() noexcept { return current_owner; }

void set_thread_owner(const void* owner) noexcept { current_owner = owner; }

BlockingPool::BlockingPool(std::size_t threads, Log log, const void* owner)
    : limit_{threads > 0 ? threads : 1}, log_{std::move(log)}, owner_{owner} {}

void BlockingPool::post(UniqueFunction<void()> work) {
    const std::scoped_lock lock{mutex_};
    queue_.push_back(std::move(work));
    if (idle_ < queue_.size() && workers_.size() < limit_) {
        try {
            workers_.emplace_back("qconn-block", [self = shared_from_this()] { self->run(); });
        } catch (const std::system_error& e) {
            if (workers_.empty()) {
                queue_.pop_back();
                throw make_error(Errc::system, std::string{"starting a thread for blocking work failed: "} + e.what())
                    .with_reason(Reason::local)
                    .with_retryable(true);
            }
        }
    }
    work_.notify_one();
}

void BlockingPool::run() {
    set_thread_owner(owner_);
    std::unique_lock lock{mutex_};
    for (;;) {
        ++idle_;
        work_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
        --idle_;
        if (queue_.empty()) return;
        auto work = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        run_guarded(work, log_);
        lock.lock();
    }
}

bool BlockingPool::stop(Deadline limit) {
    std::vector<Worker> workers;
    {
        const std::scoped_lock lock{mutex_};
        stopped_ = true;
        workers.swap(workers_);
        work_.notify_all();
    }
    bool all = true;
    for (auto& worker : workers) all = worker.join(limit) && all;
    return all;
}

}  // namespace qconn::net
