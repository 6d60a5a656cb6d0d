// SPDX-License-Identifier: Apache-2.0
#include <qconn/amqp/amqp_value.hpp>

#include <openssl/rand.h>

#include <bit>
#include <charconv>
#include <limits>
#include <type_traits>
#include <utility>

#include <qconn/base/error.hpp>

#include "amqp/amqp_error.hpp"
#include "base/milliseconds.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace qconn {

namespace {

// In the order of AmqpType.
constexpr std::array<std::string_view, 25> k_type_names{
    "null",      "boolean",    "ubyte", "ushort",    "uint", "ulong",  "byte",   "short",  "int",  "long", "float", "double",   "decimal32",
    "decimal64", "decimal128", "char",  "timestamp", "uuid", "binary", "string", "symbol", "list", "map",  "array", "described"};

constinit const AmqpValue k_no_value;

[[noreturn]] void no_amqp_value(std::string_view what) {
    throw amqp::amqp_error(AmqpErrc::encode, std::string{what} + " has no form in AMQP: send it as a string, or as a number of 64 bits");
}

/// Bit by bit, so that what was decoded is itself.
template <class Float>
bool same_float(Float a, Float b) noexcept {
    using Bits = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;
    return a == b || std::bit_cast<Bits>(a) == std::bit_cast<Bits>(b);
}

template <class Octets>
std::string_view octets_of(const Octets& octets) noexcept {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

/// The tag of a described value: a name, or digits.
std::string tag_of(const AmqpValue& descriptor) {
    if (const auto text = descriptor.text()) return std::string{*text};
    if (const auto* const number = descriptor.get_if<std::uint64_t>()) return std::to_string(*number);
    return descriptor.to_json();
}

AmqpValue descriptor_of(std::string_view tag) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(tag.data(), tag.data() + tag.size(), number);
    if (error == std::errc{} && end == tag.data() + tag.size() && (tag.front() != '0' || tag.size() == 1)) return number;
    return AmqpSymbol{std::string{tag}};
}

Value list_value(const AmqpList& list) {
    List out;
    out.reserve(list.size());
    for (const AmqpValue& one : list) out.push_back(one.to_value());
    return out;
}

/// Lists of two where keys are no texts, or one is there twice.
Value pairs_value(const AmqpMap& map) {
    List pairs;
    pairs.reserve(map.size());
    for (const auto& [key, value] : map) pairs.emplace_back(List{key.to_value(), value.to_value()});
    return pairs;
}

Value map_value(const AmqpMap& map) {
    Map named;
    named.reserve(map.size());
    // All keys before any value, so that no value is made twice.
    for (const auto& [key, value] : map) {
        const auto name = key.text();
        if (!name || !named.insert(std::string{*name}, {})) return pairs_value(map);
    }
    auto at = map.begin();
    for (auto& [name, value] : named) value = at++->second.to_value();
    return named;
}

}  // namespace

std::string_view to_string(AmqpType type) noexcept { return k_type_names[static_cast<std::size_t>(type)]; }

// ---- uuid ----

std::optional<AmqpUuid> AmqpUuid::parse(std::string_view text) noexcept {
    AmqpUuid out;
    const bool hyphens = text.size() == 36;
    if (!hyphens && text.size() != 32) return std::nullopt;
    std::size_t at = 0;
    for (std::size_t i = 0; i < out.bytes.size(); ++i, at += 2) {
        if (hyphens && (i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return std::nullopt;
        const int high = text::hex_digit(text[at]);
        const int low = text::hex_digit(text[at + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return out;
}

AmqpUuid AmqpUuid::random() {
    AmqpUuid out;
    if (RAND_bytes(out.bytes.data(), static_cast<int>(out.bytes.size())) != 1) throw make_error(Errc::system, "OpenSSL has no random bytes");
    out.bytes[6] = static_cast<std::uint8_t>((out.bytes[6] & 0x0fU) | 0x40U);
    out.bytes[8] = static_cast<std::uint8_t>((out.bytes[8] & 0x3fU) | 0x80U);
    return out;
}

std::string AmqpUuid::text() const {
    std::string out = text::to_hex(octets_of(bytes));
    for (const std::size_t at : {8U, 13U, 18U, 23U}) out.insert(at, 1, '-');
    return out;
}

// ---- arrays, described values ----

bool operator==(const AmqpArray& a, const AmqpArray& b) { return a.element == b.element && a.elements == b.elements; }

AmqpDescribed::AmqpDescribed() = default;
AmqpDescribed::AmqpDescribed(AmqpValue descriptor, AmqpValue value)
    : both_{std::make_unique<std::pair<AmqpValue, AmqpValue>>(std::move(descriptor), std::move(value))} {}
AmqpDescribed::AmqpDescribed(const AmqpDescribed& other)
    : both_{other.both_ ? std::make_unique<std::pair<AmqpValue, AmqpValue>>(*other.both_) : nullptr} {}
AmqpDescribed::AmqpDescribed(AmqpDescribed&&) noexcept = default;
AmqpDescribed& AmqpDescribed::operator=(const AmqpDescribed& other) {
    AmqpDescribed copy{other};
    return *this = std::move(copy);
}
AmqpDescribed& AmqpDescribed::operator=(AmqpDescribed&&) noexcept = default;
AmqpDescribed::~AmqpDescribed() = default;
const AmqpValue& AmqpDescribed::descriptor() const noexcept { return both_ ? both_->first : k_no_value; }
const AmqpValue& AmqpDescribed::value() const noexcept { return both_ ? both_->second : k_no_value; }

bool operator==(const AmqpDescribed& a, const AmqpDescribed& b) { return a.descriptor() == b.descriptor() && a.value() == b.value(); }

// ---- values ----

std::optional<std::int64_t> AmqpValue::integer() const noexcept {
    return std::visit(
        [](const auto& held) -> std::optional<std::int64_t> {
            using Held = std::decay_t<decltype(held)>;
            if constexpr (std::is_integral_v<Held> && !std::is_same_v<Held, bool> && !std::is_same_v<Held, char32_t>)
                if (std::in_range<std::int64_t>(held)) return static_cast<std::int64_t>(held);
            return std::nullopt;
        },
        held_);
}

std::optional<std::string_view> AmqpValue::text() const noexcept {
    if (const auto* const text = get_if<std::string>()) return *text;
    if (const auto* const symbol = get_if<AmqpSymbol>()) return symbol->name;
    return std::nullopt;
}

const AmqpValue* AmqpValue::find(std::string_view key) const noexcept {
    if (const auto* const map = get_if<AmqpMap>())
        for (const auto& [name, value] : *map)
            if (name.text() == key) return &value;
    return nullptr;
}

bool operator==(const AmqpValue& a, const AmqpValue& b) {
    if (a.type() != b.type()) return false;
    if (const auto* const one = a.get_if<float>()) return same_float(*one, *b.get_if<float>());
    if (const auto* const one = a.get_if<double>()) return same_float(*one, *b.get_if<double>());
    return a.held_ == b.held_;
}

Value AmqpValue::to_value() const {
    return std::visit(
        [](const auto& held) -> Value {
            using Held = std::decay_t<decltype(held)>;
            if constexpr (std::is_same_v<Held, std::monostate>) {
                return {};
            } else if constexpr (std::is_same_v<Held, bool> || std::is_same_v<Held, std::string>) {
                return held;
            } else if constexpr (std::is_same_v<Held, char32_t>) {
                std::string text;
                // One that is no character cannot be sent, but made.
                if (held <= 0x10ffff && (held < 0xd800 || held > 0xdfff)) text::append_utf8(text, held);
                return text;
            } else if constexpr (std::is_floating_point_v<Held>) {
                return static_cast<double>(held);
            } else if constexpr (std::is_unsigned_v<Held>) {
                return static_cast<unsigned long long>(held);
            } else if constexpr (std::is_integral_v<Held>) {
                return static_cast<long long>(held);
            } else if constexpr (std::is_same_v<Held, AmqpTimestamp>) {
                return timestamp_of(held.milliseconds);
            } else if constexpr (std::is_same_v<Held, AmqpUuid>) {
                return held.text();
            } else if constexpr (std::is_same_v<Held, AmqpBinary>) {
                return Value::binary(held.bytes);
            } else if constexpr (std::is_same_v<Held, AmqpSymbol>) {
                return held.name;
            } else if constexpr (std::is_same_v<Held, AmqpList>) {
                return list_value(held);
            } else if constexpr (std::is_same_v<Held, AmqpMap>) {
                return map_value(held);
            } else if constexpr (std::is_same_v<Held, AmqpArray>) {
                return list_value(held.elements);
            } else if constexpr (std::is_same_v<Held, AmqpDescribed>) {
                return Value::tagged(tag_of(held.descriptor()), held.value().to_value());
            } else {
                return Value::binary(octets_of(held.bytes));
            }
        },
        held_);
}

AmqpValue AmqpValue::from_value(const Value& value) {
    switch (value.kind()) {
        case ValueKind::null: return {};
        case ValueKind::boolean: return value.as_bool();
        case ValueKind::int64: return value.as_int64();
        case ValueKind::uint64: return value.as_uint64();
        case ValueKind::float64: return value.as_double();
        case ValueKind::decimal: no_amqp_value("a decimal of arbitrary length");
        case ValueKind::string: return value.as_string();
        case ValueKind::binary: return AmqpBinary{std::string{value.as_bytes()}};
        case ValueKind::timestamp:
            if (!has_milliseconds(value.as_timestamp())) no_amqp_value("a point in time beyond 64 bits of milliseconds");
            return AmqpTimestamp{milliseconds_of(value.as_timestamp())};
        case ValueKind::duration: no_amqp_value("a duration");
        case ValueKind::list: {
            AmqpList list;
            list.reserve(value.size());
            for (const Value& one : value.as_list()) list.push_back(from_value(one));
            return list;
        }
        case ValueKind::map: {
            AmqpMap map;
            map.reserve(value.size());
            for (const auto& [key, one] : value.as_map()) map.emplace_back(key, from_value(one));
            return map;
        }
        case ValueKind::tagged: return AmqpDescribed{descriptor_of(value.tag()), from_value(value.untagged())};
    }
    return {};
}

}  // namespace qconn
