// SPDX-License-Identifier: Apache-2.0
#include "monitor/engine.hpp"

#include <algorithm>
#include <utility>

namespace qconn::monitor {

Timing timing_of(const MonitorOptions& options, std::size_t max_open) {
    using std::chrono::milliseconds;
    Timing timing;
    timing.interval = options.interval.count() <= 0 ? milliseconds{0} : std::max(options.interval, milliseconds{100});
    timing.timeout = std::max(options.timeout, milliseconds{1});
    const auto tenth = std::clamp<Clock::duration>(timing.interval / 10, milliseconds{100}, std::chrono::seconds{2});
    timing.fast = options.fast.count() > 0 ? options.fast : tenth;
    if (timing.interval.count() > 0) timing.fast = std::min(timing.fast, timing.interval);
    timing.max_in_flight = std::max<std::size_t>(options.max_in_flight, 1);
    // A quarter of the descriptors, so that the application keeps the others.
    if (max_open >= 4) timing.max_in_flight = std::min(timing.max_in_flight, max_open / 4);
    timing.max_per_host = std::max<std::size_t>(options.max_per_host, 1);
    timing.stall = std::max<Clock::duration>(std::chrono::seconds{1}, timing.timeout / 2);
    return timing;
}

Engine::Engine(const MonitorOptions& options, const Timing& timing, Outlet& outlet, AlertBoard& alerts)
    : thresholds_{options.fall, options.rise}, fs_full_{options.alert_fs_full}, outlet_{outlet}, alerts_{alerts}, schedule_{timing} {}

bool Engine::is_pinged(TargetId id) const noexcept {
    return started_ && targets_[id].monitored && targets_[id].machine.is_pinged() && schedule_.timing().interval > Clock::duration::zero();
}

// ---- the set -----------------------------------------------------------------------------------------------------------------------------

void Engine::reserve(std::size_t targets) {
    targets_.reserve(targets_.size() + targets);
    schedule_.reserve(targets);
}

TargetId Engine::add(std::shared_ptr<Cell> cell, const Facts& facts, Moment now, bool tell) {
    const TargetId id = schedule_.add(stable_hash(cell->name()), facts.host);
    if (id >= targets_.size()) targets_.resize(id + 1);
    Target& target = targets_[id];
    target = {};
    cell->id = id;
    target.cell = std::move(cell);
    target.monitored = facts.monitored;
    Standing standing;
    standing.since = now.wall;
    // As it is from the start, so not an event; that it cannot be used is told once somebody watches.
    if (facts.problem) {
        target.machine.step(Input::invalid, thresholds_);
        standing.error = *facts.problem;
        target.told = false;
    }
    if (!facts.enabled) target.machine.step(Input::disable, thresholds_);
    standing.state = target.machine.state();
    show(id, std::move(standing));
    if (tell) outlet_.event(make_event(id, EventKind::added, now));
    if (!target.machine.is_pinged()) outlet_.hold(target.cell->name(), Hold::block);
    if (started_) {
        tell_invalid(id, now);
        if (is_pinged(id)) {
            schedule_.begin(id, now.mono);
            if (tell) schedule_.ping_now(id, now.mono);
        }
    }
    return id;
}

void Engine::remove(TargetId id, Moment now) {
    Target& target = targets_[id];
    for (const auto type : {k_alert_unavailable, k_alert_unusable, k_alert_filesystem}) clear(id, type, now);
    outlet_.event(make_event(id, EventKind::removed, now));
    outlet_.hold(target.cell->name(), Hold::release);
    schedule_.remove(id);
    target.cell->id = k_no_target;
    if (target.late) std::erase(late_, id);
    target = {};
}

void Engine::enable(TargetId id, Moment now) { follow(id, step(id, Input::enable, now, nullptr), now); }
void Engine::disable(TargetId id, Moment now) {
    const Transition& taken = step(id, Input::disable, now, nullptr);
    if (taken.from != taken.to) clear(id, k_alert_filesystem, now);
    follow(id, taken, now);
}
void Engine::invalidate(TargetId id, const Error& problem, Moment now) {
    const Transition& taken = step(id, Input::invalid, now, &problem);
    if (taken.from != taken.to) clear(id, k_alert_filesystem, now);
    follow(id, taken, now);
}
void Engine::validate(TargetId id, Moment now) { follow(id, step(id, Input::valid, now, nullptr), now); }
void Engine::change(TargetId id, Moment now) { follow(id, step(id, Input::changed, now, nullptr), now); }

void Engine::set_monitored(TargetId id, bool yes, Moment now) {
    Target& target = targets_[id];
    if (target.monitored == yes) return;
    target.monitored = yes;
    if (!yes) schedule_.rest(id);
    // What was known of it belongs to another time.
    follow(id, step(id, Input::changed, now, nullptr), now);
}

void Engine::tell_updated(TargetId id, std::string text, Moment now) {
    Event event = make_event(id, EventKind::updated, now);
    event.phase = Phase::none;
    event.reason = Reason::none;
    event.error = std::move(text);
    outlet_.event(std::move(event));
}

// ---- running -----------------------------------------------------------------------------------------------------------------------------

void Engine::start(Moment now) {
    started_ = true;
    for (TargetId id = 0; id < targets_.size(); ++id) {
        if (!targets_[id].cell) continue;
        tell_invalid(id, now);
        if (is_pinged(id)) schedule_.begin(id, now.mono);
    }
}

void Engine::stop() {
    started_ = false;
    for (TargetId id = 0; id < targets_.size(); ++id)
        if (targets_[id].cell) schedule_.rest(id);
}

void Engine::outcome(TargetId id, const PingResult& result, Moment now) {
    const Input input = result.ok ? Input::ok : result.inconclusive ? Input::inconclusive : Input::failed;
    const Transition& taken = step(id, input, now, input == Input::failed && result.error ? &*result.error : nullptr, &result);
    if (result.ok) measure(id, result.measures, now);
    using Again = Schedule::Again;
    schedule_.finished(id, now.mono, taken.next != Next::fast ? Again::grid : input == Input::inconclusive ? Again::spread : Again::fast);
    if (!is_pinged(id)) schedule_.rest(id);
}

bool Engine::flush() {
    std::erase_if(late_, [this](TargetId id) {
        Target& target = targets_[id];
        if (!target.cell->try_publish(*target.late)) return false;
        target.late.reset();
        return true;
    });
    return alerts_.flush() && late_.empty();
}

// ---- states ------------------------------------------------------------------------------------------------------------------------------

const Transition& Engine::step(TargetId id, Input input, Moment now, const Error* error, const PingResult* result) {
    Target& target = targets_[id];
    const Transition& taken = target.machine.step(input, thresholds_);
    Standing standing = this->standing(id);
    if (result != nullptr) {
        standing.checked = now.wall;
        ++standing.pings;
        if (result->ok) standing.latency = result->time;
    }
    if (error != nullptr) {
        standing.error = *error;
    } else if (input != Input::inconclusive && target.machine.is_sound() && !(taken.to == ConnectionState::down && input == Input::ok)) {
        standing.error.reset();  // it stays while it still says why: through doubts, and while a success alone does not make it up
    }
    standing.failures = target.machine.failures();
    standing.state = taken.to;
    if (taken.from != taken.to) standing.since = now.wall;
    show(id, std::move(standing));  // before the events, so that who gets one reads nothing older

    for (const EventKind kind : taken.event_list()) {
        if (kind == EventKind::invalid) target.told = true;
        tell(id, kind, taken.from, now);
    }
    change_alert(id, alert_of(taken.from), alert_of(taken.to), now);
    if (taken.hold != Hold::keep) outlet_.hold(target.cell->name(), taken.hold);
    return taken;
}

void Engine::follow(TargetId id, const Transition& taken, Moment now) {
    if (taken.next == Next::never) {
        schedule_.rest(id);
    } else if (taken.next == Next::now && is_pinged(id)) {
        schedule_.begin(id, now.mono);
        schedule_.ping_now(id, now.mono);
    }
    release_if_unwatched(id);
}

void Engine::release_if_unwatched(TargetId id) {
    // Nobody will ever say that it is up.
    if (targets_[id].machine.state() == ConnectionState::unknown && !is_pinged(id)) outlet_.hold(targets_[id].cell->name(), Hold::release);
}

void Engine::tell(TargetId id, EventKind kind, ConnectionState from, Moment now) {
    Event event = make_event(id, kind, now);
    event.from = from;
    outlet_.event(std::move(event));
}

void Engine::tell_invalid(TargetId id, Moment now) {
    Target& target = targets_[id];
    if (target.told || target.machine.state() != ConnectionState::invalid) return;
    target.told = true;
    tell(id, EventKind::invalid, ConnectionState::unknown, now);
    change_alert(id, StateAlert::none, StateAlert::unusable, now);
}

void Engine::change_alert(TargetId id, StateAlert before, StateAlert after, Moment now) {
    if (before == after) return;
    const auto type_of = [](StateAlert alert) { return alert == StateAlert::unavailable ? k_alert_unavailable : k_alert_unusable; };
    if (before != StateAlert::none) clear(id, type_of(before), now);
    const auto& error = standing(id).error;
    if (after != StateAlert::none) raise(id, type_of(after), error ? error->what() : "", now);
}

void Engine::raise(TargetId id, std::string_view type, std::string text, Moment now) {
    const auto alert = alerts_.raise(type, targets_[id].cell->name(), std::move(text), now.wall);
    if (!alert) return;
    alerts_.flush();
    Event event = make_event(id, EventKind::alert, now);
    event.alert = alert->type;
    event.error = alert->text;
    outlet_.event(std::move(event));
}

void Engine::clear(TargetId id, std::string_view type, Moment now) {
    const auto alert = alerts_.clear(type, targets_[id].cell->name());
    if (!alert) return;
    alerts_.flush();
    Event event = make_event(id, EventKind::alert_cleared, now);
    event.alert = alert->type;
    event.error = alert->text;
    outlet_.event(std::move(event));
}

void Engine::measure(TargetId id, const std::vector<PingMeasure>& measures, Moment now) {
    if (measures.empty()) return;
    std::string text;
    for (const PingMeasure& one : measures) {
        if (one.value <= fs_full_) continue;
        if (!text.empty()) text += ", ";
        text += std::to_string(static_cast<int>(one.value)) + (one.kind == PingMeasure::Kind::space_used ? " % of the space" : " % of the inodes");
    }
    if (text.empty()) return clear(id, k_alert_filesystem, now);
    raise(
        id, k_alert_filesystem,
        "the file system of \"" + targets_[id].cell->name() + "\" is filling up: " + text + " used, the limit is " + std::to_string(fs_full_) + " %",
        now);
}

const Standing& Engine::standing(TargetId id) const noexcept {
    const Target& target = targets_[id];
    return target.late ? *target.late : target.cell->published();
}

void Engine::show(TargetId id, Standing standing) {
    Target& target = targets_[id];
    if (!target.late) {
        if (target.cell->try_publish(standing)) return;
        target.late = std::make_unique<Standing>();
        late_.push_back(id);
    }
    *target.late = std::move(standing);
}

Event Engine::make_event(TargetId id, EventKind kind, Moment now) const {
    const Target& target = targets_[id];
    Event event;
    event.kind = kind;
    event.name = target.cell->name();
    event.state = event.from = target.machine.state();
    if (const auto& error = standing(id).error) {
        event.phase = error->phase();
        event.reason = error->reason();
        event.error = error->what();
    }
    event.time = now.wall;
    event.mono = now.mono;
    return event;
}

}  // namespace qconn::monitor
