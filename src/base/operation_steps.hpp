// SPDX-License-Identifier: Apache-2.0
/// Operations whose parts come one after the other.
#pragma once

#include <atomic>
#include <limits>
#include <mutex>
#include <utility>

#include <qconn/base/operation.hpp>

namespace qconn {

/// cancel() reaches the part that is under way, and each that comes after it.
/// @note Thread-safe.
class OperationSteps : public Operation::State {
public:
    void cancel() noexcept override {
        Operation part;
        {
            const std::scoped_lock lock{mutex_};
            cancelled_ = true;
            part = part_;
        }
        part.cancel();
    }
    bool done() const noexcept override { return done_.load(); }

    /// What cancel() reaches from now on. A part may be over before its operation is known here: it does not take the place of one that came later.
    /// @param step  counts up
    void set_part(int step, Operation part) {
        const std::scoped_lock lock{mutex_};
        if (step < step_) return;
        step_ = step;
        part_ = std::move(part);
        if (cancelled_) part_.cancel();
    }
    /// Before the callback.
    void end() {
        set_part(std::numeric_limits<int>::max(), {});  // an operation may hold its callback, and that this
        done_.store(true);
    }

private:
    std::atomic<bool> done_{false};
    std::mutex mutex_;
    // Guarded by mutex_:
    Operation part_;
    int step_{0};
    bool cancelled_{false};
};

}  // namespace qconn
