// SPDX-License-Identifier: Apache-2.0
#include "monitor/recall.hpp"

#include <algorithm>
#include <utility>

namespace qconn::monitor {

Recall::Recall(KeptState state) : head_{std::move(state.head)} {
    for (KeptConnection& one : state.connections) connections_.emplace(one.status.name, std::move(one));
    for (KeptOutage& one : state.outages) {
        head_.last_outage = std::max(head_.last_outage, one.outage.id);
        outages_.emplace(one.outage.id, std::move(one));
    }
    for (Alert& one : state.alerts) {
        head_.last_alert = std::max(head_.last_alert, one.id);
        std::pair key{one.name, one.type};
        alerts_.emplace(std::move(key), std::move(one));
    }
}

std::optional<KeptConnection> Recall::take(const std::string& name) {
    auto found = connections_.extract(name);
    return found.empty() ? std::nullopt : std::optional{std::move(found.mapped())};
}

const KeptOutage* Recall::outage(std::uint64_t id) const {
    const auto found = outages_.find(id);
    return found == outages_.end() ? nullptr : &found->second;
}

std::optional<Alert> Recall::take_alert(std::string_view type, const std::string& name) {
    auto found = alerts_.extract({name, std::string{type}});
    return found.empty() ? std::nullopt : std::optional{std::move(found.mapped())};
}

std::vector<Alert> Recall::take_alerts() {
    std::vector<Alert> alerts;
    for (auto& [key, alert] : alerts_) alerts.push_back(std::move(alert));
    alerts_.clear();
    std::sort(alerts.begin(), alerts.end(), [](const Alert& a, const Alert& b) { return a.id < b.id; });
    return alerts;
}

}  // namespace qconn::monitor
