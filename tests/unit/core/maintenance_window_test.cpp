// SPDX-License-Identifier: Apache-2.0
#include "core/maintenance_window.hpp"

#include <cstdlib>
#include <ctime>
#include <string>

#include <qconn/base/wall_time.hpp>

#include "base/scalar_text.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::core;
using namespace std::chrono_literals;

namespace {

/// "2026-03-29T01:00Z"
WallTime at(std::string text) {
    text.insert(text.size() - 1, ":00");
    return WallTime{std::chrono::seconds{text::parse_timestamp(text).value().seconds}};
}

/// Central Europe in 2026: an hour ahead, two from 29 March 01:00 UTC to 25 October 01:00 UTC.
std::chrono::seconds berlin(WallTime time) {
    return at("2026-03-29T01:00Z") <= time && time < at("2026-10-25T01:00Z") ? std::chrono::seconds{2h} : std::chrono::seconds{1h};
}

/// "FROM UNTIL" as "2026-03-29T01:00Z".
std::string next(const std::string& window, const std::string& now, ZoneOffset offset = berlin) {
    const Occurrence one = next_occurrence(parse_maintenance_window(window).value(), at(now), offset);
    const auto text = [](WallTime time) { return rfc3339(time).substr(0, 16) + 'Z'; };
    return text(one.from) + ' ' + text(one.until);
}

std::string problem(const std::string& text) {
    const auto window = parse_maintenance_window(text);
    return window ? std::string{} : std::string{window.error().message()};
}

}  // namespace

TEST_CASE("a window is days and times, and UTC where that is said", "[maintenance]") {
    CHECK(parse_maintenance_window("Sun 02:00-04:00").value() == MaintenanceWindow{0b0000001, 120min, 240min, false});
    CHECK(parse_maintenance_window("Mon-Fri 22:00-01:00").value() == MaintenanceWindow{0b0111110, 22h, 25h, false});
    CHECK(parse_maintenance_window("daily 01:00-01:30 UTC").value() == MaintenanceWindow{0b1111111, 60min, 90min, true});
    CHECK(parse_maintenance_window(" fri-MON\t23:59-24:00  utc ").value() == MaintenanceWindow{0b1100011, 1439min, 1440min, true});
    CHECK(parse_maintenance_window("Mon,Wed-Thu 00:00-24:00").value() == MaintenanceWindow{0b0011010, 0min, 1440min, false});
    CHECK(parse_maintenance_window("Sat 10:00-09:59").value() == MaintenanceWindow{0b1000000, 600min, 2039min, false});
}

TEST_CASE("what is no window is said to be none, and why", "[maintenance]") {
    for (const char* text : {"", " ", "02:00-04:00", "Sunday 02:00-04:00", "Mon- 02:00-04:00", "Mon, 02:00-04:00", ",Mon 02:00-04:00",
                             "Mon-Tue-Wed 02:00-04:00", "every 02:00-04:00"})
        CHECK(problem(text).find("must begin with \"daily\"") != std::string::npos);
    for (const char* text : {"Sun", "Sun 2:00-4:00", "Sun 02:00", "Sun 02:00 - 04:00", "Sun 02:60-04:00", "Sun 24:00-01:00", "Sun 02:00-24:01",
                             "Sun 02:00-04:00-05:00", "Sun 0a:00-04:00", "Sun -2:00-04:00"})
        CHECK(problem(text).find("must be followed by times") != std::string::npos);
    CHECK(problem("Sun 02:00-02:00").find("a whole day is \"00:00-24:00\"") != std::string::npos);
    CHECK(problem("Sun 02:00-04:00 CET").find("only \"UTC\"") != std::string::npos);
}

TEST_CASE("a window is open from its beginning up to its end, and the next one follows", "[maintenance]") {
    // 2026-06-07 is a Sunday.
    CHECK(next("Sun 02:00-04:00 UTC", "2026-06-03T12:00Z") == "2026-06-07T02:00Z 2026-06-07T04:00Z");
    CHECK(next("Sun 02:00-04:00 UTC", "2026-06-07T02:00Z") == "2026-06-07T02:00Z 2026-06-07T04:00Z");
    CHECK(next("Sun 02:00-04:00 UTC", "2026-06-07T03:59Z") == "2026-06-07T02:00Z 2026-06-07T04:00Z");
    CHECK(next("Sun 02:00-04:00 UTC", "2026-06-07T04:00Z") == "2026-06-14T02:00Z 2026-06-14T04:00Z");
    CHECK(next("Sun 02:00-04:00", "2026-06-03T12:00Z") == "2026-06-07T00:00Z 2026-06-07T02:00Z");
    // Into the next day, which need not be among its own.
    CHECK(next("Fri 22:00-01:00", "2026-06-05T22:30Z") == "2026-06-05T20:00Z 2026-06-05T23:00Z");
    CHECK(next("Mon-Fri 22:00-01:00", "2026-06-05T23:00Z") == "2026-06-08T20:00Z 2026-06-08T23:00Z");
    CHECK(next("daily 00:00-24:00", "2026-06-05T21:59Z") == "2026-06-04T22:00Z 2026-06-05T22:00Z");
    CHECK(next("daily 00:00-24:00", "2026-06-05T22:00Z") == "2026-06-05T22:00Z 2026-06-06T22:00Z");
    CHECK(next("Sat 10:00-09:59 UTC", "2026-06-07T09:58Z") == "2026-06-06T10:00Z 2026-06-07T09:59Z");
}

TEST_CASE("a window over the hour that is left out in spring is as much shorter", "[maintenance]") {
    CHECK(next("Sun 01:30-04:00", "2026-03-28T12:00Z") == "2026-03-29T00:30Z 2026-03-29T02:00Z");
    // What is left out altogether comes as much later as the clocks are.
    CHECK(next("Sun 02:00-02:30", "2026-03-28T12:00Z") == "2026-03-29T01:00Z 2026-03-29T01:30Z");
    // It would begin at 03:30 and end at 03:10.
    CHECK(next("Sun 02:30-03:10", "2026-03-28T12:00Z") == "2026-04-05T00:30Z 2026-04-05T01:10Z");
}

TEST_CASE("a window over the hour that comes twice in autumn is as much longer", "[maintenance]") {
    CHECK(next("Sun 01:30-04:00", "2026-10-24T12:00Z") == "2026-10-24T23:30Z 2026-10-25T03:00Z");
    CHECK(next("Sun 02:00-02:30", "2026-10-24T12:00Z") == "2026-10-25T00:00Z 2026-10-25T01:30Z");
    CHECK(next("Sun 02:00-02:30 UTC", "2026-10-24T12:00Z") == "2026-10-25T02:00Z 2026-10-25T02:30Z");
}

TEST_CASE("at whatever time of three weeks one looks, a window is open when the clocks say so", "[maintenance]") {
    const std::string text =
        GENERATE(as<std::string>{}, "Sun 02:00-04:00", "Mon-Fri 22:00-01:00", "Sat,Tue 23:00-22:59", "daily 07:05-07:10", "Thu-Fri 00:00-24:00");
    const MaintenanceWindow window = parse_maintenance_window(text).value();
    std::size_t wrong = 0;
    for (WallTime now = at("2026-06-01T00:00Z"); now < at("2026-06-22T00:00Z"); now += 7min) {
        const WallTime local = now + berlin(now);
        bool expected = false;
        for (const auto back : {std::chrono::days{0}, std::chrono::days{1}}) {
            const auto day = std::chrono::floor<std::chrono::days>(local) - back;
            const bool begins = (window.days >> std::chrono::weekday{day}.c_encoding() & 1) != 0;
            expected = expected || (begins && window.begin <= local - day && local - day < window.end);
        }
        const Occurrence one = next_occurrence(window, now, berlin);
        if (one.is_open(now) != expected || one.until <= now) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("local time is that of the system's zone", "[maintenance]") {
    const char* before = std::getenv("TZ");
    const std::string kept = before ? before : "";
    ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    ::tzset();
    CHECK(local_offset(at("2026-03-29T00:59Z")) == 1h);
    CHECK(local_offset(at("2026-03-29T01:00Z")) == 2h);
    CHECK(next("Sun 01:30-04:00", "2026-03-28T12:00Z", local_offset) == "2026-03-29T00:30Z 2026-03-29T02:00Z");
    if (before)
        ::setenv("TZ", kept.c_str(), 1);
    else
        ::unsetenv("TZ");
    ::tzset();
}
