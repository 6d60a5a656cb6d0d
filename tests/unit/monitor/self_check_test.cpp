// SPDX-License-Identifier: Apache-2.0
#include "monitor/self_check.hpp"

#include <string>
#include <vector>

#include "monitor/mass_check.hpp"
#include "play.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::monitor;
using qconn::test::Play;
using namespace std::chrono_literals;

namespace {

const Clock::time_point k_begin{1'000'000s};
const Error k_no_descriptors = make_error(Errc::system, "opening a socket failed: Too many open files").with_reason(Reason::local);

/// Turns until then, each when it is asked for.
void run_until(Play& play, Clock::time_point end) {
    while (true) {
        const auto wake = play.engine.wake();
        if (!wake || *wake > end) break;
        if (*wake > play.now.mono) play.pass(*wake - play.now.mono);
        play.engine.advance(play.now, {}, play.turn);
    }
    play.pass(end - play.now.mono);
}

}  // namespace

TEST_CASE("trouble of the monitor's own is told once, and that it is over a minute after its last sign", "[monitor]") {
    SelfCheck check{1s};
    check.came(900ms, false, k_begin);
    CHECK_FALSE(check.change(k_begin));
    CHECK_FALSE(check.next());

    check.could_not(k_no_descriptors, k_begin);
    const auto raised = check.change(k_begin);
    REQUIRE(raised);
    CHECK(raised->degraded);
    CHECK(raised->why.find("Too many open files") != std::string::npos);
    CHECK(check.read().degraded);
    CHECK_FALSE(check.change(k_begin));

    check.came(2s, true, k_begin + 50s);
    CHECK_FALSE(check.change(k_begin + 50s));
    CHECK(check.next() == k_begin + 110s);
    CHECK_FALSE(check.change(k_begin + 109s));
    const auto cleared = check.change(k_begin + 110s);
    REQUIRE(cleared);
    CHECK_FALSE(cleared->degraded);
    CHECK_FALSE(check.read().degraded);
    CHECK_FALSE(check.next());
    CHECK(check.read().stalls == 1);
    CHECK(check.read().local_faults == 1);
}

TEST_CASE("the worst lag is that of the last minute", "[monitor]") {
    SelfCheck check{10s};
    check.came(8ms, false, k_begin);
    check.came(700ms, false, k_begin + 1s);
    check.came(3ms, false, k_begin + 30s);
    CHECK(check.read().worst_lag == 700ms);
    check.came(3ms, false, k_begin + 62s);
    CHECK(check.read().worst_lag == 3ms);
}

TEST_CASE("pings that lack something on this machine raise MONITOR-DEGRADED, not an outage", "[monitor]") {
    Play play;
    const TargetId id = play.add("shop");
    play.ping(id, Play::good());
    play.told();
    for (int i = 0; i < 3; ++i) play.ping(id, Play::doubtful());
    play.engine.advance(play.now, {}, play.turn);
    CHECK(play.told() == "alert:the monitor:MONITOR-DEGRADED");
    CHECK(play.status(id).state == ConnectionState::up);
    CHECK(play.engine.health().degraded);
    REQUIRE(play.alerts.list().size() == 1);
    CHECK(play.alerts.list()[0].text.find("it said no") != std::string::npos);

    play.engine.remove(id, play.now);
    play.told();
    run_until(play, play.now.mono + 59s);
    CHECK(play.told().empty());
    run_until(play, play.now.mono + 2s);
    CHECK(play.told() == "alert-cleared:the monitor:MONITOR-DEGRADED");
    CHECK(play.alerts.list().empty());
}

TEST_CASE("trouble of the monitor's own is told whatever connections are silenced", "[monitor][silence]") {
    Play play;
    const TargetId id = play.add("shop");
    const Silence mute{Silence::Kind::mute, play.now.wall, {}, "ann", "new disks"};
    play.engine.set_silence(id, mute, play.now);
    play.told();
    play.ping(id, Play::doubtful());
    play.engine.advance(play.now, {}, play.turn);
    REQUIRE(play.events.size() == 1);
    CHECK_FALSE(play.events[0].silenced);
    CHECK(play.told() == "alert:the monitor:MONITOR-DEGRADED");
    play.engine.set_silence(id, std::nullopt, play.now);
    play.engine.set_silence(id, mute, play.now);
    CHECK(play.told() == "unsilenced:shop silenced:shop");
    play.engine.flush();
    REQUIRE(play.alerts.list().size() == 1);
    CHECK_FALSE(play.alerts.list()[0].silenced);
}

TEST_CASE("where nearly all fail together this machine is looked at first", "[monitor]") {
    MassCheck mass;
    std::vector<std::uint32_t> marks(40);
    for (std::size_t i = 0; i < 19; ++i) mass.failed(marks[i], i % 7);
    CHECK(mass.of(19) == 0);  // too few
    mass.failed(marks[0], 0);
    CHECK(mass.of(19) == 0);  // the same once more
    mass.failed(marks[19], 0);
    CHECK(mass.of(39) == 20);
    CHECK(mass.of(40) == 0);  // half of them
    mass.succeeded();
    CHECK(mass.of(1) == 0);
    for (std::size_t i = 0; i < 40; ++i) mass.failed(marks[i], i % 4);
    CHECK(mass.of(40) == 0);  // few hosts: rather theirs
    mass.failed(marks[1], 9);
    CHECK(mass.of(40) == 0);  // it has been counted with another host

    Play play;
    for (int i = 0; i < 20; ++i) {
        Engine::Facts facts;
        facts.host = static_cast<std::uint64_t>(i + 1);
        play.add("c" + std::to_string(i), facts);
    }
    const auto end = [&](TargetId id, const PingResult& result) {
        play.engine.take(id, play.now);
        play.engine.outcome(id, result, play.now);
    };
    for (TargetId id = 0; id < 19; ++id) end(id, Play::bad());
    play.engine.advance(play.now, {}, play.turn);
    CHECK_FALSE(play.engine.health().degraded);
    end(19, Play::bad());
    play.engine.advance(play.now, {}, play.turn);
    CHECK(play.engine.health().degraded);
    CHECK(play.alerts.list().back().text.find("20 of 20 connections") == 0);
    end(3, Play::good());
    run_until(play, play.now.mono + 61s);
    CHECK_FALSE(play.engine.health().degraded);
}

TEST_CASE("a monitor that comes too late says how late", "[monitor]") {
    MonitorOptions options{10s, 4s};
    Play play{options};
    play.add("shop");
    run_until(play, play.now.mono + 15s);
    for (const TargetId id : play.turn.starts) play.engine.outcome(id, Play::good(), play.now);
    play.told();
    play.pass(20s);
    play.engine.advance(play.now, 20s, play.turn);
    CHECK(play.told() == "alert:the monitor:MONITOR-DEGRADED");
    CHECK(play.alerts.list().at(0).text.find("did not run for 20.0 s") != std::string::npos);
    CHECK(play.engine.health().worst_lag == 20s);
    CHECK(play.engine.health().stalls == 1);
}

TEST_CASE("pings that begin late for the caps are told of", "[monitor]") {
    MonitorOptions options{1000ms, 60s};
    options.max_in_flight = 1;
    Play play{options};
    const TargetId hangs = play.add("hangs");
    const TargetId waits = play.add("waits");
    run_until(play, play.now.mono + 10s);
    const TargetId flying = play.engine.schedule().in_flight(hangs) ? hangs : waits;
    REQUIRE(play.engine.schedule().in_flight(flying));
    play.engine.outcome(flying, Play::good(), play.now);
    play.engine.advance(play.now, {}, play.turn);
    REQUIRE(play.turn.starts.size() == 1);
    CHECK(play.engine.health().worst_lag > 7s);
    CHECK(play.engine.health().degraded);
    CHECK(play.alerts.list().at(0).text.find("max_in_flight") != std::string::npos);
}

TEST_CASE("a slow ping is named before it fails, once until one is quicker", "[monitor]") {
    MonitorOptions options{10s, 4s};
    options.slow = 1500ms;
    Play play{options};
    const TargetId id = play.add("shop");
    play.ping(id, Play::good());
    play.told();
    const auto hang = [&](Clock::duration time) {
        play.pass(1s);
        REQUIRE(play.engine.take(id, play.now));
        run_until(play, play.now.mono + time);
    };
    hang(1400ms);
    CHECK_FALSE(play.status(id).slow);
    run_until(play, play.now.mono + 200ms);
    CHECK(play.status(id).slow);
    REQUIRE(play.events.size() == 1);
    CHECK(play.events[0].error.find("1500 ms") != std::string::npos);
    CHECK(play.events[0].error.find("4000 ms") != std::string::npos);
    CHECK(play.told() == "slow:shop");
    PingResult late = Play::good();
    late.time = 1600ms;
    play.engine.outcome(id, late, play.now);
    CHECK(play.status(id).slow);

    hang(2s);
    CHECK(play.told().empty());
    play.engine.outcome(id, Play::good(), play.now);
    CHECK_FALSE(play.status(id).slow);

    hang(2s);
    CHECK(play.told() == "slow:shop");
    run_until(play, play.now.mono + 2100ms);
    CHECK(play.turn.expired == std::vector<TargetId>{id});
    play.engine.outcome(id, Play::bad(Reason::timeout), play.now);
    CHECK(play.status(id).slow);
    play.ping(id, Play::bad(Reason::timeout));
    CHECK_FALSE(play.status(id).slow);  // down says more
    CHECK(play.told() == "failing:shop down:shop alert:shop:USER-CONNECTION-UNAVAILABLE");
    hang(2s);
    CHECK(play.told().empty());
}

TEST_CASE("after a suspension all are pinged anew, spread, and it is told how long it was", "[monitor]") {
    MonitorOptions options{3600s, 500ms};
    Play play{options};
    std::vector<TargetId> ids;
    for (int i = 0; i < 50; ++i) ids.push_back(play.add("c" + std::to_string(i)));
    for (const TargetId id : ids) play.ping(id, Play::good());
    play.told();
    play.pass(1s);
    play.engine.slept(7200s, play.now);
    REQUIRE(play.events.size() == 1);
    CHECK(play.events[0].transient);
    CHECK(play.events[0].error.find("7200 s") != std::string::npos);
    CHECK(play.engine.health().suspends == 1);
    const auto end = play.now.mono + Schedule::k_spread + 100ms;
    std::size_t most = 0;
    std::size_t started = 0;
    while (play.engine.wake() && *play.engine.wake() <= end) {
        if (*play.engine.wake() > play.now.mono) play.pass(*play.engine.wake() - play.now.mono);
        play.engine.advance(play.now, {}, play.turn);
        most = std::max(most, play.turn.starts.size());
        started += play.turn.starts.size();
        const auto starts = play.turn.starts;
        for (const TargetId id : starts) play.engine.outcome(id, Play::good(), play.now);
    }
    CHECK(started == ids.size());
    CHECK(most < 10);
}

TEST_CASE("answers that come late or slowly are told of, once a minute for each connection", "[monitor]") {
    Play play;
    const TargetId id = play.add("shop");
    Engine::Facts deaf;
    deaf.rules.ignore_socket_warnings = true;
    const TargetId other = play.add("other", deaf);
    const auto told_of = [&](TargetId target, Transfer transfer) {
        play.engine.answered_slowly(target, transfer, play.now);
        return play.told();
    };
    CHECK(told_of(id, {.wait = 9s, .bytes = 20'480, .time = 1s}).empty());
    CHECK(told_of(id, {.wait = 0s, .bytes = 0, .time = 999ms}).empty());
    CHECK(told_of(other, {.wait = 20s, .bytes = 1, .time = 9s}).empty());
    CHECK(told_of(id, {.wait = 1s, .bytes = 20'479, .time = 1s}) == "alert:shop:SOCKET-THROUGHPUT-WARNING");
    CHECK(play.alerts.recent().back().text == "an answer of \"shop\" came with 20479 bytes in a second: 20479 bytes in 1000 ms; the limit is 20480");
    play.pass(59s);
    CHECK(told_of(id, {.wait = 10s, .bytes = 0, .time = 0s}).empty());
    play.pass(1s);
    CHECK(told_of(id, {.wait = 10s, .bytes = 0, .time = 0s}) == "alert:shop:SOCKET-OPERATION-WARNING");
    CHECK(play.alerts.list().empty());
}
