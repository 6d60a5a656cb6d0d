// SPDX-License-Identifier: Apache-2.0
/// Ports for servers that cannot say themselves which one they took.
#pragma once

#include <cstdint>

namespace qconn::test {

/// A TCP port of 127.0.0.1 that nothing listens on. It belongs to this process until its end: no other test process is given it, whether it is
/// used or not. Outside the range that the system takes for outgoing connections.
/// @throws std::runtime_error
std::uint16_t free_port();

}  // namespace qconn::test
