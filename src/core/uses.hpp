// SPDX-License-Identifier: Apache-2.0
/// What came of uses of a registry's clients, for whoever watches connections.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include <qconn/base/client.hpp>
#include <qconn/core/registry.hpp>

namespace qconn::core {

/// @param failure   null: the remote end answered
/// @param transfer  how that went, of an answer that was slow; zeros where it is only told that there was one
using UseListener = std::function<void(const std::string& name, const Error* failure, const Transfer& transfer)>;

/// What a listener wants to hear of beside failures. A value type.
struct UseInterest {
    bool successes{false};                  ///< that a client was answered, of one client at most once in a second
    std::chrono::nanoseconds slow_from{0};  ///< each answer that took so long to come, or to arrive; zero: none for that
};

/// Between clients and listeners: any number of either. Outlives the registry with the last client.
/// @note Thread-safe.
class Uses : public std::enable_shared_from_this<Uses> {
public:
    /// Told of every failure. Called on the thread on which the use ends, with a lock held: it must be quick and must not come back here.
    Subscription listen(UseListener listener, UseInterest interest);
    /// For the clients of that name. While nobody listens a use costs one look at a number.
    Client::UseObserver observer(std::string name);

private:
    struct Listener {
        UseListener call;
        UseInterest interest;
    };
    class Listening;

    enum class Kind { failure, success, slow };
    void tell(Kind kind, const std::string& name, const Error* failure, const Transfer& transfer) noexcept;
    /// With the lock held: what the counts below say follows from the listeners.
    void count() noexcept;

    std::mutex mutex_;
    std::list<Listener> listeners_;  // guarded by mutex_
    std::atomic<bool> for_failures_{false};
    std::atomic<bool> for_successes_{false};
    std::atomic<std::chrono::nanoseconds::rep> slow_from_{k_never};  // the least that anybody wants
    static constexpr std::chrono::nanoseconds::rep k_never = std::numeric_limits<std::chrono::nanoseconds::rep>::max();
};

}  // namespace qconn::core
