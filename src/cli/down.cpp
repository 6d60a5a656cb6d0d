// SPDX-License-Identifier: Apache-2.0
/// `qconn down`: what is down now, by cause, and what of the application that hits.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>

#include "cli/causes.hpp"
#include "cli/duration.hpp"
#include "cli/fleet.hpp"
#include "cli/present.hpp"
#include "cli/states.hpp"
#include "cli/tool.hpp"
#include "cli/watched.hpp"

namespace qconn::cli {
namespace {

struct DownArguments {
    std::string timeout;
    bool ping{false};
    bool names{false};
};

/// What is known of all connections at one moment.
struct Situation {
    std::vector<ConnectionStatus> statuses;
    std::vector<OutageGroup> groups;
    std::optional<MonitorSnapshot> watched;
};

ConnectionState state_of(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::up: return ConnectionState::up;
        case Verdict::down: return ConnectionState::down;
        case Verdict::disabled: return ConnectionState::disabled;
        case Verdict::invalid: return ConnectionState::invalid;
        case Verdict::inconclusive: return ConnectionState::unknown;
    }
    return ConnectionState::unknown;
}

Situation found_by_pinging(Tool& tool, std::chrono::milliseconds timeout) {
    constexpr std::size_t k_at_once = 64;
    const Loaded loaded = load(tool, false);
    const auto names = loaded.registry->names();
    const auto probes = ping_each(*loaded.registry, names, PingDepth::standard, timeout, k_at_once);
    Situation found;
    std::vector<FoundDown> down;
    for (std::size_t i = 0; i < names.size(); ++i) {
        ConnectionStatus status;
        status.name = names[i];
        status.state = state_of(probes[i].verdict);
        if (probes[i].verdict == Verdict::down) down.push_back({names[i], probes[i].result.error});
        found.statuses.push_back(std::move(status));
    }
    found.groups = group_outages(*loaded.registry, down);
    return found;
}

Situation as_watched(MonitorSnapshot snapshot) {
    Situation found;
    found.statuses = snapshot.connections;
    found.groups = groups_of(snapshot.outages, snapshot.connections);
    found.watched = std::move(snapshot);
    return found;
}

/// Interfaces that do not run because of one of these connections.
std::vector<const InterfaceInfo*> hit_by(const Situation& now, const OutageGroup& group) {
    std::vector<const InterfaceInfo*> hit;
    if (!now.watched) return hit;
    for (const InterfaceInfo& one : now.watched->interfaces) {
        const bool waits = std::any_of(one.waits_for.begin(), one.waits_for.end(), [&](const std::string& connection) {
            return std::binary_search(group.names.begin(), group.names.end(), connection);
        });
        if (waits) hit.push_back(&one);
    }
    return hit;
}

/// Nothing where nobody has been told.
const Alert* seen_to(const Situation& now, const OutageGroup& group) { return now.watched ? cli::seen_to(group, now.watched->alerts) : nullptr; }

Value cause_value(const Situation& now, const OutageGroup& group) {
    Value value = group_value(group);
    List interfaces;
    for (const InterfaceInfo* one : hit_by(now, group))
        interfaces.push_back(Map{{"kind", to_string(one->kind)}, {"name", one->name}, {"state", to_string(one->state)}});
    const Alert* alert = seen_to(now, group);
    const auto quiet = those_in(group, silenced(now.statuses));
    value.as_map().set("interfaces", std::move(interfaces));
    value.as_map().set("acknowledged_by", alert != nullptr ? Value{alert->acknowledged_by} : Value{});
    value.as_map().set("note", alert != nullptr ? Value{alert->note} : Value{});
    value.as_map().set("silenced", List(quiet.begin(), quiet.end()));
    return value;
}

std::vector<std::string> remarks(const Situation& now, const OutageGroup& group) {
    constexpr std::size_t k_named = 8;
    std::vector<std::string> lines;
    if (!group.outage.error.empty()) lines.push_back(printable(group.outage.error));
    std::vector<std::string> hit;
    for (const InterfaceInfo* one : hit_by(now, group)) hit.push_back(to_string(InterfaceKey{one->kind, one->name}));
    if (!hit.empty()) lines.push_back("stops: " + names_text(hit, k_named));
    if (const auto quiet = those_in(group, silenced(now.statuses)); !quiet.empty()) lines.push_back("silenced: " + names_text(quiet, k_named));
    if (const Alert* alert = seen_to(now, group))
        lines.push_back("seen to by " + printable(alert->acknowledged_by) + (alert->note.empty() ? "" : ": " + printable(alert->note)));
    return lines;
}

int down(Tool& tool, const DownArguments& arguments) {
    const auto timeout = arguments.timeout.empty() ? tool.settings().monitor().timeout : duration_option("--timeout", arguments.timeout);
    if (timeout.count() == 0) throw UsageError("--timeout: a ping needs time; write 500ms, 30s, 5m or 1h");
    auto snapshot = arguments.ping ? std::nullopt : read_watched(tool);
    const Situation now = snapshot ? as_watched(std::move(*snapshot)) : found_by_pinging(tool, timeout);

    const auto instant = std::chrono::system_clock::now();
    List causes;
    std::size_t count = 0;
    for (const OutageGroup& group : now.groups) {
        causes.push_back(cause_value(now, group));
        count += group.names.size();
    }
    const auto tell = [&](Output& out) {
        if (now.watched) out.line(out.paint(Style::dim, "from " + source_text(tool, *now.watched, instant)));
        CausesView view{now.statuses.size(), instant};
        if (arguments.names) view.named = std::numeric_limits<std::size_t>::max();
        view.remarks = [&](const OutageGroup& group) { return remarks(now, group); };
        print_causes(out, now.groups, view);
        out.line(counts_text(now.statuses, out));
    };
    present(tool.out, tool.format,
            {.document = Map{{"source", source_value(tool, now.watched, instant)},
                             {"connections", static_cast<std::uint64_t>(now.statuses.size())},
                             {"down", static_cast<std::uint64_t>(count)},
                             {"causes", std::move(causes)}},
             .columns = {{"kind"},
                         {"cause"},
                         {"since"},
                         {"phase"},
                         {"reason"},
                         {"error"},
                         {"advice"},
                         {"names"},
                         {"interfaces"},
                         {"acknowledged_by"},
                         {"note"},
                         {"silenced"}},
             .rows = "causes",
             .text = tell});
    return count == 0 ? k_ok : k_failed;
}

}  // namespace

void add_down(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("down", "Show what is down now, by cause: why, since when, what it stops, what to do");
    auto arguments = std::make_shared<DownArguments>();
    command->add_flag("--ping", arguments->ping, "Ping all now, also where there is a file of a monitor");
    command->add_flag("--names", arguments->names, "Name all connections of each cause");
    command->add_option("--timeout", arguments->timeout, "Longest time for one ping; default: the setting monitor.timeout, 30s")->type_name("TIME");
    command->footer(
        "From the file of a monitor where --monitor-state or QCONN_MONITOR_STATE names one, and it says how old that is; otherwise all\n"
        "connections are pinged once. Exit code 1 where something is down.\n\n"
        "Examples:\n"
        "  qconn down\n"
        "  qconn down --monitor-state /var/lib/app/monitor.state\n"
        "  qconn down --json | jq -r '.causes[] | .cause + \" \" + (.names | join(\",\"))'");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return down(tool, *arguments); }; });
}

}  // namespace qconn::cli
