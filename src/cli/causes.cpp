// SPDX-License-Identifier: Apache-2.0
#include "cli/causes.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include <qconn/base/wall_time.hpp>

#include "cli/advice.hpp"

namespace qconn::cli {
namespace {

constexpr std::array<std::string_view, 7> k_faults{
    "host ", "the name ", "the name service of this machine", "proxy ", "the certificate of ", "the log-in at ", "connection "};

/// One that a monitor has found down, where its outage is not, or not yet, among those that were read.
Outage outage_of(const ConnectionStatus& status) {
    Outage outage;
    outage.id = status.outage;
    outage.kind = OutageKind::connection;
    outage.cause = status.name;
    outage.phase = status.phase;
    outage.reason = status.reason;
    outage.error = status.error;
    outage.since = status.since;
    return outage;
}

bool is_dated(const Outage& outage) noexcept { return outage.since != std::chrono::system_clock::time_point{}; }

}  // namespace

std::string fault_text(const Outage& outage) {
    if (outage.kind == OutageKind::certificate && outage.error.starts_with("SSH-HOST-KEY")) return "the host key of " + outage.cause;
    return std::string{k_faults[static_cast<std::size_t>(outage.kind)]} + outage.cause;
}

std::string reason_text(Phase phase, Reason reason) {
    std::string text{phase == Phase::none ? std::string_view{} : to_string(phase)};
    if (reason != Reason::none) (text += text.empty() ? "" : ", ") += to_string(reason);
    return text;
}

std::string names_text(const std::vector<std::string>& names, std::size_t most) {
    std::string text;
    const std::size_t named = std::min(most, names.size());
    for (std::size_t i = 0; i < named; ++i) {
        if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
        text += printable(names[i]);
    }
    if (named < names.size()) text += " and " + std::to_string(names.size() - named) + " more";
    return text;
}

std::string names_within(const std::vector<std::string>& names, std::size_t columns) {
    std::size_t named = 0;
    for (std::size_t used = 0; named < names.size() && used <= columns; ++named) used += width(printable(names[named])) + 2;
    while (named > 1 && width(names_text(names, named)) > columns) --named;
    return names_text(names, named);
}

std::vector<OutageGroup> groups_of(const std::vector<Outage>& outages, const std::vector<ConnectionStatus>& statuses) {
    std::map<std::uint64_t, OutageGroup> by_id;
    for (const Outage& outage : outages) by_id[outage.id].outage = outage;
    std::vector<OutageGroup> groups;
    for (const ConnectionStatus& status : statuses) {
        if (status.state != ConnectionState::down) continue;
        const auto found = by_id.find(status.outage);
        if (found != by_id.end())
            found->second.names.push_back(status.name);
        else
            groups.push_back({outage_of(status), {status.name}});
    }
    for (auto& [id, group] : by_id)
        if (!group.names.empty()) groups.push_back(std::move(group));
    for (OutageGroup& group : groups) {
        std::sort(group.names.begin(), group.names.end());
        group.outage.members = group.names.size();
    }
    std::stable_sort(groups.begin(), groups.end(), [](const OutageGroup& a, const OutageGroup& b) {
        return a.names.size() != b.names.size() ? a.names.size() > b.names.size() : a.outage.since < b.outage.since;
    });
    const NameSet quiet = silenced(statuses);
    std::stable_partition(groups.begin(), groups.end(), [&](const OutageGroup& group) { return those_in(group, quiet).size() < group.names.size(); });
    return groups;
}

NameSet silenced(const std::vector<ConnectionStatus>& statuses) {
    NameSet names;
    for (const ConnectionStatus& status : statuses)
        if (status.silence) names.insert(status.name);
    return names;
}

std::vector<std::string> those_in(const OutageGroup& group, const NameSet& set) {
    std::vector<std::string> names;
    for (const std::string& name : group.names)
        if (set.count(name) > 0) names.push_back(name);
    return names;
}

const Alert* seen_to(const OutageGroup& group, const std::vector<Alert>& alerts) {
    const auto found = std::find_if(alerts.begin(), alerts.end(), [&](const Alert& alert) {
        return alert.outage != 0 && alert.outage == group.outage.id && !alert.acknowledged_by.empty();
    });
    return found != alerts.end() ? &*found : nullptr;
}

void print_causes(Output& out, const std::vector<OutageGroup>& groups, const CausesView& view) {
    if (groups.empty()) return;
    std::size_t down = 0;
    for (const OutageGroup& group : groups) down += group.names.size();
    const std::size_t digits = std::to_string(groups.front().names.size()).size();
    out.line(std::to_string(down) + " of " + std::to_string(view.total) + (down == 1 ? " is down:" : " are down:"));
    for (const OutageGroup& group : groups) {
        const std::string count = std::to_string(group.names.size());
        std::string line = std::string(2 + digits - count.size(), ' ') + out.paint(Style::bad, count) + " for " +
                           out.paint(Style::bold, printable(fault_text(group.outage)));
        if (const std::string why = reason_text(group.outage.phase, group.outage.reason); !why.empty()) line += " (" + why + ")";
        if (is_dated(group.outage)) line += " for " + age_text(view.now - group.outage.since);
        out.line(line + ": " + names_text(group.names, view.named));
        const std::string indent(3 + digits, ' ');
        if (view.remarks)
            for (const std::string& remark : view.remarks(group)) out.line(indent + remark);
        out.line(indent + out.paint(Style::dim, "do: " + std::string{advice(group.outage.phase, group.outage.reason, group.outage.error)}));
    }
}

Value group_value(const OutageGroup& group) {
    const Outage& outage = group.outage;
    return Map{{"kind", to_string(outage.kind)},
               {"cause", outage.cause},
               {"since", is_dated(outage) ? Value{rfc3339(outage.since)} : Value{}},
               {"phase", to_string(outage.phase)},
               {"reason", to_string(outage.reason)},
               {"error", outage.error},
               {"advice", advice(outage.phase, outage.reason, outage.error)},
               {"names", List(group.names.begin(), group.names.end())}};
}

}  // namespace qconn::cli
