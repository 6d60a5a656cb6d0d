// SPDX-License-Identifier: Apache-2.0
/// States and events of a monitor as words and colours.
#pragma once

#include <string>
#include <vector>

#include <qconn/monitor/event.hpp>

#include "cli/output.hpp"
#include "cli/present.hpp"

namespace qconn::cli {

Style style_of(EventKind kind) noexcept;
Style style_of(ConnectionState state) noexcept;

/// "12 connections: 1 down, 11 up": what needs attention first.
std::string counts_text(const std::vector<ConnectionStatus>& statuses, const Output& out);

/// The members of to_value(Event), for CSV.
std::vector<Column> event_columns();

}  // namespace qconn::cli
