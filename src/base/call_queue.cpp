// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/call_queue.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include <qconn/base/error.hpp>

namespace qconn {

struct CallQueueState {
    struct Entry {
        UniqueFunction<void()> call;
        const void* source;  // null: none
    };

    CallQueueState() : descriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
        if (descriptor < 0) throw make_error(Errc::system, "no descriptor is left for a queue of calls").with_reason(Reason::local);
    }
    CallQueueState(const CallQueueState&) = delete;
    CallQueueState& operator=(const CallQueueState&) = delete;
    ~CallQueueState() { ::close(descriptor); }

    /// @param closed  looked at with the mutex held; null: none
    void post(Entry entry, const bool* closed) {
        {
            const std::scoped_lock lock{mutex};
            if (ended || (closed != nullptr && *closed)) return;
            entries.push_back(std::move(entry));
            if (entries.size() == 1) show(true);
        }
        came.notify_one();
    }

    /// With the mutex held.
    void show(bool waiting) const noexcept {
        std::uint64_t count = 1;
        // Neither can fail but for a counter at its end, or at its begin.
        if (waiting)
            static_cast<void>(::write(descriptor, &count, sizeof count) == 0);
        else
            static_cast<void>(::read(descriptor, &count, sizeof count) == 0);
    }

    const int descriptor;
    mutable std::mutex mutex;
    std::condition_variable came;
    std::condition_variable made;
    // Guarded by mutex:
    std::deque<Entry> entries;
    bool ended{false};
    bool running{false};
    std::thread::id runner;
    const void* source{nullptr};  // of the call that is being made
};

namespace {

/// The turn of one thread to make calls.
class Turn {
public:
    Turn(CallQueueState& state, std::unique_lock<std::mutex>& lock) : state_{state}, lock_{lock} {
        state.running = true;
        state.runner = std::this_thread::get_id();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        if (!lock_.owns_lock()) lock_.lock();
        state_.running = false;
        state_.source = nullptr;
        state_.made.notify_all();
        state_.came.notify_one();  // another thread may wait for its turn
    }

private:
    CallQueueState& state_;
    std::unique_lock<std::mutex>& lock_;
};

}  // namespace

CallQueue::CallQueue() : state_{std::make_shared<CallQueueState>()} {}

CallQueue::~CallQueue() {
    std::deque<CallQueueState::Entry> left;  // destroyed without the lock
    const std::scoped_lock lock{state_->mutex};
    state_->ended = true;
    left.swap(state_->entries);
    state_->came.notify_all();
}

std::weak_ptr<CallQueueState> CallQueue::weak() const { return state_; }

void CallQueue::post_to(const std::weak_ptr<CallQueueState>& queue, UniqueFunction<void()> call) {
    if (const auto state = queue.lock()) state->post({std::move(call), nullptr}, nullptr);
}

void CallQueue::post(UniqueFunction<void()> call) { state_->post({std::move(call), nullptr}, nullptr); }

std::size_t CallQueue::run(Deadline deadline) {
    const auto state = state_;  // a call may destroy the queue
    std::unique_lock lock{state->mutex};
    if (state->running && state->runner == std::this_thread::get_id())
        throw make_error(Errc::invalid_argument, "CallQueue::run() was called from inside one of its calls");
    const auto ready = [&] { return !state->running && (!state->entries.empty() || state->ended); };
    if (deadline.is_never())
        state->came.wait(lock, ready);
    else if (!state->came.wait_until(lock, deadline.when(), ready))
        return 0;
    std::size_t left = state->entries.size();  // those that come meanwhile have their turn next time
    std::size_t count = 0;
    const Turn turn{*state, lock};
    while (left-- > 0 && !state->entries.empty()) {
        auto entry = std::move(state->entries.front());
        state->entries.pop_front();
        if (state->entries.empty()) state->show(false);
        state->source = entry.source;
        lock.unlock();
        ++count;
        entry.call();
        entry.call = nullptr;  // without the lock
        lock.lock();
        state->source = nullptr;
        state->made.notify_all();
    }
    return count;
}

std::size_t CallQueue::waiting() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->entries.size();
}

int CallQueue::descriptor() const noexcept { return state_->descriptor; }

CallQueue::Source::Source(CallQueue& queue) : queue_{queue.state_} {}

void CallQueue::Source::post(UniqueFunction<void()> call) {
    if (const auto state = queue_.lock()) state->post({std::move(call), this}, &closed_);
}

void CallQueue::Source::close(bool wait) noexcept {
    const auto state = queue_.lock();
    if (!state) return;
    std::deque<CallQueueState::Entry> dropped;  // destroyed without the lock
    std::unique_lock lock{state->mutex};
    closed_ = true;
    std::deque<CallQueueState::Entry> kept;
    for (auto& entry : state->entries) (entry.source == this ? dropped : kept).push_back(std::move(entry));
    const bool emptied = kept.empty() && !state->entries.empty();
    state->entries.swap(kept);
    if (emptied) state->show(false);
    if (!wait || state->source != this || state->runner == std::this_thread::get_id()) return;
    state->made.wait(lock, [&] { return state->source != this; });
}

}  // namespace qconn
