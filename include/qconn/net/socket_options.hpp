// SPDX-License-Identifier: Apache-2.0
/// How sockets are opened, the same for every protocol.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace qconn {

/// Which addresses of a host are used.
enum class AddressFamily : std::uint8_t {
    any,          ///< both, in the system's order
    prefer_ipv4,  ///< the others after these
    prefer_ipv6,
    only_ipv4,
    only_ipv6,
};

/// Settings of the socket to the next machine on the way: the target, or the proxy. Nothing here concerns UNIX sockets. A value type; what the system
/// refuses is an error of the connection (phase connect, reason local).
struct SocketOptions {
    /// The address here that connections come from: an address, or the name of an interface (`eth0`), of which the first address of the right family
    /// is taken. Empty: the system chooses.
    std::string local_address{};
    /// 0: the system chooses. One port can carry one connection to each target at a time.
    std::uint16_t local_port{0};
    AddressFamily family{AddressFamily::any};

    /// TCP keep-alive: an idle connection is probed, so that a peer that is gone is noticed.
    bool keep_alive{true};
    /// Idle time before the first probe, time between probes, probes without an answer until the connection counts as broken. Zero: the system's
    /// (on Linux 2 h, 75 s, 9).
    std::chrono::seconds keep_alive_idle{60};
    std::chrono::seconds keep_alive_interval{60};
    int keep_alive_probes{0};
    /// Small packets are sent at once, without waiting for the answer to the one before (Nagle's algorithm).
    bool no_delay{true};
    /// SO_LINGER: how long the system goes on to deliver what is unsent after closing; zero cuts the connection (RST). Unset: the system's way.
    /// Closing never waits for it here, as sockets do not block.
    std::optional<std::chrono::seconds> linger{};
    /// Bytes of the system's buffers (SO_SNDBUF, SO_RCVBUF; Linux doubles what is asked for, and has an upper limit). Zero: the system's, which
    /// adapt.
    int send_buffer{0};
    int receive_buffer{0};

    /// Bytes a second, on the average of a longer transfer: its beginning may pass at once. Zero: no limit. Only where libcurl drives the connection
    /// (HTTP); pings are not slowed down.
    std::int64_t max_send_rate{0};
    std::int64_t max_receive_rate{0};

    friend bool operator==(const SocketOptions&, const SocketOptions&) = default;
};

}  // namespace qconn
