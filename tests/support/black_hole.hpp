// SPDX-License-Identifier: Apache-2.0
/// A place to connect to that never answers.
#pragma once

#include <cstdint>
#include <vector>

namespace qconn::test {

/// A TCP port of 127.0.0.1 on which the handshake is never answered: connecting hangs until the caller gives up. Its queue is full, so the
/// system drops what comes.
class BlackHole {
public:
    /// @param port  of a server that has gone, in its place; 0: any
    /// @throws std::runtime_error
    explicit BlackHole(std::uint16_t port = 0);
    BlackHole(const BlackHole&) = delete;
    BlackHole& operator=(const BlackHole&) = delete;
    ~BlackHole();
    std::uint16_t port() const noexcept { return port_; }

private:
    int listener_{-1};
    std::vector<int> fillers_;
    std::uint16_t port_{0};
};

/// A TCP port of 127.0.0.1 that takes connections, as the system does, and never says a word.
class SilentServer {
public:
    /// @throws std::runtime_error
    SilentServer();
    SilentServer(const SilentServer&) = delete;
    SilentServer& operator=(const SilentServer&) = delete;
    ~SilentServer();
    std::uint16_t port() const noexcept { return port_; }

private:
    int listener_{-1};
    std::uint16_t port_{0};
};

}  // namespace qconn::test
