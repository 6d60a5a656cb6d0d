// SPDX-License-Identifier: Apache-2.0
/// Schedule, states, alerts and events of all connections together, without clock, I/O or threads: a test drives it through days in a moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <qconn/monitor/event.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/net/ping.hpp>

#include "monitor/alerts.hpp"
#include "monitor/cell.hpp"
#include "monitor/schedule.hpp"
#include "monitor/state.hpp"

namespace qconn::monitor {

/// The same instant on both clocks.
struct Moment {
    Clock::time_point mono;
    std::chrono::system_clock::time_point wall;
    static Moment now() { return {Clock::now(), std::chrono::system_clock::now()}; }
};

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
    };

    /// What is known of a connection without a ping.
    struct Facts {
        bool enabled{true};
        bool monitored{true};
        std::optional<Error> problem{};  ///< why it is invalid
        std::uint64_t host{0};           ///< for the cap per host; zero: none
    };

    Engine(const MonitorOptions& options, const Timing& timing, Outlet& outlet, AlertBoard& alerts);

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
    void set_host(TargetId id, std::uint64_t host) { schedule_.set_host(id, host); }
    /// An event that goes with no change of state: updated.
    void tell_updated(TargetId id, std::string text, Moment now);

    void start(Moment now);
    void stop();

    /// A ping by hand: @returns false where one is under way, else it is begun now
    bool take(TargetId id, Moment now) { return schedule_.take(id, now.mono); }
    /// The ping that was begun has ended.
    void outcome(TargetId id, const PingResult& result, Moment now);
    /// The ping that was begun has ended and says nothing: what it was for is gone.
    void abandon(TargetId id, Moment now) { schedule_.finished(id, now.mono, Schedule::Again::grid); }
    /// Its kept stream was closed by the peer while it was idle: no failure, but worth a look.
    void look_soon(TargetId id, Moment now) { schedule_.ping_soon(id, now.mono); }

    void advance(Moment now, Clock::duration lag, Schedule::Turn& turn) { schedule_.advance(now.mono, lag, turn); }
    std::optional<Clock::time_point> wake() const noexcept { return schedule_.wake(); }
    /// Shows readers what they kept it from showing. @returns false where there is more
    bool flush();

    const Schedule& schedule() const noexcept { return schedule_; }
    ConnectionState state(TargetId id) const noexcept { return targets_[id].machine.state(); }
    int failures(TargetId id) const noexcept { return targets_[id].machine.failures(); }
    const Cell& cell(TargetId id) const noexcept { return *targets_[id].cell; }
    bool is_pinged(TargetId id) const noexcept;

private:
    struct Target {
        std::shared_ptr<Cell> cell;  // null: the id is free
        Machine machine;
        bool monitored{true};
        bool told{true};                 // false: invalid from before start(), and nobody has heard of it
        std::unique_ptr<Standing> late;  // what readers have kept it from publishing; it is in late_ then
    };

    const Transition& step(TargetId id, Input input, Moment now, const Error* error, const PingResult* result = nullptr);
    void follow(TargetId id, const Transition& taken, Moment now);
    void tell(TargetId id, EventKind kind, ConnectionState from, Moment now);
    void tell_invalid(TargetId id, Moment now);
    const Standing& standing(TargetId id) const noexcept;
    void show(TargetId id, Standing standing);
    void change_alert(TargetId id, StateAlert before, StateAlert after, Moment now);
    void raise(TargetId id, std::string_view type, std::string text, Moment now);
    void clear(TargetId id, std::string_view type, Moment now);
    void measure(TargetId id, const std::vector<PingMeasure>& measures, Moment now);
    void release_if_unwatched(TargetId id);
    Event make_event(TargetId id, EventKind kind, Moment now) const;

    const Thresholds thresholds_;
    const int fs_full_;
    Outlet& outlet_;
    AlertBoard& alerts_;
    Schedule schedule_;
    std::vector<Target> targets_;  // by TargetId
    std::vector<TargetId> late_;
    bool started_{false};
};

}  // namespace qconn::monitor
