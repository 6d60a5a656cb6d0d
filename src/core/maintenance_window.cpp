// SPDX-License-Identifier: Apache-2.0
#include "core/maintenance_window.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace qconn::core {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr minutes k_day{24 * 60};
constexpr std::array<std::string_view, 7> k_days{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::uint8_t k_all_days = 0x7f;

Error not_a_window(std::string_view text, const std::string& why) {
    return make_error(Errc::parse, '"' + std::string{text} + "\" is no window of maintenance: " + why).with_reason(Reason::bad_value);
}

/// The text up to the separator, which goes too; all of it where there is none.
std::string_view take(std::string_view& text, std::string_view separators) {
    const std::size_t end = text.find_first_of(separators);
    const std::string_view part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    return part;
}

std::optional<unsigned> day_of(std::string_view name) {
    const auto found = std::find(k_days.begin(), k_days.end(), text::to_lower(name));
    return found == k_days.end() ? std::nullopt : std::optional{static_cast<unsigned>(found - k_days.begin())};
}

/// Bits of the days; zero where the text is none.
std::uint8_t days_of(std::string_view text) {
    if (text::to_lower(text) == "daily") return k_all_days;
    unsigned days = 0;
    if (text.empty() || text.back() == ',') return 0;
    while (!text.empty()) {
        std::string_view range = take(text, ",");
        const bool is_range = range.find('-') != std::string_view::npos;
        const auto first = day_of(take(range, "-"));
        const auto last = is_range ? day_of(range) : first;
        if (!first || !last) return 0;
        for (unsigned day = *first;; day = (day + 1) % 7) {
            days |= 1U << day;
            if (day == *last) break;
        }
    }
    return static_cast<std::uint8_t>(days);
}

/// `HH:MM`, up to 24:00.
std::optional<minutes> time_of_day(std::string_view text) {
    const auto digit = [&](std::size_t at) { return text[at] - '0'; };
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    for (const std::size_t at : {0U, 1U, 3U, 4U})
        if (digit(at) < 0 || digit(at) > 9) return std::nullopt;
    const minutes time{(digit(0) * 10 + digit(1)) * 60 + digit(3) * 10 + digit(4)};
    if (digit(3) > 5 || time > k_day) return std::nullopt;
    return time;
}

/// The instant at which the clocks of a zone show that time.
WallTime instant_of(WallTime local, ZoneOffset offset, bool is_end) {
    using std::chrono::hours;
    const auto before = offset(local - hours{26});  // as far apart as it takes to be on either side of a change, wherever the zone lies
    const auto after = offset(local + hours{26});
    const WallTime first = local - before;
    const WallTime second = local - after;
    const bool first_is = offset(first) == before;
    const bool second_is = offset(second) == after;
    if (first_is && second_is) return is_end ? std::max(first, second) : std::min(first, second);
    return second_is ? second : first;
}

}  // namespace

Result<MaintenanceWindow> parse_maintenance_window(std::string_view text) {
    std::string_view rest = text::trim(text);
    MaintenanceWindow window;
    window.days = days_of(take(rest, " \t"));
    if (window.days == 0) return not_a_window(text, "it must begin with \"daily\", a day as \"Sun\", or days as \"Mon-Fri\" or \"Mon,Wed\"");
    rest = text::trim(rest);
    std::string_view times = take(rest, " \t");
    const auto begin = time_of_day(take(times, "-"));
    const auto end = time_of_day(times);
    if (!begin || !end || *begin == k_day) return not_a_window(text, "its days must be followed by times as \"22:00-01:30\"");
    if (*begin == *end) return not_a_window(text, "it ends when it begins; a whole day is \"00:00-24:00\"");
    window.begin = *begin;
    window.end = *end > *begin ? *end : *end + k_day;
    rest = text::trim(rest);
    window.utc = text::to_lower(rest) == "utc";
    if (!rest.empty() && !window.utc) return not_a_window(text, "behind its times only \"UTC\" may stand");
    return window;
}

seconds local_offset(WallTime time) {
    const std::time_t seconds_since = std::chrono::system_clock::to_time_t(std::chrono::floor<seconds>(time));
    std::tm local{};
    ::localtime_r(&seconds_since, &local);
    return seconds{local.tm_gmtoff};
}

Occurrence next_occurrence(const MaintenanceWindow& window, WallTime now, ZoneOffset offset) {
    using std::chrono::days;
    if (window.utc) offset = [](WallTime) { return seconds{0}; };
    // One may have begun the day before. Of one day a week a change of clocks may leave out one.
    const auto today = std::chrono::floor<days>(now + offset(now));
    for (auto day = today - days{2};; day += days{1}) {
        if ((window.days & (1U << std::chrono::weekday{day}.c_encoding())) == 0) continue;
        const Occurrence one{instant_of(day + window.begin, offset, false), instant_of(day + window.end, offset, true)};
        if (one.from < one.until && now < one.until) return one;
    }
}

}  // namespace qconn::core
