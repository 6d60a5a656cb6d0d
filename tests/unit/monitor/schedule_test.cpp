// SPDX-License-Identifier: Apache-2.0
#include "monitor/schedule.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace qconn;
using namespace qconn::monitor;
using namespace std::chrono_literals;

using Again = Schedule::Again;

const Clock::time_point k_begin{1'000'000s + 12'345'678ns};

Timing timing(Clock::duration interval, Clock::duration timeout = 500ms) {
    Timing t;
    t.interval = interval;
    t.fast = std::clamp<Clock::duration>(interval / 10, 100ms, 2s);
    t.timeout = timeout;
    t.stall = std::max<Clock::duration>(1s, timeout / 2);
    t.max_starts = 1'000'000;
    return t;
}

/// Plays the loop: a clock that jumps to whatever comes next, and peers that answer after a given time.
struct Play {
    explicit Play(const Timing& t) : schedule{t} {}

    Schedule schedule;
    Clock::time_point now{k_begin};
    Schedule::Turn turn;
    std::function<Clock::duration(TargetId)> answer_after{[](TargetId) { return 0ms; }};
    std::function<bool(TargetId)> fast{[](TargetId) { return false; }};
    std::map<TargetId, std::vector<Clock::time_point>> starts;
    std::vector<TargetId> order;
    std::vector<TargetId> expired;
    std::multimap<Clock::time_point, TargetId> answers;
    std::size_t most_in_flight{0};

    TargetId add(const std::string& name, std::uint64_t host = 0) {
        const TargetId id = schedule.add(stable_hash(name), host);
        schedule.begin(id, now);
        return id;
    }

    void advance() {
        schedule.advance(now, 0ms, turn);
        for (const TargetId id : turn.expired) {
            expired.push_back(id);
            for (auto it = answers.begin(); it != answers.end(); ++it)
                if (it->second == id) {
                    answers.erase(it);
                    break;
                }
            schedule.finished(id, now, fast(id) ? Again::fast : Again::grid);
        }
        for (const TargetId id : turn.starts) {
            starts[id].push_back(now);
            order.push_back(id);
            answers.emplace(now + answer_after(id), id);
        }
        most_in_flight = std::max(most_in_flight, schedule.in_flight());
    }

    void run_until(Clock::time_point end) {
        for (;;) {
            const auto wake = schedule.wake();
            const auto answer = answers.empty() ? Clock::time_point::max() : answers.begin()->first;
            const auto next = std::min(answer, wake ? std::max(*wake, now) : Clock::time_point::max());
            if (next > end) break;
            now = next;
            if (answer <= now) {
                const TargetId id = answers.begin()->second;
                answers.erase(answers.begin());
                schedule.finished(id, now, fast(id) ? Again::fast : Again::grid);
            } else {
                advance();
            }
        }
        now = end;
    }
    void run_for(Clock::duration time) { run_until(now + time); }
};

}  // namespace

TEST_CASE("pings come at a fixed rate, whatever the answers take", "[monitor]") {
    Play play{timing(1s)};
    const TargetId id = play.add("shop");
    play.answer_after = [](TargetId) { return 200ms; };

    play.run_for(60s);

    const auto& starts = play.starts[id];
    REQUIRE(starts.size() >= 59);
    for (std::size_t i = 2; i < starts.size(); ++i) {
        CHECK(starts[i] - starts[i - 1] <= 1s + Schedule::k_tick);
        CHECK(starts[i] - starts[i - 1] >= 1s - Schedule::k_tick);
    }
}

TEST_CASE("a ping that takes longer than the interval skips what it missed", "[monitor]") {
    Play play{timing(1s, 10s)};
    const TargetId id = play.add("slow");
    play.answer_after = [](TargetId) { return 2300ms; };

    play.run_for(30s);

    const auto& starts = play.starts[id];
    REQUIRE(starts.size() >= 9);
    for (std::size_t i = 2; i < starts.size(); ++i) CHECK((starts[i] - starts[i - 1] + 4ms) / 1s == 3);
}

TEST_CASE("phases are spread by name and are the same in every run", "[monitor]") {
    Play play{timing(1s)};
    Play again{timing(1s)};
    for (int i = 0; i < 10'000; ++i) {
        play.add("connection-" + std::to_string(i));
        again.add("connection-" + std::to_string(i));
    }

    play.run_for(5s);
    again.run_for(5s);

    std::map<std::int64_t, int> slots;
    int total = 0;
    for (const auto& [id, starts] : play.starts) {
        for (const auto start : starts) {
            ++slots[start.time_since_epoch() / 10ms];  // of two ticks each
            if (start >= k_begin + 2s && start < k_begin + 4s) ++total;
        }
    }
    CHECK(total == 20'000);
    for (const auto& [slot, count] : slots) CHECK(count <= 150);  // the mean is 100, in the first second too
    CHECK(play.starts == again.starts);
}

TEST_CASE("the first pings come within the interval, and within ten seconds of a long one", "[monitor]") {
    for (const auto interval : {std::chrono::seconds{1}, std::chrono::seconds{3600}}) {
        Play play{timing(interval)};
        for (int i = 0; i < 100; ++i) play.add(std::to_string(i));

        play.run_for(std::min<Clock::duration>(interval, 10s) + Schedule::k_tick);

        CHECK(play.starts.size() == 100);
    }
}

TEST_CASE("intervals beyond the wheel's reach are kept", "[monitor]") {
    Play play{timing(24h)};
    const TargetId id = play.add("daily");

    play.run_for(240h);

    const auto& starts = play.starts[id];
    REQUIRE(starts.size() >= 10);
    for (std::size_t i = 2; i < starts.size(); ++i) CHECK(std::chrono::abs(starts[i] - starts[i - 1] - 24h) <= Schedule::k_tick);
}

TEST_CASE("a fast recheck leaves the grid as it was", "[monitor]") {
    Play play{timing(10s)};
    const TargetId id = play.add("shop");
    bool once = true;
    play.run_for(25s);
    const auto grid = play.starts[id].back();
    play.fast = [&](TargetId) { return std::exchange(once, false); };

    play.run_until(grid + 40s);

    const auto& starts = play.starts[id];
    const auto at = std::find(starts.begin(), starts.end(), grid + 10s);
    REQUIRE(at != starts.end());
    REQUIRE(starts.end() - at >= 3);
    CHECK(at[1] - at[0] <= 1s + Schedule::k_tick);
    CHECK(at[1] - at[0] >= 900ms);
    CHECK(at[2] == grid + 20s);
}

TEST_CASE("a deadline ends a ping that does not answer", "[monitor]") {
    Play play{timing(10s, 700ms)};
    const TargetId id = play.add("mute");
    play.answer_after = [](TargetId) { return 1h; };

    play.run_for(30s);

    REQUIRE(play.expired.size() >= 2);
    CHECK(play.expired.front() == id);
    CHECK(play.starts[id].size() >= 3);
}

TEST_CASE("no more pings are in flight than the caps allow, and those that wait go first come first served", "[monitor]") {
    Timing t = timing(1s, 10s);
    t.max_in_flight = 5;
    t.max_per_host = 3;
    Play play{t};
    std::vector<TargetId> one_host;
    std::map<TargetId, bool> is_one_host;
    for (int i = 0; i < 20; ++i) is_one_host[one_host.emplace_back(play.add("same-" + std::to_string(i), 77))] = true;
    for (int i = 0; i < 20; ++i) play.add("other-" + std::to_string(i), 100 + static_cast<std::uint64_t>(i));
    std::size_t of_host = 0;
    std::size_t most_of_host = 0;
    play.answer_after = [&](TargetId id) {
        if (is_one_host[id]) most_of_host = std::max(most_of_host, ++of_host);
        return 100ms;
    };
    play.fast = [&](TargetId id) {
        if (is_one_host[id]) --of_host;
        return false;
    };

    play.run_for(20s);

    CHECK(play.most_in_flight == 5);
    CHECK(most_of_host == 3);
    for (const TargetId id : one_host) CHECK(play.starts[id].size() >= 18);  // 20 pings of 0.1 s, three at a time: 0.7 s a round
    std::vector<int> count(40);
    int most = 0;
    for (const TargetId id : play.order) {
        most = std::max(most, ++count[id]);
        CHECK(*std::min_element(count.begin(), count.end()) >= most - 3);  // nobody is passed over
    }
}

TEST_CASE("what waits for its host is not lost when the one before it rests", "[monitor]") {
    Timing t = timing(1s, 10s);
    t.max_per_host = 1;
    Play play{t};
    std::vector<TargetId> all;
    for (int i = 0; i < 3; ++i) all.push_back(play.add(std::to_string(i), 5));
    for (const TargetId id : all) play.schedule.ping_now(id, play.now);
    play.advance();
    REQUIRE(play.turn.starts == std::vector<TargetId>{all[0]});

    play.schedule.finished(all[0], play.now, Again::grid);
    play.schedule.rest(all[1]);
    play.advance();

    CHECK(play.turn.starts == std::vector<TargetId>{all[2]});
}

TEST_CASE("a ping by hand starts whatever the caps say, and counts as the one of that time", "[monitor]") {
    Timing t = timing(10s);
    t.max_in_flight = 1;
    Play play{t};
    const TargetId a = play.add("a");
    const TargetId b = play.add("b");
    play.schedule.ping_now(a, play.now);
    play.advance();
    REQUIRE(play.schedule.in_flight(a));

    CHECK(play.schedule.take(b, play.now));
    CHECK_FALSE(play.schedule.take(b, play.now));
    CHECK_FALSE(play.schedule.take(a, play.now));
    CHECK(play.schedule.in_flight() == 2);

    play.schedule.finished(b, play.now, Again::grid);
    REQUIRE(play.schedule.next(b));
    CHECK(*play.schedule.next(b) > play.now + 1s);

    // It takes nobody's place either.
    play.schedule.finished(a, play.now, Again::grid);
    CHECK(play.schedule.take(b, play.now));
    play.schedule.ping_now(a, play.now);
    play.advance();
    CHECK(play.turn.starts == std::vector<TargetId>{a});
}

TEST_CASE("a look at what closed its idle connection comes at most once per fast time", "[monitor]") {
    Play play{timing(10s)};
    const TargetId id = play.add("shop");
    play.schedule.ping_now(id, play.now);
    play.advance();
    play.schedule.finished(id, play.now, Again::grid);

    play.schedule.ping_soon(id, play.now + 1ms);
    CHECK(*play.schedule.next(id) == play.now + 1s);
    play.schedule.ping_soon(id, play.now + 1500ms);
    play.now += 1500ms;
    play.advance();
    CHECK(play.turn.starts == std::vector<TargetId>{id});
}

TEST_CASE("one that rests is not pinged until it begins again, and then only by the grid", "[monitor]") {
    Play play{timing(1s)};
    const TargetId id = play.add("shop");
    play.run_for(3s);
    const auto before = play.starts[id].size();

    play.schedule.rest(id);
    play.schedule.ping_now(id, play.now);
    play.schedule.ping_soon(id, play.now);
    play.run_for(10s);
    CHECK(play.starts[id].size() == before);
    CHECK_FALSE(play.schedule.wake());

    play.schedule.begin(id, play.now);
    play.run_for(10s);
    CHECK(play.starts[id].size() >= before + 9);
}

TEST_CASE("with interval zero there are only pings by hand", "[monitor]") {
    Play play{timing(0s)};
    const TargetId id = play.add("shop");
    play.run_for(1h);
    CHECK(play.starts.empty());

    CHECK(play.schedule.take(id, play.now));
    play.schedule.finished(id, play.now, Again::fast);
    CHECK_FALSE(play.schedule.next(id));
}

TEST_CASE("after a stall deadlines are in doubt and missed pings do not come as one burst", "[monitor]") {
    Play play{timing(1s, 1s)};
    for (int i = 0; i < 1000; ++i) play.add(std::to_string(i));
    play.answer_after = [](TargetId) { return 200ms; };
    play.run_for(3s);

    play.now += 3s;
    play.schedule.advance(play.now, 3s, play.turn);
    CHECK(play.turn.stalled);
    CHECK(play.turn.expired.size() >= 100);
    CHECK(play.turn.starts.empty());
    for (const TargetId id : play.turn.expired) play.schedule.finished(id, play.now, Again::spread);
    play.answers.clear();
    play.starts.clear();
    play.run_for(1010ms);
    CHECK(play.starts.size() == 1000);
    play.run_for(5s);

    std::map<std::int64_t, int> slots;
    for (const auto& [id, starts] : play.starts) {
        for (const auto start : starts) ++slots[start.time_since_epoch() / 10ms];
        // Back on its grid, without a ping beside it.
        for (std::size_t i = 1; i < starts.size(); ++i) CHECK(std::chrono::abs(starts[i] - starts[i - 1] - 1s) <= Schedule::k_tick);
    }
    for (const auto& [slot, count] : slots) CHECK(count <= 35);  // the mean is 10, and those of 20 ms go together
}

TEST_CASE("after a stall quick rechecks that were missed do not come as one burst either", "[monitor]") {
    Play play{timing(10s)};
    std::vector<TargetId> ids;
    for (int i = 0; i < 1000; ++i) ids.push_back(play.add(std::to_string(i)));
    play.fast = [](TargetId) { return true; };
    play.run_for(12s);  // all fail, and are looked at every second

    play.now += 3s;
    play.schedule.advance(play.now, 3s, play.turn);
    CHECK(play.turn.starts.empty());
    play.starts.clear();
    play.run_for(1s + 2 * Schedule::k_tick);

    CHECK(play.starts.size() == 1000);
    std::map<std::int64_t, int> slots;
    for (const auto& [id, starts] : play.starts) ++slots[starts.front().time_since_epoch() / 10ms];
    for (const auto& [slot, count] : slots) CHECK(count <= 30);
}

TEST_CASE("targets and hosts come and go without a trace", "[monitor]") {
    Timing t = timing(1s, 10s);
    t.max_per_host = 2;
    Play play{t};
    std::vector<TargetId> ids;
    std::uint64_t random = 1;
    for (int round = 0; round < 2000; ++round) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        const auto pick = static_cast<std::size_t>(random >> 33);
        if (ids.size() < 20 || pick % 3 != 0) {
            ids.push_back(play.add("n" + std::to_string(round), 1 + pick % 5));
        } else {
            const std::size_t i = pick % ids.size();
            std::erase_if(play.answers, [&](const auto& one) { return one.second == ids[i]; });
            play.schedule.remove(ids[i]);
            ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(i));
        }
        if (pick % 7 == 0 && !ids.empty()) play.schedule.set_host(ids[pick % ids.size()], 1 + pick % 6);
        play.answer_after = [pick](TargetId) { return std::chrono::milliseconds{pick % 50}; };
        play.run_for(20ms);
    }
    for (const TargetId id : ids) play.schedule.remove(id);

    CHECK(play.schedule.in_flight() == 0);
    CHECK_FALSE(play.schedule.wake());
}

TEST_CASE("a stall of any length ends with everybody waiting for a ping within the spread", "[monitor]") {
    const auto gap = GENERATE(2s, 32s, 33s, 40s, 100s, 3600s, 40'000s);
    Play play{timing(20s)};
    std::vector<TargetId> ids;
    for (int i = 0; i < 3000; ++i) ids.push_back(play.schedule.add(stable_hash("c" + std::to_string(i)), 0));
    for (const TargetId id : ids) play.schedule.begin(id, play.now);
    Schedule::Turn turn;
    play.now += gap;
    play.schedule.advance(play.now, gap, turn);
    for (const TargetId id : ids) {
        const auto next = play.schedule.next(id);
        REQUIRE(next);
        REQUIRE(*next <= play.now + 5s + 2 * Schedule::k_tick + (gap < 10s ? 10s : 0s));
    }
}
