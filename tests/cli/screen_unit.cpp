// SPDX-License-Identifier: Apache-2.0
// The live screen of `qconn monitor`, and what is down by cause, without a terminal.
#include <algorithm>

#include "cli/causes.hpp"
#include "cli/screen.hpp"
#include "support/catch.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::cli;
using namespace std::chrono_literals;
using test::has;

namespace {

constexpr std::chrono::system_clock::time_point k_now{1'700'000'000s};  // 22:13:20 UTC

ConnectionStatus status(std::string name, ConnectionState state, std::uint64_t outage = 0) {
    ConnectionStatus one;
    one.name = std::move(name);
    one.state = state;
    one.since = k_now - 90s;
    one.latency = state == ConnectionState::up ? 2ms : 0ms;
    one.next = k_now + 4s;
    one.outage = outage;
    return one;
}

Outage outage(std::uint64_t id, OutageKind kind, std::string cause, Phase phase, Reason reason) {
    Outage one;
    one.id = id;
    one.kind = kind;
    one.cause = std::move(cause);
    one.phase = phase;
    one.reason = reason;
    one.error = "SOCKET-CONNECT-ERROR: in the words of the failure";
    one.since = k_now - 11min;
    return one;
}

/// 12 down for one host, one for a certificate; one failing, the rest up.
Scene estate(std::size_t up) {
    Scene scene;
    scene.now = k_now;
    scene.foot = "q ends";
    for (int i = 10; i < 22; ++i) scene.statuses.push_back(status("db-" + std::to_string(i), ConnectionState::down, 7));
    scene.statuses.push_back(status("shop", ConnectionState::down, 8));
    scene.statuses.push_back(status("wobbly", ConnectionState::failing));
    for (std::size_t i = 0; i < up; ++i) scene.statuses.push_back(status("up-" + std::to_string(i), ConnectionState::up));
    scene.outages.push_back(outage(8, OutageKind::certificate, "shop:443", Phase::tls, Reason::certificate_expired));
    scene.outages.push_back(outage(7, OutageKind::peer, "db1:5432", Phase::connect, Reason::refused));
    Event event;
    event.kind = EventKind::down;
    event.name = "shop";
    event.time = k_now - 1min;
    scene.latest.push_back(event);
    return scene;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) (text += line) += '\n';
    return text;
}

std::string drawn(const Scene& scene, std::size_t rows, std::size_t columns) { return joined(draw(scene, Output{}, {rows, columns})); }

}  // namespace

TEST_CASE("the screen shows what is down first, by cause, with why, since when, who, and what to do", "[cli][screen]") {
    const std::string text = drawn(estate(2), 40, 100);

    INFO(text);
    CHECK(text == R"(qconn monitor  16 connections: 13 down, 1 failing, 2 up  22:13:20Z

DOWN  CAUSE                        FOR     SINCE      NEXT PING  WHY
12    host db1:5432                11 min  22:02:20Z  in 4 s     connect, refused
       db-10, db-11, db-12, db-13, db-14, db-15, db-16, db-17, db-18, db-19, db-20 and db-21
       SOCKET-CONNECT-ERROR: in the words of the failure
       do: The host answers but nothing listens on this port: is the service started, is it bound to
1     the certificate of shop:443  11 min  22:02:20Z  in 4 s     tls, certificate-expired
       shop
       SOCKET-CONNECT-ERROR: in the words of the failure
       do: The server's certificate is out of its time: renew it there. If it looks valid, check the

NAME    STATE    FOR    LATENCY  NEXT PING  WHY
wobbly  failing  1 min  -        in 4 s
up-0    up       1 min  2.0 ms   in 4 s
up-1    up       1 min  2.0 ms   in 4 s

22:12:20Z  down  shop
q ends
)");
}

TEST_CASE("a small terminal shows the causes, and says what it leaves out", "[cli][screen]") {
    Scene scene = estate(485);
    for (std::uint64_t i = 0; i < 30; ++i) {
        scene.statuses.push_back(status("x-" + std::to_string(i), ConnectionState::down, 100 + i));
        scene.outages.push_back(outage(100 + i, OutageKind::peer, "x:" + std::to_string(i), Phase::connect, Reason::timeout));
    }
    const std::string text = drawn(scene, 24, 80);

    INFO(text);
    CHECK(has(text, "529 connections: 43 down, 1 failing, 485 up"));
    CHECK(has(text, "12    host db1:5432"));
    CHECK(has(text, "refused: db-10, db-1"));
    CHECK(has(text, " causes more, "));
    CHECK(has(text, "wobbly"));
    CHECK(has(text, "... and 484 more"));
    CHECK(text.ends_with("q ends\n"));
}

TEST_CASE("no size of the terminal is too small, and no line is wider than it", "[cli][screen]") {
    const Scene scene = estate(500);
    for (std::size_t rows = 0; rows < 60; ++rows) {
        for (const std::size_t columns : {1, 7, 20, 80, 200}) {
            CAPTURE(rows, columns);
            const auto lines = draw(scene, Output{}, {rows, columns});
            CHECK(lines.size() < std::max<std::size_t>(rows, 2));
            CHECK(std::all_of(lines.begin(), lines.end(), [&](const std::string& line) { return width(line) <= columns; }));
        }
    }
}

TEST_CASE("what peers and files say cannot steer the terminal from the screen", "[cli][screen]") {
    Scene scene = estate(0);
    scene.statuses.push_back(status("na\x1b[2Jme", ConnectionState::down, 7));
    scene.outages[1].error = "\x1b[31mred";
    scene.outages[1].cause = "ho\x07st";
    scene.latest[0].error = "\x1b]0;title\x07";

    CHECK_FALSE(has(drawn(scene, 40, 100), "\x1b"));
    CHECK_FALSE(has(drawn(scene, 40, 100), "\x07"));
    CHECK(has(drawn(scene, 40, 100), "\\x1b[31mred"));
}

TEST_CASE("a screen of nothing but good connections has the slowest first", "[cli][screen]") {
    Scene scene;
    scene.now = k_now;
    for (int i = 0; i < 50; ++i) scene.statuses.push_back(status("up-" + std::to_string(i), ConnectionState::up));
    scene.statuses[31].latency = 3s;
    scene.statuses[7].next = k_now - 1s;

    const std::string text = drawn(scene, 20, 80);

    INFO(text);
    CHECK_FALSE(has(text, "CAUSE"));
    CHECK(text.find("up-31") < text.find("up-0"));
    CHECK(has(text, "up-7   up     1 min  2.0 ms   now"));
    CHECK(has(text, "... and 35 more"));
}

TEST_CASE("a connection that is down is shown although its outage was read a moment too early", "[cli][screen]") {
    const auto groups = groups_of({outage(1, OutageKind::peer, "gone:1", Phase::connect, Reason::refused)},
                                  {status("late", ConnectionState::down, 9), status("fine", ConnectionState::up)});

    REQUIRE(groups.size() == 1);
    CHECK(fault_text(groups[0].outage) == "connection late");
    CHECK(groups[0].names == std::vector<std::string>{"late"});
}

TEST_CASE("what is down is told by cause in a few words", "[cli]") {
    Output out;
    Scene scene = estate(487);
    print_causes(out, groups_of(scene.outages, scene.statuses), {.total = scene.statuses.size(), .now = k_now});
    const std::string text{out.pending()};

    INFO(text);
    CHECK(text.starts_with(
        "13 of 501 are down:\n  12 for host db1:5432 (connect, refused) for 11 min: db-10, db-11, db-12 and 9 more\n     do: The host answers"));
    CHECK(has(text, "\n   1 for the certificate of shop:443 (tls, certificate-expired) for 11 min: shop\n     do: The server's certificate"));
    CHECK(fault_text(outage(1, OutageKind::resolver, "", Phase::resolve, Reason::resolver)) == "the name service of this machine");
    CHECK(names_text({"a", "b"}, 3) == "a and b");
    CHECK(names_within({"aaaa", "bbbb", "cccc"}, 16) == "aaaa and 2 more");
}

TEST_CASE("what is silenced stands behind what is not, and who sees to it is named", "[cli][screen]") {
    Scene scene = estate(0);
    for (ConnectionStatus& one : scene.statuses)
        if (one.outage == 7) one.silence = Silence{};
    Alert alert;
    alert.outage = 8;
    alert.acknowledged_by = "ann";
    scene.alerts.push_back(alert);

    const std::string text = drawn(scene, 40, 120);

    INFO(text);
    CHECK(text.find("shop:443") < text.find("db1:5432"));
    CHECK(has(text, "connect, refused; silenced\n"));
    CHECK(has(text, "tls, certificate-expired; seen to by ann\n"));
    scene.statuses[0].silence.reset();
    CHECK(has(drawn(scene, 40, 120), "connect, refused; 11 silenced\n"));
    CHECK(drawn(scene, 40, 120).find("shop:443") > drawn(scene, 40, 120).find("db1:5432"));
}
