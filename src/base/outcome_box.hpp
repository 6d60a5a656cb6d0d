// SPDX-License-Identifier: Apache-2.0
/// Where a thread waits for the callback of what it has started.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include <qconn/base/result.hpp>

namespace qconn {

/// Shared by who waits and by the callback, which may come after the one who waited has gone.
template <class T>
class OutcomeBox {
public:
    void put(Result<T> result) {
        const std::scoped_lock lock{mutex_};
        result_.emplace(std::move(result));
        changed_.notify_all();
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

}  // namespace qconn
