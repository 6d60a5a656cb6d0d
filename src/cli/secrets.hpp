// SPDX-License-Identifier: Apache-2.0
/// The commands of `qconn secrets`.
#pragma once

#include <string>
#include <vector>

#include "cli/tool.hpp"

namespace qconn::cli {

void add_audit(CLI::App& secrets, Tool& tool);
void add_extract(CLI::App& secrets, Tool& tool);

/// `options.headers.Authorization`; a name is cut where it stops to look like one, as a secret may follow.
std::string where_text(const std::vector<std::string>& where);

}  // namespace qconn::cli
