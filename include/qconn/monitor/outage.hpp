// SPDX-License-Identifier: Apache-2.0
/// What connections that are down at the same time have in common.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>

namespace qconn {

class Registry;

/// What is at fault.
enum class OutageKind : std::uint8_t {
    peer,         ///< one host and port: nothing answers there, or not as it should
    name,         ///< a host's name has no address
    resolver,     ///< the name service of this machine
    proxy,        ///< a proxy on the way
    certificate,  ///< the certificate of one host and port
    credentials,  ///< one host and port refuses who logs in
    connection,   ///< a connection that the others are reached through (`via`), or nothing that others share
};
/// "peer", "name" and so on.
QCONN_API std::string_view to_string(OutageKind kind) noexcept;

/// Connections that are down for one cause. A snapshot; holds no secret.
struct Outage {
    /// Never used again.
    std::uint64_t id{0};
    OutageKind kind{OutageKind::peer};
    /// What is at fault: "db1.example:5432", the name of a connection; empty for the resolver.
    std::string cause;
    /// Of the first failure.
    Phase phase{Phase::none};
    Reason reason{Reason::none};
    std::string error;
    /// When the first of them went down.
    std::chrono::system_clock::time_point since;
    /// How many connections are down for it now; ConnectionStatus::outage says which.
    std::size_t members{0};
};

/// An outage and who is in it.
struct OutageGroup {
    Outage outage;
    /// Names of connections, sorted.
    std::vector<std::string> names;
};

/// A connection that a ping found down, and why.
struct FoundDown {
    std::string name;
    std::optional<Error> error;
};

/// What is at fault, by the rules of a monitor, for who has pinged without one; but a host that fails in several ways (by phase, reason and name of
/// the error) is in a group for each. The largest first; `id` counts from 1, `since` is the zero time point. A connection that the registry does not
/// know is at fault itself.
/// @note Where connecting through a proxy failed it makes the plan of that ping anew, so it may resolve secrets. Thread-safe.
QCONN_API std::vector<OutageGroup> group_outages(const Registry& registry, const std::vector<FoundDown>& down);

}  // namespace qconn
