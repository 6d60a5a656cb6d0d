// SPDX-License-Identifier: Apache-2.0
#include "net/blocking_pool.hpp"

#include <algorithm>
#include <memory>
#include <string>
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

/// Guarded by the pool's mutex.
class BlockingPool::Check {
public:
    Check(UniqueFunction<void()> its_work, const void* its_key, bool plain) : work{std::move(its_work)}, key{its_key}, is_plain{plain} {}

    UniqueFunction<void()> work;  // empty once it was begun or dropped
    const void* const key;
    const bool is_plain;               // post(): nobody gives it up
    std::shared_ptr<Thread> thread{};  // that it runs on
    Clock::time_point begun{};
};

BlockingPool::BlockingPool(const char* name, std::size_t threads, Log log, const void* owner)
    : name_{name}, limit_{threads > 0 ? threads : 1}, log_{std::move(log)}, owner_{owner} {}

bool BlockingPool::has_next() const { return !queue_.empty() || (!checks_.empty() && hung_ < limit_); }

std::shared_ptr<BlockingPool::Check> BlockingPool::next() {
    if (!has_next()) return nullptr;
    auto& from = queue_.empty() ? checks_ : queue_;
    auto first = std::move(from.front());
    from.pop_front();
    return first;
}

void BlockingPool::want_thread() {
    if (!has_next()) return;
    if (idle_ < queue_.size() + checks_.size() && active_ < limit_) {
        auto thread = std::make_shared<Thread>();
        threads_.push_back(thread);
        try {
            thread->worker = Worker{name_, [self = shared_from_this(), thread] { self->run(thread); }};
            ++active_;
        } catch (const std::system_error&) {
            threads_.pop_back();
            if (active_ == 0) throw;
        }
    }
    work_.notify_one();
}

void BlockingPool::enqueue(const std::shared_ptr<Check>& check) {
    auto& queue = check->is_plain ? queue_ : checks_;
    queue.push_back(check);
    try {
        want_thread();
    } catch (const std::system_error& e) {
        queue.pop_back();
        throw make_error(Errc::system, std::string{"starting a thread for blocking work failed: "} + e.what())
            .with_reason(Reason::local)
            .with_retryable(true);
    }
}

void BlockingPool::post(UniqueFunction<void()> work) {
    const auto plain = std::make_shared<Check>(std::move(work), nullptr, true);
    const std::scoped_lock lock{mutex_};
    enqueue(plain);
}

std::shared_ptr<BlockingPool::Check> BlockingPool::post_check(UniqueFunction<void()> work, const void* key) {
    auto check = std::make_shared<Check>(std::move(work), key, false);
    const std::scoped_lock lock{mutex_};
    const auto line = key ? lines_.find(key) : lines_.end();
    if (line != lines_.end()) {
        line->second.push_back(check);
        return check;
    }
    if (hung_ >= limit_) {
        throw make_error(Errc::system, "it was not begun: all " + std::to_string(hung_) +
                                           " threads that may hang wait for earlier checks that have not returned; see which file systems or "
                                           "servers do not answer")
            .with_reason(Reason::local)
            .with_retryable(true);
    }
    enqueue(check);
    if (key) lines_[key].push_back(check);
    return check;
}

void BlockingPool::leave_line(const std::shared_ptr<Check>& check) {
    const auto line = check->key ? lines_.find(check->key) : lines_.end();
    if (line == lines_.end()) return;
    const bool was_first = line->second.front() == check;
    std::erase(line->second, check);
    if (line->second.empty()) {
        lines_.erase(line);
    } else if (was_first) {
        checks_.push_back(line->second.front());
        try {
            want_thread();
        } catch (const std::system_error&) {
            // It waits in the queue for a thread that the next one may get.
        }
    }
}

bool BlockingPool::give_up(const std::shared_ptr<Check>& check) {
    UniqueFunction<void()> dropped;  // destroyed without the lock
    const std::scoped_lock lock{mutex_};
    if (check->work) {
        dropped = std::move(check->work);
        std::erase(checks_, check);
        leave_line(check);
        return true;
    }
    if (!check->thread) return false;
    check->thread->given_up = true;
    if (!check->thread->hung && hung_ < limit_) {
        check->thread->hung = true;
        ++hung_;
        --active_;
        try {
            want_thread();
        } catch (const std::system_error&) {
            // What is queued waits until a thread returns.
        }
    }
    return false;
}

void BlockingPool::take_back(const std::shared_ptr<Check>& check) {
    const std::scoped_lock lock{mutex_};
    if (!check->thread) return;
    check->thread->given_up = false;
    if (!check->thread->hung) return;
    check->thread->hung = false;
    --hung_;
    ++active_;
    work_.notify_one();
}

std::optional<Clock::time_point> BlockingPool::held_up_since(const std::shared_ptr<Check>& check) const {
    const std::scoped_lock lock{mutex_};
    const auto line = check->key ? lines_.find(check->key) : lines_.end();
    if (line == lines_.end() || line->second.front() == check || !line->second.front()->thread) return std::nullopt;
    return line->second.front()->begun;
}

std::size_t BlockingPool::hung() const {
    const std::scoped_lock lock{mutex_};
    return hung_;
}

std::size_t BlockingPool::threads() const {
    const std::scoped_lock lock{mutex_};
    return active_ + hung_;
}

void BlockingPool::run(const std::shared_ptr<Thread>& thread) {
    set_thread_owner(owner_);
    std::unique_lock lock{mutex_};
    do {
        ++idle_;
        work_.wait(lock, [this] { return stopped_ || has_next(); });
        --idle_;
        const auto check = next();
        if (!check) break;
        auto work = std::move(check->work);
        check->thread = thread;
        check->begun = Clock::now();
        lock.unlock();
        run_guarded(work, log_);
        lock.lock();
        check->thread = nullptr;
        thread->given_up = false;
        if (thread->hung) {
            thread->hung = false;
            --hung_;
            ++active_;
        }
        leave_line(check);
    } while (active_ <= limit_);  // else another has taken its place
    --active_;
    std::erase(threads_, thread);
    if (has_next()) work_.notify_one();
}

bool BlockingPool::stop(Deadline limit) {
    std::vector<std::shared_ptr<Thread>> threads;
    {
        const std::scoped_lock lock{mutex_};
        stopped_ = true;
        threads.swap(threads_);
        std::erase_if(threads, [](const auto& thread) { return thread->given_up; });
        work_.notify_all();
    }
    bool all = true;
    for (const auto& thread : threads) all = thread->worker.join(limit) && all;
    return all;
}

void BlockingPool::discard() {
    std::vector<UniqueFunction<void()>> dropped;  // destroyed without the lock
    const std::scoped_lock lock{mutex_};
    stopped_ = true;
    for (auto* queue : {&queue_, &checks_}) {
        for (const auto& check : *queue) dropped.push_back(std::move(check->work));
        queue->clear();
    }
    lines_.clear();
    work_.notify_all();
}

}  // namespace qconn::net
