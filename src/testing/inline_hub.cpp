// SPDX-License-Identifier: Apache-2.0
#include "testing/inline_hub.hpp"

#include <algorithm>
#include <exception>
#include <tuple>
#include <utility>

#include <qconn/monitor/monitor_error.hpp>

namespace qconn::testing {

using monitor::CallLimits;
using monitor::CallQueue;
using monitor::Dependent;
using monitor::Moment;

namespace {

Error refusal(std::string message) { return Error{MonitorErrc::interface, "INTERFACE-ERROR", std::move(message)}; }

}  // namespace

InlineHub::InlineHub(const MonitorOptions& options, Tell tell)
    : tell_{std::move(tell)}, graph_{options.manage_interfaces}, queue_{CallLimits::of(options)} {}

InlineHub::Id InlineHub::add(InterfaceOptions options, Moment now) {
    const InterfaceKey key{options.kind, options.name};
    if (graph_.find(options.kind, options.name))
        throw refusal("there is a " + to_string(key) + " in this monitor already").with_reason(Reason::exists);
    for (const auto& connection : options.provides)
        if (const auto other = graph_.provider_of(connection))
            throw refusal(to_string(key) + " cannot offer \"" + connection + "\", as " + to_string(graph_.key(*other)) + " offers it already")
                .with_reason(Reason::exists);
    const Id id = ++last_id_;
    graph_.add(id, {options.name,
                    Dependent{options.kind, options.autostart, options.running},
                    {options.provides.begin(), options.provides.end()},
                    {options.groups.begin(), options.groups.end()}});
    entries_.emplace(id, std::make_shared<Entry>(Entry{std::move(options), {}, now.wall}));
    return id;
}

void InlineHub::remove(Id id) noexcept {
    if (entries_.erase(id) != 0) graph_.remove(id);
}

void InlineHub::depend(Id id, std::string_view connection, Dependency how) {
    if (!entries_.contains(id)) return;
    if (how == Dependency::required) {
        std::string text;
        for (const auto& one : graph_.circle(id, connection)) text.append(text.empty() ? "" : " -> ").append(one);
        if (!text.empty()) throw refusal("\"" + std::string{connection} + "\" cannot be required, as none of these could be started first: " + text);
    }
    graph_.depend(id, connection, how);
}

CallQueue::Lane InlineHub::lane(Id id) const {
    return graph_.due(id) == Dependent::Act::start && !graph_.at(id).asked() ? CallQueue::Lane::restart : CallQueue::Lane::urgent;
}

void InlineHub::queue_changed() {
    for (const Id id : graph_.take_changed())
        if (entries_.contains(id) && graph_.due(id) != Dependent::Act::none) queue_.add(id, lane(id));
}

CallQueue::Next InlineHub::next(Moment now) {
    for (;;) {
        queue_changed();
        const CallQueue::Next next = queue_.next(now.mono);
        if (!next.id) return next;
        if (!entries_.contains(*next.id) || graph_.due(*next.id) == Dependent::Act::none) continue;
        if (lane(*next.id) == next.lane || next.lane == CallQueue::Lane::restart) return next;
        queue_.add(*next.id, CallQueue::Lane::restart);
    }
}

void InlineHub::run(Moment now) {
    if (std::exchange(inside_, true)) return;
    for (;;) {
        const CallQueue::Next next = this->next(now);
        wake_ = next.until;
        if (!next.id) break;
        act(*next.id, now);
    }
    inside_ = false;
}

void InlineHub::act(Id id, Moment now) {
    const auto entry = entries_.at(id);  // it may be removed by its own function
    const Dependent::Act due = graph_.due(id);
    const bool is_stop = due == Dependent::Act::stop;
    queue_.begun(id, lane(id), now.mono);
    graph_.begun(id, due);
    entry->since = now.wall;
    tell_(is_stop ? EventKind::stop : EventKind::start, entry->options.name);
    std::string problem;
    bool ok = true;
    try {
        if (const auto& function = is_stop ? entry->options.stop : entry->options.start) function();
    } catch (const std::exception& e) {
        ok = false;
        problem = e.what();
    } catch (...) {
        ok = false;
        problem = "it threw something that is no std::exception";
    }
    queue_.ended(id);
    if (!entries_.contains(id)) return;
    if (!is_stop) entry->start_error = problem;
    graph_.ended(id, ok);
}

InterfaceInfo InlineHub::info(Id id) const {
    InterfaceInfo info;
    const auto found = entries_.find(id);
    if (found == entries_.end()) return info;
    const Entry& entry = *found->second;
    info.name = entry.options.name;
    info.kind = entry.options.kind;
    info.state = graph_.state(id);
    info.connections = graph_.connections(id, Dependency::required);
    info.waits_for = graph_.waits_for(id);
    info.start_error = entry.start_error;
    info.optional = graph_.connections(id, Dependency::optional);
    info.autostart = graph_.at(id).autostart();
    info.version = entry.options.version;
    info.id = entry.options.id;
    info.description = entry.options.description;
    info.groups = entry.options.groups;
    info.provides = entry.options.provides;
    return info;
}

std::vector<InterfaceInfo> InlineHub::infos() const {
    std::vector<InterfaceInfo> infos;
    for (const auto& [id, entry] : entries_) infos.push_back(info(id));
    std::sort(infos.begin(), infos.end(), [](const auto& a, const auto& b) { return std::tie(a.name, a.kind) < std::tie(b.name, b.kind); });
    return infos;
}

monitor::Facts InlineHub::facts(StatusOf status) const {
    return {std::move(status), [this](Id id) { return std::optional{entries_.at(id)->since}; },
            [this](Id id) { return entries_.at(id)->start_error; }};
}

WhyStopped InlineHub::why_stopped(InterfaceKind kind, std::string_view name, StatusOf status) const {
    const auto id = graph_.find(kind, name);
    const InterfaceKey key{kind, std::string{name}};
    if (!id) throw refusal("there is no " + to_string(key) + " in this monitor").with_reason(Reason::not_found);
    return {key, graph_.state(*id), monitor::reasons_of(graph_, *id, facts(std::move(status)))};
}

}  // namespace qconn::testing
