// SPDX-License-Identifier: Apache-2.0
/// What the system knows of TCP connections (over IPv4) and their peers do not see.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qconn::test {

/// As the kernel numbers them.
enum class TcpState : std::uint8_t { established = 1, syn_sent = 2, close_wait = 8 };

/// The ends of this machine in that state whose peer has that port.
std::size_t count_ends_towards(std::uint16_t port, TcpState state);
/// Whatever was sent on connections of that port has come and was read.
bool all_is_read(std::uint16_t port);

}  // namespace qconn::test
