// SPDX-License-Identifier: Apache-2.0
#include "monitor/outages.hpp"

#include <algorithm>
#include <array>

namespace qconn {

std::string_view to_string(OutageKind kind) noexcept {
    constexpr std::array<std::string_view, 7> names{"peer", "name", "resolver", "proxy", "certificate", "credentials", "connection"};
    return names[static_cast<std::size_t>(kind)];
}

namespace monitor {

std::string fault_of(Phase phase, Reason reason, std::string_view error) {
    std::string text{to_string(phase)};
    text.append(", ").append(to_string(reason));
    return text.append(", ").append(error.substr(0, error.find(':')));
}

Cause cause_of(const std::string& name, const Error* error, const Whereabouts& where) {
    const Phase phase = error != nullptr ? error->phase() : Phase::none;
    const Reason reason = error != nullptr ? error->reason() : Reason::none;
    if (reason == Reason::resolver) return {OutageKind::resolver, {}};
    if (phase == Phase::secret || where.host.empty()) return {OutageKind::connection, name};
    if (!where.proxy.empty() && (phase == Phase::proxy || phase == Phase::connect)) return {OutageKind::proxy, where.proxy};
    if (reason == Reason::unknown_host) return {OutageKind::name, where.host.substr(0, where.host.rfind(':'))};
    switch (reason) {
        case Reason::certificate_expired:
        case Reason::certificate_untrusted:
        case Reason::certificate_name:
        case Reason::certificate_pin:
        case Reason::certificate_revoked: return {OutageKind::certificate, where.host, fault_of(phase, reason, error->name())};
        case Reason::denied: return {OutageKind::credentials, where.host};
        default: return {phase == Phase::auth ? OutageKind::credentials : OutageKind::peer, where.host};
    }
}

Outages::Joined Outages::join(TargetId id, Cause cause, const Error* error, Clock::time_point now, std::chrono::system_clock::time_point wall,
                              bool silenced) {
    const auto [group, is_new] = groups_.try_emplace(std::move(cause));
    if (is_new) {
        Outage& outage = group->second.outage;
        outage.id = ++last_id_;
        outage.kind = group->first.kind;
        outage.cause = group->first.key;
        outage.since = wall;
        if (error != nullptr) {
            outage.phase = error->phase();
            outage.reason = error->reason();
            outage.error = error->what();
        }
        group->second.began = now;
        group->second.bearer = id;
    }
    if (Group& one = group->second; !one.told) {
        untold_.erase({one.gathered, group->first});
        // One that was alone for long begins to gather now.
        if (one.members.size() < 2 && one.gathered <= now) one.began = now;
        one.gathered = std::min(now + k_gather, one.began + k_gather_most);
        untold_.emplace(one.gathered, group->first);
    }
    group->second.members.emplace(silenced, id);
    group->second.outage.members = group->second.members.size();
    of_[id] = group;
    dirty_ = true;
    return {group->second.outage.id, is_new};
}

std::optional<Outages::Left> Outages::leave(TargetId id) {
    const auto found = of_.find(id);
    if (found == of_.end()) return std::nullopt;
    const auto group = found->second;
    of_.erase(found);
    const bool silenced = group->second.members.erase({false, id}) == 0;
    if (silenced) group->second.members.erase({true, id});
    group->second.outage.members = group->second.members.size();
    dirty_ = true;
    Left left{group->second.outage, std::nullopt, group->second.members.empty(), group->second.told, silenced};
    if (!left.is_over) left.other = group->second.members.begin()->second;
    if (left.is_over) {
        untold_.erase({group->second.gathered, group->first});
        groups_.erase(group);
    }
    return left;
}

bool Outages::set_silenced(TargetId id, bool yes) {
    const auto found = of_.find(id);
    if (found == of_.end()) return false;
    auto& members = found->second->second.members;
    members.erase({!yes, id});
    members.emplace(yes, id);
    return true;
}

Outages::Bearer Outages::choose_bearer(TargetId member) {
    Group& group = of_.at(member)->second;
    const auto [silenced, first] = *group.members.begin();
    const TargetId before = group.bearer;
    if (!group.members.contains({silenced, before})) group.bearer = first;
    return {before, group.bearer, silenced};
}

std::uint64_t Outages::resume(TargetId id, const KeptOutage& before, bool silenced) {
    Cause cause{before.outage.kind, before.outage.cause};
    if (cause.kind == OutageKind::certificate) cause.fault = fault_of(before.outage.phase, before.outage.reason, before.outage.error);
    const auto [group, is_new] = groups_.try_emplace(std::move(cause));
    if (is_new) {
        group->second.outage = before.outage;
        group->second.told = before.told;
    }
    group->second.members.emplace(silenced, id);
    if (is_new) group->second.bearer = id;
    group->second.outage.members = group->second.members.size();
    of_[id] = group;
    dirty_ = true;
    return group->second.outage.id;
}

std::optional<TargetId> Outages::any_of(std::uint64_t outage) const noexcept {
    for (const auto& [cause, group] : groups_)
        if (group.outage.id == outage) return group.members.begin()->second;
    return std::nullopt;
}

bool Outages::contains(std::uint64_t outage) const noexcept { return any_of(outage).has_value(); }

std::uint64_t Outages::of(TargetId id) const noexcept {
    const auto found = of_.find(id);
    return found == of_.end() ? 0 : found->second->second.outage.id;
}

const Cause* Outages::cause_of(TargetId id) const noexcept {
    const auto found = of_.find(id);
    return found == of_.end() ? nullptr : &found->second->first;
}

std::optional<Outages::Due> Outages::due(Clock::time_point now) {
    while (!untold_.empty() && untold_.begin()->first <= now) {
        Group& group = groups_.at(untold_.begin()->second);
        untold_.erase(untold_.begin());
        if (group.members.size() < 2) continue;
        group.told = dirty_ = true;
        Due due{group.outage, {}, group.members.begin()->first};
        for (const auto& [silenced, id] : group.members) due.members.push_back(id);
        return due;
    }
    return std::nullopt;
}

std::optional<Clock::time_point> Outages::next() const { return untold_.empty() ? std::nullopt : std::optional{untold_.begin()->first}; }

bool Outages::flush() {
    if (!dirty_) return true;
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock) return false;
    shown_.clear();
    for (const auto& [cause, group] : groups_) shown_.push_back({group.outage, group.told});
    dirty_ = false;
    return true;
}

std::vector<KeptOutage> Outages::kept() const {
    std::vector<KeptOutage> outages;
    {
        const std::scoped_lock lock{mutex_};
        outages = shown_;
    }
    std::sort(outages.begin(), outages.end(), [](const KeptOutage& a, const KeptOutage& b) { return a.outage.id < b.outage.id; });
    return outages;
}

std::vector<Outage> Outages::list() const {
    std::vector<Outage> outages;
    for (KeptOutage& one : kept()) outages.push_back(std::move(one.outage));
    return outages;
}

}  // namespace monitor

}  // namespace qconn
