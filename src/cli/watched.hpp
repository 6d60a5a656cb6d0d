// SPDX-License-Identifier: Apache-2.0
/// What a monitor has written into its file, for commands that ask about the present and the past.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/monitor/snapshot.hpp>

#include "cli/tool.hpp"

namespace qconn::cli {

/// Of the file that --monitor-state names, for commands that can do without. Nothing where none is named, or, with a note on standard error, where it
/// is not there.
/// @throws Error where it cannot be read
std::optional<MonitorSnapshot> read_watched(const Tool& tool);

/// @param what  that is only known from there: "which interfaces run"
/// @throws NotFound where none is named, or it is not there, saying how to get one
/// @throws Error where it cannot be read
MonitorSnapshot require_watched(const Tool& tool, std::string_view what);

/// "/var/lib/app/monitor.state, written 4 s ago", and that nobody watches any more where that is so or seems so.
std::string source_text(const Tool& tool, const MonitorSnapshot& snapshot, std::chrono::system_clock::time_point now);
/// `file`, `written`, `age_s`, `running`; null without a snapshot.
Value source_value(const Tool& tool, const std::optional<MonitorSnapshot>& snapshot, std::chrono::system_clock::time_point now);

/// What the monitor would stop; nothing where it does not know the connection.
std::optional<Impact> impact_in(const MonitorSnapshot& snapshot, const std::string& connection);

/// `service "orders"`.
std::string interface_text(const InterfaceKey& key);

}  // namespace qconn::cli
