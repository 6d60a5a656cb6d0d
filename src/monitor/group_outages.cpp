// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <qconn/core/registry.hpp>
#include <qconn/monitor/outage.hpp>

#include "monitor/outages.hpp"
#include "monitor/whereabouts.hpp"

namespace qconn {

namespace monitor {

namespace {

using ByName = std::map<std::string_view, const Stranded*>;

const Stranded* reached_through(const Stranded& one, const ByName& down) {
    for (const std::string& other : one.where.via)
        if (const auto found = down.find(other); found != down.end() && found->second != &one) return found->second;
    return nullptr;
}

/// The one that is down by itself and that it hangs on. Of those that name each other in a circle the first by name.
const Stranded& root_of(const Stranded& one, const ByName& down) {
    const Stranded* at = &one;
    std::set<const Stranded*> passed;
    while (const Stranded* next = reached_through(*at, down)) {
        if (!passed.insert(at).second) break;
        at = next;
    }
    const Stranded* root = at;
    for (const Stranded* other = reached_through(*at, down); other != nullptr && other != at; other = reached_through(*other, down))
        if (other->name < root->name) root = other;
    return *root;
}

Outage outage_of(const Cause& cause, const Stranded& root) {
    Outage outage;
    outage.kind = cause.kind;
    outage.cause = cause.key;
    if (root.error) {
        outage.phase = root.error->phase();
        outage.reason = root.error->reason();
        outage.error = root.error->what();
    }
    return outage;
}

}  // namespace

std::vector<OutageGroup> group_by_cause(const std::vector<Stranded>& down) {
    ByName by_name;
    for (const Stranded& one : down) by_name.emplace(one.name, &one);
    std::map<Cause, OutageGroup> groups;
    for (const Stranded& one : down) {
        const Stranded& root = root_of(one, by_name);
        Cause cause = cause_of(root.name, root.error ? &*root.error : nullptr, root.where);
        // Nobody has to be alerted once for all of them here: what needs another remedy is told apart. A path that is not there on a host says
        // nothing of its TLS.
        if (cause.kind == OutageKind::peer && root.error) cause.fault = fault_of(root.error->phase(), root.error->reason(), root.error->name());
        const auto [group, is_new] = groups.try_emplace(std::move(cause));
        if (is_new) group->second.outage = outage_of(group->first, root);
        group->second.names.push_back(one.name);
    }
    std::vector<OutageGroup> sorted;
    for (auto& [cause, group] : groups) {
        std::sort(group.names.begin(), group.names.end());
        group.outage.members = group.names.size();
        sorted.push_back(std::move(group));
    }
    std::stable_sort(sorted.begin(), sorted.end(), [](const OutageGroup& a, const OutageGroup& b) { return a.names.size() > b.names.size(); });
    for (std::size_t i = 0; i < sorted.size(); ++i) sorted[i].outage.id = i + 1;
    return sorted;
}

}  // namespace monitor

namespace {

/// A proxy counts only where the failure was on the way to it or through it; finding it out may take secrets.
monitor::Whereabouts whereabouts(const Registry& registry, const FoundDown& one) {
    const bool by_proxy = one.error && (one.error->phase() == Phase::connect || one.error->phase() == Phase::proxy);
    if (by_proxy) {
        try {
            const PingPlan plan = registry.ping_plan(one.name);
            return monitor::whereabouts_of(*registry.impl(), one.name, &plan);
        } catch (const Error&) {}  // what it needs cannot be had any more
    }
    return monitor::whereabouts_of(*registry.impl(), one.name, nullptr);
}

}  // namespace

std::vector<OutageGroup> group_outages(const Registry& registry, const std::vector<FoundDown>& down) {
    std::vector<monitor::Stranded> stranded;
    stranded.reserve(down.size());
    for (const FoundDown& one : down) stranded.push_back({one.name, one.error, whereabouts(registry, one)});
    return monitor::group_by_cause(stranded);
}

}  // namespace qconn
