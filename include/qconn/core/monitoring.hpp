// SPDX-License-Identifier: Apache-2.0
/// How a connection is watched, where that is not as the monitor does it with all: options that every scheme has.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/core/option.hpp>
#include <qconn/net/ping.hpp>

namespace qconn {

/// What a definition, or an operator, says about watching one connection. What is not set is as in MonitorOptions, where the members of the same
/// meaning are documented. A value type.
struct MonitoringRules {
    std::optional<std::chrono::milliseconds> interval;
    std::optional<std::chrono::milliseconds> interval_down;
    std::optional<std::chrono::milliseconds> fast;
    std::optional<std::chrono::milliseconds> timeout;
    std::optional<int> fall;
    std::optional<int> rise;
    std::optional<PingDepth> depth;
    std::optional<std::chrono::milliseconds> min_up;
    std::optional<std::chrono::milliseconds> min_down;
    std::optional<std::chrono::milliseconds> restart_delay;
    std::optional<int> flap_changes;
    std::optional<std::chrono::milliseconds> flap_window;
    /// No SOCKET-OPERATION-WARNING and no SOCKET-THROUGHPUT-WARNING for calls on its clients.
    std::optional<bool> ignore_socket_warnings;
    /// Connections that this one is reached through: while one of them is down that is why this one is.
    std::vector<std::string> via;
    /// Recurring windows in which work on it is expected, as `Sun 02:00-04:00`: it is silenced in them as by an operator (core/silence.hpp).
    std::vector<std::string> maintenance;

    bool operator==(const MonitoringRules&) const = default;
};

/// The options by which it is said: `ping_interval`, `ping_fall`, `via` and so on. A catalogue adds them to every scheme.
QCONN_API const OptionTable<MonitoringRules>& monitoring_options();

}  // namespace qconn
