// SPDX-License-Identifier: Apache-2.0
/// What asynchronous calls end with.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <qconn/base/operation.hpp>

#include "support/wait.hpp"

namespace qconn::test {

/// Collects what asynchronous calls deliver.
template <class T>
class Outcomes {
public:
    Callback<T> callback() {
        return [state = state_, alive = state_->alive](Result<T> result) {
            const std::lock_guard lock{state->mutex};
            state->results.push_back(std::move(result));
            state->arrived.notify_all();
        };
    }
    /// False where fewer came within 20 s.
    bool wait(std::size_t count) {
        std::unique_lock lock{state_->mutex};
        return state_->arrived.wait_for(lock, std::chrono::seconds{20}, [&] { return state_->results.size() >= count; });
    }
    /// No callback exists any more, so that none can come. False where one is still there after 20 s.
    bool wait_for_the_last() {
        return wait_until([&] { return state_->alive.use_count() == 1; }, std::chrono::seconds{20});
    }
    std::vector<Result<T>> results() {
        const std::lock_guard lock{state_->mutex};
        return state_->results;
    }
    std::size_t count() { return results().size(); }
    void forget() {
        const std::lock_guard lock{state_->mutex};
        state_->results.clear();
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable arrived;
        std::vector<Result<T>> results;
        std::shared_ptr<void> alive{std::make_shared<int>()};  // each callback has it too
    };
    std::shared_ptr<State> state_{std::make_shared<State>()};
};

}  // namespace qconn::test
