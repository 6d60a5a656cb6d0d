// SPDX-License-Identifier: Apache-2.0
#include "monitor/alerts.hpp"

#include <utility>

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

void set_acknowledged(Alert& alert, const Acknowledgement& acknowledgement) {
    alert.acknowledged_by = acknowledgement.by;
    alert.note = acknowledgement.note;
    alert.acknowledged = acknowledgement.at;
}

}  // namespace

template <class Change>
void AlertBoard::change(Raised& raised, Change&& change) {
    Alert changed = *raised;
    change(changed);
    raised = std::make_shared<const Alert>(std::move(changed));
    unseen_.emplace_back(raised->id, raised);
}

std::optional<Alert> AlertBoard::raise(std::string_view type, const std::string& name, std::string text, std::chrono::system_clock::time_point when,
                                       std::uint64_t outage, bool silenced) {
    Raised& raised = standing_[{name, std::string{type}}];
    if (raised) return std::nullopt;
    Alert alert = make_alert(type, name, std::move(text), when);
    alert.id = ++last_id_;
    alert.outage = outage;
    alert.silenced = alert.untold = silenced;
    raised = std::make_shared<const Alert>(std::move(alert));
    unseen_.emplace_back(raised->id, raised);
    return silenced ? std::nullopt : std::optional{*raised};
}

std::optional<Alert> AlertBoard::silence(std::string_view type, const std::string& name, bool yes) {
    const auto found = standing_.find({name, std::string{type}});
    if (found == standing_.end()) return std::nullopt;
    Raised& raised = found->second;
    const bool is_due = !yes && raised->untold;
    if (raised->silenced != yes || is_due) {
        change(raised, [yes](Alert& alert) {
            alert.silenced = yes;
            alert.untold = alert.untold && yes;
        });
    }
    return is_due ? std::optional{*raised} : std::nullopt;
}

std::optional<Alert> AlertBoard::clear(std::string_view type, const std::string& name) {
    const auto found = standing_.find({name, std::string{type}});
    if (found == standing_.end()) return std::nullopt;
    const Raised raised = std::move(found->second);
    standing_.erase(found);
    unseen_.emplace_back(raised->id, nullptr);
    return !raised->untold ? std::optional{*raised} : std::nullopt;
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
    change(found.mapped(), [&now](Alert& alert) { alert.name = now; });
    found.key().first = now;
    standing_.insert(std::move(found));
}

void AlertBoard::note(std::string_view type, const std::string& name, std::string text, std::chrono::system_clock::time_point when, bool silenced) {
    Alert& alert = unseen_recent_.emplace_back(make_alert(type, name, std::move(text), when));
    alert.transient = true;
    alert.silenced = silenced;
    flush();
}

void AlertBoard::acknowledge(std::string_view type, const std::string& name, const Acknowledgement& acknowledgement) {
    const auto found = standing_.find({name, std::string{type}});
    if (found == standing_.end()) return;
    Raised& raised = found->second;
    if (raised->since > acknowledgement.at || raised->acknowledged >= acknowledgement.at) return;
    change(raised, [&](Alert& alert) { set_acknowledged(alert, acknowledgement); });
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
    if (shown && shown->acknowledged > alert->acknowledged) {
        // Its other hands the loop's thread has not heard of yet.
        Alert changed = *alert;
        set_acknowledged(changed, {shown->acknowledged_by, shown->note, shown->acknowledged});
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

std::optional<std::string> AlertBoard::acknowledge(std::uint64_t id, const Acknowledgement& acknowledgement) {
    const std::scoped_lock lock{mutex_};
    const auto found = shown_.find(id);
    if (found == shown_.end()) return std::nullopt;
    Alert seen = *found->second;
    set_acknowledged(seen, acknowledgement);
    found->second = std::make_shared<const Alert>(std::move(seen));
    return found->second->name;
}

}  // namespace qconn::monitor
