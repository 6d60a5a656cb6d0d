// SPDX-License-Identifier: Apache-2.0
/// What a monitor tells, as records of a log.
#pragma once

#include <qconn/base/export.hpp>
#include <qconn/base/log.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/monitor/monitor.hpp>

namespace qconn {

struct LogSinkOptions {
    SubscribeOptions events{};
    /// Where the records go. Default: the log of the process.
    Log log{};
};

/// Error: down and invalid. Warning: failing, alert, stop, outage. Info: all else. What happens to a silenced connection is written with info.
QCONN_API LogLevel log_level(EventKind kind) noexcept;

/// Writes a record for each event until the handle goes: `connection` is the name (of interfaces and outages empty, and the field `interface` or
/// `cause`), `event` the kind as in to_string(), the text a sentence; `seq` and what else an event has are fields. Monitor and handle may go in any
/// order.
QCONN_API Subscription log_sink(Monitor& monitor, LogSinkOptions options = {});

}  // namespace qconn
