// SPDX-License-Identifier: Apache-2.0
#include "monitor/explain.hpp"

#include <array>
#include <map>
#include <set>
#include <utility>

#include "monitor/utc.hpp"

namespace qconn {

std::string_view to_string(StopCause cause) noexcept {
    constexpr std::array<std::string_view, 11> names{"connection",   "provider",       "by-hand",     "ended",       "not-started",  "start-failed",
                                                     "no-autostart", "group-disabled", "all-stopped", "not-managed", "in-transition"};
    return names[static_cast<std::size_t>(cause)];
}

namespace {

void put(std::string& text, const std::vector<StopReason>& reasons, std::size_t indent) {
    for (const StopReason& reason : reasons) {
        text.append(indent, ' ').append(reason.text).append("\n");
        put(text, reason.because, indent + 2);
    }
}

}  // namespace

std::string to_text(const WhyStopped& why) {
    std::string text = to_string(why.interface) + " is " + std::string{to_string(why.state)} + "\n";
    put(text, why.reasons, 2);
    return text;
}

}  // namespace qconn

namespace qconn::monitor {

namespace {

using Id = DependencyGraph::Id;
using Act = Dependent::Act;
using Wish = Dependent::Wish;
using Instant = std::chrono::system_clock::time_point;

std::string quoted(std::string_view name) { return '"' + std::string{name} + '"'; }

/// " since 2026-05-01 10:00:00 UTC"; nothing where it is not known.
std::string when(std::string_view word, std::optional<Instant> time) {
    const std::string text = time && *time != Instant{} ? utc(*time) : std::string{};
    return text.empty() ? text : " " + std::string{word} + " " + text;
}

std::string connection_text(std::string_view name, const std::optional<ConnectionStatus>& status) {
    if (!status) return quoted(name) + " is not there any more";
    if (status->state == ConnectionState::unknown)
        return quoted(name) + " has not been seen up" + when("since", status->since) + ", when it was changed or enabled";
    if (status->flapping) return quoted(name) + " goes up and down too often (flapping)";
    if (status->state == ConnectionState::up)
        return quoted(name) + " is up" + when("since", status->since) + ", but not for long enough yet (restart_delay)";
    std::string text = quoted(name) + " is " + std::string{to_string(status->state)} + when("since", status->since);
    if (status->phase != Phase::none || status->reason != Reason::none)
        text += " (" + std::string{to_string(status->phase)} + ", " + std::string{to_string(status->reason)} + ")";
    if (!status->error.empty()) text += ": " + status->error;
    return text;
}

/// Reasons of one interface, as they are found.
class Finder {
public:
    Finder(const DependencyGraph& graph, Id id, const Facts& facts) : graph_{graph}, id_{id}, facts_{facts}, dependent_{graph.at(id)} {}

    std::vector<StopReason> find() {
        const InterfaceState state = graph_.state(id_);
        if (state == InterfaceState::running) return {};
        if (state == InterfaceState::starting) return in_transition("start"), std::move(reasons_);
        if (state == InterfaceState::stopping) in_transition("stop");
        wishes();
        holds();
        if (graph_.manage()) connections();
        starts();
        return std::move(reasons_);
    }

private:
    void add(StopCause cause, std::string text, std::string name = {}) { reasons_.push_back({cause, std::move(name), std::move(text), {}}); }

    void in_transition(const std::string& function) {
        if (dependent_.doing() != Act::none)
            return add(StopCause::in_transition, "its " + function + " function runs" + when("since", facts_.since(id_)));
        std::string others;
        for (const Id one : graph_.stops_after(id_)) others.append(others.empty() ? "" : ", ").append(to_string(graph_.key(one)));
        add(StopCause::in_transition,
            others.empty() ? "its " + function + " function is about to be called" : "it is stopped when these have stopped: " + others);
    }

    void wishes() {
        const bool stopped = graph_.state(id_) == InterfaceState::stopped;
        switch (dependent_.wish()) {
            case Wish::run: return;
            case Wish::by_hand: return add(StopCause::by_hand, "it was stopped by hand" + (stopped ? when("at", facts_.since(id_)) : std::string{}));
            case Wish::ended: return add(StopCause::ended, "the application said that it has ended by itself" + when("at", facts_.since(id_)));
            case Wish::not_started: return add(StopCause::not_started, "it was not running when it was added, and nobody has started it since");
        }
    }

    void holds() {
        for (const auto& group : graph_.groups(id_))
            if (graph_.disabled_groups().contains(group)) add(StopCause::group_disabled, "its group " + quoted(group) + " is disabled", group);
        if (graph_.all_stopped()) add(StopCause::all_stopped, "all interfaces are stopped (stop_interfaces)");
    }

    void connections() {
        for (const auto& name : graph_.waits_for(id_)) {
            if (graph_.is_blocked(name)) add(StopCause::connection, connection_text(name, facts_.status(name)), name);
            if (!graph_.is_withheld(name)) continue;
            const Id provider = *graph_.provider_of(name);
            add(StopCause::provider,
                quoted(name) + " is offered by " + to_string(graph_.key(provider)) + ", which is " + std::string{to_string(graph_.state(provider))},
                name);
            reasons_.back().because = Finder{graph_, provider, facts_}.find();
        }
    }

    void starts() {
        if (dependent_.running()) return;
        if (dependent_.start_failed())
            add(StopCause::start_failed, "its last start" + when("at", facts_.since(id_)) + " failed: " + facts_.start_error(id_) +
                                             "; it is tried again when one of its connections has come up anew, or by hand");
        if (dependent_.wish() != Wish::run) return;
        if (!dependent_.may_start()) add(StopCause::no_autostart, "it has no autostart, so it is only started by hand");
        if (reasons_.empty()) add(StopCause::not_managed, "manage_interfaces is off, so it is only started by hand");
    }

    const DependencyGraph& graph_;
    const Id id_;
    const Facts& facts_;
    const Dependent& dependent_;
    std::vector<StopReason> reasons_;
};

/// Does all that is due, as if each function took no time. @returns what was stopped, in order
std::vector<Id> play(DependencyGraph& graph) {
    std::vector<Id> stopped;
    for (const Id id : graph.ids())
        if (graph.at(id).doing() != Act::none) graph.ended(id, true);
    for (auto changed = graph.ids(); !changed.empty(); changed = graph.take_changed()) {
        for (const Id id : changed) {
            const Act act = graph.due(id);
            if (act == Act::none) continue;
            if (act == Act::stop) stopped.push_back(id);
            graph.begun(id, act);
            graph.ended(id, true);
        }
    }
    return stopped;
}

/// Who requires the connection, or what would be withheld with it, and through which connection.
struct Reach {
    std::map<Id, std::string> required;
    std::map<Id, std::string> optional;
};

Reach reach_of(const DependencyGraph& graph, std::string_view connection) {
    Reach reach;
    std::set<std::string, std::less<>> seen{std::string{connection}};
    std::vector<std::string> open{std::string{connection}};
    while (!open.empty()) {
        const std::string missing = std::move(open.back());
        open.pop_back();
        for (const Id id : graph.dependents_of(missing, Dependency::optional)) reach.optional.emplace(id, missing);
        for (const Id id : graph.dependents_of(missing, Dependency::required)) {
            if (!reach.required.emplace(id, missing).second) continue;
            for (const auto& offered : graph.provides(id))
                if (seen.insert(offered).second) open.push_back(offered);
        }
    }
    for (const auto& [id, through] : reach.required) reach.optional.erase(id);
    return reach;
}

std::string joined(const std::vector<StopReason>& reasons) {
    std::string text;
    for (const StopReason& reason : reasons) text.append(text.empty() ? "" : "; ").append(reason.text);
    return text;
}

}  // namespace

std::vector<StopReason> reasons_of(const DependencyGraph& graph, DependencyGraph::Id id, const Facts& facts) {
    return Finder{graph, id, facts}.find();
}

Impact impact_of(DependencyGraph graph, std::string_view connection, const Facts& facts) {
    Impact impact;
    impact.connection = connection;
    impact.managed = graph.manage();
    graph.set_manage(true);
    play(graph);
    const DependencyGraph before = graph;
    graph.block(connection);
    const std::vector<Id> stopped = play(graph);
    graph.unblock(connection);
    graph.came_up(connection);
    play(graph);

    const Reach reach = reach_of(before, connection);
    const auto affected = [&](Id id, const std::string& through) {
        AffectedInterface one{graph.key(id), through, graph.at(id).running(), {}};
        if (!one.returns) one.why_not = joined(reasons_of(graph, id, facts));
        return one;
    };
    for (const Id id : stopped) impact.stops.push_back(affected(id, reach.required.at(id)));
    for (const auto& [id, through] : reach.required)
        if (!before.at(id).running()) impact.stopped.push_back(affected(id, through));
    for (const auto& [id, through] : reach.optional)
        if (before.at(id).running()) impact.optional.push_back(affected(id, through));
    return impact;
}

}  // namespace qconn::monitor
