// SPDX-License-Identifier: Apache-2.0
#include "eftl/message_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/base64.hpp"
#include "base/milliseconds.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "eftl/eftl_error.hpp"

namespace qconn::eftl {

namespace {

// Objects and arrays together: each message may be in an array.
constexpr std::size_t k_most_nesting = 2 * k_most_depth;

void put_double(json::TextBuffer& out, double d) {
    if (!std::isfinite(d)) return out.put(std::isnan(d) ? R"({"_d_":"NaN"})" : d < 0 ? R"({"_d_":"-Infinity"})" : R"({"_d_":"Infinity"})");
    out.put(R"({"_d_":)");
    out.put(text::double_text(d));  // TIBCO's Python library takes no double that is spelt as an integer
    out.put('}');
}

void put_opaque(json::TextBuffer& out, std::string_view bytes) {
    out.put(R"({"_o_":")");
    char* const begin = out.room((bytes.size() + 2) / 3 * 4 + 2);
    char* end = base64::encode(bytes, begin);
    *end++ = '"';
    *end++ = '}';
    out.wrote(end);
}

void put_value(json::TextBuffer& out, const Value& v) {
    switch (v.kind()) {
        case ValueKind::string: return json::put_quoted(out, v.as_string());
        case ValueKind::int64: return json::put_integer(out, v.as_int64());
        case ValueKind::float64: return put_double(out, v.as_double());
        case ValueKind::timestamp:
            out.put(R"({"_m_":)");
            json::put_integer(out, milliseconds_of(v.as_timestamp()));
            return out.put('}');
        case ValueKind::binary: return put_opaque(out, v.as_bytes());
        case ValueKind::map: return put_message(out, v.as_map());
        case ValueKind::list: {
            out.put('[');
            bool first = true;
            for (const Value& one : v.as_list()) {
                if (!std::exchange(first, false)) out.put(',');
                put_value(out, one);
            }
            return out.put(']');
        }
        default: return out.put("null");  // EftlMessage lets no other in
    }
}

/// In whatever spelling: JavaScript's, Go's, .NET's.
std::optional<double> double_of(std::string_view text) {
    std::string_view rest = text;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    if (text::iequals(rest, "nan")) return std::numeric_limits<double>::quiet_NaN();
    if (text::iequals(rest, "infinity") || text::iequals(rest, "inf"))
        return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    double d = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), d);
    if (end != rest.data() + rest.size() || rest.empty() || rest.front() == '-') return std::nullopt;
    if (error == std::errc::result_out_of_range) d = std::strtod(std::string{rest}.c_str(), nullptr);  // infinite, or next to nothing
    return negative ? -d : d;
}

/// The whole part, where 64 bits hold it.
std::optional<std::int64_t> long_of(std::string_view text) {
    std::int64_t i = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), i);
    if (error == std::errc{} && end == text.data() + text.size()) return i;
    const std::optional<double> d = double_of(text);
    constexpr double k_limit = 9223372036854775808.0;
    if (!d || !(*d >= -k_limit && *d < k_limit)) return std::nullopt;
    return static_cast<std::int64_t>(*d);
}

}  // namespace

void put_message(json::TextBuffer& out, const Map& fields) {
    out.put('{');
    bool first = true;
    for (const auto& [name, value] : fields) {
        if (!std::exchange(first, false)) out.put(',');
        json::put_quoted(out, name);
        out.put(':');
        put_value(out, value);
    }
    out.put('}');
}

bool MessageScanner::count() {
    if (++values_ <= k_most_values) return true;
    error_ = make_error(Errc::limit, "the message holds more than " + std::to_string(k_most_values) + " values");
    return false;
}

Map MessageScanner::fields(std::size_t depth) {
    Map out;
    wrapped_ = false;
    if (depth > k_most_nesting) return fail_depth(k_most_nesting), out;
    if (!take('{')) return unexpected(), out;
    blanks();
    if (take('}')) return out;
    out.reserve(4);
    bool special_one = false;
    Value kept;
    do {
        blanks();
        if (peek() != '"') return unexpected(), out;
        const std::string_view name = string();
        if (error_) return out;
        const char letter = name.size() == 3 && name[0] == '_' && name[2] == '_' ? name[1] : '\0';
        const bool wraps = depth > 1 && (letter == 'd' || letter == 'm' || letter == 'o');
        const bool drops = name.empty() || name.starts_with("_eftl:");
        // Made before the value is read: the view of the name goes with the next string. Of two members of one name the last one counts.
        Value* member = nullptr;
        if (!wraps && !drops) member = out.insert(std::string{name}, {}) ? &std::prev(out.end())->second : out.find(name);
        blanks();
        if (!take(':')) return unexpected(), out;
        blanks();
        if (wraps) {
            kept = special(letter, depth);
            special_one = true;
        } else if (drops) {
            skip(k_most_nesting - std::min(depth, k_most_nesting));
        } else {
            if (!count()) return out;
            *member = value(depth);
        }
        if (error_) return out;
        blanks();
    } while (take(','));
    if (!take('}')) return unexpected(), out;
    // What is null is no field.
    bool nulls = false;
    for (const auto& [name, value] : out) nulls = nulls || value.is_null();
    if (nulls) {
        Map cleaned;
        for (auto& [name, value] : out)
            if (!value.is_null()) cleaned.insert(name, std::move(value));
        out = std::move(cleaned);
    }
    wrapped_ = special_one;
    unwrapped_ = std::move(kept);
    return out;
}

Value MessageScanner::value(std::size_t depth) {
    switch (peek()) {
        case '"': return Value{string()};
        case '{': {
            Map inner = fields(depth + 1);
            if (std::exchange(wrapped_, false)) return std::move(unwrapped_);
            return Value{std::move(inner)};
        }
        case '[': return array(depth + 1);
        case 't': return word("true"), Value{1};
        case 'f': return word("false"), Value{0};
        case 'n': return word("null"), Value{};
        default: return number_value();
    }
}

Value MessageScanner::array(std::size_t depth) {
    if (depth > k_most_nesting) return fail_depth(k_most_nesting), Value{};
    take('[');
    Value v{List{}};
    List& list = v.as_list();
    blanks();
    if (take(']')) return v;
    do {
        blanks();
        if (!count()) return {};
        Value one = value(depth);
        if (error_) return {};
        if (!one.is_null()) list.push_back(std::move(one));
        blanks();
    } while (take(','));
    if (!take(']')) unexpected();
    return v;
}

Value MessageScanner::number_value() {
    const Number n = number();
    if (error_) return {};
    if (n.small) return Value{static_cast<long long>(n.value)};
    // A bare number is a long, with whatever precision it is written; one that no long holds is kept as well as can be.
    if (const auto whole = long_of(n.text)) return Value{static_cast<long long>(*whole)};
    if (const auto d = double_of(n.text)) return Value{*d};
    return {};
}

Value MessageScanner::special(char letter, std::size_t depth) {
    if (peek() == '"') {
        const std::string_view text = string();
        if (error_) return {};
        if (letter == 'o') {
            if (auto bytes = base64::decode(text)) return Value::binary(*bytes);
        } else if (letter == 'd') {
            if (const auto d = double_of(text)) return Value{*d};
        } else if (const auto ms = long_of(text)) {
            return Value{timestamp_of(*ms)};
        }
        return {};
    }
    if (letter != 'o' && (peek() == '-' || text::is_digit(peek()))) {
        const Number n = number();
        if (error_) return {};
        if (letter == 'd') {
            if (const auto d = double_of(n.text)) return Value{*d};
        } else if (const auto ms = n.small ? std::optional{n.value} : long_of(n.text)) {
            return Value{timestamp_of(*ms)};
        }
        return {};
    }
    skip(k_most_nesting - std::min(depth, k_most_nesting));
    return {};
}

}  // namespace qconn::eftl
