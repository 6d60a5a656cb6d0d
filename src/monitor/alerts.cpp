// SPDX-License-Identifier: Apache-2.0
#include "monitor/alerts.hpp"

namespace qconn::monitor {

std::optional<Alert> AlertBoard::raise(std::string_view type, const std::string& name, std::string text, std::chrono::system_clock::time_point when,
                                       std::uint64_t outage) {
    auto& alert = standing_[{name, std::string{type}}];
    if (alert) return std::nullopt;
    alert = std::make_shared<const Alert>(Alert{std::string{type}, name, std::move(text), when, ++last_id_, outage});
    unseen_.emplace_back(alert->id, alert);
    return *alert;
}

std::optional<Alert> AlertBoard::clear(std::string_view type, const std::string& name) {
    const auto found = standing_.find({name, std::string{type}});
    if (found == standing_.end()) return std::nullopt;
    const auto alert = found->second;
    standing_.erase(found);
    unseen_.emplace_back(alert->id, nullptr);
    return *alert;
}

void AlertBoard::rename(std::string_view type, const std::string& name, const std::string& now) {
    auto found = standing_.extract({name, std::string{type}});
    if (found.empty()) return;
    Alert changed = *found.mapped();
    changed.name = now;
    found.key().first = now;
    found.mapped() = std::make_shared<const Alert>(std::move(changed));
    unseen_.emplace_back(found.mapped()->id, found.mapped());
    standing_.insert(std::move(found));
}

bool AlertBoard::flush() {
    if (unseen_.empty()) return true;
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock) return false;
    for (auto& [id, alert] : unseen_) {
        if (alert)
            shown_.insert_or_assign(id, std::move(alert));
        else
            shown_.erase(id);
    }
    unseen_.clear();
    return true;
}

std::vector<Alert> AlertBoard::list() const {
    std::vector<std::shared_ptr<const Alert>> shown;
    {
        const std::scoped_lock lock{mutex_};
        shown.reserve(shown_.size());
        for (const auto& [id, alert] : shown_) shown.push_back(alert);
    }
    std::vector<Alert> alerts;
    alerts.reserve(shown.size());
    for (const auto& alert : shown) alerts.push_back(*alert);
    return alerts;
}

}  // namespace qconn::monitor
