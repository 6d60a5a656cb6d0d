// SPDX-License-Identifier: Apache-2.0
/// The engine's part in going on where an earlier run of the monitor has ended: nothing is told twice, and nothing that was told stays open.
#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "monitor/engine.hpp"

namespace qconn::monitor {

namespace {

/// As it was, by what was shown of it: "NAME: sentence".
Error error_of(const ConnectionStatus& status) {
    const std::size_t colon = status.error.find(": ");
    const bool is_named = colon != std::string::npos;
    return Error{make_error_code(Errc::system), is_named ? std::string_view{status.error}.substr(0, colon) : "ERROR",
                 is_named ? status.error.substr(colon + 2) : status.error}
        .with_connection(status.name)
        .with_phase(status.phase)
        .with_reason(status.reason);
}

}  // namespace

void Engine::recall(KeptState state) {
    recall_ = std::make_unique<Recall>(std::move(state));
    outages_.go_on_after(recall_->last_outage());
    alerts_.go_on_after(recall_->last_alert());
}

void Engine::resume(TargetId id, const KeptConnection& before, const Facts& facts, Standing& standing, Moment now) {
    Target& target = targets_[id];
    const ConnectionState now_is = target.machine.state();
    const bool is_same = before.configuration == facts.configuration && facts.configuration != 0;
    const bool is_watched = is_same && target.monitored && target.machine.is_pinged();
    if (is_watched && before.certificate) {
        standing.set_certificate(certificates_.take(*before.certificate));
        target.shown = std::make_unique<ShownCertificates>();
        target.shown->show(before.certificate->sha256);
    }
    if (is_watched && !before.credentials.empty()) {
        const auto known = std::make_shared<const std::vector<Credential>>(before.credentials);
        standing.set_credentials(known);
        if (const Credential* key = host_key(known)) {
            if (!target.shown) target.shown = std::make_unique<ShownCertificates>();
            target.shown->show(key->fingerprint);
        }
    }
    if (is_watched)
        for (const auto type : k_measured_alerts) take_alert(id, type);
    if (is_same && now_is == ConnectionState::invalid && before.status.state == ConnectionState::invalid) {
        standing.since = before.status.since;
        target.told = true;
        take_alert(id, k_alert_unusable);
    }
    if (!is_watched || before.status.state != ConnectionState::down) {
        // One that has not ended has done so when nobody watched.
        histories_.write(target.cell, now, [when = recall_->written()](History& one, HistoryTime) { one.came_back(when); });
        return;
    }
    target.machine.resume_down(target.rules->thresholds);
    schedule_.set_pace(id, &target.rules->pace, true, now.mono);
    target.turned = now.mono - std::clamp<Clock::duration>(now.wall - before.status.since, Clock::duration::zero(), std::chrono::hours{24 * 365});
    standing.state = ConnectionState::down;
    standing.since = before.status.since;
    standing.checked = before.status.checked;
    standing.failures = target.machine.failures();
    standing.set_error(error_of(before.status));
    if (!facts.rules.via.empty()) reached_through_.insert(id);
    const KeptOutage* outage = recall_->outage(before.status.outage);
    const std::uint64_t joined =
        outage != nullptr
            ? outages_.resume(id, *outage, standing.is_silenced())
            : outages_.join(id, {OutageKind::connection, target.cell->name()}, standing.error(), now.mono, now.wall, standing.is_silenced()).id;
    standing.set_outage(joined);
    if (take_alert(id, k_alert_unavailable)) outages_.bear(id);
    const bool counted = is_counted(standing);
    histories_.write(target.cell, now, [counted](History& one, HistoryTime time) { one.stands(ConnectionState::down, counted, time); });
}

bool Engine::take_alert(TargetId id, std::string_view type) {
    auto alert = recall_->take_alert(type, targets_[id].cell->name());
    if (!alert) return false;
    alerts_.resume(std::move(*alert));
    return true;
}

void Engine::finish_recall(Moment now) {
    if (!recall_) return;
    const auto recall = std::move(recall_);
    for (Alert& alert : recall->take_alerts()) {
        // That of an outage takes the name of another that is still in it.
        const bool is_outage = alert.type == k_alert_unavailable && options_.group_alerts && !alerts_.outages().contains(alert.outage);
        if (const auto other = is_outage ? outages_.any_of(alert.outage) : std::nullopt) {
            alert.name = targets_[*other].cell->name();
            alerts_.resume(std::move(alert));
            outages_.bear(*other);
            continue;
        }
        if (alert.untold) continue;
        Event event;
        event.kind = EventKind::alert_cleared;
        if (const TargetId id = outlet_.id_of(alert.name); id != k_no_target) event.state = event.from = state(id);
        event.name = std::move(alert.name);
        event.alert = std::move(alert.type);
        event.error = std::move(alert.text);
        event.outage = alert.outage;
        event.time = now.wall;
        event.mono = now.mono;
        outlet_.event(std::move(event));
    }
    for (const auto& [id, one] : recall->outages())
        if (one.told && !outages_.contains(id)) outlet_.event(outage_event(EventKind::outage_over, one.outage, now));
    // What was lost with a file that was not quite up to date.
    std::set<std::uint64_t> alerted = alerts_.outages();
    for (TargetId id = 0; id < targets_.size(); ++id) {
        if (!targets_[id].cell || state(id) != ConnectionState::down) continue;
        const bool has_alert =
            options_.group_alerts ? !alerted.insert(standing(id).outage()).second : alerts_.stands(k_alert_unavailable, targets_[id].cell->name());
        if (has_alert) continue;
        outages_.bear(id);
        raise(id, k_alert_unavailable, standing(id).error() ? standing(id).error()->what() : "", now);
    }
    // Silences and acknowledgements may be others now.
    for (TargetId id = 0; id < targets_.size(); ++id) {
        if (!targets_[id].cell) continue;
        show_silenced(id, now);
        show_acknowledged(id);
    }
}

}  // namespace qconn::monitor
