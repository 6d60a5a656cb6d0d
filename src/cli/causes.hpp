// SPDX-License-Identifier: Apache-2.0
/// Connections that are down, by what is at fault: as text for operators and as data, the same in all commands.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <qconn/monitor/event.hpp>
#include <qconn/monitor/outage.hpp>

#include "cli/output.hpp"

namespace qconn::cli {

/// "host db1:5432", "the certificate of shop:443", "the name service of this machine".
std::string fault_text(const Outage& outage);
/// "connect, refused"; empty where neither is known.
std::string reason_text(Phase phase, Reason reason);
/// "a, b, c and 7 more". @param most  so many are named
std::string names_text(const std::vector<std::string>& names, std::size_t most);
/// The longest form of it that is not wider, but at least one name.
std::string names_within(const std::vector<std::string>& names, std::size_t columns);

/// What a monitor knows, put together: every connection that is down is in one group, and no group is empty. Those of which all are silenced come
/// last; otherwise the largest first.
std::vector<OutageGroup> groups_of(const std::vector<Outage>& outages, const std::vector<ConnectionStatus>& statuses);
/// Names of connections, as long as what they are from lives.
using NameSet = std::unordered_set<std::string_view>;
/// Those that nobody is to be called for.
NameSet silenced(const std::vector<ConnectionStatus>& statuses);
/// Those of the group that are in the set.
std::vector<std::string> those_in(const OutageGroup& group, const NameSet& set);
/// The alert of the group that somebody sees to; null: nobody does.
const Alert* seen_to(const OutageGroup& group, const std::vector<Alert>& alerts);

/// How causes are told.
struct CausesView {
    /// Connections that there are.
    std::size_t total{0};
    /// For the ages of outages.
    std::chrono::system_clock::time_point now{};
    /// Names for each.
    std::size_t named{3};
    /// Further lines for one, before what to do; empty: none.
    std::function<std::vector<std::string>(const OutageGroup& group)> remarks{};
};
/// "12 of 500 are down:", then a line and what to do for each cause. Nothing where none is down.
void print_causes(Output& out, const std::vector<OutageGroup>& groups, const CausesView& view);

/// `kind`, `cause`, `since` (null: not known), `phase`, `reason`, `error`, `advice`, `names`.
Value group_value(const OutageGroup& group);

}  // namespace qconn::cli
