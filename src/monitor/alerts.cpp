// SPDX-License-Identifier: Apache-2.0
#include "monitor/alerts.hpp"

namespace qconn::monitor {

namespace {

/// Transient alerts that are kept.
constexpr std::size_t k_recent = 100;

Alert make_alert(std::string_view type, const std::string& name, std::string text, std::chrono::system_clock::time_point when) {
    Alert alert;
    alert.type = type;
    alert.name = name;
    alert.text = std::move(text);
    alert.since = when;
    return alert;
}

}  // namespace

std::optional<Alert> AlertBoard::raise(std::string_view type, const std::string& name, std::string text, std::chrono::system_clock::time_point when,
                                       std::uint64_t outage) {
    auto& alert = standing_[{name, std::string{type}}];
    if (alert) return std::nullopt;
    Alert raised = make_alert(type, name, std::move(text), when);
    raised.id = ++last_id_;
    raised.outage = outage;
    alert = std::make_shared<const Alert>(std::move(raised));
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

void AlertBoard::resume(Alert alert) {
    auto& standing = standing_[{alert.name, alert.type}];
    if (standing) return;
    standing = std::make_shared<const Alert>(std::move(alert));
    unseen_.emplace_back(standing->id, standing);
    flush();
}

std::set<std::uint64_t> AlertBoard::outages() const {
    std::set<std::uint64_t> outages;
    for (const auto& [key, alert] : standing_)
        if (alert->outage != 0) outages.insert(alert->outage);
    return outages;
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

void AlertBoard::note(std::string_view type, const std::string& name, std::string text, std::chrono::system_clock::time_point when) {
    unseen_recent_.push_back(make_alert(type, name, std::move(text), when));
    unseen_recent_.back().transient = true;
    flush();
}

bool AlertBoard::flush() {
    if (unseen_.empty() && unseen_recent_.empty()) return true;
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock) return false;
    for (auto& [id, alert] : unseen_) {
        if (alert)
            show(id, std::move(alert));
        else
            shown_.erase(id);
    }
    unseen_.clear();
    for (Alert& alert : unseen_recent_) recent_.push_back(std::move(alert));
    unseen_recent_.clear();
    while (recent_.size() > k_recent) recent_.pop_front();
    return true;
}

void AlertBoard::show(std::uint64_t id, std::shared_ptr<const Alert> alert) {
    auto& shown = shown_[id];
    if (shown && !shown->acknowledged_by.empty()) {
        // It has another name now, and the same hands.
        Alert changed = *alert;
        changed.acknowledged_by = shown->acknowledged_by;
        changed.note = shown->note;
        changed.acknowledged = shown->acknowledged;
        alert = std::make_shared<const Alert>(std::move(changed));
    }
    shown = std::move(alert);
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

std::vector<Alert> AlertBoard::recent() const {
    const std::scoped_lock lock{mutex_};
    return {recent_.begin(), recent_.end()};
}

bool AlertBoard::acknowledge(std::uint64_t id, std::string_view who, std::string_view note, std::chrono::system_clock::time_point when) {
    const std::scoped_lock lock{mutex_};
    const auto found = shown_.find(id);
    if (found == shown_.end()) return false;
    Alert seen = *found->second;
    seen.acknowledged_by = who;
    seen.note = note;
    seen.acknowledged = when;
    found->second = std::make_shared<const Alert>(std::move(seen));
    return true;
}

}  // namespace qconn::monitor
