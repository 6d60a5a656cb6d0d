// SPDX-License-Identifier: Apache-2.0
/// What the system knows of TCP connections and their peers do not see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace qconn::test {

/// As the kernel numbers them.
enum class TcpState : std::uint8_t { established = 1, syn_sent = 2, close_wait = 8 };

/// One end of a connection over IPv4.
struct TcpEnd {
    TcpState state;
    std::size_t unread;  ///< bytes that have come and were not read so far
};

/// The ends of this machine whose peer has that port.
std::vector<TcpEnd> tcp_ends_towards(std::uint16_t port);
std::size_t count_ends_towards(std::uint16_t port, TcpState state);

}  // namespace qconn::test
