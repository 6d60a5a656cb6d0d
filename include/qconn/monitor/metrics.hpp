// SPDX-License-Identifier: Apache-2.0
/// What a monitor knows, for Prometheus.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/export.hpp>
#include <qconn/monitor/monitor.hpp>

namespace qconn {

/// The Content-Type of metrics_text().
inline constexpr std::string_view k_metrics_type = "text/plain; version=0.0.4; charset=utf-8";

/// In Prometheus' text format 0.0.4, read from memory: no ping is made or waited for. docs/events.md lists the metrics; their names are stable. Takes
/// time and some 600 bytes of text for each connection.
/// @note Thread-safe.
QCONN_API std::string metrics_text(const Monitor& monitor);

}  // namespace qconn
