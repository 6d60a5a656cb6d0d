// SPDX-License-Identifier: Apache-2.0
/// Many pings beside each other.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cli/probe.hpp"

namespace qconn::cli {

/// Pings all names, so many at a time, and hands each outcome to `done` on the calling thread as it comes.
class Fleet {
public:
    using Done = std::function<void(std::size_t index, const Probe& probe)>;

    /// Registry and names outlive it.
    Fleet(Registry& registry, const std::vector<std::string>& names, PingDepth depth, std::chrono::milliseconds timeout)
        : registry_{registry}, names_{names}, depth_{depth}, timeout_{timeout} {}

    void run(std::size_t parallel, const Done& done);

private:
    void work();

    Registry& registry_;
    const std::vector<std::string>& names_;
    const PingDepth depth_;
    const std::chrono::milliseconds timeout_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<std::pair<std::size_t, Probe>> finished_;  // guarded by mutex_
};

/// All of them, with how far it has come on standard error; in the order of the names.
std::vector<Probe> ping_each(Registry& registry, const std::vector<std::string>& names, PingDepth depth, std::chrono::milliseconds timeout,
                             std::size_t parallel);

}  // namespace qconn::cli
