// SPDX-License-Identifier: Apache-2.0
#include "monitor/dependency_graph.hpp"

#include <utility>

namespace qconn::monitor {

// ---- the set -----------------------------------------------------------------------------------------------------------------------------

void DependencyGraph::add(Id id, Node node) {
    for (const auto& group : node.groups)
        if (disabled_groups_.contains(group)) node.dependent.hold();
    if (all_stopped_) node.dependent.hold();
    const auto provides = node.provides;
    entries_.emplace(id, Entry{std::move(node), true});  // until follow() has looked: what nobody offers is withheld from nobody
    for (const auto& connection : provides) providers_.emplace(connection, id);
    follow(id);
}

void DependencyGraph::remove(Id id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const Entry entry = std::move(found->second);
    entries_.erase(found);
    changed_.erase(id);
    for (const auto& [connection, how] : entry.connections) {
        const auto of = users_.find(connection);
        of->second.erase(id);
        if (of->second.empty()) users_.erase(of);
        mark_provider(connection);
    }
    for (const auto& connection : entry.node.provides) {
        providers_.erase(connection);
        if (entry.offers) continue;
        for (const Id one : dependents_of(connection, Dependency::required)) change(one, [](Dependent& d) { d.unblock(); });
    }
}

std::optional<DependencyGraph::Id> DependencyGraph::find(InterfaceKind kind, std::string_view name) const {
    for (const auto& [id, entry] : entries_)
        if (entry.node.dependent.kind() == kind && entry.node.name == name) return id;
    return std::nullopt;
}

std::optional<DependencyGraph::Id> DependencyGraph::provider_of(std::string_view connection) const {
    const auto found = providers_.find(connection);
    return found == providers_.end() ? std::nullopt : std::optional{found->second};
}

// ---- dependencies ------------------------------------------------------------------------------------------------------------------------

bool DependencyGraph::reaches(std::string_view connection, Id target, std::set<Id>& seen, std::vector<std::string>& path) const {
    const auto provider = provider_of(connection);
    if (!provider || !seen.insert(*provider).second) return false;
    path.push_back('"' + std::string{connection} + '"');
    path.push_back(to_string(key(*provider)));
    if (*provider == target) return true;
    for (const auto& [next, how] : entries_.at(*provider).connections)
        if (how == Dependency::required && reaches(next, target, seen, path)) return true;
    path.resize(path.size() - 2);
    return false;
}

std::vector<std::string> DependencyGraph::circle(Id id, std::string_view connection) const {
    std::set<Id> seen;
    std::vector<std::string> path{to_string(key(id))};
    if (!reaches(connection, id, seen, path)) path.clear();
    return path;
}

void DependencyGraph::depend(Id id, std::string_view connection, Dependency how) {
    Entry& entry = entries_.at(id);
    const Dependency before = dependency(id, connection);
    if (before == how) return;
    const std::string name{connection};
    if (how == Dependency::none) {
        entry.connections.erase(name);
        const auto of = users_.find(name);
        of->second.erase(id);
        if (of->second.empty()) users_.erase(of);
    } else {
        entry.connections[name] = how;
        users_[name][id] = how;
    }
    for (int i = 0; i < weight(connection); ++i) {
        if (before == Dependency::required) entry.node.dependent.unblock();
        if (how == Dependency::required) entry.node.dependent.block();
    }
    mark_provider(connection);
    follow(id);
}

Dependency DependencyGraph::dependency(Id id, std::string_view connection) const {
    const auto& connections = entries_.at(id).connections;
    const auto found = connections.find(connection);
    return found == connections.end() ? Dependency::none : found->second;
}

void DependencyGraph::block(std::string_view connection) {
    if (!blocked_.emplace(connection).second) return;
    for (const Id id : dependents_of(connection, Dependency::required)) change(id, [](Dependent& d) { d.block(); });
}

void DependencyGraph::unblock(std::string_view connection) {
    const auto blocked = blocked_.find(connection);
    if (blocked == blocked_.end()) return;
    blocked_.erase(blocked);
    for (const Id id : dependents_of(connection, Dependency::required)) change(id, [](Dependent& d) { d.unblock(); });
}

void DependencyGraph::came_up(std::string_view connection) {
    for (const Id id : dependents_of(connection, Dependency::required)) change(id, [](Dependent& d) { d.connection_came_up(); });
}

// ---- what is asked for -------------------------------------------------------------------------------------------------------------------

void DependencyGraph::stop_by_hand(Id id) {
    change(id, [](Dependent& d) { d.stop_by_hand(); });
}
void DependencyGraph::start_by_hand(Id id) {
    change(id, [](Dependent& d) { d.start_by_hand(); });
}
void DependencyGraph::told(Id id, bool running) {
    change(id, [&](Dependent& d) { d.told(running); });
}
void DependencyGraph::set_autostart(Id id, bool yes) {
    change(id, [&](Dependent& d) { d.set_autostart(yes); });
}

void DependencyGraph::set_manage(bool yes) {
    manage_ = yes;
    for (const Id id : ids()) follow(id);
}

void DependencyGraph::set_group(std::string_view group, bool enabled) {
    if (enabled == !disabled_groups_.contains(group)) return;
    if (enabled)
        disabled_groups_.erase(disabled_groups_.find(group));
    else
        disabled_groups_.emplace(group);
    for (const Id id : ids())
        if (groups(id).contains(group)) change(id, [&](Dependent& d) { enabled ? d.unhold() : d.hold(); });
}

void DependencyGraph::set_all_stopped(bool yes) {
    if (std::exchange(all_stopped_, yes) == yes) return;
    for (const Id id : ids()) change(id, [&](Dependent& d) { yes ? d.hold() : d.unhold(); });
}

// ---- what follows ------------------------------------------------------------------------------------------------------------------------

void DependencyGraph::mark_provider(std::string_view connection) {
    if (const auto provider = provider_of(connection)) changed_.insert(*provider);
}

void DependencyGraph::follow(Id id) {
    Entry& entry = entries_.at(id);
    changed_.insert(id);
    // They may be waiting for its end.
    for (const auto& [connection, how] : entry.connections) mark_provider(connection);
    const bool offers = entry.node.dependent.stays(manage_);
    if (std::exchange(entry.offers, offers) == offers) return;
    for (const auto& connection : entry.node.provides)
        for (const Id one : dependents_of(connection, Dependency::required))
            change(one, [&](Dependent& d) {
                if (!offers) return d.block();
                d.unblock();
                d.connection_came_up();
            });
}

bool DependencyGraph::is_leaving(Id id) const {
    const Dependent& dependent = at(id);
    return dependent.due(manage_) == Act::stop || (dependent.doing() != Act::none && !dependent.is_free(manage_));
}

DependencyGraph::Act DependencyGraph::due(Id id) const {
    const Act act = at(id).due(manage_);
    if (act != Act::stop) return act;
    for (const auto& connection : provides(id))
        if (const auto users = users_.find(connection); users != users_.end())
            for (const auto& [one, how] : users->second)
                if (how == Dependency::required && is_leaving(one)) return Act::none;
    return act;
}

void DependencyGraph::begun(Id id, Act act) {
    change(id, [&](Dependent& d) { d.begun(act); });
}
void DependencyGraph::ended(Id id, bool ok) {
    change(id, [&](Dependent& d) { d.ended(ok); });
}

std::vector<DependencyGraph::Id> DependencyGraph::take_changed() {
    const auto changed = std::exchange(changed_, {});
    return {changed.begin(), changed.end()};
}

// ---- what is read ------------------------------------------------------------------------------------------------------------------------

InterfaceKey DependencyGraph::key(Id id) const { return {at(id).kind(), entries_.at(id).node.name}; }

std::vector<DependencyGraph::Id> DependencyGraph::ids() const {
    std::vector<Id> all;
    all.reserve(entries_.size());
    for (const auto& [id, entry] : entries_) all.push_back(id);
    return all;
}

std::vector<DependencyGraph::Id> DependencyGraph::dependents_of(std::string_view connection, Dependency how) const {
    std::vector<Id> found;
    const auto users = users_.find(connection);
    if (users == users_.end()) return found;
    for (const auto& [id, its] : users->second)
        if (its == how) found.push_back(id);
    return found;
}

bool DependencyGraph::knows(std::string_view connection) const { return users_.contains(connection) || providers_.contains(connection); }

std::vector<std::string> DependencyGraph::connections(Id id, Dependency how) const {
    std::vector<std::string> names;
    for (const auto& [name, its] : entries_.at(id).connections)
        if (its == how) names.push_back(name);
    return names;
}

std::vector<std::string> DependencyGraph::waits_for(Id id) const {
    std::vector<std::string> waiting = connections(id, Dependency::required);
    std::erase_if(waiting, [this](const std::string& connection) { return weight(connection) == 0; });
    return waiting;
}

bool DependencyGraph::is_withheld(std::string_view connection) const {
    const auto provider = provider_of(connection);
    return provider && !entries_.at(*provider).offers;
}

std::vector<DependencyGraph::Id> DependencyGraph::stops_after(Id id) const {
    std::set<Id> waiting;
    for (const auto& connection : provides(id))
        for (const Id one : dependents_of(connection, Dependency::required))
            if (is_leaving(one)) waiting.insert(one);
    return {waiting.begin(), waiting.end()};
}

}  // namespace qconn::monitor
