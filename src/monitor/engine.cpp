// SPDX-License-Identifier: Apache-2.0
#include "monitor/engine.hpp"

#include <algorithm>
#include <utility>

namespace qconn::monitor {

Timing timing_of(const MonitorOptions& options, std::size_t max_open) {
    Timing timing;
    static_cast<Pace&>(timing) = rules_of(options).pace;
    timing.max_in_flight = std::max<std::size_t>(options.max_in_flight, 1);
    // A quarter of the descriptors, so that the application keeps the others.
    if (max_open >= 4) timing.max_in_flight = std::min(timing.max_in_flight, max_open / 4);
    timing.max_per_host = std::max<std::size_t>(options.max_per_host, 1);
    timing.stall = std::max<Clock::duration>(std::chrono::seconds{1}, timing.timeout / 2);
    return timing;
}

namespace {

/// Less than this is nothing that an operator has to see to.
constexpr std::chrono::seconds k_late{5};
/// Of warnings about slow answers of one connection.
constexpr std::chrono::minutes k_between_warnings{1};

}  // namespace

Engine::Engine(const MonitorOptions& options, const Timing& timing, Outlet& outlet, AlertBoard& alerts)
    : options_{options},
      outlet_{outlet},
      alerts_{alerts},
      schedule_{timing},
      self_{std::max<Clock::duration>(k_late, timing.interval / 2)},
      histories_{options.history} {}

bool Engine::is_pinged(TargetId id) const noexcept {
    return started_ && targets_[id].monitored && targets_[id].machine.is_pinged() && targets_[id].rules->pace.interval > Clock::duration::zero();
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
    target.rules = rules_.take(rules_of(options_, facts.rules));
    schedule_.set_pace(id, &target.rules->pace, false, now.mono);
    Standing standing;
    standing.since = now.wall;
    // As it is from the start, so not an event; that it cannot be used is told once somebody watches.
    if (facts.problem) {
        target.machine.step(Input::invalid, target.rules->thresholds);
        standing.set_error(facts.problem);
        target.told = false;
    }
    if (!facts.enabled) target.machine.step(Input::disable, target.rules->thresholds);
    standing.state = target.machine.state();
    silences_.set(id, facts.silence, now.wall);
    silences_.set_windows(id, facts.rules.maintenance, now.wall);
    standing.set_silence(silences_.of(id));
    if (facts.acknowledged) acknowledged_[id] = *facts.acknowledged;
    looked_ = now;
    target.cell->configuration = facts.configuration;
    const auto before = recall_ ? recall_->take(target.cell->name()) : std::nullopt;
    histories_.begin(target.cell, now, before && before->history ? &*before->history : nullptr);
    if (before) resume(id, *before, facts, standing, now);
    show(id, std::move(standing));
    if (tell) outlet_.event(make_event(id, EventKind::added, now));
    if (!target.machine.is_pinged() || target.machine.state() == ConnectionState::down) outlet_.hold(target.cell->name(), Hold::block);
    tell_silence(id, now);
    if (started_) {
        tell_invalid(id, now);
        if (is_pinged(id)) {
            schedule_.begin(id, now.mono);
            if (tell) schedule_.ping_now(id, now.mono);
        }
    }
    show_next(id, now);
    return id;
}

void Engine::remove(TargetId id, Moment now) {
    Target& target = targets_[id];
    if (const auto left = leave(id)) {
        left_outage(id, *left, now);
        regroup(now);
    }
    clear_measured(id, now);
    for (const auto type : {k_alert_unusable, k_alert_flapping}) clear(id, type, now);
    silences_.end(id);
    follow_silence(id, now);
    outlet_.event(make_event(id, EventKind::removed, now));
    outlet_.hold(target.cell->name(), Hold::release);
    schedule_.remove(id);
    with_damping(id, [](Damping& damping) { damping.reset(); });
    rules_.release(target.rules);
    silences_.erase(id);
    acknowledged_.erase(id);
    warned_.erase(id);
    target.cell->id = k_no_target;
    late_.erase(id);
    target = {};
}

void Engine::enable(TargetId id, Moment now) { follow(id, step(id, Input::enable, now, nullptr), now); }
void Engine::disable(TargetId id, Moment now) {
    const Transition& taken = step(id, Input::disable, now, nullptr);
    if (taken.from != taken.to) clear_measured(id, now);
    calm(id, now);
    follow(id, taken, now);
}
void Engine::invalidate(TargetId id, const Error& problem, Moment now) {
    const Transition& taken = step(id, Input::invalid, now, &problem);
    if (taken.from != taken.to) clear_measured(id, now);
    calm(id, now);
    follow(id, taken, now);
}
void Engine::validate(TargetId id, Moment now) { follow(id, step(id, Input::valid, now, nullptr), now); }
void Engine::change(TargetId id, Moment now) {
    forget_certificate(id, now);
    follow(id, step(id, Input::changed, now, nullptr), now);
}

void Engine::set_monitored(TargetId id, bool yes, Moment now) {
    Target& target = targets_[id];
    if (target.monitored == yes) return;
    target.monitored = yes;
    if (!yes) schedule_.rest(id);
    // What was known of it belongs to another time.
    follow(id, step(id, Input::changed, now, nullptr), now);
}

void Engine::set_rules(TargetId id, const MonitoringRules& rules, Moment now) {
    Target& target = targets_[id];
    const Rules* before = target.rules;
    target.rules = rules_.take(rules_of(options_, rules));
    if (target.rules != before) {
        schedule_.set_pace(id, &target.rules->pace, target.machine.state() == ConnectionState::down, now.mono);
        if (is_pinged(id)) schedule_.begin(id, now.mono);
        show_next(id, now);
        if (target.rules->flap_changes <= 0) calm(id, now);
        settle(id, now);
        release_if_unwatched(id, now);
    }
    rules_.release(before);
    looked_ = now;
    silences_.set_windows(id, rules.maintenance, now.wall);
    follow_silence(id, now);
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
    finish_recall(now);
    started_ = true;
    stopped_ = false;
    for (TargetId id = 0; id < targets_.size(); ++id) {
        if (!targets_[id].cell) continue;
        tell_silence(id, now);
        recount(id, now);
        tell_invalid(id, now);
        if (is_pinged(id)) schedule_.begin(id, now.mono);
        show_next(id, now);
    }
}

void Engine::stop(Moment now) {
    started_ = false;
    stopped_ = true;
    for (TargetId id = 0; id < targets_.size(); ++id) {
        if (!targets_[id].cell) continue;
        schedule_.rest(id);
        recount(id, now);
        show_next(id, now);
    }
}

void Engine::outcome(TargetId id, const PingResult& result, Moment now) {
    const Input input = result.ok ? Input::ok : result.inconclusive ? Input::inconclusive : Input::failed;
    const Transition& taken = step(id, input, now, input == Input::failed && result.error ? &*result.error : nullptr, &result);
    const PingOutcome outcome = result.ok ? PingOutcome::ok : result.inconclusive ? PingOutcome::inconclusive : PingOutcome::failed;
    histories_.write(targets_[id].cell, now, [outcome, took = result.time](History& one, HistoryTime time) { one.pinged(outcome, took, time); });
    if (result.ok) measure(id, result.measures, now);
    if (input == Input::inconclusive && result.error && result.error->reason() == Reason::local) self_.could_not(*result.error, now.mono);
    if (input == Input::ok) mass_.succeeded();
    if (input == Input::failed) {
        mass_.failed(targets_[id].mass, schedule_.host(id) != 0 ? schedule_.host(id) : stable_hash(targets_[id].cell->name()));
        if (const std::size_t failing = mass_.of(schedule_.size()); failing > 0) self_.all_fail(failing, schedule_.size(), now.mono);
    }
    see_certificate(id, result, now);
    see_credentials(id, result, now);
    using Again = Schedule::Again;
    const Again regular = taken.to == ConnectionState::down ? Again::slow : Again::grid;
    schedule_.finished(id, now.mono, taken.next != Next::fast ? regular : input == Input::inconclusive ? Again::spread : Again::fast);
    if (!is_pinged(id)) schedule_.rest(id);
    show_next(id, now);
}

bool Engine::flush() {
    for (auto late = late_.begin(); late != late_.end();)
        late = targets_[late->first].cell->try_publish(late->second) ? late_.erase(late) : std::next(late);
    const bool outages_shown = outages_.flush();
    const bool histories_written = histories_.flush();
    return alerts_.flush() && outages_shown && histories_written && late_.empty();
}

// ---- states ------------------------------------------------------------------------------------------------------------------------------

const Transition& Engine::step(TargetId id, Input input, Moment now, const Error* error, const PingResult* result) {
    Target& target = targets_[id];
    const Rules& rules = *target.rules;
    const bool settled = now.mono - target.turned >= (target.machine.state() == ConnectionState::down ? rules.min_down : rules.min_up);
    const Transition& taken = target.machine.step(input, rules.thresholds, settled);
    Standing standing = this->standing(id);
    if (result != nullptr) {
        standing.checked = now.wall;
        ++standing.pings;
        if (result->ok) standing.latency = result->time;
        if (result->ok) standing.slow = result->time > rules.pace.slow;
    }
    if (taken.to != ConnectionState::up && taken.to != ConnectionState::failing && taken.from != taken.to) standing.slow = false;
    if (error != nullptr) {
        standing.set_error(*error);
    } else if (input != Input::inconclusive && target.machine.is_sound() && !(taken.to == ConnectionState::down && input == Input::ok)) {
        standing.set_error(std::nullopt);  // it stays while it still says why: through doubts, and while a success alone does not make it up
    }
    standing.failures = target.machine.failures();
    standing.state = taken.to;
    if (taken.from != taken.to) standing.since = now.wall;
    const bool down = taken.to == ConnectionState::down && taken.from != ConnectionState::down;
    const bool back = taken.from == ConnectionState::down && taken.to != ConnectionState::down;
    std::optional<Outages::Joined> joined;
    std::optional<Outages::Left> left;
    if (down) standing.set_outage((joined = join(id, cause_of(id, error), error, now))->id);
    if (back) {
        left = leave(id);
        standing.set_outage(0);
    }
    if (joined) {
        histories_.write(target.cell, now, [one = past_outage(id, standing)](History& history, HistoryTime) { history.went_down(one); });
    } else if (back) {
        histories_.write(target.cell, now, [when = now.wall](History& history, HistoryTime) { history.came_back(when); });
    }
    show(id, std::move(standing));  // before the events, so that who gets one reads nothing older
    if (taken.from != taken.to) recount(id, now);

    for (const EventKind kind : taken.event_list()) {
        if (kind == EventKind::invalid) target.told = true;
        tell(id, kind, taken.from, now, left ? left->outage.id : 0);
    }
    if (left) left_outage(id, *left, now);
    if (alert_of(taken.from) == StateAlert::unusable && taken.to != taken.from) clear(id, k_alert_unusable, now);
    if (joined) joined_outage(id, *joined, now);
    if (alert_of(taken.to) == StateAlert::unusable && taken.to != taken.from) raise_unusable(id, now);
    if (down || back) regroup(now);
    damp(id, taken, now);
    return taken;
}

// ---- outages -----------------------------------------------------------------------------------------------------------------------------

Cause Engine::cause_of(TargetId id, const Error* error) {
    const std::string& name = targets_[id].cell->name();
    const Whereabouts where = outlet_.where(id);
    if (!where.via.empty()) reached_through_.insert(id);
    for (const std::string& other : where.via) {
        const TargetId parent = outlet_.id_of(other);
        if (parent == k_no_target || parent == id || targets_[parent].machine.state() != ConnectionState::down) continue;
        if (const Cause* cause = outages_.cause_of(parent)) return *cause;
    }
    return monitor::cause_of(name, error, where);
}

Outages::Joined Engine::join(TargetId id, Cause cause, const Error* error, Moment now) {
    return outages_.join(id, std::move(cause), error, now.mono, now.wall, is_silenced(id));
}

std::optional<Outages::Left> Engine::leave(TargetId id) {
    reached_through_.erase(id);
    return outages_.leave(id);
}

void Engine::joined_outage(TargetId id, const Outages::Joined& joined, Moment now) {
    if (!joined.is_first && options_.group_alerts) {
        rebear(id, now);
        return show_acknowledged(id);
    }
    const Error* error = standing(id).error();
    raise(id, k_alert_unavailable, error ? error->what() : "", now);
}

void Engine::left_outage(TargetId id, const Outages::Left& left, Moment now) {
    if (left.is_over || !options_.group_alerts) {
        clear(id, k_alert_unavailable, now);
    } else {
        rebear(*left.other, now);
    }
    if (!left.is_over || !left.was_told) return;
    Event event = outage_event(EventKind::outage_over, left.outage, now);
    event.silenced = left.was_silenced;
    outlet_.event(std::move(event));
}

void Engine::regroup(Moment now) {
    // A chain of them settles link by link.
    constexpr int k_longest_chain = 16;
    bool moved = !reached_through_.empty();
    for (int i = 0; i < k_longest_chain && moved; ++i) {
        moved = false;
        const auto all = reached_through_;
        for (const TargetId id : all) {
            const Standing before = standing(id);
            const Error* why = before.error();
            Cause cause = cause_of(id, why);
            if (const Cause* present = outages_.cause_of(id); !present || *present == cause) continue;
            moved = true;
            const auto left = outages_.leave(id);
            const Outages::Joined joined = join(id, std::move(cause), why, now);
            Standing standing = before;
            standing.set_outage(joined.id);
            histories_.write(targets_[id].cell, now, [one = past_outage(id, standing)](History& history, HistoryTime) {
                history.regrouped(one.outage, one.kind, one.cause);
            });
            show(id, std::move(standing));
            left_outage(id, *left, now);
            joined_outage(id, joined, now);
        }
    }
}

Event Engine::outage_event(EventKind kind, const Outage& outage, Moment now) const {
    Event event;
    event.kind = kind;
    event.name = outage.cause.empty() ? std::string{to_string(outage.kind)} : outage.cause;
    event.phase = outage.phase;
    event.reason = outage.reason;
    event.error = outage.error;
    event.time = now.wall;
    event.mono = now.mono;
    event.outage = outage.id;
    return event;
}

void Engine::tell_outages(Moment now) {
    while (const auto due = outages_.due(now.mono)) {
        Event event = outage_event(EventKind::outage, due->outage, now);
        event.state = ConnectionState::down;
        event.silenced = due->silenced;
        event.members.reserve(due->members.size());
        for (const TargetId id : due->members) event.members.push_back(targets_[id].cell->name());
        std::sort(event.members.begin(), event.members.end());
        outlet_.event(std::move(event));
    }
}

// ---- silences ----------------------------------------------------------------------------------------------------------------------------

void Engine::set_silence(TargetId id, const std::optional<Silence>& silence, Moment now) {
    looked_ = now;
    silences_.set(id, silence, now.wall);
    follow_silence(id, now);
}

void Engine::follow_silence(TargetId id, Moment now) {
    const Silences::Handle silence = silences_.of(id);
    Standing standing = this->standing(id);
    if (standing.silence() == silence) return;
    const bool was = standing.is_silenced();
    const bool is = silence != nullptr;
    standing.set_silence(silence);
    show(id, std::move(standing));
    recount(id, now);
    tell_silence(id, now);
    if (was != is) show_silenced(id, now);
}

void Engine::show_silenced(TargetId id, Moment now) {
    const bool is = is_silenced(id);
    const std::string& name = targets_[id].cell->name();
    for (const auto type : k_alerts) {
        if (type == k_alert_unavailable && options_.group_alerts) continue;
        if (const auto alert = alerts_.silence(type, name, is)) tell_alert(id, EventKind::alert, *alert, now);
    }
    if (outages_.set_silenced(id, is) && options_.group_alerts) rebear(id, now);
    alerts_.flush();
}

void Engine::tell_silence(TargetId id, Moment now) {
    if (!started_) return;
    const auto change = silences_.untold(id);
    if (!change) return;
    const auto tell = [&](EventKind kind, const Silence& silence) {
        Event event = make_event(id, kind, now);
        event.phase = Phase::none;
        event.reason = Reason::none;
        event.error = to_text(silence);
        outlet_.event(std::move(event));
    };
    if (change->before) tell(EventKind::unsilenced, *change->before);
    if (change->now) tell(EventKind::silenced, *change->now);
}

void Engine::rebear(TargetId member, Moment now) {
    const auto [before, bearer, silenced] = outages_.choose_bearer(member);
    const std::string& name = targets_[bearer].cell->name();
    if (bearer != before) alerts_.rename(k_alert_unavailable, targets_[before].cell->name(), name);
    if (const auto alert = alerts_.silence(k_alert_unavailable, name, silenced)) tell_alert(bearer, EventKind::alert, *alert, now);
    alerts_.flush();
}

void Engine::acknowledge(TargetId id, const Acknowledgement& acknowledgement) {
    acknowledged_[id] = acknowledgement;
    show_acknowledged(id);
}

void Engine::show_acknowledged(TargetId id) {
    const auto found = acknowledged_.find(id);
    if (found == acknowledged_.end()) return;
    for (const auto type : k_alerts) alerts_.acknowledge(type, targets_[id].cell->name(), found->second);
    if (outages_.of(id) != 0 && options_.group_alerts)
        alerts_.acknowledge(k_alert_unavailable, targets_[outages_.bearer(id)].cell->name(), found->second);
    alerts_.flush();
}

// ---- damping -----------------------------------------------------------------------------------------------------------------------------

template <class Change>
void Engine::with_damping(TargetId id, Change&& change) {
    Target& target = targets_[id];
    if (!target.damped) return;
    Damped& damped = *target.damped;
    change(damped.damping);
    const auto next = damped.damping.next(*target.rules).value_or(Clock::time_point::max());
    if (next == damped.booked) return;
    agenda_.erase({damped.booked, id});
    damped.booked = next;
    if (next != Clock::time_point::max()) agenda_.emplace(next, id);
}

bool Engine::is_flapping(TargetId id) const noexcept { return targets_[id].damped && targets_[id].damped->damping.is_flapping(); }

void Engine::show_flapping(TargetId id) {
    Standing standing = this->standing(id);
    if (std::exchange(standing.flapping, is_flapping(id)) != standing.flapping) show(id, std::move(standing));
}

void Engine::damp(TargetId id, const Transition& taken, Moment now) {
    Target& target = targets_[id];
    const Rules& rules = *target.rules;
    const bool up = taken.to == ConnectionState::up && taken.from != ConnectionState::failing && taken.from != ConnectionState::up;
    const bool down = taken.to == ConnectionState::down && taken.from != ConnectionState::down;
    if (up || down) target.turned = now.mono;
    if (!target.damped && (up ? rules.restart_delay > Clock::duration::zero() : down && rules.flap_changes > 0))
        target.damped = std::make_unique<Damped>();
    if (down) {
        const bool flapped = is_flapping(id);
        with_damping(id, [&](Damping& damping) { damping.went_down(now.mono, rules); });
        if (is_flapping(id) && !flapped) {
            show_flapping(id);
            raise(id, k_alert_flapping,
                  '"' + target.cell->name() + "\" went down " + std::to_string(target.damped->damping.downs()) + " times within " +
                      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(rules.flap_window).count()) +
                      " s; what depends on it stays stopped until that is over",
                  now);
        }
    }
    bool waits = false;
    if (up) with_damping(id, [&](Damping& damping) { waits = damping.came_up(now.mono, rules); });
    if (taken.hold != Hold::keep && !waits) outlet_.hold(target.cell->name(), taken.hold);
}

void Engine::settle(TargetId id, Moment now) {
    bool calmed = false;
    bool released = false;
    with_damping(id, [&](Damping& damping) {
        calmed = damping.stop_flapping(now.mono, *targets_[id].rules);
        released = damping.release(now.mono);
    });
    if (calmed) {
        show_flapping(id);
        clear(id, k_alert_flapping, now);
    }
    if (released) outlet_.hold(targets_[id].cell->name(), Hold::release);
}

void Engine::calm(TargetId id, Moment now) {
    if (!targets_[id].damped) return;
    const bool waited = targets_[id].damped->damping.is_holding();
    with_damping(id, [](Damping& damping) { damping.reset(); });
    show_flapping(id);
    clear(id, k_alert_flapping, now);
    if (waited && targets_[id].machine.state() == ConnectionState::up) outlet_.hold(targets_[id].cell->name(), Hold::release);
}

void Engine::advance(Moment now, Clock::duration lag, Schedule::Turn& turn) {
    schedule_.advance(now.mono, lag, turn);
    while (!agenda_.empty() && agenda_.begin()->first <= now.mono) settle(agenda_.begin()->second, now);
    for (const TargetId id : turn.slow) tell_slow(id, now);
    self_.came(std::max(lag, turn.late), turn.stalled, now.mono);
    tell_health(now);
    tell_outages(now);
    looked_ = now;
    while (const auto id = silences_.due(now.wall)) follow_silence(*id, now);
}

std::optional<Clock::time_point> Engine::wake() const noexcept {
    std::optional<Clock::time_point> when = schedule_.wake();
    const auto also = [&when](Clock::time_point other) { when = when ? std::min(*when, other) : other; };
    if (!agenda_.empty()) also(agenda_.begin()->first);
    if (const auto outage = outages_.next()) also(*outage);
    if (const auto health = self_.next()) also(*health);
    // The wall clock may be set meanwhile: it is looked at every now and then.
    constexpr std::chrono::system_clock::duration k_longest_look = std::chrono::minutes{1};
    if (const auto silence = silences_.next()) also(looked_.mono + std::min(*silence - looked_.wall, k_longest_look));
    return when;
}

void Engine::follow(TargetId id, const Transition& taken, Moment now) {
    if (taken.next == Next::never) {
        schedule_.rest(id);
    } else if (taken.next == Next::now && is_pinged(id)) {
        schedule_.begin(id, now.mono);
        schedule_.ping_now(id, now.mono);
    }
    show_next(id, now);
    release_if_unwatched(id, now);
}

void Engine::release_if_unwatched(TargetId id, Moment now) {
    // Nobody will ever say that it is up.
    if (targets_[id].machine.state() != ConnectionState::unknown || is_pinged(id)) return;
    calm(id, now);
    outlet_.hold(targets_[id].cell->name(), Hold::release);
}

void Engine::tell(TargetId id, EventKind kind, ConnectionState from, Moment now, std::uint64_t outage) {
    Event event = make_event(id, kind, now);
    event.from = from;
    if (outage != 0) event.outage = outage;
    outlet_.event(std::move(event));
}

void Engine::tell_invalid(TargetId id, Moment now) {
    Target& target = targets_[id];
    if (target.told || target.machine.state() != ConnectionState::invalid) return;
    target.told = true;
    tell(id, EventKind::invalid, ConnectionState::unknown, now);
    raise_unusable(id, now);
}

void Engine::raise_unusable(TargetId id, Moment now) {
    const Error* error = standing(id).error();
    raise(id, k_alert_unusable, error ? error->what() : "", now);
}

PastOutage Engine::past_outage(TargetId id, const Standing& standing) const {
    PastOutage one;
    one.began = standing.since;
    if (const Error* error = standing.error()) {
        one.phase = error->phase();
        one.reason = error->reason();
        one.error = error->what();
    }
    if (const Cause* cause = outages_.cause_of(id)) {
        one.kind = cause->kind;
        one.cause = cause->key;
    }
    one.outage = standing.outage();
    return one;
}

bool Engine::is_counted(const Standing& standing) const noexcept {
    const auto silence = standing.silence();
    return !stopped_ && !(silence && silence->kind == Silence::Kind::maintenance);
}

void Engine::recount(TargetId id, Moment now) {
    histories_.write(targets_[id].cell, now,
                     [state = targets_[id].machine.state(), counted = is_counted(standing(id))](History& one, HistoryTime time) {
                         one.stands(state, counted, time);
                     });
}

void Engine::raise(TargetId id, std::string_view type, std::string text, Moment now) {
    const auto alert = alerts_.raise(type, targets_[id].cell->name(), std::move(text), now.wall,
                                     type == k_alert_unavailable ? standing(id).outage() : 0, is_silenced(id));
    show_acknowledged(id);
    alerts_.flush();
    if (alert) tell_alert(id, EventKind::alert, *alert, now);
}

void Engine::clear(TargetId id, std::string_view type, Moment now) {
    const auto alert = alerts_.clear(type, targets_[id].cell->name());
    alerts_.flush();
    if (alert) tell_alert(id, EventKind::alert_cleared, *alert, now);
}

void Engine::tell_alert(TargetId id, EventKind kind, const Alert& alert, Moment now) {
    Event event = make_event(id, kind, now);
    event.outage = alert.outage;  // its name may have been another when it was raised
    event.alert = alert.type;
    event.error = alert.text;
    outlet_.event(std::move(event));
}

void Engine::note(TargetId id, std::string_view type, std::string text, Moment now) {
    alerts_.note(type, targets_[id].cell->name(), text, now.wall, is_silenced(id));
    if (is_silenced(id)) return;
    Event event = make_event(id, EventKind::alert, now);
    event.transient = true;
    event.alert = type;
    event.error = std::move(text);
    event.outage = 0;
    outlet_.event(std::move(event));
}

void Engine::see_certificate(TargetId id, const PingResult& result, Moment now) {
    Target& target = targets_[id];
    const Certificate before = standing(id).certificate();
    if (result.tls && !target.shown) target.shown = std::make_unique<ShownCertificates>();
    const TlsCertificate* seen = target.shown ? target.shown->seen_in(result) : nullptr;
    bool is_news = false;
    if (seen != nullptr) {
        is_news = target.shown->show(seen->sha256);
        if (!before || before->sha256 != seen->sha256) {
            Standing standing = this->standing(id);
            standing.set_certificate(certificates_.take(described(*seen)));
            show(id, std::move(standing));
            if (before && is_news)
                note(id, k_alert_certificate_changed, changed_text(target.cell->name(), *before, *this->standing(id).certificate(), now.wall), now);
        }
    }
    const Certificate certificate = standing(id).certificate();
    if (!certificate || !(seen != nullptr || result.ok)) return;
    const bool soon = certificate->expires - now.wall < std::chrono::days{options_.alert_certificate_days};
    if (soon) raise(id, k_alert_certificate, expires_text(target.cell->name(), *certificate, now.wall), now);
    if (seen != nullptr && target.shown->settles(soon, is_news)) clear(id, k_alert_certificate, now);
}

void Engine::see_credentials(TargetId id, const PingResult& result, Moment now) {
    Target& target = targets_[id];
    const Credentials before = standing(id).credentials();
    const Credentials known = known_after(result, before);
    if (!known && !before) return;
    if (known != before) {
        Standing standing = this->standing(id);
        standing.set_credentials(known);
        show(id, std::move(standing));
        if (const Credential* key = host_key(known)) {
            if (!target.shown) target.shown = std::make_unique<ShownCertificates>();
            const bool is_news = target.shown->show(key->fingerprint);
            if (const Credential* old = host_key(before); old && is_news)
                note(id, k_alert_host_key_changed, key_changed_text(target.cell->name(), *old, *key), now);
        }
    }
    const Credential* ends = known ? ending(*known, std::chrono::days{options_.alert_certificate_days}, now.wall) : nullptr;
    if (ends)
        raise(id, k_alert_credential, ends_text(target.cell->name(), *ends, now.wall), now);
    else
        clear(id, k_alert_credential, now);
}

void Engine::forget_certificate(TargetId id, Moment now) {
    if (!standing(id).certificate() && !standing(id).credentials()) return;
    Standing standing = this->standing(id);
    standing.set_certificate(nullptr);
    standing.set_credentials(nullptr);
    show(id, std::move(standing));
    targets_[id].shown.reset();
    for (const auto type : {k_alert_certificate, k_alert_credential}) clear(id, type, now);
}

void Engine::clear_measured(TargetId id, Moment now) {
    for (const auto type : k_measured_alerts) clear(id, type, now);
}

void Engine::measure(TargetId id, const std::vector<PingMeasure>& measures, Moment now) {
    if (measures.empty()) return;
    std::string text;
    for (const PingMeasure& one : measures) {
        if (one.value <= options_.alert_fs_full) continue;
        if (!text.empty()) text += ", ";
        text += std::to_string(static_cast<int>(one.value)) + (one.kind == PingMeasure::Kind::space_used ? " % of the space" : " % of the inodes");
    }
    if (text.empty()) return clear(id, k_alert_filesystem, now);
    raise(id, k_alert_filesystem,
          "the file system of \"" + targets_[id].cell->name() + "\" is filling up: " + text + " used, the limit is " +
              std::to_string(options_.alert_fs_full) + " %",
          now);
}

// ---- slow pings, and the monitor itself ------------------------------------------------------------------------------------------------------

void Engine::tell_slow(TargetId id, Moment now) {
    Standing standing = this->standing(id);
    if (standing.slow || standing.state == ConnectionState::down) return;
    standing.slow = true;
    show(id, std::move(standing));
    if (options_.slow.count() <= 0) return;
    const auto text = [](Clock::duration time) {
        return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
    };
    const Pace& pace = targets_[id].rules->pace;
    Event event = make_event(id, EventKind::slow, now);
    event.phase = Phase::none;
    event.reason = Reason::none;
    event.error = "pinging \"" + event.name + "\" has had no answer for " + text(pace.slow) + "; it fails after " + text(pace.timeout);
    outlet_.event(std::move(event));
}

void Engine::answered_slowly(TargetId id, const Transfer& transfer, Moment now) {
    using namespace std::chrono;
    if (targets_[id].rules->ignores_socket_warnings) return;
    const auto took = duration_cast<milliseconds>(transfer.time);
    const bool is_late = options_.alert_late_answer.count() > 0 && transfer.wait >= options_.alert_late_answer;
    const std::uint64_t rate = transfer.bytes * 1000 / static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 1));
    const bool is_slow = options_.alert_throughput > 0 && took >= options_.alert_throughput_time && rate < options_.alert_throughput;
    if (!is_late && !is_slow) return;
    const auto [warned, is_first] = warned_.try_emplace(id, now.mono);
    if (!is_first && now.mono - warned->second < k_between_warnings) return;
    warned->second = now.mono;
    const std::string name = '"' + targets_[id].cell->name() + '"';
    if (is_late) {
        note(id, k_alert_late_answer,
             name + " began to answer a call after " + std::to_string(duration_cast<milliseconds>(transfer.wait).count()) + " ms; the limit is " +
                 std::to_string(options_.alert_late_answer.count()) + " ms",
             now);
    } else {
        note(id, k_alert_slow_answer,
             "an answer of " + name + " came with " + std::to_string(rate) + " bytes in a second: " + std::to_string(transfer.bytes) + " bytes in " +
                 std::to_string(took.count()) + " ms; the limit is " + std::to_string(options_.alert_throughput),
             now);
    }
}

void Engine::tell_health(Moment now) {
    const auto change = self_.change(now.mono);
    if (!change) return;
    const std::string name{k_self};
    const auto alert = change->degraded ? alerts_.raise(k_alert_degraded, name, change->why, now.wall) : alerts_.clear(k_alert_degraded, name);
    if (!alert) return;
    alerts_.flush();
    outlet_.event(self_event(change->degraded ? EventKind::alert : EventKind::alert_cleared, alert->type, alert->text, now));
}

Event Engine::self_event(EventKind kind, std::string_view type, std::string text, Moment now) const {
    Event event;
    event.kind = kind;
    event.name = k_self;
    event.alert = type;
    event.error = std::move(text);
    event.time = now.wall;
    event.mono = now.mono;
    return event;
}

void Engine::slept(Clock::duration time, Moment now) {
    self_.slept();
    schedule_.spread_all(now.mono);
    const std::string text = "this machine was suspended for " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) +
                             " s; pings that were under way do not count, and all are made anew";
    alerts_.note(k_alert_resumed, std::string{k_self}, text, now.wall);
    Event event = self_event(EventKind::alert, k_alert_resumed, text, now);
    event.transient = true;
    outlet_.event(std::move(event));
}

const Standing& Engine::standing(TargetId id) const noexcept {
    if (!late_.empty())
        if (const auto late = late_.find(id); late != late_.end()) return late->second;
    return targets_[id].cell->published();
}

void Engine::show(TargetId id, Standing standing) {
    const auto late = late_.empty() ? late_.end() : late_.find(id);
    if (late != late_.end())
        late->second = std::move(standing);
    else if (!targets_[id].cell->try_publish(standing))
        late_.emplace(id, std::move(standing));
}

void Engine::show_next(TargetId id, Moment now) noexcept {
    std::optional<std::chrono::system_clock::time_point> when;
    if (is_pinged(id)) {
        const auto next = schedule_.next(id);
        if (!next) return;  // its ping is under way
        when = now.wall + std::chrono::duration_cast<std::chrono::system_clock::duration>(*next - now.mono);
    }
    targets_[id].cell->set_next(when);
}

Event Engine::make_event(TargetId id, EventKind kind, Moment now) const {
    const Target& target = targets_[id];
    Event event;
    event.kind = kind;
    event.name = target.cell->name();
    event.state = event.from = target.machine.state();
    if (const Error* error = standing(id).error()) {
        event.phase = error->phase();
        event.reason = error->reason();
        event.error = error->what();
    }
    event.outage = standing(id).outage();
    event.silenced = is_silenced(id);
    event.time = now.wall;
    event.mono = now.mono;
    return event;
}

}  // namespace qconn::monitor
