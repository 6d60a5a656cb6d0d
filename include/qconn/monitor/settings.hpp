// SPDX-License-Identifier: Apache-2.0
/// Monitor options from a program's configuration.
#pragma once

#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/base/value.hpp>
#include <qconn/core/option.hpp>
#include <qconn/monitor/monitor.hpp>

namespace qconn {

/// What monitor_options() takes, with types, units, defaults and the names that Qorus has for the same thing as aliases.
QCONN_API const std::vector<OptionSpec>& monitor_settings();

/// Options from settings by name, for example read from a configuration file: `{"interval": 10000, "manage-interfaces": false}`. Times are in
/// milliseconds. What is absent keeps its default. Values are converted as those of definitions are (`"10000"`, `"no"`).
/// @throws Error SETTINGS-ERROR: a name that is not known (with the nearest one), a value of the wrong type or out of its range
QCONN_API MonitorOptions monitor_options(const Map& settings);

}  // namespace qconn
