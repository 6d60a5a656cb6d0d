// SPDX-License-Identifier: Apache-2.0
/// Whether so much fails at once that this machine is the likelier cause. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

namespace qconn::monitor {

/// Counts the connections that have failed since any ping was good. When they are many, of several hosts and more than half of all, it is rather the
/// network of this machine than each of their peers.
class MassCheck {
public:
    static constexpr std::size_t k_connections = 20;
    static constexpr std::size_t k_hosts = 5;

    void succeeded() noexcept {
        if (failing_ == 0) return;
        ++round_;
        failing_ = 0;
        hosts_.clear();
    }
    /// @param mark  the connection's own, zero at first: whether it has been counted
    /// @param host  a number for where it goes to
    void failed(std::uint32_t& mark, std::uint64_t host) {
        if (mark == round_) return;
        mark = round_;
        ++failing_;
        if (hosts_.size() < k_hosts) hosts_.insert(host);
    }
    /// How many fail, where that is a mass of them; zero: it is not.
    std::size_t of(std::size_t all) const noexcept {
        return failing_ >= k_connections && hosts_.size() >= k_hosts && 2 * failing_ > all ? failing_ : 0;
    }

private:
    std::uint32_t round_{1};
    std::size_t failing_{0};
    std::set<std::uint64_t> hosts_;  // the first few
};

}  // namespace qconn::monitor
