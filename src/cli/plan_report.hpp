// SPDX-License-Identifier: Apache-2.0
/// What other definitions would change, told to people and to programs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <qconn/core/plan.hpp>
#include <qconn/monitor/interface.hpp>

#include "cli/output.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {

struct PlanReport {
    Plan plan;
    /// By connection, what a monitor would stop; only where its file is at hand.
    std::map<std::string, std::vector<InterfaceKey>> stops{};
};
PlanReport report_of(const Tool& tool, Plan plan);

Value plan_value(const PlanReport& report);
/// Connections with their changes, what they keep, errors, a summary.
void write_plan(const PlanReport& report, Output& out);
/// Of the rows of plan_value().
std::vector<Column> plan_columns();

}  // namespace qconn::cli
