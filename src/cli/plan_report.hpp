// SPDX-License-Identifier: Apache-2.0
/// What other definitions would change, told to people and to programs.
#pragma once

#include <qconn/core/plan.hpp>

#include "cli/output.hpp"
#include "cli/present.hpp"

namespace qconn::cli {

Value plan_value(const Plan& plan);
/// Connections with their changes, what they keep, errors, a summary.
void write_plan(const Plan& plan, Output& out);
/// The rows of plan_value().
std::vector<Column> plan_columns();

}  // namespace qconn::cli
