// SPDX-License-Identifier: Apache-2.0
/// Which secrets are in use, and when they are to be read anew.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/net/runtime.hpp>

#include "core/slot.hpp"
#include "net/timer.hpp"

namespace qconn::core {

/// What clients and ping plans were made from, for the connections that have secret references.
/// @note Thread-safe.
class SecretRotation : public std::enable_shared_from_this<SecretRotation> {
public:
    struct Use {
        std::uint32_t build{0};
        /// The fingerprint that ping plans were made from; 0: there is no plan, k_mixed: from several.
        std::uint64_t plan{0};
        /// SecretKeeper::Resolution::files of all that was made; 0: some of it may be older than the files.
        std::uint64_t files{0};
        Clock::time_point due{Clock::time_point::max()};
    };
    static constexpr std::uint64_t k_mixed = 1;

    /// @param turn  called on the blocking pool with the connections whose secrets are due
    SecretRotation(Runtime runtime, std::function<void(std::vector<std::shared_ptr<Slot>>)> turn);

    /// Something more was made from secrets.
    void add(const std::shared_ptr<Slot>& slot, const Use& use);
    /// All that was made before is out of use, or from the same.
    void set(const std::shared_ptr<Slot>& slot, const Use& use);
    /// They could not be had: in a while again, where they were due.
    void retry(const Slot& slot);
    void forget(std::string_view name);
    std::optional<Use> find(const Slot& slot) const;
    /// Connections that something was made for.
    std::vector<std::shared_ptr<Slot>> used() const;
    /// No turn begins after it.
    void close();

private:
    struct Entry {
        std::weak_ptr<Slot> slot;
        Use use;
        bool is_due{false};  // its turn has begun
    };
    void rearm(Clock::time_point next);
    void fire();

    const Runtime runtime_;
    const std::function<void(std::vector<std::shared_ptr<Slot>>)> turn_;
    mutable std::mutex mutex_;
    // Guarded by mutex_:
    std::map<std::string, Entry, std::less<>> entries_;
    std::shared_ptr<net::Loop> loop_;  // null until something is due some time
    Clock::time_point armed_{Clock::time_point::max()};
    bool closed_{false};
    // Of the loop's thread:
    std::unique_ptr<net::Timer> timer_;
};

}  // namespace qconn::core
