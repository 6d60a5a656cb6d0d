// SPDX-License-Identifier: Apache-2.0
/// Rules of monitoring as they are given: checked, and put together.
#pragma once

#include <string_view>

#include <qconn/core/definition.hpp>
#include <qconn/core/monitoring.hpp>

namespace qconn::core {

/// Converts what is plainly meant, as in a definition.
/// @returns what is wrong with them
Diagnostics check_monitoring(Map& options);

/// Takes over those of the right type, so the options may be a whole definition's.
void apply_monitoring(const Map& options, MonitoringRules& rules);

}  // namespace qconn::core
