// SPDX-License-Identifier: Apache-2.0
#include "monitor/state.hpp"

#include <algorithm>
#include <limits>

namespace qconn::monitor {

namespace {

using S = ConnectionState;
using I = Input;
using W = When;
using E = EventKind;

constexpr Transition line(S from, I input, W when, S to, Hold hold, Next next) { return {from, input, when, to, {}, 0, hold, next}; }
constexpr Transition line(S from, I input, W when, S to, Hold hold, Next next, E one) { return {from, input, when, to, {one, one}, 1, hold, next}; }
constexpr Transition line(S from, I input, W when, S to, Hold hold, Next next, E one, E two) {
    return {from, input, when, to, {one, two}, 2, hold, next};
}

constexpr auto keep = Hold::keep;
constexpr auto block = Hold::block;
constexpr auto release = Hold::release;

constexpr std::array k_transitions{
    line(S::unknown, I::ok, W::always, S::up, release, Next::regular, E::up),
    line(S::unknown, I::failed, W::below_fall, S::unknown, keep, Next::fast),
    line(S::unknown, I::failed, W::at_fall, S::down, block, Next::regular, E::down),
    line(S::unknown, I::inconclusive, W::first_doubt, S::unknown, keep, Next::fast),
    line(S::unknown, I::inconclusive, W::doubt_again, S::unknown, keep, Next::regular),
    line(S::unknown, I::enable, W::always, S::unknown, keep, Next::regular),
    line(S::unknown, I::disable, W::always, S::disabled, block, Next::never, E::disabled),
    line(S::unknown, I::invalid, W::always, S::invalid, block, Next::never, E::invalid),
    line(S::unknown, I::valid, W::always, S::unknown, keep, Next::regular),
    line(S::unknown, I::changed, W::always, S::unknown, keep, Next::now),

    line(S::up, I::ok, W::always, S::up, keep, Next::regular),
    line(S::up, I::failed, W::below_fall, S::failing, keep, Next::fast, E::failing),
    line(S::up, I::failed, W::at_fall, S::down, block, Next::regular, E::down),
    line(S::up, I::failed, W::fall_too_soon, S::failing, keep, Next::regular, E::failing),
    line(S::up, I::inconclusive, W::first_doubt, S::up, keep, Next::fast),
    line(S::up, I::inconclusive, W::doubt_again, S::up, keep, Next::regular),
    line(S::up, I::enable, W::always, S::up, keep, Next::regular),
    line(S::up, I::disable, W::always, S::disabled, block, Next::never, E::disabled),
    line(S::up, I::invalid, W::always, S::invalid, block, Next::never, E::invalid),
    line(S::up, I::valid, W::always, S::up, keep, Next::regular),
    line(S::up, I::changed, W::always, S::unknown, keep, Next::now),

    line(S::failing, I::ok, W::always, S::up, keep, Next::regular, E::recovered),
    line(S::failing, I::failed, W::below_fall, S::failing, keep, Next::fast),
    line(S::failing, I::failed, W::at_fall, S::down, block, Next::regular, E::down),
    line(S::failing, I::failed, W::fall_too_soon, S::failing, keep, Next::regular),
    line(S::failing, I::inconclusive, W::first_doubt, S::failing, keep, Next::fast),
    line(S::failing, I::inconclusive, W::doubt_again, S::failing, keep, Next::regular),
    line(S::failing, I::enable, W::always, S::failing, keep, Next::fast),
    line(S::failing, I::disable, W::always, S::disabled, block, Next::never, E::disabled),
    line(S::failing, I::invalid, W::always, S::invalid, block, Next::never, E::invalid),
    line(S::failing, I::valid, W::always, S::failing, keep, Next::fast),
    line(S::failing, I::changed, W::always, S::unknown, keep, Next::now),

    line(S::down, I::ok, W::below_rise, S::down, keep, Next::fast),
    line(S::down, I::ok, W::at_rise, S::up, release, Next::regular, E::up),
    line(S::down, I::ok, W::rise_too_soon, S::down, keep, Next::regular),
    line(S::down, I::failed, W::always, S::down, keep, Next::regular),
    line(S::down, I::inconclusive, W::always, S::down, keep, Next::regular),
    line(S::down, I::enable, W::always, S::down, keep, Next::regular),
    line(S::down, I::disable, W::always, S::disabled, block, Next::never, E::disabled),
    line(S::down, I::invalid, W::always, S::invalid, block, Next::never, E::invalid),
    line(S::down, I::valid, W::always, S::down, keep, Next::regular),
    // Its dependents stay stopped until the first success.
    line(S::down, I::changed, W::always, S::unknown, keep, Next::now),

    line(S::disabled, I::ok, W::always, S::disabled, keep, Next::never),
    line(S::disabled, I::failed, W::always, S::disabled, keep, Next::never),
    line(S::disabled, I::inconclusive, W::always, S::disabled, keep, Next::never),
    line(S::disabled, I::enable, W::sound, S::unknown, keep, Next::now, E::enabled),
    line(S::disabled, I::enable, W::unsound, S::invalid, block, Next::never, E::enabled, E::invalid),
    line(S::disabled, I::disable, W::always, S::disabled, keep, Next::never),
    line(S::disabled, I::invalid, W::always, S::disabled, keep, Next::never),
    line(S::disabled, I::valid, W::always, S::disabled, keep, Next::never),
    line(S::disabled, I::changed, W::always, S::disabled, keep, Next::never),

    line(S::invalid, I::ok, W::always, S::invalid, keep, Next::never),
    line(S::invalid, I::failed, W::always, S::invalid, keep, Next::never),
    line(S::invalid, I::inconclusive, W::always, S::invalid, keep, Next::never),
    line(S::invalid, I::enable, W::always, S::invalid, keep, Next::never),
    line(S::invalid, I::disable, W::always, S::disabled, block, Next::never, E::disabled),
    line(S::invalid, I::invalid, W::always, S::invalid, keep, Next::never),
    line(S::invalid, I::valid, W::always, S::unknown, keep, Next::now),
    line(S::invalid, I::changed, W::always, S::invalid, keep, Next::never),
};

// Where the lines of a state and input begin; the table is sorted by both.
constexpr std::size_t k_states = 6;
constexpr std::size_t k_inputs = 8;
constexpr auto k_index = [] {
    std::array<std::uint8_t, k_states * k_inputs> index{};
    for (std::size_t i = k_transitions.size(); i-- > 0;)
        index[static_cast<std::size_t>(k_transitions[i].from) * k_inputs + static_cast<std::size_t>(k_transitions[i].input)] =
            static_cast<std::uint8_t>(i);
    return index;
}();

void count(std::uint16_t& counter) noexcept {
    if (counter < std::numeric_limits<std::uint16_t>::max()) ++counter;
}

}  // namespace

std::string_view to_string(Input input) noexcept {
    constexpr std::array<std::string_view, k_inputs> names{"ok", "failed", "inconclusive", "enable", "disable", "invalid", "valid", "changed"};
    return names[static_cast<std::size_t>(input)];
}

std::string_view to_string(Next next) noexcept {
    constexpr std::array<std::string_view, 4> names{"regular", "fast", "now", "never"};
    return names[static_cast<std::size_t>(next)];
}

std::string_view to_string(Hold hold) noexcept {
    constexpr std::array<std::string_view, 3> names{"", "block", "release"};
    return names[static_cast<std::size_t>(hold)];
}

std::string_view to_string(When when) noexcept {
    constexpr std::array<std::string_view, 11> names{"",
                                                     "fewer than fall",
                                                     "fall in a row",
                                                     "fall in a row, before min_up",
                                                     "fewer than rise",
                                                     "rise in a row",
                                                     "rise in a row, before min_down",
                                                     "the first time",
                                                     "again",
                                                     "definition valid",
                                                     "definition invalid"};
    return names[static_cast<std::size_t>(when)];
}

std::span<const Transition> transitions() noexcept { return k_transitions; }

std::string transitions_markdown() {
    std::string text = "| state | what happens | when | state then | events | alert | dependents | next ping |\n|---|---|---|---|---|---|---|---|\n";
    for (const Transition& one : k_transitions) {
        std::string events;
        for (const EventKind kind : one.event_list()) events.append(events.empty() ? "" : ", ").append(to_string(kind));
        constexpr auto name_of = [](StateAlert alert) { return alert == StateAlert::unavailable ? "unavailable" : "unusable"; };
        std::string alert;
        const StateAlert before = alert_of(one.from);
        const StateAlert after = alert_of(one.to);
        if (before != after && before != StateAlert::none) alert = std::string{name_of(before)} + " cleared";
        if (before != after && after != StateAlert::none) alert += std::string{alert.empty() ? "" : ", "} + name_of(after) + " raised";
        text.append("| ").append(to_string(one.from)).append(" | ").append(to_string(one.input)).append(" | ").append(to_string(one.when));
        text.append(" | ").append(to_string(one.to)).append(" | ").append(events).append(" | ").append(alert);
        text.append(" | ").append(to_string(one.hold)).append(" | ").append(to_string(one.next)).append(" |\n");
    }
    return text;
}

bool Machine::holds(When when, const Thresholds& thresholds, bool settled) const noexcept {
    const bool falls = failures_ >= std::max(thresholds.fall, 1);
    const bool rises = successes_ >= std::max(thresholds.rise, 1);
    // One that was never judged has nothing to stay in.
    settled = settled || state_ == ConnectionState::unknown;
    switch (when) {
        case When::always: return true;
        case When::below_fall: return !falls;
        case When::at_fall: return falls && settled;
        case When::fall_too_soon: return falls && !settled;
        case When::below_rise: return !rises;
        case When::at_rise: return rises && settled;
        case When::rise_too_soon: return rises && !settled;
        case When::first_doubt: return !doubt_;
        case When::doubt_again: return doubt_;
        case When::sound: return !unsound_;
        case When::unsound: return unsound_;
    }
    return true;
}

const Transition& Machine::step(Input input, const Thresholds& thresholds, bool settled) noexcept {
    if (input == Input::ok) {
        count(successes_);
        failures_ = 0;
    } else if (input == Input::failed) {
        count(failures_);
        successes_ = 0;
    }
    if (input == Input::invalid || input == Input::valid) unsound_ = input == Input::invalid;

    std::size_t i = k_index[static_cast<std::size_t>(state_) * k_inputs + static_cast<std::size_t>(input)];
    while (!holds(k_transitions[i].when, thresholds, settled)) ++i;
    const Transition& taken = k_transitions[i];

    doubt_ = input == Input::inconclusive;
    // Counts belong to one stretch of pings: where there are none, or what is pinged is another, they begin anew.
    if (!is_pinged() || (taken.to == ConnectionState::unknown && taken.next == Next::now) || taken.next == Next::never) failures_ = successes_ = 0;
    state_ = taken.to;
    return taken;
}

}  // namespace qconn::monitor
