// SPDX-License-Identifier: Apache-2.0
#include "base/scalar_text.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>

#include <qconn/base/error.hpp>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace qconn::detail {
QCONN_API std::string iso_text(const Value& value);  // declared for users in <qconn/json.hpp>, which needs nlohmann/json
}

namespace qconn::text {

namespace {

/// Reads from the front of a text.
struct Cursor {
    std::string_view rest;

    bool done() const noexcept { return rest.empty(); }
    char peek() const noexcept { return rest.empty() ? '\0' : rest.front(); }
    bool take(char c) noexcept {
        if (peek() != c || rest.empty()) return false;
        rest.remove_prefix(1);
        return true;
    }
    std::string_view digits() noexcept {
        std::size_t n = 0;
        while (n < rest.size() && is_digit(rest[n])) ++n;
        const std::string_view found = rest.substr(0, n);
        rest.remove_prefix(n);
        return found;
    }
    /// Exactly `least` to `most` digits.
    std::optional<int> number(std::size_t least, std::size_t most) noexcept {
        const std::string_view d = digits();
        if (d.size() < least || d.size() > most) return std::nullopt;
        int v = 0;
        for (const char c : d) v = v * 10 + (c - '0');
        return v;
    }
};

/// The parts of a number's text.
struct Digits {
    bool negative{false};
    bool integer{true};
    std::string_view whole;
    std::string_view fraction;
    std::string_view exponent;  // with sign
};

std::optional<Digits> split_number(std::string_view text) noexcept {
    Cursor in{text};
    Digits d;
    d.negative = in.take('-');
    if (!d.negative) in.take('+');
    d.whole = in.digits();
    if (in.take('.')) {
        d.integer = false;
        d.fraction = in.digits();
    }
    if (d.whole.empty() && d.fraction.empty()) return std::nullopt;
    if (in.peek() == 'e' || in.peek() == 'E') {
        d.integer = false;
        in.rest.remove_prefix(1);
        d.exponent = in.rest;
        if (!in.take('-')) in.take('+');
        if (in.digits().empty()) return std::nullopt;
    }
    if (!in.done()) return std::nullopt;
    return d;
}

std::string canonical(const Digits& d) {
    std::string out = d.negative ? "-" : "";
    std::string_view whole = d.whole;
    while (whole.size() > 1 && whole.front() == '0') whole.remove_prefix(1);
    out += whole.empty() ? "0" : whole;
    if (!d.fraction.empty()) out.append(".").append(d.fraction);
    if (!d.exponent.empty()) out.append("e").append(d.exponent.front() == '+' ? d.exponent.substr(1) : d.exponent);
    return out;
}

/// `scientific`: d.ddde+xx
bool same_digits(std::string_view scientific, std::string_view significant) {
    std::size_t i = 0;
    for (const char c : scientific.substr(0, scientific.find('e'))) {
        if (c == '.') continue;
        if (i >= significant.size() || significant[i++] != c) return false;
    }
    return i == significant.size();
}

/// Whether writing `v` gives these digits.
bool stands_for(double v, const Digits& d) {
    constexpr std::size_t k_always_exact = 15, k_tried = 40;
    if (d.exponent.empty() && d.whole.size() + d.fraction.size() <= k_always_exact) return true;
    std::string digits;
    digits.append(d.whole).append(d.fraction);
    const std::size_t first = digits.find_first_not_of('0');
    if (first == std::string::npos) return v == 0;
    const std::size_t last = digits.find_last_not_of('0');
    const std::string significant = digits.substr(first, last - first + 1);
    if (v == 0 || std::isinf(v) || significant.size() > k_tried) return false;
    if (significant.size() <= k_always_exact && std::abs(v) > 1e-290 && std::abs(v) < 1e290) return true;
    // Programs write doubles with a given number of digits, or with as few as it takes: the digits must be what one of the two gives.
    std::array<char, k_tried + 16> buffer{};
    char* const end = buffer.data() + buffer.size();
    const auto written = std::to_chars(buffer.data(), end, std::abs(v), std::chars_format::scientific, static_cast<int>(significant.size()) - 1);
    if (same_digits({buffer.data(), written.ptr}, significant)) return true;
    const auto shortest = std::to_chars(buffer.data(), end, std::abs(v), std::chars_format::scientific);
    return same_digits({buffer.data(), shortest.ptr}, significant);
}

/// Writes a double that is a number of up to three digits behind the point and 15 in all, such as a price: three times as fast as std::to_chars() for
/// it. That number then is the shortest that reads back as the same, as no two numbers of 15 digits are the same double.
/// @returns behind what was written, or nullptr for any other double and for whole numbers
char* short_fraction(char* out, double v) noexcept {
    constexpr double k_most = 1e12;
    const double size = std::abs(v);
    if (!(size < k_most) || size == std::trunc(size)) return nullptr;
    std::int64_t power = 1;
    for (int places = 1; places <= 3; ++places) {
        power *= 10;
        const auto scaled = static_cast<std::int64_t>(size * static_cast<double>(power) + 0.5);
        if (static_cast<double>(scaled) / static_cast<double>(power) != size) continue;
        if (std::signbit(v)) *out++ = '-';
        out = std::to_chars(out, out + 16, scaled / power).ptr;
        *out++ = '.';
        for (std::int64_t rest = scaled % power; power > 1; rest %= power) {
            power /= 10;
            *out++ = static_cast<char>('0' + rest / power);
        }
        return out;
    }
    return nullptr;
}

constexpr bool mul_add(std::int64_t& total, std::int64_t v, std::int64_t factor) noexcept {
    std::int64_t product = 0;
    return !__builtin_mul_overflow(v, factor, &product) && !__builtin_add_overflow(total, product, &total);
}

constexpr std::int64_t k_second = 1'000'000'000;

}  // namespace

bool is_number(std::string_view text) noexcept { return split_number(text).has_value(); }

Value number(std::string_view text) {
    const auto d = split_number(text);
    if (!d) return Value{text};
    const std::string_view plain = text.starts_with('+') ? text.substr(1) : text;
    if (d->integer) {
        std::int64_t i = 0;
        if (const auto r = std::from_chars(plain.data(), plain.data() + plain.size(), i); r.ec == std::errc{})
            return Value{static_cast<long long>(i)};
        std::uint64_t u = 0;
        if (!d->negative)
            if (const auto r = std::from_chars(plain.data(), plain.data() + plain.size(), u); r.ec == std::errc{})
                return Value{static_cast<unsigned long long>(u)};
        return Value::decimal(canonical(*d));
    }
    double v = 0;
    const auto r = std::from_chars(plain.data(), plain.data() + plain.size(), v);
    if (r.ec == std::errc{} && stands_for(v, *d)) return Value{v};
    return Value::decimal(canonical(*d));
}

std::string canonical_number(std::string_view text) {
    const auto d = split_number(text);
    return d ? canonical(*d) : std::string{text};
}

std::string double_text(double v) {
    std::array<char, 40> buffer{};
    char* const begin = buffer.data();
    if (char* const end = short_fraction(begin, v)) return {begin, end};
    const auto r = std::to_chars(begin, begin + buffer.size(), v);
    std::string out{begin, r.ptr};
    if (out.find_first_of(".e") == std::string::npos) out += ".0";
    return out;
}

std::optional<Timestamp> parse_timestamp(std::string_view text) noexcept {
    Cursor in{text};
    const auto year = in.number(4, 4);
    if (!year || !in.take('-')) return std::nullopt;
    const auto month = in.number(1, 2);
    if (!month || !in.take('-')) return std::nullopt;
    const auto day = in.number(1, 2);
    if (!day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    Timestamp t;
    t.seconds = std::chrono::sys_days{date}.time_since_epoch().count() * std::int64_t{86'400};
    t.has_zone = false;
    if (in.done()) return t;

    if (!in.take('T') && !in.take('t')) {
        if (in.peek() != ' ' && in.peek() != '\t') return std::nullopt;
        while (in.take(' ') || in.take('\t')) continue;
    }
    const auto hour = in.number(1, 2);
    if (!hour || !in.take(':')) return std::nullopt;
    const auto minute = in.number(2, 2);
    if (!minute || !in.take(':')) return std::nullopt;
    const auto second = in.number(2, 2);
    if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    t.seconds += *hour * 3600 + *minute * 60 + *second;
    if (in.take('.')) {
        const std::string_view fraction = in.digits();
        for (std::size_t i = 0; i < 9; ++i)
            t.nanoseconds = t.nanoseconds * 10 + (i < fraction.size() ? static_cast<std::uint32_t>(fraction[i] - '0') : 0U);
    }
    while (in.take(' ') || in.take('\t')) continue;
    if (in.done()) return t;

    t.has_zone = true;
    if (in.take('Z') || in.take('z')) return in.done() ? std::optional{t} : std::nullopt;
    const bool west = in.take('-');
    if (!west && !in.take('+')) return std::nullopt;
    const std::string_view digits = in.digits();
    if (digits.empty() || digits.size() == 3 || digits.size() > 4) return std::nullopt;
    int hours = 0, minutes = 0;
    for (const char c : digits.substr(0, 2)) hours = hours * 10 + (c - '0');
    for (const char c : digits.size() == 4 ? digits.substr(2) : std::string_view{}) minutes = minutes * 10 + (c - '0');
    if (digits.size() <= 2 && in.take(':')) {
        const auto m = in.number(2, 2);
        if (!m) return std::nullopt;
        minutes = *m;
    }
    if (!in.done() || hours > 23 || minutes > 59) return std::nullopt;
    t.zone_minutes = static_cast<std::int16_t>((hours * 60 + minutes) * (west ? -1 : 1));
    t.seconds -= std::int64_t{t.zone_minutes} * 60;
    return t;
}

std::string timestamp_text(const Timestamp& t, bool short_date) {
    constexpr std::int64_t k_year_0 = -62'167'219'200, k_year_10000 = 253'402'300'800;
    if (t.seconds < k_year_0 - 86'400 * 2 || t.seconds > k_year_10000 + 86'400 * 2) return {};
    const std::int64_t local = t.seconds + (t.has_zone ? std::int64_t{t.zone_minutes} * 60 : 0);
    if (local < k_year_0 || local >= k_year_10000) return {};
    const std::chrono::sys_seconds point{std::chrono::seconds{local}};
    const auto day = std::chrono::floor<std::chrono::days>(point);
    const std::chrono::year_month_day date{day};
    const auto rest = static_cast<int>((point - day).count());
    std::array<char, 80> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()));
    std::string out{buffer.data()};
    if (short_date && !t.has_zone && rest == 0 && t.nanoseconds == 0) return out;
    std::snprintf(buffer.data(), buffer.size(), "T%02d:%02d:%02d", rest / 3600, rest / 60 % 60, rest % 60);
    out += buffer.data();
    if (t.nanoseconds != 0) {
        std::snprintf(buffer.data(), buffer.size(), ".%09u", t.nanoseconds);
        out += buffer.data();
        while (out.back() == '0') out.pop_back();
    }
    if (t.has_zone && t.zone_minutes == 0) {
        out += 'Z';
    } else if (t.has_zone) {
        const int minutes = std::abs(int{t.zone_minutes});
        std::snprintf(buffer.data(), buffer.size(), "%c%02d:%02d", t.zone_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
        out += buffer.data();
    }
    return out;
}

std::optional<Duration> parse_duration(std::string_view text) noexcept {
    Cursor in{text};
    if (!in.take('P')) return std::nullopt;
    std::int64_t months = 0, days = 0, nanoseconds = 0;
    constexpr std::string_view k_date_units = "YMD", k_time_units = "HMSu";
    constexpr std::array<std::int64_t, 4> k_nanoseconds{3600 * k_second, 60 * k_second, k_second, 1000};
    std::string_view units = k_date_units;
    bool in_time = false, any = false;
    while (!in.done()) {
        if (!in_time && in.take('T')) {
            in_time = true;
            units = k_time_units;
            if (in.done()) return std::nullopt;
            continue;
        }
        const bool negative = in.take('-');
        const std::string_view digits = in.digits();
        std::int64_t v = 0;
        if (digits.empty() || std::from_chars(digits.data(), digits.data() + digits.size(), v).ec != std::errc{}) return std::nullopt;
        std::int64_t fraction = 0;
        bool has_fraction = false;
        if (in.take('.')) {
            const std::string_view f = in.digits();
            if (f.empty() || f.size() > 9) return std::nullopt;
            for (std::size_t i = 0; i < 9; ++i) fraction = fraction * 10 + (i < f.size() ? f[i] - '0' : 0);
            has_fraction = true;
        }
        if (negative) v = -v, fraction = -fraction;
        const std::size_t unit = in.done() ? std::string_view::npos : units.find(in.peek());
        if (unit == std::string_view::npos || (has_fraction && in.peek() != 'S')) return std::nullopt;
        in.rest.remove_prefix(1);
        units.remove_prefix(unit + 1);  // each unit once, in order
        const std::size_t place = (in_time ? k_time_units.size() : k_date_units.size()) - units.size() - 1;
        bool fits = true;
        if (in_time)
            fits = mul_add(nanoseconds, v, k_nanoseconds[place]) && mul_add(nanoseconds, fraction, 1);
        else if (place == 2)
            fits = mul_add(days, v, 1);
        else
            fits = mul_add(months, v, place == 0 ? 12 : 1);
        if (!fits) return std::nullopt;
        any = true;
    }
    constexpr auto k_low = std::numeric_limits<std::int32_t>::min(), k_high = std::numeric_limits<std::int32_t>::max();
    if (!any || months < k_low || months > k_high || days < k_low || days > k_high) return std::nullopt;
    return Duration{static_cast<std::int32_t>(months), static_cast<std::int32_t>(days), nanoseconds};
}

namespace {

/// `micros`: the form with a part for microseconds where there is nothing smaller.
std::string duration_parts(const Duration& d, bool micros) {
    std::string out{"P"};
    const auto part = [&out](std::int64_t v, char unit) {
        if (v != 0) out.append(std::to_string(v)).append(1, unit);
    };
    part(d.months / 12, 'Y');
    part(d.months % 12, 'M');
    part(d.days, 'D');
    if (d.nanoseconds != 0) {
        out += 'T';
        part(d.nanoseconds / (3600 * k_second), 'H');
        part(d.nanoseconds / (60 * k_second) % 60, 'M');
        const std::int64_t seconds = d.nanoseconds / k_second % 60, rest = d.nanoseconds % k_second;
        if (rest == 0 || (micros && rest % 1000 == 0)) {
            part(seconds, 'S');
            part(rest / 1000, 'u');
        } else {
            std::array<char, 40> buffer{};
            std::snprintf(buffer.data(), buffer.size(), "%s%lld.%09lld", d.nanoseconds < 0 ? "-" : "", static_cast<long long>(std::abs(seconds)),
                          static_cast<long long>(std::abs(rest)));
            out += buffer.data();
            while (out.back() == '0') out.pop_back();
            out += 'S';
        }
    }
    if (out.size() == 1) out += "0D";
    return out;
}

}  // namespace

std::string duration_text(const Duration& d) { return duration_parts(d, true); }
std::string iso_duration_text(const Duration& d) { return duration_parts(d, false); }

std::optional<std::string> scalar(const Value& value) {
    switch (value.kind()) {
        case ValueKind::null: return std::string{};
        case ValueKind::boolean: return std::string{value.as_bool() ? "true" : "false"};
        case ValueKind::int64: return std::to_string(value.as_int64());
        case ValueKind::uint64: return std::to_string(value.as_uint64());
        case ValueKind::float64: {
            const double d = value.as_double();
            if (std::isfinite(d)) return double_text(d);
            return std::string{std::isnan(d) ? "NaN" : d < 0 ? "-INF" : "INF"};
        }
        case ValueKind::decimal:
        case ValueKind::string: return std::string{value.as_string()};
        case ValueKind::binary: return base64::encode(value.as_bytes());
        case ValueKind::timestamp: {
            std::string text = timestamp_text(value.as_timestamp(), true);
            return text.empty() ? std::nullopt : std::optional{std::move(text)};
        }
        case ValueKind::duration: return iso_duration_text(value.as_duration());
        case ValueKind::tagged: return scalar(value.untagged());
        case ValueKind::list:
        case ValueKind::map: break;
    }
    return std::nullopt;
}

}  // namespace qconn::text

std::string qconn::detail::iso_text(const Value& value) {
    auto text = text::scalar(value);
    if (!text) throw make_error(Errc::serialize, "writing a value as text failed: a timestamp in it is not within the years 0 to 9999");
    return *std::move(text);
}
