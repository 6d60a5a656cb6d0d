// SPDX-License-Identifier: Apache-2.0
/// All that a monitor knows at one moment, and how another process reads it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/monitor/certificate.hpp>
#include <qconn/monitor/event.hpp>
#include <qconn/monitor/history.hpp>
#include <qconn/monitor/impact.hpp>
#include <qconn/monitor/interface.hpp>
#include <qconn/monitor/outage.hpp>

namespace qconn {

/// Each part is of one moment, together they are of nearly the same. A value type; holds no secret.
struct MonitorSnapshot {
    /// When it was made.
    std::chrono::system_clock::time_point written;
    /// The monitor was running then; false: it had been stopped, so nothing was watched from then on.
    bool running{false};
    /// Sorted by name.
    std::vector<ConnectionStatus> connections;
    /// Sorted by name; empty where MonitorOptions::history is off.
    std::vector<ConnectionHistory> histories;
    /// As the functions of Monitor of these names.
    std::vector<ConnectionCertificate> certificates;
    std::vector<ConnectionCredential> credentials;
    std::vector<Alert> alerts;
    std::vector<Outage> outages;
    std::vector<Event> timeline;
    std::vector<InterfaceInfo> interfaces;
    bool manage_interfaces{true};
    std::vector<std::string> disabled_groups;
    /// Of each interface that does not run.
    std::vector<WhyStopped> why_stopped;
};

/// What the monitor wrote that has this file for its MonitorOptions::state_file; it need not run any more. The file is not changed.
/// @throws Error SYSTEM-ERROR where it cannot be read (reason missing: there is none), PARSE-ERROR where it is none of a monitor or of a later
/// version of it, LIMIT-EXCEEDED where it has more than 256 MiB
QCONN_API MonitorSnapshot read_monitor_state(const std::string& path);

/// As Monitor::impact, from what the snapshot has. @throws Error CONNECTION-UNKNOWN
QCONN_API Impact impact(const MonitorSnapshot& snapshot, std::string_view connection);

}  // namespace qconn
