// SPDX-License-Identifier: Apache-2.0
#include "monitor/dependents.hpp"

#include <utility>

namespace qconn::monitor {

Dependent::Act Dependent::due(bool manage) const noexcept {
    if (doing_ != Act::none) return Act::none;
    const bool free = !manage || blocks_ == 0;
    if (running_) return wanted_ && free ? Act::none : Act::stop;
    if (!wanted_ || !free || start_failed_ || !may_start()) return Act::none;
    // With the mechanism switched off only what was asked for by hand is started.
    return manage || asked_ ? Act::start : Act::none;
}

void Dependent::ended(bool ok) noexcept {
    const Act done = std::exchange(doing_, Act::none);
    if (done == Act::stop) running_ = false;
    if (done == Act::start) {
        start_failed_ = !ok;
        if (ok) {
            running_ = true;
            asked_ = false;
            if (told_ && !*told_) running_ = wanted_ = false;
        }
    }
    told_.reset();
}

void Dependent::stop_by_hand() noexcept {
    wanted_ = asked_ = false;
    start_failed_ = false;
}

void Dependent::start_by_hand() noexcept {
    wanted_ = true;
    asked_ = !running_ || doing_ == Act::stop || blocks_ > 0;
    start_failed_ = false;
}

void Dependent::told(bool running) noexcept {
    if (doing_ == Act::stop) return;  // it is being stopped anyway
    if (doing_ == Act::start) {
        told_ = running;
        return;
    }
    if (running_ == running) return;
    running_ = wanted_ = running;
    asked_ = start_failed_ = false;
}

InterfaceState Dependent::state(bool manage) const noexcept {
    const Act act = doing_ != Act::none ? doing_ : due(manage);
    if (act == Act::stop) return InterfaceState::stopping;
    if (act == Act::start) return InterfaceState::starting;
    if (running_) return InterfaceState::running;
    return wanted_ && manage && blocks_ > 0 ? InterfaceState::blocked : InterfaceState::stopped;
}

void DependencyTable::add(Id id, Dependent dependent) { entries_.emplace(id, Entry{dependent, {}}); }

void DependencyTable::remove(Id id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    for (const auto& connection : found->second.connections) {
        const auto of = dependents_of_.find(connection);
        of->second.erase(id);
        if (of->second.empty()) dependents_of_.erase(of);
    }
    entries_.erase(found);
}

bool DependencyTable::depend(Id id, std::string_view connection) {
    Entry& entry = entries_.at(id);
    if (!entry.connections.emplace(connection).second) return false;
    dependents_of_[std::string{connection}].insert(id);
    if (blocked_.contains(connection)) entry.dependent.block();
    return true;
}

bool DependencyTable::release(Id id, std::string_view connection) {
    Entry& entry = entries_.at(id);
    const auto found = entry.connections.find(connection);
    if (found == entry.connections.end()) return false;
    entry.connections.erase(found);
    const auto of = dependents_of_.find(connection);
    of->second.erase(id);
    if (of->second.empty()) dependents_of_.erase(of);
    if (blocked_.contains(connection)) entry.dependent.unblock();
    return true;
}

std::vector<DependencyTable::Id> DependencyTable::block(std::string_view connection) {
    if (!blocked_.emplace(connection).second) return {};
    const auto of = dependents_of_.find(connection);
    if (of == dependents_of_.end()) return {};
    for (const Id id : of->second) entries_.at(id).dependent.block();
    return {of->second.begin(), of->second.end()};
}

std::vector<DependencyTable::Id> DependencyTable::unblock(std::string_view connection, bool came_up) {
    const auto blocked = blocked_.find(connection);
    const bool was_blocked = blocked != blocked_.end();
    if (was_blocked) blocked_.erase(blocked);
    const auto of = dependents_of_.find(connection);
    if (of == dependents_of_.end() || (!was_blocked && !came_up)) return {};
    for (const Id id : of->second) {
        Dependent& dependent = entries_.at(id).dependent;
        if (was_blocked) dependent.unblock();
        if (came_up) dependent.connection_came_up();
    }
    return {of->second.begin(), of->second.end()};
}

std::vector<DependencyTable::Id> DependencyTable::ids() const {
    std::vector<Id> all;
    all.reserve(entries_.size());
    for (const auto& [id, entry] : entries_) all.push_back(id);
    return all;
}

std::vector<std::string> DependencyTable::connections(Id id) const {
    const auto& all = entries_.at(id).connections;
    return {all.begin(), all.end()};
}

std::vector<std::string> DependencyTable::waits_for(Id id) const {
    std::vector<std::string> waiting;
    for (const auto& connection : entries_.at(id).connections)
        if (blocked_.contains(connection)) waiting.push_back(connection);
    return waiting;
}

}  // namespace qconn::monitor
