// SPDX-License-Identifier: Apache-2.0
#include "monitor/silences.hpp"

#include <algorithm>

namespace qconn::monitor {

namespace {

bool is_same(const Silences::Handle& a, const Silences::Handle& b) { return a && b ? *a == *b : a == b; }

}  // namespace

void Silences::book(TargetId id, Entry& entry, Wall when) {
    if (when == entry.booked) return;
    agenda_.erase({entry.booked, id});
    entry.booked = when;
    if (when != Wall::max()) agenda_.emplace(when, id);
}

bool Silences::evaluate(TargetId id, Entry& entry, Wall now) {
    Handle in_force;
    Wall next = Wall::max();
    if (entry.set && entry.set->is_over(now)) entry.set.reset();
    if (entry.set) {
        if (entry.set->is_in_force(now)) in_force = std::make_shared<const Silence>(*entry.set);
        next = in_force ? entry.set->until.value_or(Wall::max()) : entry.set->from;
    }
    std::optional<Silence> open;
    for (const Window& one : entry.windows) {
        const core::Occurrence occurrence = core::next_occurrence(one.window, now);
        const bool is_open = occurrence.is_open(now);
        next = std::min(next, is_open ? occurrence.until : occurrence.from);
        if (is_open && (!open || *open->until < occurrence.until))
            open = Silence{Silence::Kind::maintenance, occurrence.from, occurrence.until, "definition", one.text};
    }
    // Maintenance is more than mute.
    if (open && (!in_force || in_force->kind == Silence::Kind::mute)) in_force = std::make_shared<const Silence>(*std::move(open));
    book(id, entry, next);
    if (is_same(in_force, entry.in_force)) return false;
    entry.in_force = std::move(in_force);
    return true;
}

void Silences::set(TargetId id, const std::optional<Silence>& silence, Wall now) {
    if (!silence && !entries_.contains(id)) return;
    Entry& entry = entries_[id];
    entry.set = silence;
    evaluate(id, entry, now);
}

void Silences::set_windows(TargetId id, const std::vector<std::string>& windows, Wall now) {
    if (windows.empty() && !entries_.contains(id)) return;
    Entry& entry = entries_[id];
    entry.windows.clear();
    for (const std::string& text : windows)
        if (const auto window = core::parse_maintenance_window(text)) entry.windows.push_back({*window, text});
    evaluate(id, entry, now);
}

void Silences::end(TargetId id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    book(id, found->second, Wall::max());
    found->second.set.reset();
    found->second.windows.clear();
    found->second.in_force.reset();
}

void Silences::erase(TargetId id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    agenda_.erase({found->second.booked, id});
    entries_.erase(found);
}

Silences::Handle Silences::of(TargetId id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : found->second.in_force;
}

std::optional<TargetId> Silences::due(Wall now) {
    // The clock was set back: what was to be looked at later may be now, and what is in force may not be yet.
    if (now < asked_)
        for (auto& [id, entry] : entries_) book(id, entry, now);
    asked_ = now;
    while (!agenda_.empty() && agenda_.begin()->first <= now) {
        const TargetId id = agenda_.begin()->second;
        if (evaluate(id, entries_.at(id), now)) return id;
    }
    return std::nullopt;
}

std::optional<Silences::Wall> Silences::next() const { return agenda_.empty() ? std::nullopt : std::optional{agenda_.begin()->first}; }

std::optional<Silences::Change> Silences::untold(TargetId id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return std::nullopt;
    Entry& entry = found->second;
    const Change change{entry.told, entry.in_force};
    if (is_same(change.before, change.now)) return std::nullopt;
    entry.told = entry.in_force;
    return change;
}

}  // namespace qconn::monitor
