// SPDX-License-Identifier: Apache-2.0
/// What a connection's state becomes after each thing that can happen to it. Pure: no clock, no I/O, no threads. docs/monitor.md shows the same
/// table.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <qconn/monitor/event.hpp>

namespace qconn::monitor {

/// How patiently pings are judged.
struct Thresholds {
    int fall{2};  ///< failures in a row that make a connection down; at least 1
    int rise{1};  ///< successes in a row that make a down connection up; at least 1

    auto operator<=>(const Thresholds&) const = default;
};

/// What can happen to a connection.
enum class Input : std::uint8_t {
    ok,            ///< a ping succeeded
    failed,        ///< a ping failed
    inconclusive,  ///< a ping could not be judged, for a reason on this machine
    enable,
    disable,
    invalid,  ///< its definition cannot be used
    valid,    ///< it can again
    changed,  ///< what it connects to, or how, is not what it was
};
std::string_view to_string(Input input) noexcept;

/// When the next ping is due.
enum class Next : std::uint8_t {
    regular,  ///< at the next point of its grid
    fast,     ///< after the fast recheck time; after an inconclusive ping within the interval, at most 5 s
    now,
    never,  ///< until something else happens
};
std::string_view to_string(Next next) noexcept;

/// What a connection's state means for the interfaces that depend on it.
enum class Hold : std::uint8_t {
    keep,     ///< as it was
    block,    ///< they must not run
    release,  ///< it keeps them from nothing
};
std::string_view to_string(Hold hold) noexcept;

/// The ongoing alert that goes with a state.
enum class StateAlert : std::uint8_t { none, unavailable, unusable };
constexpr StateAlert alert_of(ConnectionState state) noexcept {
    if (state == ConnectionState::down) return StateAlert::unavailable;
    return state == ConnectionState::invalid ? StateAlert::unusable : StateAlert::none;
}

/// What of the counters a line of the table asks for.
enum class When : std::uint8_t {
    always,
    below_fall,  ///< with this failure there are fewer in a row than `fall`
    at_fall,
    fall_too_soon,  ///< at_fall, but it has not been up for as long as it must
    below_rise,     ///< with this success there are fewer in a row than `rise`
    at_rise,
    rise_too_soon,  ///< at_rise, but it has not been down for as long as it must
    first_doubt,    ///< the last ping was not inconclusive
    doubt_again,
    sound,  ///< the definition can be used
    unsound,
};
std::string_view to_string(When when) noexcept;

/// One line of the table.
struct Transition {
    ConnectionState from;
    Input input;
    When when;
    ConnectionState to;
    /// In this order; the first `event_count` of them.
    std::array<EventKind, 2> events;
    std::uint8_t event_count;
    Hold hold;
    Next next;

    std::span<const EventKind> event_list() const noexcept { return {events.data(), event_count}; }
};

/// The whole table. For each state and input the lines' conditions exclude each other and one of them holds.
std::span<const Transition> transitions() noexcept;
/// The same as a Markdown table, one line each.
std::string transitions_markdown();

/// The state of one connection. 8 bytes.
class Machine {
public:
    ConnectionState state() const noexcept { return state_; }
    /// In a row, up to 65535.
    int failures() const noexcept { return failures_; }
    bool is_pinged() const noexcept { return state_ != ConnectionState::disabled && state_ != ConnectionState::invalid; }

    /// Whether its definition can be used; also a disabled one's may not.
    bool is_sound() const noexcept { return !unsound_; }

    /// It was down in an earlier run, by as many failures as make it that.
    void resume_down(const Thresholds& thresholds) noexcept {
        state_ = ConnectionState::down;
        failures_ = static_cast<std::uint16_t>(thresholds.fall);
    }
    /// @param settled  it has been up, or down, for as long as it must before it may be the other
    /// @returns the line of the table that was taken
    const Transition& step(Input input, const Thresholds& thresholds, bool settled = true) noexcept;

private:
    bool holds(When when, const Thresholds& thresholds, bool settled) const noexcept;

    ConnectionState state_{ConnectionState::unknown};
    bool unsound_{false};  // its definition cannot be used; a disabled one may be that too
    bool doubt_{false};    // the last ping was inconclusive
    std::uint16_t failures_{0};
    std::uint16_t successes_{0};
};

}  // namespace qconn::monitor
