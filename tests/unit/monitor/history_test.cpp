// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/history.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::monitor;
using namespace std::chrono_literals;

namespace {

constexpr HistoryTime k_begin{std::chrono::milliseconds{1'700'000'123'456}};

/// Keeps everything.
struct Plain {
    struct Time {
        Account account;
        HistoryTime from;
        HistoryTime to;
    };
    std::vector<Time> times;

    Availability sum(HistoryTime from, HistoryTime now, Account open, HistoryTime since) const {
        Availability sum;
        const auto add = [&](const Time& one) {
            const auto overlap = std::min(one.to, now) - std::max(one.from, from);
            if (overlap > 0ms && one.account != Account::none) (one.account == Account::up ? sum.up : sum.down) += overlap;
        };
        for (const Time& one : times) add(one);
        add({open, since, now});
        return sum;
    }
};

HistoryTime part(HistoryTime now, std::chrono::milliseconds width) { return HistoryTime{now.time_since_epoch() / width * width}; }

void check_near(std::chrono::milliseconds one, std::chrono::milliseconds other, std::chrono::milliseconds tolerance) {
    INFO(one.count() << " and " << other.count());
    CHECK(std::chrono::abs(one - other) <= tolerance);
}

PastOutage outage(std::chrono::system_clock::time_point began, std::string text = "no") {
    PastOutage one;
    one.began = began;
    one.error = std::move(text);
    return one;
}

}  // namespace

TEST_CASE("time up and down is what one finds who keeps everything, over days, whatever comes", "[history]") {
    std::mt19937_64 random{7};
    for (int course = 0; course < 20; ++course) {
        HistoryTime now = k_begin;
        UpTime up_time{now};
        Plain plain;
        HistoryTime since = now;
        Account account = Account::none;
        // Some courses turn every few seconds, some every few hours.
        const auto longest = std::int64_t{1000} << (course % 16);
        for (int i = 0; i < 300; ++i) {
            now += std::chrono::milliseconds{random() % static_cast<std::uint64_t>(longest)};
            if (random() % 40 == 0) now += 7h;
            const UpTime::Sums sums = up_time.sums(now);
            const Availability hour = plain.sum(part(now, 5min) - 1h, now, account, since);
            const Availability day = plain.sum(part(now, 1h) - 24h, now, account, since);
            const Availability total = plain.sum(k_begin, now, account, since);
            CHECK(sums.total.up == total.up);
            CHECK(sums.total.down == total.down);
            const int turns = std::min(i + 2, 300);
            check_near(sums.last_hour.up, hour.up, 10ms * turns);
            check_near(sums.last_hour.down, hour.down, 10ms * turns);
            check_near(sums.last_day.up, day.up, 100ms * turns);
            check_near(sums.last_day.down, day.down, 100ms * turns);

            const Account next = static_cast<Account>(random() % 3);
            if (next != account) plain.times.push_back({account, std::exchange(since, now), now});
            account = next;
            up_time.turn(account, now);
            if (random() % 50 == 0) {  // as over a restart
                if (account != Account::none) plain.times.push_back({account, since, now});
                up_time = UpTime{up_time.keep(now), now + 10s};
                now += 10s;
                since = now;
                account = Account::none;
            }
        }
    }
}

TEST_CASE("a connection that was up all the time is up for all of it", "[history]") {
    History history{k_begin};
    CHECK_FALSE(history.read(k_begin + 1h).total.share());
    history.stands(ConnectionState::up, true, k_begin + 10s);
    history.stands(ConnectionState::failing, true, k_begin + 1h);
    history.stands(ConnectionState::up, true, k_begin + 1h + 1s);
    const ConnectionHistory read = history.read(k_begin + 30h);
    CHECK(read.total.up == 30h - 10s);
    CHECK(read.total.share() == 1.0);
    CHECK(read.last_day.share() == 1.0);
    CHECK(read.last_day.up >= 24h);
    CHECK(read.last_day.up < 25h);
    CHECK(read.last_hour.up >= 1h);
    CHECK(read.last_hour.up < 65min);
    CHECK(read.downs == 0);
}

TEST_CASE("only time up and down counts: not unknown, disabled, invalid, and not what is not to be counted", "[history]") {
    History history{k_begin};
    HistoryTime now = k_begin;
    const auto pass = [&](ConnectionState state, bool counted) {
        history.stands(state, counted, now);
        now += 10min;
    };
    pass(ConnectionState::unknown, true);
    pass(ConnectionState::up, true);
    pass(ConnectionState::down, true);
    pass(ConnectionState::down, false);
    pass(ConnectionState::disabled, true);
    pass(ConnectionState::invalid, true);
    pass(ConnectionState::failing, true);
    const ConnectionHistory read = history.read(now);
    CHECK(read.total.up == 20min);
    CHECK(read.total.down == 10min);
    CHECK(std::abs(*read.total.share() - 2.0 / 3) < 1e-9);
}

TEST_CASE("percentiles are within an eighth of those of one who keeps every latency", "[history]") {
    std::mt19937_64 random{11};
    std::lognormal_distribution<double> spread{10.0, 1.2};  // about 22 ms
    for (const int pings : {1, 2, 60, 5000}) {
        RecentLatencies recent;
        std::vector<std::chrono::nanoseconds> all;
        for (int i = 0; i < pings; ++i) {
            const std::chrono::nanoseconds took{static_cast<std::int64_t>(std::clamp(spread(random), 300.0, 14e6) * 1000)};
            recent.add(took, k_begin + std::chrono::milliseconds{i});
            all.push_back(took);
        }
        std::sort(all.begin(), all.end());
        const auto exact = [&](std::size_t percent) { return all[(all.size() * percent + 99) / 100 - 1]; };
        const auto near = [](std::chrono::nanoseconds one, std::chrono::nanoseconds other) { return std::chrono::abs(one - other) * 8 <= other; };
        const Latencies read = recent.read(k_begin + 10s);
        CHECK(read.pings == static_cast<std::uint64_t>(pings));
        CHECK(near(read.p50, exact(50)));
        CHECK(near(read.p90, exact(90)));
        CHECK(near(read.p99, exact(99)));
        CHECK(std::chrono::abs(read.longest - all.back()) <= 1us);
        CHECK(read.p99 <= read.longest);
    }
}

TEST_CASE("latencies at the ends of the scale are not lost", "[history]") {
    RecentLatencies recent;
    recent.add(50us, k_begin);
    CHECK(recent.read(k_begin).p99 == 50us);
    recent.add(29s, k_begin);
    CHECK(recent.read(k_begin).p99 == 29s);
    CHECK(recent.read(k_begin).p50 < 300us);
    recent.add(-1ns, k_begin);
    recent.add(1000h, k_begin);
    CHECK(recent.read(k_begin).pings == 4);
}

TEST_CASE("latencies are forgotten after half an hour to an hour", "[history]") {
    RecentLatencies recent;
    const HistoryTime begin = HistoryTime{std::chrono::floor<std::chrono::minutes>(k_begin.time_since_epoch()) / 30min * 30min};
    recent.add(10ms, begin + 1min);
    CHECK(recent.read(begin + 59min).pings == 1);
    CHECK(recent.read(begin + 61min).pings == 0);
    recent.add(20ms, begin + 31min);
    CHECK(recent.read(begin + 40min).pings == 2);
    CHECK(recent.read(begin + 65min).pings == 1);
    recent.add(20ms, begin + 10h);
    CHECK(recent.read(begin + 10h).pings == 1);
    CHECK(recent.read(begin + 11h).pings == 0);
}

TEST_CASE("what is counted does not depend on how many buckets there are, nor on how much is in one", "[history]") {
    const HistoryTime begin = HistoryTime{std::chrono::floor<std::chrono::minutes>(k_begin.time_since_epoch()) / 30min * 30min};
    // Few latencies, more than are held inside, and more of one than fits 16 bits.
    for (const auto& [latencies, times] : {std::pair{3, 100}, std::pair{20, 100}, std::pair{2, 70'000}, std::pair{8, 50}, std::pair{9, 50}}) {
        RecentLatencies recent;
        const auto add = [&](HistoryTime when) {
            for (int i = 0; i < latencies; ++i)
                for (int n = 0; n < times; ++n) recent.add(std::chrono::microseconds{300 << (i / 2)} * (i % 2 + 2) / 2, when);
        };
        const auto all = static_cast<std::uint64_t>(latencies) * static_cast<std::uint64_t>(times);
        add(begin + 1min);
        CHECK(recent.read(begin + 1min).pings == all);
        add(begin + 31min);
        CHECK(recent.read(begin + 31min).pings == 2 * all);
        add(begin + 61min);
        CHECK(recent.read(begin + 61min).pings == 2 * all);
        recent.add(1ms, begin + 91min);
        CHECK(recent.read(begin + 91min).pings == all + 1);
        recent.add(1ms, begin + 3h);
        CHECK(recent.read(begin + 3h).pings == 1);
        CHECK(recent.read(begin + 3h).longest == 1ms);
    }
}

TEST_CASE("the latest pings are there in their order", "[history]") {
    History history{k_begin};
    std::vector<PingOutcome> all;
    for (int i = 0; i < 200; ++i) {
        const auto outcome = static_cast<PingOutcome>(i * i % 7 % 3);
        history.pinged(outcome, 1ms, k_begin);
        all.push_back(outcome);
        const auto from = all.size() > History::k_pings ? all.end() - History::k_pings : all.begin();
        CHECK(history.read(k_begin).pings == std::vector<PingOutcome>{from, all.end()});
    }
}

TEST_CASE("the latest outages are kept, with texts of a bounded length, and all are counted", "[history]") {
    History history{k_begin};
    std::chrono::system_clock::time_point when{k_begin};
    for (int i = 0; i < 40; ++i) {
        history.went_down(outage(when, "number " + std::to_string(i) + std::string(5000, 'x')));
        history.came_back(when += 1s);
        when += 1min;
    }
    history.went_down(outage(when, "the last"));
    history.regrouped(17, OutageKind::proxy, "gate:1");
    ConnectionHistory read = history.read(k_begin);
    CHECK(read.downs == 41);
    REQUIRE(read.outages.size() == History::k_outages);
    CHECK(read.outages.front().error.starts_with("number 25"));
    CHECK(read.outages.front().error.size() <= History::k_text + std::string_view{"…"}.size());
    CHECK(read.outages.front().ended - read.outages.front().began == 1s);
    CHECK(read.outages.back().error == "the last");
    CHECK(read.outages.back().ended == std::chrono::system_clock::time_point{});
    CHECK(read.outages.back().cause == "gate:1");

    const History again{read, history.keep(k_begin), k_begin + 1min};
    CHECK(again.read(k_begin + 1min).downs == 41);
    CHECK(again.read(k_begin + 1min).outages.size() == History::k_outages);
    CHECK(again.read(k_begin + 1min).since == read.since);
}

TEST_CASE("what never failed takes no more than 256 bytes, and what a file says of another time does no harm", "[history]") {
    CHECK(sizeof(History) <= 256);
    UpTime::Kept kept;
    kept.began = HistoryTime{std::chrono::milliseconds{-5}};
    kept.ended = k_begin + 100h;
    kept.total = {1h, 1h};  // what is from before the calendar began is left out
    kept.parts = {-1, 5, 5, 1'000'000'000'000, 1, 1, 5'666'667, 70'000, 3, 5'666'667, -1, 3, 1};
    kept.minutes = 7;
    const UpTime up_time{kept, k_begin};
    CHECK(up_time.sums(k_begin).total.up == 1h);
    CHECK(up_time.sums(k_begin).last_hour.up == 0ms);
    CHECK(up_time.sums(k_begin).last_day.down == 0ms);
}
