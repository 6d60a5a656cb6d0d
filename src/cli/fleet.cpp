// SPDX-License-Identifier: Apache-2.0
#include "cli/fleet.hpp"

#include <algorithm>
#include <thread>

#include "cli/progress.hpp"

namespace qconn::cli {

void Fleet::run(std::size_t parallel, const Done& done) {
    std::vector<std::jthread> workers;  // joined after everything has been handed out
    for (std::size_t i = 0; i < std::min(parallel, names_.size()); ++i) workers.emplace_back([this] { work(); });
    for (std::size_t left = names_.size(); left > 0; --left) {
        std::unique_lock lock{mutex_};
        ready_.wait(lock, [this] { return !finished_.empty(); });
        auto [index, probe] = std::move(finished_.front());
        finished_.pop_front();
        lock.unlock();
        try {
            done(index, probe);
        } catch (...) {
            next_ = names_.size();  // the workers finish only what they have begun
            throw;
        }
    }
}

void Fleet::work() {
    for (std::size_t i = next_++; i < names_.size(); i = next_++) {
        Probe one = probe(registry_, names_[i], depth_, Deadline{timeout_}, false);
        const std::lock_guard lock{mutex_};
        finished_.emplace_back(i, std::move(one));
        ready_.notify_one();
    }
}

std::vector<Probe> ping_each(Registry& registry, const std::vector<std::string>& names, PingDepth depth, std::chrono::milliseconds timeout,
                             std::size_t parallel) {
    std::vector<Probe> probes(names.size());
    std::atomic<std::size_t> done{0};
    const Progress progress{[&] { return "pinged " + std::to_string(done.load()) + " of " + std::to_string(names.size()); }};
    Fleet{registry, names, depth, timeout}.run(parallel, [&](std::size_t index, const Probe& probe) {
        probes[index] = probe;
        ++done;
    });
    return probes;
}

}  // namespace qconn::cli
