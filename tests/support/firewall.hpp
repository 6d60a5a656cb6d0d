// SPDX-License-Identifier: Apache-2.0
/// A packet filter in a network of the test's own (run_in_own_network).
#pragma once

#include <cstdint>

namespace qconn::test {

/// Rules of nftables for what goes to TCP ports of this machine. Empty at first.
/// @note One thread at a time.
class Firewall {
public:
    /// @throws std::runtime_error where the program nft is missing
    Firewall();

    /// False where the system has no packet filter or does not let this process use it: then nothing else here works.
    bool is_there() const noexcept { return is_there_; }

    /// Packets to that port are answered with ICMP "host unreachable".
    void unreachable(std::uint16_t port);
    /// Packets to and from that port vanish, also those of connections that stand.
    void swallow(std::uint16_t port);
    void clear();

private:
    bool is_there_{false};
};

}  // namespace qconn::test
