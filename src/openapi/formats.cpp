// SPDX-License-Identifier: Apache-2.0
#include "openapi/formats.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/base64.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "openapi/number.hpp"

namespace qconn::openapi {

namespace {

using text::is_alpha;
using text::is_digit;

bool all_of(std::string_view s, bool (*is)(char)) { return std::all_of(s.begin(), s.end(), is); }

/// The shape of `pattern`, in which 0 stands for a digit.
bool has_shape(std::string_view s, std::string_view pattern) noexcept {
    return s.size() == pattern.size() &&
           std::equal(s.begin(), s.end(), pattern.begin(), [](char c, char p) { return p == '0' ? is_digit(c) : text::lower(c) == text::lower(p); });
}

int number_at(std::string_view s, std::size_t at, std::size_t digits) noexcept {
    int n = 0;
    for (const char c : s.substr(at, digits)) n = n * 10 + (c - '0');
    return n;
}

/// RFC 3339, full-date.
bool is_date(std::string_view s) {
    if (!has_shape(s, "0000-00-00")) return false;
    const int year = number_at(s, 0, 4);
    const int month = number_at(s, 5, 2);
    const int day = number_at(s, 8, 2);
    constexpr std::array<int, 12> k_days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1) return false;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= k_days[static_cast<std::size_t>(month - 1)] + (leap && month == 2 ? 1 : 0);
}

/// RFC 3339, full-time.
bool is_time(std::string_view s) {
    if (s.size() < 9 || !has_shape(s.substr(0, 8), "00:00:00")) return false;
    if (number_at(s, 0, 2) > 23 || number_at(s, 3, 2) > 59 || number_at(s, 6, 2) > 60) return false;
    s.remove_prefix(8);
    if (s.front() == '.') {
        const std::size_t end = std::min(s.find_first_not_of("0123456789", 1), s.size());
        if (end < 2) return false;
        s.remove_prefix(end);
    }
    if (s == "Z" || s == "z") return true;
    return (has_shape(s, "+00:00") || has_shape(s, "-00:00")) && number_at(s, 1, 2) < 24 && number_at(s, 4, 2) < 60;
}

bool is_date_time(std::string_view s) { return s.size() > 11 && is_date(s.substr(0, 10)) && (s[10] == 'T' || s[10] == 't') && is_time(s.substr(11)); }

bool is_uuid(std::string_view s) {
    if (s.size() != 36) return false;
    for (std::size_t i = 0; i < s.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-' : text::hex_digit(s[i]) < 0) return false;
    }
    return true;
}

/// RFC 1123: labels of letters, digits and inner hyphens.
bool is_hostname(std::string_view s) {
    if (s.ends_with('.')) s.remove_suffix(1);
    if (s.empty() || s.size() > 253) return false;
    for (const std::string_view label : text::split(s, '.')) {
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        if (!all_of(label, [](char c) { return is_alpha(c) || is_digit(c) || c == '-'; })) return false;
    }
    return true;
}

bool is_ipv4(std::string_view s) {
    const auto parts = text::split(s, '.');
    return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view p) {
               return !p.empty() && p.size() <= 3 && all_of(p, is_digit) && (p.size() == 1 || p.front() != '0') && number_at(p, 0, 3) <= 255;
           });
}

bool is_ipv6(std::string_view s) {
    std::size_t groups = 0;
    const std::size_t gap = s.find("::");
    const auto count = [&groups](std::string_view half, bool last) {
        if (half.empty()) return true;
        const auto parts = text::split(half, ':');
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (last && i + 1 == parts.size() && parts[i].find('.') != std::string_view::npos) {
                groups += 2;
                return is_ipv4(parts[i]);
            }
            if (parts[i].empty() || parts[i].size() > 4 || !all_of(parts[i], [](char c) { return text::hex_digit(c) >= 0; })) return false;
            ++groups;
        }
        return true;
    };
    if (gap == std::string_view::npos) return count(s, true) && groups == 8;
    return count(s.substr(0, gap), false) && count(s.substr(gap + 2), true) && groups <= 7;
}

bool is_email(std::string_view s) {
    const std::size_t at = s.rfind('@');
    if (at == std::string_view::npos || at == 0 || at > 64) return false;
    const std::string_view local = s.substr(0, at);
    const std::string_view domain = s.substr(at + 1);
    if (local.size() > 2 && local.front() == '"' && local.back() == '"') return true;
    if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos) return false;
    const auto in_local = [](char c) {
        return is_alpha(c) || is_digit(c) || static_cast<unsigned char>(c) > 127 ||
               std::string_view{"!#$%&'*+-/=?^_`{|}~."}.find(c) != std::string_view::npos;
    };
    if (!all_of(local, in_local)) return false;
    if (domain.size() > 2 && domain.front() == '[' && domain.back() == ']') return true;
    return is_hostname(domain);
}

/// RFC 3986: a scheme, and no characters that a URI does not have.
bool is_uri(std::string_view s) {
    const std::size_t colon = s.find(':');
    if (colon == std::string_view::npos || colon == 0 || !is_alpha(s.front())) return false;
    if (!all_of(s.substr(0, colon), [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; })) return false;
    for (std::size_t i = colon + 1; i < s.size(); ++i) {
        if (s[i] == '%') {
            if (i + 2 >= s.size() || text::hex_digit(s[i + 1]) < 0 || text::hex_digit(s[i + 2]) < 0) return false;
        } else if (!is_alpha(s[i]) && !is_digit(s[i]) && std::string_view{"-._~:/?#[]@!$&'()*+,;="}.find(s[i]) == std::string_view::npos) {
            return false;
        }
    }
    return true;
}

bool is_base64(std::string_view s) {
    const std::size_t data = std::min(s.find('='), s.size());
    return s.size() % 4 == 0 && s.size() - data <= 2 && all_of(s.substr(data), [](char c) { return c == '='; }) &&
           all_of(s.substr(0, data), [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/'; });
}

template <class T>
bool fits(const Value& value) {
    const auto number = to_decimal(value);
    return number && number->is_integer() && compare(*number, *parse_decimal(std::to_string(std::numeric_limits<T>::min()))) >= 0 &&
           compare(*number, *parse_decimal(std::to_string(std::numeric_limits<T>::max()))) <= 0;
}

bool is_float(const Value& value) {
    const auto number = to_decimal(value);
    return number && static_cast<std::int64_t>(number->digits.size()) + number->exponent <= 39;
}

constexpr std::array<Format, 15> k_formats{{
    {"date", "a date such as 2026-05-01", is_date, nullptr},
    {"date-time", "a date and time such as 2026-05-01T12:00:00Z", is_date_time, nullptr},
    {"time", "a time such as 12:00:00Z", is_time, nullptr},
    {"uuid", "a UUID", is_uuid, nullptr},
    {"email", "an e-mail address", is_email, nullptr},
    {"uri", "a URI", is_uri, nullptr},
    {"url", "a URL", is_uri, nullptr},
    {"ipv4", "an IPv4 address", is_ipv4, nullptr},
    {"ipv6", "an IPv6 address", is_ipv6, nullptr},
    {"hostname", "a host name", is_hostname, nullptr},
    {"host-name", "a host name", is_hostname, nullptr},
    {"byte", "base64", is_base64, nullptr},
    {"int32", "an integer of 32 bits", nullptr, fits<std::int32_t>},
    {"int64", "an integer of 64 bits", nullptr, fits<std::int64_t>},
    {"float", "a number that a float holds", nullptr, is_float},
}};

}  // namespace

const Format* find_format(std::string_view name) noexcept {
    const auto* found = std::find_if(k_formats.begin(), k_formats.end(), [name](const Format& f) { return f.name == name; });
    return found == k_formats.end() ? nullptr : &*found;
}

}  // namespace qconn::openapi
