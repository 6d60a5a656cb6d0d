// SPDX-License-Identifier: Apache-2.0
/// What came of one round trip to a remote end.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/net/credential.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

/// How far a ping goes. Each includes those before it.
enum class PingDepth : std::uint8_t {
    standard,  ///< what the scheme does by default
    connect,   ///< transport, through the proxy where there is one
    tls,       ///< and the handshake
    auth,      ///< and the log-in
    full,      ///< and a request
};
QCONN_API std::string_view to_string(PingDepth depth) noexcept;

/// One phase of a ping: how long, and what was seen.
struct PingStep {
    Phase phase{Phase::none};
    bool ok{false};
    std::chrono::nanoseconds time{0};
    /// "93.184.216.34:443", "TLSv1.3, certificate CN=… valid 61 days", "HTTP/1.1 200 OK".
    std::string evidence;
};

/// Something that a ping measured beside whether the remote end answers. A monitor raises alerts from it; a measured connection is up all the same.
struct PingMeasure {
    enum class Kind : std::uint8_t {
        space_used,   ///< of the file system behind the connection, in percent
        inodes_used,  ///< likewise
    };
    Kind kind{Kind::space_used};
    double value{0};
};

/// What came of a ping. A value type.
struct PingResult {
    bool ok{false};
    /// It could not be judged, for a reason on this machine: neither up nor down follows from it. `error` says which.
    bool inconclusive{false};
    /// Set where it is not ok.
    std::optional<Error> error{};
    /// From the start of this ping (not of its wait for a place) to its end.
    std::chrono::nanoseconds time{0};
    Clock::time_point started{};
    /// The phases that it passed, in order; filled on request only (explain), as it costs memory.
    std::vector<PingStep> steps{};
    std::optional<TlsInfo> tls{};
    /// It went over a stream that an earlier ping had left.
    bool kept{false};
    /// What it measured; empty for most schemes.
    std::vector<PingMeasure> measures{};
    /// What else it saw of what the two ends prove themselves with. (The server's certificate is in `tls`.)
    std::vector<Credential> credentials{};
};

}  // namespace qconn
