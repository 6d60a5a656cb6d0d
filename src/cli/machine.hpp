// SPDX-License-Identifier: Apache-2.0
/// Facts about this machine and process for `qconn doctor`.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/health.hpp"

namespace qconn::cli {

/// The text of a small file; absent where it cannot be read.
std::optional<std::string> text_of(const std::string& path);
ResolverFacts resolver_facts();
/// The variables that name proxies.
std::vector<std::pair<std::string, std::string>> proxy_variables();
/// All but the drift.
ClockFacts clock_facts();
/// Soft and hard limit of open files.
std::pair<std::uint64_t, std::uint64_t> file_limits();
/// Tries to watch them.
WatchFacts watch_facts(const std::vector<std::string>& places);
StateFacts state_facts(const std::string& file);

}  // namespace qconn::cli
