// SPDX-License-Identifier: Apache-2.0
/// What came of uses of a registry's clients, for whoever watches connections.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include <qconn/base/client.hpp>
#include <qconn/core/registry.hpp>

namespace qconn::core {

/// @param failure  null: the remote end answered
using UseListener = std::function<void(const std::string& name, const Error* failure)>;

/// Between clients and listeners: any number of either. Outlives the registry with the last client.
/// @note Thread-safe.
class Uses : public std::enable_shared_from_this<Uses> {
public:
    /// Told of every failure. Called on the thread on which the use ends, with a lock held: it must be quick and must not come back here.
    /// @param successes  also told that a client was answered, of one client at most once in a second
    Subscription listen(UseListener listener, bool successes);
    /// For the clients of that name. While nobody listens a use costs one look at a number.
    Client::UseObserver observer(std::string name);

private:
    struct Listener {
        UseListener call;
        bool successes;
    };
    class Listening;

    void tell(const std::string& name, const Error* failure) noexcept;

    std::mutex mutex_;
    std::list<Listener> listeners_;  // guarded by mutex_
    std::atomic<std::size_t> for_failures_{0};
    std::atomic<std::size_t> for_successes_{0};
};

}  // namespace qconn::core
