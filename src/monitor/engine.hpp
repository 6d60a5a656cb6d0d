// SPDX-License-Identifier: Apache-2.0
/// Schedule, states, alerts and events of all connections together, without clock, I/O or threads: a test drives it through days in a moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <qconn/base/client.hpp>
#include <qconn/monitor/event.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/net/ping.hpp>

#include "monitor/alerts.hpp"
#include "monitor/cell.hpp"
#include "monitor/certificates.hpp"
#include "monitor/credentials.hpp"
#include "monitor/damping.hpp"
#include "monitor/histories.hpp"
#include "monitor/kept_state.hpp"
#include "monitor/mass_check.hpp"
#include "monitor/moment.hpp"
#include "monitor/outages.hpp"
#include "monitor/recall.hpp"
#include "monitor/rules.hpp"
#include "monitor/schedule.hpp"
#include "monitor/self_check.hpp"
#include "monitor/silences.hpp"
#include "monitor/state.hpp"

namespace qconn::monitor {

/// The schedule's parameters from the options, with defaults and bounds worked out.
/// @param max_open  how many descriptors the process may have; zero: not known
Timing timing_of(const MonitorOptions& options, std::size_t max_open);

/// @note One thread at a time: the loop's. Readers use the cells and the alert board.
class Engine {
public:
    /// What the engine tells. Called from inside its functions; must not call back into it.
    class Outlet {
    public:
        virtual ~Outlet() = default;
        /// `seq` is still zero.
        virtual void event(Event event) = 0;
        virtual void hold(const std::string& name, Hold hold) = 0;
        /// What a connection may share with others: asked when it has gone down.
        virtual Whereabouts where(TargetId id) = 0;
        /// The connection of that name; k_no_target: none.
        virtual TargetId id_of(const std::string& name) = 0;
    };

    /// What is known of a connection without a ping.
    struct Facts {
        bool enabled{true};
        bool monitored{true};
        std::optional<Error> problem{};  ///< why it is invalid
        std::uint64_t host{0};           ///< for the cap per host; zero: none
        MonitoringRules rules{};
        std::optional<Silence> silence{};
        std::optional<Acknowledgement> acknowledged{};
        std::uint64_t configuration{0};  ///< of what its pings depend on; zero: not known
    };

    Engine(const MonitorOptions& options, const Timing& timing, Outlet& outlet, AlertBoard& alerts);

    /// What an earlier run left: connections that are added before start() take up what is theirs. Once, before all else.
    void recall(KeptState state);
    /// Room for so many more.
    void reserve(std::size_t targets);
    TargetId add(std::shared_ptr<Cell> cell, const Facts& facts, Moment now, bool tell);
    void remove(TargetId id, Moment now);
    void enable(TargetId id, Moment now);
    void disable(TargetId id, Moment now);
    void invalidate(TargetId id, const Error& problem, Moment now);
    void validate(TargetId id, Moment now);
    /// What it connects to has changed. A ping under way must have been abandoned.
    void change(TargetId id, Moment now);
    void set_monitored(TargetId id, bool yes, Moment now);
    void set_rules(TargetId id, const MonitoringRules& rules, Moment now);
    /// What an operator says; nothing: what he said is taken back.
    void set_silence(TargetId id, const std::optional<Silence>& silence, Moment now);
    void acknowledge(TargetId id, const Acknowledgement& acknowledgement);
    void set_host(TargetId id, std::uint64_t host) { schedule_.set_host(id, host); }
    /// An event that goes with no change of state: updated.
    void tell_updated(TargetId id, std::string text, Moment now);

    void start(Moment now);
    void stop(Moment now);

    /// A ping by hand: @returns false where one is under way, else it is begun now
    bool take(TargetId id, Moment now) { return schedule_.take(id, now.mono); }
    /// The ping that was begun has ended.
    void outcome(TargetId id, const PingResult& result, Moment now);
    /// The ping that was begun has ended and says nothing: what it was for is gone.
    void abandon(TargetId id, Moment now) { schedule_.finished(id, now.mono, Schedule::Again::grid); }
    /// Its kept stream was closed by the peer while it was idle: no failure, but worth a look. (A peer that does so as a habit is kept no stream to.)
    void look_now(TargetId id, Moment now) {
        schedule_.ping_now(id, now.mono);
        show_next(id, now);
    }
    /// A use of a client of it failed. Uses may fail all the time, so that there is a limit to how often that is worth a look.
    void look_soon(TargetId id, Moment now) {
        schedule_.ping_soon(id, now.mono);
        show_next(id, now);
    }
    /// A call on a client of it was answered, and slowly.
    void answered_slowly(TargetId id, const Transfer& transfer, Moment now);
    /// This machine was suspended: all that is known is old.
    void slept(Clock::duration time, Moment now);

    void advance(Moment now, Clock::duration lag, Schedule::Turn& turn);
    std::optional<Clock::time_point> wake() const noexcept;
    /// Shows readers what they kept it from showing. @returns false where there is more
    bool flush();

    /// Any thread.
    std::vector<Outage> outages() const { return outages_.list(); }
    MonitorHealth health() const noexcept { return self_.read(); }
    const Outages& causes() const noexcept { return outages_; }
    const Histories& histories() const noexcept { return histories_; }
    const Schedule& schedule() const noexcept { return schedule_; }
    ConnectionState state(TargetId id) const noexcept { return targets_[id].machine.state(); }
    bool is_silenced(TargetId id) const noexcept { return standing(id).is_silenced(); }
    int failures(TargetId id) const noexcept { return targets_[id].machine.failures(); }
    const Cell& cell(TargetId id) const noexcept { return *targets_[id].cell; }
    bool is_pinged(TargetId id) const noexcept;

private:
    struct Damped {
        Damping damping;
        Clock::time_point booked{Clock::time_point::max()};  // when it stands on the agenda
    };
    struct Target {
        std::shared_ptr<Cell> cell;  // null: the id is free
        Machine machine;
        bool monitored{true};
        bool told{true};        // false: invalid from before start(), and nobody has heard of it
        std::uint32_t mass{0};  // MassCheck's mark
        const Rules* rules{nullptr};
        Clock::time_point turned;        // when it last came up or went down
        std::unique_ptr<Damped> damped;  // once there was something to damp
        std::unique_ptr<ShownCertificates> shown;
    };

    // What an earlier run left (engine_recall.cpp):
    void resume(TargetId id, const KeptConnection& before, const Facts& facts, Standing& standing, Moment now);
    bool take_alert(TargetId id, std::string_view type);
    /// Ends it: what nobody has taken up is over.
    void finish_recall(Moment now);

    const Transition& step(TargetId id, Input input, Moment now, const Error* error, const PingResult* result = nullptr);
    void follow(TargetId id, const Transition& taken, Moment now);
    void tell(TargetId id, EventKind kind, ConnectionState from, Moment now, std::uint64_t outage = 0);
    void tell_invalid(TargetId id, Moment now);
    const Standing& standing(TargetId id) const noexcept;
    void show(TargetId id, Standing standing);
    void show_next(TargetId id, Moment now) noexcept;
    void raise_unusable(TargetId id, Moment now);
    /// Why it is down: through which other, or what its failure says.
    Cause cause_of(TargetId id, const Error* error);
    PastOutage past_outage(TargetId id, const Standing& standing) const;
    Outages::Joined join(TargetId id, Cause cause, const Error* error, Moment now);
    std::optional<Outages::Left> leave(TargetId id);
    /// What follows for alerts and events.
    void joined_outage(TargetId id, const Outages::Joined& joined, Moment now);
    void left_outage(TargetId id, const Outages::Left& left, Moment now);
    /// A connection that others are reached through may have gone down or come back.
    void regroup(Moment now);
    Event outage_event(EventKind kind, const Outage& outage, Moment now) const;
    void tell_outages(Moment now);
    /// The alert of an outage may have to bear another name, or to be told.
    void rebear(TargetId member, Moment now);
    /// Another silence may be in force than is shown.
    void follow_silence(TargetId id, Moment now);
    void tell_silence(TargetId id, Moment now);
    /// Its alerts bear the mark, or do so no more.
    void show_silenced(TargetId id, Moment now);
    /// The latest acknowledgement of a connection counts for what stands of it.
    void show_acknowledged(TargetId id);
    void raise(TargetId id, std::string_view type, std::string text, Moment now);
    void tell_alert(TargetId id, EventKind kind, const Alert& alert, Moment now);
    void clear(TargetId id, std::string_view type, Moment now);
    void clear_measured(TargetId id, Moment now);
    void measure(TargetId id, const std::vector<PingMeasure>& measures, Moment now);
    void tell_slow(TargetId id, Moment now);
    /// One about the monitor itself.
    Event self_event(EventKind kind, std::string_view type, std::string text, Moment now) const;
    /// MONITOR-DEGRADED is raised or cleared.
    void tell_health(Moment now);
    void see_certificate(TargetId id, const PingResult& result, Moment now);
    void see_credentials(TargetId id, const PingResult& result, Moment now);
    /// And the credentials.
    void forget_certificate(TargetId id, Moment now);
    /// A transient alert.
    void note(TargetId id, std::string_view type, std::string text, Moment now);
    /// Whether time in which it stands so goes into the accounts of its history.
    bool is_counted(const Standing& standing) const noexcept;
    /// To be called after what is_counted() depends on has changed.
    void recount(TargetId id, Moment now);
    void release_if_unwatched(TargetId id, Moment now);
    /// Passes on to the dependents what a state means for them, or makes them wait.
    void damp(TargetId id, const Transition& taken, Moment now);
    /// What of the damping is over.
    void settle(TargetId id, Moment now);
    void calm(TargetId id, Moment now);
    bool is_flapping(TargetId id) const noexcept;
    void show_flapping(TargetId id);
    /// `change` may change when there is something to settle.
    template <class Change>
    void with_damping(TargetId id, Change&& change);
    Event make_event(TargetId id, EventKind kind, Moment now) const;

    const MonitorOptions options_;
    Outlet& outlet_;
    AlertBoard& alerts_;
    Schedule schedule_;
    std::vector<Target> targets_;                  // by TargetId
    std::unordered_map<TargetId, Standing> late_;  // what readers have kept from being published
    RulesTable rules_;
    SelfCheck self_;
    MassCheck mass_;
    Outages outages_;
    Silences silences_;
    std::unordered_map<TargetId, Acknowledgement> acknowledged_;
    std::unordered_map<TargetId, Clock::time_point> warned_;  // of slow answers, last
    Moment looked_;                                           // at the clocks last, for silences
    Histories histories_;
    CertificateTable certificates_;
    std::unique_ptr<Recall> recall_;                           // until start()
    std::set<TargetId> reached_through_;                       // those that are down and name others that they are reached through
    std::set<std::pair<Clock::time_point, TargetId>> agenda_;  // when which damping is to be settled
    bool started_{false};
    bool stopped_{false};  // after it was started: nothing is watched
};

}  // namespace qconn::monitor
