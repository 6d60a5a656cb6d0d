// SPDX-License-Identifier: Apache-2.0
/// Calls one after the other, each on a loop of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include <qconn/base/operation.hpp>

#include "net/call.hpp"
#include "net/task.hpp"

namespace qconn::telnet {

/// @note Thread-safe
class Turns {
public:
    /// Waits until the calls before have ended. @throws Error TIMEOUT, CANCELLED
    net::Task<bool> take(net::Call& call);
    /// On the thread of the loop that has it.
    void give();
    /// Has `work` done on the thread of the call whose turn it is, unless that has ended by then. @returns false: it is nobody's turn
    /// @param owner  holds this object
    bool hand_over(const std::shared_ptr<void>& owner, UniqueFunction<void()> work);

private:
    struct Waiter;
    bool has(std::uint64_t turn);

    std::mutex mutex_;
    // Guarded by mutex_:
    std::shared_ptr<net::Loop> at_;  // of the call whose turn it is; null: nobody's
    std::uint64_t turn_{0};
    std::deque<std::shared_ptr<Waiter>> waiting_;
};

}  // namespace qconn::telnet
