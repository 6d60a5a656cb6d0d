// SPDX-License-Identifier: Apache-2.0
// Somebody is at a connection: it is watched as ever, and nobody is called for it.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "play.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

struct Silenced : Play {
    explicit Silenced(const MonitorOptions& options = {1000ms, 500ms}, bool started = true) : Play{options, started} {}

    Silence mute(std::optional<Clock::duration> length = std::nullopt) const {
        Silence silence{Silence::Kind::mute, now.wall, {}, "ann", "new disks"};
        if (length) silence.until = now.wall + *length;
        return silence;
    }
    TargetId at(const std::string& name, const std::string& host = "db1:5432") {
        places[name] = {host, {}, {}};
        const TargetId id = add(name);
        up(id);
        events.clear();
        return id;
    }
    void end(TargetId id, const PingResult& result) {
        engine.take(id, now);
        engine.outcome(id, result, now);
    }
    void up(TargetId id) { end(id, good()); }
    void down(TargetId id) {
        end(id, bad());
        end(id, bad());
    }
    void silence(TargetId id, bool yes = true) { engine.set_silence(id, yes ? std::optional{mute()} : std::nullopt, now); }
    /// As its owner does it: not before it is to be looked at.
    void let_pass(Clock::duration time) {
        const auto end = now.mono + time;
        while (now.mono < end) {
            const auto wake = engine.wake();
            pass(std::max<Clock::duration>(std::min(wake.value_or(end), end) - now.mono, 1ms));
            engine.advance(now, {}, turn);
            for (const TargetId id : turn.starts) engine.abandon(id, now);
        }
    }
    /// Those of alerts and silences, with a '*' where they are silenced.
    std::string calls() {
        std::string text;
        for (const Event& one : events) {
            if (one.alert.empty() && one.kind != EventKind::silenced && one.kind != EventKind::unsilenced) continue;
            text += (text.empty() ? "" : " ") + std::string{to_string(one.kind)} + ':' + one.name + (one.silenced ? "*" : "");
        }
        events.clear();
        return text;
    }
    /// "shop down*": names of what stands, with a '*' where it is silenced.
    std::vector<Alert> stands() {
        engine.flush();
        return alerts.list();
    }
};

}  // namespace

TEST_CASE("a silenced connection is measured and told as ever, and its dependents follow", "[monitor][silence]") {
    Silenced play;
    const TargetId id = play.at("shop");
    play.silence(id);
    play.events.clear();

    play.down(id);
    CHECK(play.status(id).state == ConnectionState::down);
    CHECK(play.holds["shop"] == Hold::block);
    REQUIRE(play.events.size() == 2);
    for (const Event& one : play.events) CHECK(one.silenced);
    CHECK(play.told() == "failing:shop down:shop");
    play.up(id);
    CHECK(play.holds["shop"] == Hold::release);
    CHECK(play.told() == "up:shop");
}

TEST_CASE("beginning, change and end of a silence are told with who, why and until when, and shown", "[monitor][silence]") {
    Silenced play;
    const TargetId id = play.at("shop");
    CHECK_FALSE(play.status(id).silence);

    const Silence first = play.mute(1h);
    play.engine.set_silence(id, first, play.now);
    CHECK(play.status(id).silence == first);
    REQUIRE(play.events.size() == 1);
    CHECK(play.events[0].kind == EventKind::silenced);
    const std::string first_text = "mute until 2023-11-14T23:13:20.000Z by ann: new disks";
    CHECK(play.events[0].error == first_text);
    CHECK(play.events[0].silenced);
    play.engine.set_silence(id, first, play.now);
    CHECK(play.events.size() == 1);

    Silence second = play.mute();
    second.kind = Silence::Kind::maintenance;
    play.engine.set_silence(id, second, play.now);
    CHECK(play.status(id).silence == second);
    REQUIRE(play.events.size() == 3);  // the end of one, the beginning of the other
    CHECK(play.events[1].error == first_text);
    CHECK(play.events[1].silenced);
    CHECK(play.events[2].error == "maintenance until it is taken back by ann: new disks");
    play.engine.set_silence(id, std::nullopt, play.now);
    CHECK_FALSE(play.status(id).silence);
    CHECK(play.events.back().kind == EventKind::unsilenced);
    CHECK(play.events.back().error == "maintenance until it is taken back by ann: new disks");
    CHECK_FALSE(play.events.back().silenced);
    CHECK(play.told() == "silenced:shop unsilenced:shop silenced:shop unsilenced:shop");
}

TEST_CASE("what has failed by itself and recovered within a silence calls nobody", "[monitor][silence]") {
    Silenced play;
    const TargetId id = play.at("shop");
    play.silence(id);
    play.down(id);
    REQUIRE(play.stands().size() == 1);
    CHECK(play.stands()[0].silenced);
    play.up(id);
    CHECK(play.stands().empty());
    play.silence(id, false);
    CHECK(play.calls() == "silenced:shop* unsilenced:shop");
}

TEST_CASE("every alert of a silenced connection is held back, not only the first", "[monitor][silence]") {
    Silenced play;
    const TargetId id = play.at("shop");
    play.silence(id);
    for (int i = 0; i < 3; ++i) {
        play.down(id);
        play.up(id);
    }
    play.down(id);
    play.engine.invalidate(id, make_error(Errc::parse, "no"), play.now);
    CHECK(play.calls() == "silenced:shop*");
    REQUIRE(play.stands().size() == 1);
    CHECK(play.stands()[0].type == k_alert_unusable);
    play.silence(id, false);
    CHECK(play.calls() == "unsilenced:shop alert:shop");
    CHECK_FALSE(play.stands()[0].silenced);
}

TEST_CASE("an alert that was told before a silence is told once more only when it is cleared", "[monitor][silence]") {
    Silenced play;
    const TargetId id = play.at("shop");
    play.down(id);
    CHECK(play.calls() == "alert:shop");
    play.silence(id);
    CHECK(play.stands().at(0).silenced);
    play.silence(id, false);
    CHECK_FALSE(play.stands().at(0).silenced);
    play.silence(id);
    play.up(id);
    CHECK(play.calls() == "silenced:shop* unsilenced:shop silenced:shop* alert-cleared:shop*");
}

TEST_CASE("a silence begins and ends by the wall clock", "[monitor][silence]") {
    Silenced play;
    const TargetId id = play.at("shop");
    Silence silence = play.mute(3h);
    silence.from = play.now.wall + 1h;
    play.engine.set_silence(id, silence, play.now);
    CHECK_FALSE(play.status(id).silence);
    CHECK(play.told().empty());

    play.let_pass(59min);
    CHECK_FALSE(play.status(id).silence);
    play.let_pass(1min);
    CHECK(play.status(id).silence == silence);
    play.down(id);
    play.let_pass(119min + 59s);
    CHECK(play.status(id).silence);
    play.let_pass(1s);
    CHECK_FALSE(play.status(id).silence);
    CHECK(play.calls() == "silenced:shop* unsilenced:shop alert:shop");
}

TEST_CASE("a wall clock that is set forward ends a silence within a minute, one that is set back takes back nothing that was over",
          "[monitor][silence]") {
    Silenced play;
    const TargetId id = play.at("shop");
    play.engine.set_silence(id, play.mute(5h), play.now);
    play.let_pass(10s);
    play.now.wall += 6h;
    play.let_pass(1min);
    CHECK_FALSE(play.status(id).silence);
    play.now.wall -= 6h;
    play.let_pass(2min);
    CHECK_FALSE(play.status(id).silence);
    CHECK(play.calls() == "silenced:shop* unsilenced:shop");

    Silence later = play.mute(3h);
    later.from = play.now.wall + 1h;
    play.engine.set_silence(id, later, play.now);
    play.now.wall += 2h;
    play.let_pass(1min);
    CHECK(play.status(id).silence);
    play.now.wall -= 2h;
    play.let_pass(1min);
    CHECK_FALSE(play.status(id).silence);
}

TEST_CASE("silences that nobody could hear of yet are told at the start", "[monitor][silence]") {
    Silenced play{{1000ms, 500ms}, false};
    Engine::Facts facts;
    facts.silence = play.mute(1h);
    const TargetId id = play.add("shop", facts);
    CHECK(play.status(id).silence);
    play.add("depot");
    CHECK(play.told().empty());
    play.engine.start(play.now);
    CHECK(play.told() == "silenced:shop");
    play.engine.stop(play.now);
    play.let_pass(61min);
    CHECK_FALSE(play.status(id).silence);
    play.engine.start(play.now);
    CHECK(play.told() == "unsilenced:shop");

    Engine::Facts later;
    later.silence = play.mute();
    const TargetId other = play.add("late", later, true);
    CHECK(play.told() == "added:late silenced:late");
    play.engine.remove(other, play.now);
    CHECK(play.told() == "unsilenced:late removed:late");
    play.let_pass(2min);
    CHECK(play.told().empty());
}

TEST_CASE("an outage is silenced where all its connections are, and so are its events", "[monitor][silence][outage]") {
    Silenced play;
    const bool loud = GENERATE(false, true);
    const TargetId a = play.at("a");
    const TargetId b = play.at("b");
    play.silence(a);
    if (!loud) play.silence(b);
    play.down(a);
    play.down(b);
    play.let_pass(2s);
    const auto is_silenced = [&](EventKind kind) {
        for (const Event& one : play.events)
            if (one.kind == kind) return one.silenced;
        return !loud;
    };
    CHECK(is_silenced(EventKind::outage) == !loud);
    REQUIRE(play.stands().size() == 1);
    CHECK(play.stands()[0].silenced == !loud);
    CHECK(play.stands()[0].name == (loud ? "b" : "a"));
    CHECK(std::count_if(play.events.begin(), play.events.end(), [](const Event& one) { return one.kind == EventKind::alert; }) == (loud ? 1 : 0));
    play.up(a);
    play.up(b);
    CHECK(is_silenced(EventKind::outage_over) == !loud);
}

TEST_CASE("an acknowledgement counts for what was raised until then, and for nothing later", "[monitor][silence]") {
    Silenced play;
    const TargetId id = play.at("shop");
    play.down(id);
    const Acknowledgement first{"ann", "on it", play.now.wall};
    play.pass(1s);
    play.engine.acknowledge(id, first);
    CHECK(play.stands().at(0).acknowledged_by == "ann");
    play.engine.acknowledge(id, {"bob", "mine", play.now.wall});
    play.engine.acknowledge(id, first);  // told late
    CHECK(play.stands().at(0).acknowledged_by == "bob");
    CHECK(play.stands().at(0).note == "mine");
    play.up(id);
    play.pass(1s);
    play.down(id);
    CHECK(play.stands().at(0).acknowledged_by.empty());
}

TEST_CASE("an acknowledgement from before a restart counts for an alert that has stood since before it", "[monitor][silence]") {
    Silenced play;
    Engine::Facts facts;
    facts.acknowledged = Acknowledgement{"ann", "on it", play.now.wall + 1h};  // as if the alert were older
    const TargetId id = play.add("shop", facts);
    play.down(id);
    CHECK(play.stands().at(0).acknowledged_by == "ann");
}

TEST_CASE("the alert of an outage is acknowledged by way of any of its connections", "[monitor][silence][outage]") {
    Silenced play;
    const TargetId a = play.at("a");
    const TargetId b = play.at("b");
    play.down(a);
    play.down(b);
    play.engine.acknowledge(b, {"ann", "", play.now.wall});
    CHECK(play.stands().at(0).acknowledged_by == "ann");
    play.up(a);
    CHECK(play.stands().at(0).name == "b");
    CHECK(play.stands().at(0).acknowledged_by == "ann");
}

// ---- all interleavings ------------------------------------------------------------------------------------------------------------------------

namespace {

/// What has to stand and be told, said as plainly as it can be.
struct Oracle {
    bool grouped;
    std::set<std::string> down{};
    std::set<std::string> silenced{};
    std::map<std::string, bool> told{};  // of what stands: by connection, or one for the outage

    struct Expected {
        std::size_t alerts{0};
        std::size_t cleared{0};
    };
    std::string key(const std::string& name) const { return grouped ? "" : name; }
    bool stands(const std::string& key) const { return grouped ? !down.empty() : down.contains(key); }
    bool is_silenced(const std::string& key) const {
        return grouped ? std::includes(silenced.begin(), silenced.end(), down.begin(), down.end()) : silenced.contains(key);
    }
    Expected settle(const std::vector<std::string>& names) {
        Expected expected;
        std::set<std::string> keys;
        for (const std::string& name : names) keys.insert(key(name));
        for (const std::string& one : keys) {
            bool& was_told = told[one];
            if (!stands(one)) {
                if (std::exchange(was_told, false)) ++expected.cleared;
            } else if (!is_silenced(one) && !std::exchange(was_told, true)) {
                ++expected.alerts;
            }
        }
        return expected;
    }
};

/// One after the other, of `kinds` actions each, all sequences of that length; `play` gets one.
template <class Function>
void for_all_sequences(std::size_t kinds, std::size_t length, Function&& play) {
    std::vector<std::size_t> sequence(length, 0);
    for (;;) {
        play(sequence);
        std::size_t at = 0;
        while (at < length && ++sequence[at] == kinds) sequence[at++] = 0;
        if (at == length) return;
    }
}

}  // namespace

TEST_CASE("whatever the order of failures, recoveries and silences, each alert that is told is told once and cleared once", "[monitor][silence]") {
    const bool grouped = GENERATE(true, false);
    const auto [connections, length] = GENERATE(table<std::size_t, std::size_t>({{1, 8}, {2, 6}, {3, 5}}));
    MonitorOptions options{1000ms, 500ms};
    options.group_alerts = grouped;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < connections; ++i) names.push_back(std::string{static_cast<char>('a' + i)});
    std::size_t wrong = 0;
    std::string first_wrong;

    // Of each connection: it fails or recovers, it is silenced or no more.
    for_all_sequences(connections * 2, length, [&](const std::vector<std::size_t>& sequence) {
        std::size_t known = 0;  // they are all alike: only the sequences in which they come up in their order
        for (const std::size_t one : sequence) {
            if (one / 2 > known) return;
            if (one / 2 == known) ++known;
        }
        Silenced play{options};
        std::vector<TargetId> ids;
        for (const std::string& name : names) ids.push_back(play.at(name));
        Oracle oracle{grouped};
        const auto require = [&](bool right, std::size_t step, const char* what) {
            if (right) return;
            if (wrong++ != 0) return;
            first_wrong = std::string{what} + " at step " + std::to_string(step) + " of";
            for (const std::size_t one : sequence) first_wrong += ' ' + names[one / 2] + (one % 2 == 0 ? ":state" : ":silence");
        };
        for (std::size_t step = 0; step < length; ++step) {
            const std::size_t i = sequence[step] / 2;
            auto& set = sequence[step] % 2 == 0 ? oracle.down : oracle.silenced;
            const bool now = set.insert(names[i]).second;
            if (!now) set.erase(names[i]);
            play.events.clear();
            play.pass(1s);
            if (&set == &oracle.silenced)
                play.silence(ids[i], now);
            else if (now)
                play.down(ids[i]);
            else
                play.up(ids[i]);

            const auto expected = oracle.settle(names);
            std::size_t told = 0;
            std::size_t cleared = 0;
            for (const Event& one : play.events) {
                if (one.kind == EventKind::alert) {
                    ++told;
                    require(!one.silenced && oracle.down.contains(one.name) && !oracle.silenced.contains(one.name), step, "who is named");
                }
                if (one.kind == EventKind::alert_cleared) ++cleared;
            }
            require(told == expected.alerts, step, "alerts");
            require(cleared == expected.cleared, step, "cleared");
            const auto standing = play.stands();
            require(standing.size() == (grouped ? std::min<std::size_t>(oracle.down.size(), 1) : oracle.down.size()), step, "how many stand");
            for (const Alert& one : standing) {
                require(oracle.down.contains(one.name), step, "the name of what stands");
                require(one.silenced == oracle.is_silenced(oracle.key(one.name)), step, "the mark of what stands");
                require(!grouped || one.silenced || !oracle.silenced.contains(one.name), step, "a silenced name though others are not");
            }
        }
    });
    INFO(first_wrong);
    CHECK(wrong == 0);
}

TEST_CASE("whatever becomes of a silenced connection, its alerts are told in pairs or not at all", "[monitor][silence]") {
    constexpr std::size_t k_actions = 7;
    std::size_t wrong = 0;
    for_all_sequences(k_actions, 5, [&](const std::vector<std::size_t>& sequence) {
        Silenced play;
        Engine::Facts facts;
        facts.rules.flap_changes = 1;
        TargetId id = play.add("shop", facts);
        std::map<std::string, int> open;
        for (const std::size_t action : sequence) {
            play.pass(1s);
            const bool is_pinged = play.engine.is_pinged(id);
            switch (action) {
                case 0:
                    if (is_pinged) play.down(id);
                    break;
                case 1:
                    if (is_pinged) play.up(id);
                    break;
                case 2: play.silence(id); break;
                case 3: play.silence(id, false); break;
                case 4:
                    play.engine.state(id) == ConnectionState::disabled ? play.engine.enable(id, play.now) : play.engine.disable(id, play.now);
                    break;
                case 5:
                    play.engine.state(id) == ConnectionState::invalid ? play.engine.validate(id, play.now)
                                                                      : play.engine.invalidate(id, make_error(Errc::parse, "no"), play.now);
                    break;
                default: play.engine.remove(id, play.now); id = play.add("shop", facts, true);
            }
            for (const Event& one : play.events) {
                if (one.kind == EventKind::alert && (one.silenced || ++open[one.alert] != 1)) ++wrong;
                if (one.kind == EventKind::alert_cleared && --open[one.alert] != 0) ++wrong;
            }
            play.events.clear();
            // What stands and is not silenced has been told; what was told stands.
            const auto standing = play.stands();
            for (const Alert& one : standing)
                if (!one.silenced && open[one.type] != 1) ++wrong;
            for (const auto& [type, count] : open)
                if (count != 0 && std::none_of(standing.begin(), standing.end(), [&](const Alert& one) { return one.type == type; })) ++wrong;
        }
    });
    CHECK(wrong == 0);
}

// ---- windows of the definition ----------------------------------------------------------------------------------------------------------------

TEST_CASE("a connection is in maintenance in the windows of its definition", "[monitor][silence][maintenance]") {
    Silenced play;  // its time begins on a Tuesday, 22:13:20 UTC
    Engine::Facts facts;
    facts.rules.maintenance = {"Tue-Wed 23:00-01:00 UTC", "no window"};
    const TargetId id = play.add("shop", facts);
    play.up(id);
    play.events.clear();
    play.let_pass(46min);
    CHECK_FALSE(play.status(id).silence);
    play.let_pass(1min);
    REQUIRE(play.status(id).silence);
    CHECK(play.status(id).silence->kind == Silence::Kind::maintenance);
    CHECK(play.events.at(0).error == "maintenance until 2023-11-15T01:00:00.000Z by definition: Tue-Wed 23:00-01:00 UTC");
    play.down(id);
    play.let_pass(2h);
    CHECK_FALSE(play.status(id).silence);
    CHECK(play.calls() == "silenced:shop* unsilenced:shop alert:shop");
    play.let_pass(22h);
    CHECK(play.status(id).silence);
    play.engine.set_rules(id, {}, play.now);
    CHECK_FALSE(play.status(id).silence);
    CHECK(play.calls() == "silenced:shop* unsilenced:shop");
    play.let_pass(48h);
    CHECK(play.calls().empty());
}

TEST_CASE("an operator's silence and a window go together, and maintenance is shown before mute", "[monitor][silence][maintenance]") {
    Silenced play;
    Engine::Facts facts;
    facts.rules.maintenance = {"Tue 23:00-23:30 UTC", "Tue 23:10-24:00 UTC"};
    facts.silence = play.mute(90min);  // up to 23:43:20
    const TargetId id = play.add("shop", facts);
    play.down(id);
    const auto by = [&] { return play.status(id).silence ? play.status(id).silence->by + ' ' + play.status(id).silence->note : "nobody"; };
    play.events.clear();
    CHECK(by() == "ann new disks");
    play.let_pass(50min);
    CHECK(by() == "definition Tue 23:00-23:30 UTC");
    play.let_pass(10min);
    CHECK(by() == "definition Tue 23:10-24:00 UTC");
    play.let_pass(35min);
    CHECK(by() == "definition Tue 23:10-24:00 UTC");
    CHECK(play.calls() == "unsilenced:shop* silenced:shop* unsilenced:shop* silenced:shop*");
    Silence work = play.mute(1h);
    work.kind = Silence::Kind::maintenance;
    play.engine.set_silence(id, work, play.now);
    CHECK(by() == "ann new disks");
    play.let_pass(61min);
    CHECK(by() == "nobody");
    CHECK(play.calls() == "unsilenced:shop* silenced:shop* unsilenced:shop alert:shop");
}
