// SPDX-License-Identifier: Apache-2.0
/// Which of a host's addresses is tried when, and what it means when none answers. No sockets, no clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>

#include "net/address.hpp"

namespace qconn::net {

/// Staggered attempts (RFC 8305): the next address is tried when one has failed, or when the last attempt has been silent for a while; the earlier
/// ones go on.
class AddressRace {
public:
    static constexpr std::chrono::milliseconds k_stagger{250};

    AddressRace() = default;
    explicit AddressRace(std::vector<Address> addresses) : entries_(addresses.size()), addresses_{std::move(addresses)} {}

    const Address& address(std::size_t index) const { return addresses_[index]; }
    std::size_t size() const noexcept { return addresses_.size(); }
    /// The address to try now, if it is time for one; it counts as begun.
    std::optional<std::size_t> next(Clock::time_point now);
    /// When next() is to be asked again, apart from after a failure; never where nothing is left.
    Deadline wake() const noexcept;
    void failed(std::size_t index, int system_error);
    /// All have been tried and have failed.
    bool is_lost() const noexcept;

    /// Each address that was begun with what came of it: "[::1]:80: Connection refused, 127.0.0.1:80: no answer".
    std::string report() const;
    /// The one reason that stands for all failures. Being refused says more of the remote end than having no route; a lack on this machine that may
    /// have hidden an answer says that nothing is known.
    Reason reason() const noexcept;

private:
    struct Entry {
        bool begun{false};
        std::optional<int> error;
    };
    std::vector<Entry> entries_;
    std::vector<Address> addresses_;
    std::size_t begun_{0};
    std::size_t failed_{0};
    bool at_once_{true};  // nothing is silent: the next may begin now
    Clock::time_point last_begin_{};
};

}  // namespace qconn::net
