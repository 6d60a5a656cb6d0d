// SPDX-License-Identifier: Apache-2.0
#include "monitor/state.hpp"

#include <array>
#include <set>
#include <string>
#include <tuple>

#include "support/catch.hpp"

namespace {

using namespace qconn;
using namespace qconn::monitor;
using S = ConnectionState;

/// The same rules written another way: from what is known of a connection instead of from a table of states.
struct Oracle {
    enum Verdict : std::uint8_t { unknown, good, bad };
    bool enabled{true};
    bool sound{true};
    Verdict verdict{unknown};
    int bad_run{0};
    int good_run{0};
    bool doubt{false};

    S state() const {
        if (!enabled) return S::disabled;
        if (!sound) return S::invalid;
        if (verdict == unknown) return S::unknown;
        if (verdict == bad) return S::down;
        return bad_run > 0 ? S::failing : S::up;
    }
    bool pinged() const { return enabled && sound; }
    void begin_anew() {
        verdict = unknown;
        bad_run = good_run = 0;
    }

    Next take(Input input, const Thresholds& t, bool settled = true) {
        const bool was_pinged = pinged();
        const bool doubted = doubt;
        doubt = input == Input::inconclusive;
        switch (input) {
            case Input::ok:
                if (!was_pinged) break;
                bad_run = 0;
                ++good_run;
                if (verdict != bad || (good_run >= t.rise && settled)) verdict = good;
                return verdict == bad && good_run < t.rise ? Next::fast : Next::regular;
            case Input::failed:
                if (!was_pinged) break;
                good_run = 0;
                if (++bad_run < t.fall && verdict != bad) return Next::fast;
                if (verdict != good || settled) verdict = bad;
                return Next::regular;
            case Input::inconclusive:
                if (!was_pinged) break;
                return verdict != bad && !doubted ? Next::fast : Next::regular;
            case Input::enable: enabled = true; break;
            case Input::disable: enabled = false; break;
            case Input::invalid: sound = false; break;
            case Input::valid: sound = true; break;
            case Input::changed: break;
        }
        if (!pinged()) {
            begin_anew();
            return Next::never;
        }
        if (!was_pinged || input == Input::changed) {
            begin_anew();
            return Next::now;
        }
        return state() == S::failing ? Next::fast : Next::regular;
    }
};

/// Bits of the events that a change of state must bring.
int expected_events(S from, S to) {
    const auto bit = [](EventKind kind) { return 1 << static_cast<int>(kind); };
    if (from == to) return 0;
    int events = from == S::disabled ? bit(EventKind::enabled) : 0;
    switch (to) {
        case S::up: return events | bit(from == S::failing ? EventKind::recovered : EventKind::up);
        case S::failing: return events | bit(EventKind::failing);
        case S::down: return events | bit(EventKind::down);
        case S::disabled: return bit(EventKind::disabled);
        case S::invalid: return events | bit(EventKind::invalid);
        case S::unknown: return events;
    }
    return events;
}

struct Walk {
    Thresholds thresholds;
    /// Also pings that come before a connection may change sides.
    bool with_unsettled{false};
    std::size_t visited{0};
    std::size_t wrong{0};
    std::string first_wrong;

    // `standing`: a down has been told, and neither an up nor anything else that ends it.
    void go(const Machine& machine, const Oracle& oracle, bool standing, int depth, std::array<char, 9>& path) {
        if (depth == 0) return;
        for (int i = 0; i < (with_unsettled ? 10 : 8); ++i) {
            const auto input = static_cast<Input>(i % 8);
            const bool settled = i < 8;
            Machine next = machine;
            Oracle plain = oracle;
            const S before = oracle.state();
            const Transition& taken = next.step(input, thresholds, settled);
            const Next hint = plain.take(input, thresholds, settled);
            int events = 0;
            for (const EventKind kind : taken.event_list()) events |= 1 << static_cast<int>(kind);
            ++visited;
            path[static_cast<std::size_t>(depth)] = static_cast<char>('0' + i);
            const bool down = events & (1 << static_cast<int>(EventKind::down));
            const bool up = events & (1 << static_cast<int>(EventKind::up));
            const S after = plain.state();
            const bool blocks = after == S::down || after == S::disabled || after == S::invalid;
            const Hold hold = blocks && (before != after)                                 ? Hold::block
                              : after == S::up && before != S::up && before != S::failing ? Hold::release
                                                                                          : Hold::keep;
            const bool right = next.state() == after && taken.from == before && taken.to == after && taken.next == hint &&
                               events == expected_events(before, after) && taken.hold == hold && !(down && standing) &&
                               !(up && before != S::unknown && before != S::down) && next.is_sound() == plain.sound;
            if (!right) {
                ++wrong;
                if (first_wrong.empty()) first_wrong.assign(path.rbegin(), path.rend());
            }
            go(next, plain, after == S::down, depth - 1, path);
        }
    }
};

std::size_t walk(Thresholds thresholds, int depth, bool with_unsettled = false) {
    Walk walk{thresholds, with_unsettled, 0, 0, {}};
    std::array<char, 9> path{};
    walk.go(Machine{}, Oracle{}, false, depth, path);
    INFO("first wrong path (last inputs may be left over): " << walk.first_wrong);
    CHECK(walk.wrong == 0);
    return walk.visited;
}

Machine after(std::initializer_list<Input> inputs, Thresholds thresholds = {}) {
    Machine machine;
    for (const Input input : inputs) machine.step(input, thresholds);
    return machine;
}

}  // namespace

TEST_CASE("the machine does what a plain oracle does for all sequences of up to eight inputs", "[monitor]") {
    CHECK(walk({2, 1}, 8) == 19173960);  // 8 + 8^2 + … + 8^8
}

TEST_CASE("the machine does what a plain oracle does with other thresholds", "[monitor]") {
    walk({1, 1}, 6);
    walk({3, 2}, 6);
    walk({2, 3}, 6);
    walk({0, 0}, 4);  // out of range: taken as one
}

TEST_CASE("the machine does what a plain oracle does where a connection must stay up or down for a time", "[monitor]") {
    static_assert(static_cast<int>(Input::ok) == 0 && static_cast<int>(Input::failed) == 1);
    walk({1, 1}, 5, true);
    walk({2, 2}, 6, true);
    walk({3, 2}, 6, true);
}

TEST_CASE("for each state and input exactly one line of the table applies", "[monitor]") {
    std::set<std::tuple<S, Input, When>> seen;
    std::set<std::pair<S, Input>> pairs;
    for (const Transition& one : transitions()) {
        CHECK(seen.emplace(one.from, one.input, one.when).second);
        pairs.emplace(one.from, one.input);
    }
    CHECK(pairs.size() == 6 * 8);
}

TEST_CASE("a second failure in a row makes the connection down", "[monitor]") {
    CHECK(after({Input::ok, Input::failed}).state() == S::failing);
    CHECK(after({Input::ok, Input::failed, Input::failed}).state() == S::down);
    CHECK(after({Input::ok, Input::failed, Input::ok, Input::failed}).state() == S::failing);
}

TEST_CASE("an inconclusive ping neither adds to a streak nor ends it", "[monitor]") {
    CHECK(after({Input::ok, Input::failed, Input::inconclusive}).state() == S::failing);
    CHECK(after({Input::ok, Input::failed, Input::inconclusive, Input::failed}).state() == S::down);
}

TEST_CASE("a machine is eight bytes", "[monitor]") { CHECK(sizeof(Machine) == 8); }
