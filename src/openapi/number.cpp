// SPDX-License-Identifier: Apache-2.0
#include "openapi/number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/json.hpp"
#include "base/scalar_text.hpp"

namespace qconn::openapi {

namespace {

constexpr std::size_t k_longest_number = 10'000;
constexpr std::int64_t k_largest_exponent = 1'000'000;

__extension__ using Wide = unsigned __int128;

std::uint64_t times(std::uint64_t a, std::uint64_t b, std::uint64_t modulus) noexcept { return static_cast<std::uint64_t>(Wide{a} * b % modulus); }

std::uint64_t power_of_ten(std::int64_t exponent, std::uint64_t modulus) noexcept {
    std::uint64_t result = 1 % modulus;
    std::uint64_t base = 10 % modulus;
    for (; exponent > 0; exponent /= 2) {
        if (exponent % 2 != 0) result = times(result, base, modulus);
        base = times(base, base, modulus);
    }
    return result;
}

std::uint64_t remainder(std::string_view digits, std::uint64_t modulus) noexcept {
    std::uint64_t rest = 0;
    for (const char c : digits) rest = (times(rest, 10, modulus) + static_cast<std::uint64_t>(c - '0')) % modulus;
    return rest;
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
    if (text.size() > k_longest_number || !text::is_number(text)) return std::nullopt;
    Decimal number;
    if (text.front() == '-' || text.front() == '+') {
        number.negative = text.front() == '-';
        text.remove_prefix(1);
    }
    if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
        std::string_view power = text.substr(e + 1);
        if (power.front() == '+') power.remove_prefix(1);
        const auto [end, error] = std::from_chars(power.data(), power.data() + power.size(), number.exponent);
        if (error != std::errc{} || std::abs(number.exponent) > k_largest_exponent) return std::nullopt;
        text = text.substr(0, e);
    }
    const std::size_t point = std::min(text.find('.'), text.size());
    number.digits = text.substr(0, point);
    if (point < text.size()) {
        const std::string_view fraction = text.substr(point + 1);
        number.digits += fraction;
        number.exponent -= static_cast<std::int64_t>(fraction.size());
    }
    number.digits.erase(0, std::min(number.digits.find_first_not_of('0'), number.digits.size()));
    if (number.digits.empty()) return Decimal{};
    const std::size_t last = number.digits.find_last_not_of('0') + 1;
    number.exponent += static_cast<std::int64_t>(number.digits.size() - last);
    number.digits.resize(last);
    return number;
}

std::optional<Decimal> to_decimal(const Value& value) {
    switch (value.kind()) {
        case ValueKind::int64: return parse_decimal(std::to_string(value.as_int64()));
        case ValueKind::uint64: return parse_decimal(std::to_string(value.as_uint64()));
        case ValueKind::float64: return std::isfinite(value.as_double()) ? parse_decimal(text::double_text(value.as_double())) : std::nullopt;
        case ValueKind::decimal: return parse_decimal(value.as_string());
        default: return std::nullopt;
    }
}

std::string to_text(const Decimal& number) {
    constexpr std::int64_t k_written_out = 20;
    if (number.digits.empty()) return "0";
    std::string out = number.digits;
    const auto places = static_cast<std::int64_t>(out.size());
    if (number.exponent > k_written_out || number.exponent < -k_written_out) {
        out += "e" + std::to_string(number.exponent);
    } else if (number.exponent >= 0) {
        out.append(static_cast<std::size_t>(number.exponent), '0');
    } else {
        const std::int64_t whole = places + number.exponent;
        if (whole <= 0) out.insert(0, static_cast<std::size_t>(1 - whole), '0');
        out.insert(out.size() - static_cast<std::size_t>(-number.exponent), ".");
    }
    return number.negative ? "-" + out : out;
}

int compare(const Decimal& a, const Decimal& b) noexcept {
    const auto sign = [](const Decimal& n) { return n.digits.empty() ? 0 : n.negative ? -1 : 1; };
    if (sign(a) != sign(b)) return sign(a) < sign(b) ? -1 : 1;
    if (sign(a) == 0) return 0;
    const std::int64_t top_a = static_cast<std::int64_t>(a.digits.size()) + a.exponent;
    const std::int64_t top_b = static_cast<std::int64_t>(b.digits.size()) + b.exponent;
    const int size = top_a != top_b ? (top_a < top_b ? -1 : 1) : std::clamp(a.digits.compare(b.digits), -1, 1);
    return a.negative ? -size : size;
}

bool is_multiple(const Decimal& number, const Decimal& divisor) noexcept {
    if (number.digits.empty()) return true;
    std::uint64_t by = 0;
    std::from_chars(divisor.digits.data(), divisor.digits.data() + divisor.digits.size(), by);
    if (by == 0) return false;
    const std::int64_t shift = number.exponent - divisor.exponent;
    if (shift < 0) return false;  // ten would have to divide digits that do not end in zero
    return times(remainder(number.digits, by), power_of_ten(shift, by), by) == 0;
}

std::string canonical(const Value& value) {
    if (const auto number = to_decimal(value)) { return (number->negative ? "-" : "") + number->digits + "e" + std::to_string(number->exponent); }
    switch (value.kind()) {
        case ValueKind::null: return "null";
        case ValueKind::boolean: return value.as_bool() ? "true" : "false";
        case ValueKind::list: {
            std::string out = "[";
            for (const Value& item : value.as_list()) (out += canonical(item)) += ',';
            return out + "]";
        }
        case ValueKind::map: {
            std::vector<std::string> members;
            for (const auto& [key, member] : value.as_map()) members.push_back(std::to_string(key.size()) + ":" + key + "=" + canonical(member));
            std::sort(members.begin(), members.end());
            std::string out = "{";
            for (const std::string& member : members) (out += member) += ',';
            return out + "}";
        }
        case ValueKind::tagged: return canonical(value.untagged());
        default: {
            const std::string text = text::scalar(value).value_or("");
            return "\"" + std::to_string(text.size()) + ":" + text;
        }
    }
}

}  // namespace qconn::openapi
