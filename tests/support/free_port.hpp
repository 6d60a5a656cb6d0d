// SPDX-License-Identifier: Apache-2.0
/// Ports for servers.
#pragma once

#include <cstdint>

namespace qconn::test {

/// A TCP port of 127.0.0.1 that nothing listens on, for a server that cannot say itself which one it took. It belongs to this process until its end:
/// no other test process is given it, whether it is used or not. Outside the range that the system takes for outgoing connections.
/// @throws std::runtime_error
std::uint16_t free_port();

/// A socket that listens on 127.0.0.1 at that port; 0: at one of the system's choice, which is put there. @throws std::runtime_error
int listen_on(std::uint16_t& port, int backlog = 64);

}  // namespace qconn::test
