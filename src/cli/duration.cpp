// SPDX-License-Identifier: Apache-2.0
#include "cli/duration.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <utility>

#include "cli/tool.hpp"

namespace qconn::cli {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
    static constexpr std::array<std::pair<std::string_view, double>, 6> k_units{
        {{"ms", 1}, {"s", 1e3}, {"", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 24 * 3600e3}}};
    constexpr double k_year = 366.0 * 24 * 3600e3;
    double number = 0;
    const auto [rest, ec] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (ec != std::errc{} || std::signbit(number) || !std::isfinite(number)) return std::nullopt;
    const std::string_view suffix{rest, static_cast<std::size_t>(text.data() + text.size() - rest)};
    for (const auto& [unit, factor] : k_units) {
        if (suffix != unit) continue;
        const double milliseconds = number * factor;
        if (milliseconds > k_year) return std::nullopt;
        // Not rounded to zero: zero has a meaning of its own ("none", "by default").
        if (milliseconds > 0 && milliseconds < 1) return std::chrono::milliseconds{1};
        return std::chrono::milliseconds{std::llround(milliseconds)};
    }
    return std::nullopt;
}

namespace {

/// Takes so many digits off the front, and the separator after them.
std::optional<int> take_number(std::string_view& text, std::size_t digits, std::string_view separators) {
    if (text.size() < digits) return std::nullopt;
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
    if (error != std::errc{} || end != text.data() + digits || number < 0) return std::nullopt;
    text.remove_prefix(digits);
    if (separators.empty()) return number;
    if (text.empty() || separators.find(text.front()) == std::string_view::npos) return std::nullopt;
    text.remove_prefix(1);
    return number;
}

struct TimeOfDay {
    int hour;
    int minute;
    int second;
};

/// "22:00", "22:00:30", "22:00:30.5".
std::optional<TimeOfDay> take_time(std::string_view& text) {
    const auto hour = take_number(text, 2, ":");
    const auto minute = hour ? take_number(text, 2, "") : std::nullopt;
    if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
    TimeOfDay time{*hour, *minute, 0};
    if (text.empty() || text.front() != ':') return time;
    text.remove_prefix(1);
    const auto second = take_number(text, 2, "");
    if (!second || *second > 59) return std::nullopt;
    time.second = *second;
    if (!text.empty() && text.front() == '.') text.remove_prefix(std::min(text.find_first_not_of("0123456789", 1), text.size()));
    return time;
}

/// "Z", "+02:00".
std::optional<std::chrono::minutes> zone_of(std::string_view text) {
    if (text == "Z" || text == "z") return std::chrono::minutes{0};
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
    const int sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    const auto hours = take_number(text, 2, ":");
    const auto minutes = hours ? take_number(text, 2, "") : std::nullopt;
    if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
    return sign * (std::chrono::hours{*hours} + std::chrono::minutes{*minutes});
}

std::optional<std::chrono::system_clock::time_point> next_time(TimeOfDay time, std::chrono::system_clock::time_point now) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    std::tm local{};
    if (::localtime_r(&seconds, &local) == nullptr) return std::nullopt;
    for (int days = 0; days < 2; ++days) {
        std::tm when = local;
        when.tm_mday += days;
        when.tm_hour = time.hour;
        when.tm_min = time.minute;
        when.tm_sec = time.second;
        when.tm_isdst = -1;
        const auto instant = std::chrono::system_clock::from_time_t(std::mktime(&when));
        if (instant > now) return instant;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::chrono::system_clock::time_point> parse_instant(std::string_view text, std::chrono::system_clock::time_point now) {
    std::string_view rest = text;
    if (const auto time = take_time(rest); time && rest.empty()) return next_time(*time, now);
    rest = text;
    const auto year = take_number(rest, 4, "-");
    const auto month = year ? take_number(rest, 2, "-") : std::nullopt;
    const auto day = month ? take_number(rest, 2, "Tt ") : std::nullopt;
    const auto time = day ? take_time(rest) : std::nullopt;
    const auto zone = time ? zone_of(rest) : std::nullopt;
    if (!zone) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{time->hour} + std::chrono::minutes{time->minute} + std::chrono::seconds{time->second} -
           *zone;
}

std::chrono::system_clock::time_point instant_option(std::string_view option, const std::string& text) {
    if (const auto instant = parse_instant(text, std::chrono::system_clock::now())) return *instant;
    throw UsageError(std::string{option} + ": '" + text +
                     "' is no instant; write 22:00 (the next time that it is so late here) or 2026-05-01T22:00:00Z");
}

std::chrono::milliseconds duration_option(std::string_view option, const std::string& text) {
    if (const auto time = parse_duration(text)) return *time;
    throw UsageError(std::string{option} + ": '" + text + "' is not a time; write 500ms, 30s, 5m, 1h or 2d, a bare number means seconds");
}

}  // namespace qconn::cli
