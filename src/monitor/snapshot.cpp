// SPDX-License-Identifier: Apache-2.0
/// The answer to "what if?" from what another process has written.
#include <algorithm>
#include <map>
#include <utility>

#include <qconn/core/registry_error.hpp>
#include <qconn/monitor/snapshot.hpp>

#include "monitor/explain.hpp"

namespace qconn {

namespace {

using monitor::DependencyGraph;
using Id = DependencyGraph::Id;

/// The interfaces as they stand in the snapshot. What waits for something runs at first, and is stopped in the dry run for the same reason; what a
/// stopped one was stopped for does not matter there.
DependencyGraph graph_of(const MonitorSnapshot& snapshot) {
    DependencyGraph graph{snapshot.manage_interfaces};
    for (Id id = 0; id < snapshot.interfaces.size(); ++id) {
        const InterfaceInfo& one = snapshot.interfaces[id];
        DependencyGraph::Node node{one.name, monitor::Dependent{one.kind, one.autostart, one.state != InterfaceState::stopped}};
        for (const auto& name : one.provides)
            if (!graph.provider_of(name)) node.provides.insert(name);
        node.groups.insert(one.groups.begin(), one.groups.end());
        graph.add(id, std::move(node));
    }
    for (const auto& group : snapshot.disabled_groups) graph.set_group(group, false);
    for (Id id = 0; id < snapshot.interfaces.size(); ++id) {
        const InterfaceInfo& one = snapshot.interfaces[id];
        const auto depend = [&](const std::vector<std::string>& names, Dependency how) {
            for (const auto& name : names)
                if (graph.circle(id, name).empty()) graph.depend(id, name, how);
        };
        depend(one.optional, Dependency::optional);
        depend(one.connections, Dependency::required);
        const auto is_off = [&](const std::string& group) { return graph.disabled_groups().contains(group); };
        if (one.state == InterfaceState::disabled && std::none_of(one.groups.begin(), one.groups.end(), is_off)) graph.set_all_stopped(true);
    }
    for (const InterfaceInfo& one : snapshot.interfaces)
        for (const auto& name : one.waits_for)
            if (!graph.provider_of(name)) graph.block(name);
    return graph;
}

}  // namespace

Impact impact(const MonitorSnapshot& snapshot, std::string_view connection) {
    std::map<std::string_view, const ConnectionStatus*> statuses;
    for (const ConnectionStatus& one : snapshot.connections) statuses.emplace(one.name, &one);
    const DependencyGraph graph = graph_of(snapshot);
    if (!statuses.contains(connection) && !graph.knows(connection))
        throw Error{RegistryErrc::unknown, "CONNECTION-UNKNOWN",
                    "there is no connection \"" + std::string{connection} + "\" in what the monitor wrote"}
            .with_connection(connection)
            .with_reason(Reason::not_found);
    monitor::Facts facts;
    facts.status = [&](std::string_view name) -> std::optional<ConnectionStatus> {
        const auto found = statuses.find(name);
        return found == statuses.end() ? std::nullopt : std::optional{*found->second};
    };
    facts.since = [](Id) { return std::nullopt; };
    facts.start_error = [&](Id id) { return snapshot.interfaces[id].start_error; };
    Impact impact = monitor::impact_of(graph, connection, facts);
    // What does not run now is explained by who knew why.
    for (AffectedInterface& one : impact.stopped) {
        const auto known = std::find_if(snapshot.why_stopped.begin(), snapshot.why_stopped.end(),
                                        [&](const WhyStopped& why) { return why.interface == one.interface; });
        if (one.returns || known == snapshot.why_stopped.end()) continue;
        one.why_not.clear();
        for (const StopReason& reason : known->reasons) one.why_not.append(one.why_not.empty() ? "" : "; ").append(reason.text);
    }
    return impact;
}

}  // namespace qconn
