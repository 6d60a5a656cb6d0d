// SPDX-License-Identifier: Apache-2.0
/// Where a thread waits for the callback of what it has started.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <qconn/base/result.hpp>

namespace qconn {

/// Shared by who waits and by the callback, which may come after the one who waited has gone.
template <class T>
class OutcomeBox {
public:
    void put(Result<T> result) {
        {
            const std::scoped_lock lock{mutex_};
            result_.emplace(std::move(result));
        }
        changed_.notify_all();  // who is woken finds the mutex free
    }
    /// Waits for it. Once. @throws Error the outcome's
    T take() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return result_.has_value(); });
        return std::move(*result_).value();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Result<T>> result_;
};

/// Starts an operation and waits for its callback. @throws Error the outcome's
template <class T, class Start>
T await_outcome(Start start) {
    if constexpr (std::is_void_v<T>) {
        const auto box = std::make_shared<OutcomeBox<int>>();
        start([box](Result<void> result) { box->put(result ? Result<int>{0} : Result<int>{result.error()}); });
        box->take();
    } else {
        const auto box = std::make_shared<OutcomeBox<T>>();
        start([box](Result<T> result) { box->put(std::move(result)); });
        return box->take();
    }
}

}  // namespace qconn
