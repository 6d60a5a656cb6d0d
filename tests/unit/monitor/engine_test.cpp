// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include "play.hpp"
#include "support/catch.hpp"

namespace {

using namespace qconn;
using namespace qconn::monitor;
using qconn::test::Play;
using namespace std::chrono_literals;

Error problem() { return make_error(Errc::parse, "no such scheme"); }

}  // namespace

TEST_CASE("two failures raise the alert once, one success clears it once", "[monitor]") {
    Play play;
    const TargetId id = play.add("shop");
    play.ping(id, Play::good());
    CHECK(play.told() == "up:shop");
    play.ping(id, Play::bad());
    CHECK(play.events.at(0).reason == Reason::refused);
    CHECK(play.events.at(0).phase == Phase::connect);
    CHECK(play.events.at(0).from == ConnectionState::up);
    CHECK(play.told() == "failing:shop");
    CHECK(play.holds["shop"] == Hold::release);
    play.ping(id, Play::bad());
    CHECK(play.told() == "down:shop alert:shop:USER-CONNECTION-UNAVAILABLE");
    CHECK(play.holds["shop"] == Hold::block);
    REQUIRE(play.alerts.list().size() == 1);
    CHECK(play.alerts.list()[0].text.find("it said no") != std::string::npos);
    for (int i = 0; i < 5; ++i) play.ping(id, Play::bad());
    CHECK(play.told().empty());
    CHECK(play.status(id).failures == 7);
    play.ping(id, Play::good());
    CHECK(play.told() == "up:shop alert-cleared:shop:USER-CONNECTION-UNAVAILABLE");
    CHECK(play.holds["shop"] == Hold::release);
    CHECK(play.alerts.list().empty());
    const auto status = play.status(id);
    CHECK(status.state == ConnectionState::up);
    CHECK(status.error.empty());
    CHECK(status.latency == 3ms);
    CHECK(status.pings == 9);
}

TEST_CASE("a status says since when, and why as long as that holds", "[monitor]") {
    MonitorOptions options{1000ms, 500ms};
    options.rise = 2;
    Play play{options};
    const TargetId id = play.add("shop");
    play.ping(id, Play::good());
    const auto up = play.now.wall;
    play.ping(id, Play::good());
    CHECK(play.status(id).since == up);
    CHECK(play.status(id).checked == play.now.wall);

    play.ping(id, Play::bad());
    play.ping(id, Play::bad());
    const auto down = play.now.wall;
    play.ping(id, Play::bad(Reason::timeout));
    CHECK(play.status(id).since == down);
    CHECK(play.status(id).reason == Reason::timeout);
    play.ping(id, Play::good());  // not enough yet
    CHECK(play.status(id).state == ConnectionState::down);
    CHECK(play.status(id).reason == Reason::timeout);
    CHECK_FALSE(play.status(id).error.empty());
    play.ping(id, Play::good());
    CHECK(play.status(id).state == ConnectionState::up);
    CHECK(play.status(id).since == play.now.wall);
    CHECK(play.status(id).error.empty());
}

TEST_CASE("what a listener reads when it hears of a change is not older than that", "[monitor]") {
    struct Reader final : Engine::Outlet {
        Engine* engine{nullptr};
        AlertBoard* alerts{nullptr};
        bool right{true};
        void event(Event one) override {
            right = right && engine->cell(0).read().state == one.state;
            if (one.kind == EventKind::alert) right = right && alerts->list().size() == 1;
            if (one.kind == EventKind::alert_cleared) right = right && alerts->list().empty();
        }
        void hold(const std::string&, Hold) override {}
        Whereabouts where(TargetId) override { return {}; }
        TargetId id_of(const std::string&) override { return k_no_target; }
    } reader;
    AlertBoard alerts;
    Engine engine{{}, timing_of({}, 0), reader, alerts};
    reader.engine = &engine;
    reader.alerts = &alerts;
    const Moment now = Moment::now();
    const TargetId id = engine.add(std::make_shared<Cell>("shop"), {}, now, true);
    engine.start(now);
    for (const bool ok : {true, false, false, true}) {
        engine.take(id, now);
        engine.outcome(id, ok ? Play::good() : Play::bad(), now);
    }
    CHECK(reader.right);
}

TEST_CASE("an inconclusive ping changes nothing but is looked at again soon", "[monitor]") {
    Play play;
    const TargetId id = play.add("shop");
    play.ping(id, Play::good());
    play.ping(id, Play::bad());
    play.told();
    const auto before = play.status(id);
    play.ping(id, Play::doubtful());
    CHECK(play.told().empty());
    CHECK(play.status(id).state == ConnectionState::failing);
    CHECK(play.status(id).error == before.error);
    CHECK(*play.engine.schedule().next(id) - play.now.mono <= 1s + Schedule::k_tick);
}

TEST_CASE("an invalid connection is told at the start, with its alert", "[monitor]") {
    Play play{{1000ms, 500ms}, false};
    const TargetId id = play.add("broken", {true, true, problem(), 0});
    CHECK(play.told().empty());
    CHECK(play.status(id).state == ConnectionState::invalid);
    CHECK(play.holds["broken"] == Hold::block);
    play.engine.start(play.now);
    CHECK(play.told() == "invalid:broken alert:broken:USER-CONNECTION-UNUSABLE");
    CHECK(play.alerts.list().at(0).text.find("no such scheme") != std::string::npos);
    CHECK_FALSE(play.engine.schedule().next(id));

    play.engine.validate(id, play.now);
    CHECK(play.told() == "alert-cleared:broken:USER-CONNECTION-UNUSABLE");
    CHECK(play.status(id).state == ConnectionState::unknown);
    CHECK(play.holds["broken"] == Hold::block);  // not before it has answered
    play.ping(id, Play::good());
    CHECK(play.holds["broken"] == Hold::release);
}

TEST_CASE("a down connection that becomes invalid changes its alert", "[monitor]") {
    Play play;
    const TargetId id = play.add("shop");
    play.ping(id, Play::bad());
    play.ping(id, Play::bad());
    play.told();
    play.engine.invalidate(id, problem(), play.now);
    CHECK(play.told() == "invalid:shop alert-cleared:shop:USER-CONNECTION-UNAVAILABLE alert:shop:USER-CONNECTION-UNUSABLE");
}

TEST_CASE("disabling clears the alert and stops dependents, enabling pings at once", "[monitor]") {
    Play play;
    const TargetId id = play.add("shop");
    play.ping(id, Play::bad());
    play.ping(id, Play::bad());
    play.told();
    play.engine.disable(id, play.now);
    play.engine.disable(id, play.now);
    CHECK(play.told() == "disabled:shop alert-cleared:shop:USER-CONNECTION-UNAVAILABLE");
    CHECK(play.holds["shop"] == Hold::block);
    CHECK_FALSE(play.engine.schedule().next(id));
    play.engine.enable(id, play.now);
    CHECK(play.told() == "enabled:shop");
    CHECK(play.holds["shop"] == Hold::block);
    play.engine.advance(play.now, 0ms, play.turn);
    CHECK(play.turn.starts == std::vector<TargetId>{id});
}

TEST_CASE("a disabled connection that is invalid says so when it is enabled", "[monitor]") {
    Play play;
    const TargetId id = play.add("shop", {false, true, problem(), 0});
    CHECK(play.told().empty());
    play.engine.enable(id, play.now);
    CHECK(play.told() == "enabled:shop invalid:shop alert:shop:USER-CONNECTION-UNUSABLE");
    CHECK(play.alerts.list().at(0).text.find("no such scheme") != std::string::npos);
}

TEST_CASE("a change of what it connects to makes it unknown and pings at once", "[monitor]") {
    Play play;
    const TargetId id = play.add("shop");
    play.ping(id, Play::bad());
    play.ping(id, Play::bad());
    play.told();
    play.engine.change(id, play.now);
    CHECK(play.told() == "alert-cleared:shop:USER-CONNECTION-UNAVAILABLE");
    CHECK(play.status(id).state == ConnectionState::unknown);
    CHECK(play.holds["shop"] == Hold::block);
    play.engine.advance(play.now, 0ms, play.turn);
    CHECK(play.turn.starts == std::vector<TargetId>{id});
    play.engine.outcome(id, Play::bad(), play.now);
    CHECK(play.told().empty());  // the streak begins anew
}

TEST_CASE("what is not pinged by schedule holds nobody back once it is enabled", "[monitor]") {
    Play play;
    const TargetId id = play.add("shop", {true, false, {}, 0});
    CHECK_FALSE(play.engine.schedule().next(id));
    play.engine.disable(id, play.now);
    CHECK(play.holds["shop"] == Hold::block);
    play.engine.enable(id, play.now);
    CHECK(play.holds["shop"] == Hold::release);
    play.ping(id, Play::good());
    CHECK(play.status(id).state == ConnectionState::up);
    CHECK_FALSE(play.engine.schedule().next(id));

    play.engine.set_monitored(id, true, play.now);
    play.engine.advance(play.now, 0ms, play.turn);
    CHECK(play.turn.starts == std::vector<TargetId>{id});

    play.engine.outcome(id, Play::good(), play.now);
    REQUIRE(play.engine.schedule().next(id));
    play.engine.set_monitored(id, false, play.now);
    CHECK_FALSE(play.engine.schedule().next(id));
}

TEST_CASE("one that is added later is told and pinged at once, one that is removed leaves no alert", "[monitor]") {
    Play play;
    const TargetId id = play.add("late", {}, true);
    CHECK(play.told() == "added:late");
    play.engine.advance(play.now, 0ms, play.turn);
    CHECK(play.turn.starts == std::vector<TargetId>{id});
    play.engine.outcome(id, Play::bad(), play.now);
    play.ping(id, Play::bad());
    play.told();
    play.engine.remove(id, play.now);
    CHECK(play.told() == "alert-cleared:late:USER-CONNECTION-UNAVAILABLE removed:late");
    CHECK(play.holds["late"] == Hold::release);
    CHECK(play.alerts.list().empty());
}

TEST_CASE("a file system that fills up raises an alert, and the connection is up all the same", "[monitor]") {
    Play play;
    const TargetId id = play.add("in-box");
    const auto with = [](double space, double inodes) {
        PingResult result = Play::good();
        result.measures = {{PingMeasure::Kind::space_used, space}, {PingMeasure::Kind::inodes_used, inodes}};
        return result;
    };
    play.ping(id, with(85, 10));
    CHECK(play.told() == "up:in-box");
    play.ping(id, with(40, 91.5));
    CHECK(play.told() == "alert:in-box:FILESYSTEM-FULL");
    CHECK(play.alerts.list().at(0).text.find("91 % of the inodes") != std::string::npos);
    play.ping(id, with(40, 92));
    CHECK(play.told().empty());
    CHECK(play.status(id).state == ConnectionState::up);

    SECTION("cleared when there is room again") {
        play.ping(id, with(40, 20));
        CHECK(play.told() == "alert-cleared:in-box:FILESYSTEM-FULL");
    }
    SECTION("kept while it is down: the file system is no emptier") {
        play.ping(id, Play::bad());
        play.ping(id, Play::bad());
        CHECK(play.told() == "failing:in-box down:in-box alert:in-box:USER-CONNECTION-UNAVAILABLE");
    }
    SECTION("cleared with the connection that is disabled") {
        play.engine.disable(id, play.now);
        CHECK(play.told() == "disabled:in-box alert-cleared:in-box:FILESYSTEM-FULL");
    }
    SECTION("cleared with the connection that becomes invalid") {
        play.engine.invalidate(id, problem(), play.now);
        CHECK(play.told() == "invalid:in-box alert:in-box:USER-CONNECTION-UNUSABLE alert-cleared:in-box:FILESYSTEM-FULL");
    }
    SECTION("cleared with the connection that is removed") {
        play.engine.remove(id, play.now);
        CHECK(play.told() == "alert-cleared:in-box:FILESYSTEM-FULL removed:in-box");
    }
}

TEST_CASE("options are brought within their bounds", "[monitor]") {
    CHECK(timing_of({10ms, 500ms}, 0).interval == 100ms);
    CHECK(timing_of({0ms, 500ms}, 0).interval == 0ms);
    CHECK(timing_of({1000ms, 500ms}, 0).fast == 100ms);
    CHECK(timing_of({10'000ms, 500ms}, 0).fast == 1s);
    CHECK(timing_of({60'000ms, 500ms}, 0).fast == 2s);
    CHECK(timing_of({1000ms, 500ms}, 400).max_in_flight == 100);
    CHECK(timing_of({1000ms, 500ms}, 0).max_in_flight == 4096);
}

TEST_CASE("a day of random faults keeps what must hold at every step", "[monitor]") {
    MonitorOptions options{10'000ms, 2'000ms};
    Play play{options};
    constexpr int k_targets = 40;
    std::vector<TargetId> ids;
    for (int i = 0; i < k_targets; ++i) ids.push_back(play.add("c" + std::to_string(i), {true, true, {}, 1 + static_cast<std::uint64_t>(i % 7)}));
    std::uint64_t random = 42;
    const auto dice = [&](unsigned sides) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        return static_cast<unsigned>(random >> 33) % sides;
    };
    std::vector<unsigned> sick(k_targets);
    std::multimap<Clock::time_point, TargetId> answers;
    std::vector<bool> flying(k_targets);
    std::vector<Clock::time_point> last(k_targets, play.now.mono);
    std::map<std::string, bool> down;
    std::size_t wrong = 0;
    std::size_t pings = 0;
    Clock::duration longest{0};

    const auto end = play.now.mono + 24h;
    while (play.now.mono < end) {
        const auto wake = play.engine.wake();
        auto next = answers.empty() ? Clock::time_point::max() : answers.begin()->first;
        if (wake) next = std::min(next, std::max(*wake, play.now.mono));
        REQUIRE(next != Clock::time_point::max());
        play.pass(next - play.now.mono);
        const auto finish = [&](TargetId id, const PingResult& result) {
            flying[id] = false;
            play.engine.outcome(id, result, play.now);
        };
        if (!answers.empty() && answers.begin()->first <= play.now.mono) {
            const TargetId id = answers.begin()->second;
            answers.erase(answers.begin());
            if (sick[id] == 0 && dice(500) == 0) sick[id] = 1 + dice(6);
            const bool fails = sick[id] > 0;
            if (fails) --sick[id];
            finish(id, fails ? Play::bad() : dice(200) == 0 ? Play::doubtful() : Play::good());
        } else {
            play.engine.advance(play.now, 0ms, play.turn);
            for (const TargetId id : play.turn.expired) {
                std::erase_if(answers, [&](const auto& one) { return one.second == id; });
                finish(id, Play::bad(Reason::timeout));
            }
            for (const TargetId id : play.turn.starts) {
                if (flying[id]) ++wrong;
                flying[id] = true;
                ++pings;
                longest = std::max(longest, play.now.mono - last[id]);
                last[id] = play.now.mono;
                answers.emplace(play.now.mono + std::chrono::milliseconds{dice(100) == 0 ? 5000 : 1 + dice(300)}, id);
            }
        }
        for (const Event& one : play.events) {
            if (one.kind == EventKind::down && std::exchange(down[one.name], true)) ++wrong;
            if (one.kind == EventKind::up && !std::exchange(down[one.name], false) && one.from != ConnectionState::unknown) ++wrong;
        }
        play.events.clear();
    }
    std::size_t standing = 0;
    for (const auto& [name, is_down] : down) standing += is_down ? 1 : 0;

    CHECK(wrong == 0);
    const auto alerts = play.alerts.list();
    CHECK(std::count_if(alerts.begin(), alerts.end(), [](const Alert& one) { return one.type == k_alert_unavailable; }) ==
          static_cast<std::ptrdiff_t>(standing));
    CHECK(pings >= std::size_t{k_targets} * 24 * 360);
    CHECK(longest <= 12s);  // a slow answer delays the next ping by less than the timeout
    CHECK(play.engine.schedule().in_flight() == answers.size());
}

// ---- rules of one connection -------------------------------------------------------------------------------------------------------------

namespace {

/// What a test lets one connection answer, in time.
struct Course : Play {
    using Play::Play;
    std::vector<Clock::duration> times;  // of its pings, since the beginning

    /// Answers its pings with that until so much time has passed.
    void run(TargetId id, const PingResult& result, Clock::duration time) {
        const Clock::time_point end = now.mono + time;
        while (true) {
            const auto wake = engine.wake();
            const Clock::time_point next = wake ? std::max(*wake, now.mono) : end;
            if (next > end || !wake) break;
            pass(next - now.mono);
            engine.advance(now, {}, turn);
            for (const TargetId started : turn.starts) {
                if (started == id) times.push_back(now.mono - Clock::time_point{1'000'000s});
                engine.outcome(started, started == id ? result : good(), now);
            }
        }
        pass(end - now.mono);
    }
    /// The median gap between its pings since it was asked for last.
    Clock::duration gap() {
        std::vector<Clock::duration> gaps;
        for (std::size_t i = 1; i < times.size(); ++i) gaps.push_back(times[i] - times[i - 1]);
        times.clear();
        REQUIRE(gaps.size() > 2);
        std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2), gaps.end());
        return std::chrono::round<std::chrono::milliseconds>(gaps[gaps.size() / 2] / 10) * 10;
    }
};

Engine::Facts with_rules(const MonitoringRules& rules) {
    Engine::Facts facts;
    facts.rules = rules;
    return facts;
}

}  // namespace

TEST_CASE("a connection with rules of its own is pinged by them, the others are not", "[monitor]") {
    Course play{{10'000ms, 500ms}};
    MonitoringRules rules;
    rules.interval = 2s;
    rules.fall = 1;
    const TargetId own = play.add("own", with_rules(rules));
    const TargetId other = play.add("other");
    play.run(own, Play::good(), 30s);
    CHECK(play.gap() == 2s);
    play.ping(own, Play::bad());
    CHECK(play.engine.state(own) == ConnectionState::down);
    play.ping(other, Play::bad());
    CHECK(play.engine.state(other) == ConnectionState::failing);
}

TEST_CASE("while it is down it is pinged at an interval of its own", "[monitor]") {
    Course play{{1000ms, 500ms}};
    MonitoringRules rules;
    rules.interval_down = 5s;
    const TargetId id = play.add("shop", with_rules(rules));
    play.run(id, Play::good(), 10s);
    CHECK(play.gap() == 1s);
    play.run(id, Play::bad(), 2s);
    play.times.clear();
    play.run(id, Play::bad(), 60s);
    CHECK(play.gap() == 5s);
    play.run(id, Play::good(), 5s);
    CHECK(play.engine.state(id) == ConnectionState::up);
    play.times.clear();
    play.run(id, Play::good(), 10s);
    CHECK(play.gap() == 1s);
}

TEST_CASE("other rules hold at once, also for the ping that is waited for", "[monitor]") {
    Course play{{3600'000ms, 500ms}};
    const TargetId id = play.add("shop");
    play.run(id, Play::good(), 20s);
    play.times.clear();
    MonitoringRules rules;
    rules.interval = 1s;
    play.engine.set_rules(id, rules, play.now);
    play.run(id, Play::good(), 10s);
    CHECK(play.gap() == 1s);
    rules.interval = 0s;
    play.engine.set_rules(id, rules, play.now);
    play.times.clear();
    play.run(id, Play::good(), 10s);
    CHECK(play.times.empty());
    rules.interval = 2s;
    play.engine.set_rules(id, rules, play.now);
    play.run(id, Play::good(), 20s);
    CHECK(play.gap() == 2s);
}

TEST_CASE("it stays down, and up, for as long as its rules say", "[monitor]") {
    Course play{{1000ms, 500ms}};
    MonitoringRules rules;
    rules.min_down = 20s;
    rules.min_up = 10s;
    const TargetId id = play.add("shop", with_rules(rules));
    play.run(id, Play::good(), 11s);
    play.run(id, Play::bad(), 2s);
    REQUIRE(play.engine.state(id) == ConnectionState::down);
    play.run(id, Play::good(), 17s);
    CHECK(play.engine.state(id) == ConnectionState::down);
    play.run(id, Play::good(), 4s);
    CHECK(play.engine.state(id) == ConnectionState::up);
    play.run(id, Play::bad(), 6s);
    CHECK(play.engine.state(id) == ConnectionState::failing);
    play.run(id, Play::bad(), 5s);
    CHECK(play.engine.state(id) == ConnectionState::down);
}

TEST_CASE("dependents wait for the restart delay after it came back, and anew if it went down meanwhile", "[monitor]") {
    Course play{{1000ms, 500ms}};
    MonitoringRules rules;
    rules.restart_delay = 10s;
    const TargetId id = play.add("shop", with_rules(rules));
    play.run(id, Play::bad(), 5s);
    REQUIRE(play.holds["shop"] == Hold::block);
    play.run(id, Play::good(), 8s);
    CHECK(play.engine.state(id) == ConnectionState::up);
    CHECK(play.holds["shop"] == Hold::block);
    play.run(id, Play::bad(), 2s);
    play.run(id, Play::good(), 9s);
    CHECK(play.holds["shop"] == Hold::block);
    play.run(id, Play::good(), 3s);
    CHECK(play.holds["shop"] == Hold::release);
}

TEST_CASE("one that flaps has an alert, and its dependents stay stopped until it has calmed down", "[monitor]") {
    Course play{{1000ms, 500ms}};
    MonitoringRules rules;
    rules.flap_changes = 2;
    rules.flap_window = 60s;
    const TargetId id = play.add("shop", with_rules(rules));
    for (int i = 0; i < 2; ++i) {
        play.run(id, Play::bad(), 3s);
        play.run(id, Play::good(), 3s);
        CHECK(play.holds["shop"] == Hold::release);
    }
    play.told();
    play.run(id, Play::bad(), 3s);
    CHECK(play.told().find("alert:shop:CONNECTION-FLAPPING") != std::string::npos);
    CHECK(play.status(id).flapping);
    play.run(id, Play::good(), 30s);
    CHECK(play.engine.state(id) == ConnectionState::up);
    CHECK(play.holds["shop"] == Hold::block);
    CHECK(play.told() == "up:shop alert-cleared:shop:USER-CONNECTION-UNAVAILABLE");
    play.run(id, Play::good(), 40s);
    CHECK(play.holds["shop"] == Hold::release);
    CHECK(play.told() == "alert-cleared:shop:CONNECTION-FLAPPING");
    CHECK_FALSE(play.status(id).flapping);
}

TEST_CASE("what was damped is let go with the rule, by disabling and by removal", "[monitor]") {
    Course play{{1000ms, 500ms}};
    MonitoringRules rules;
    rules.flap_changes = 1;
    rules.flap_window = 600s;
    const TargetId id = play.add("shop", with_rules(rules));
    const auto flap = [&] {
        for (int i = 0; i < 2; ++i) {
            play.run(id, Play::bad(), 3s);
            play.run(id, Play::good(), 3s);
        }
        REQUIRE(play.status(id).flapping);
        REQUIRE(play.holds["shop"] == Hold::block);
    };
    flap();
    play.engine.set_rules(id, {}, play.now);
    CHECK(play.holds["shop"] == Hold::release);
    CHECK(play.alerts.list().empty());

    play.engine.set_rules(id, rules, play.now);
    flap();
    play.engine.disable(id, play.now);
    CHECK(play.alerts.list().empty());
    CHECK(play.holds["shop"] == Hold::block);
    play.engine.enable(id, play.now);
    play.run(id, Play::good(), 3s);
    CHECK(play.holds["shop"] == Hold::release);

    flap();
    play.engine.remove(id, play.now);
    CHECK(play.alerts.list().empty());
    CHECK(play.holds["shop"] == Hold::release);
    CHECK_FALSE(play.engine.wake());
}

TEST_CASE("a status says when the next ping is due, as long as one is planned", "[monitor]") {
    MonitorOptions options{1000ms, 500ms};
    options.fast = 100ms;
    Play play{options};
    const TargetId id = play.add("shop");
    const auto first = play.status(id).next;
    CHECK(first >= play.now.wall);
    CHECK(first <= play.now.wall + 1000ms);

    play.pass(1s);
    play.engine.take(id, play.now);
    CHECK(play.status(id).next == first);  // under way
    play.engine.outcome(id, Play::good(), play.now);
    CHECK(play.status(id).next > play.now.wall);
    CHECK(play.status(id).next <= play.now.wall + 1125ms);
    play.ping(id, Play::bad());
    CHECK(play.status(id).next <= play.now.wall + 100ms);

    play.engine.disable(id, play.now);
    CHECK(play.status(id).next == std::chrono::system_clock::time_point{});
    play.engine.enable(id, play.now);
    CHECK(play.status(id).next == play.now.wall);
    play.engine.stop(play.now);
    CHECK(play.status(id).next == std::chrono::system_clock::time_point{});
}
