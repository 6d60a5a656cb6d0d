// SPDX-License-Identifier: Apache-2.0
/// The values of AMQP 1.0: every primitive type, lists, maps, arrays and described types.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/base/value.hpp>

namespace qconn {

/// In the order of the specification's section on primitive types (part 1, 1.6), with its names.
enum class AmqpType : std::uint8_t {
    null,
    boolean,
    ubyte,
    ushort_,
    uint_,
    ulong_,
    byte,
    short_,
    int_,
    long_,
    float_,
    double_,
    decimal32,
    decimal64,
    decimal128,
    char_,
    timestamp,
    uuid,
    binary,
    string,
    symbol,
    list,
    map,
    array,
    described,
};
/// The specification's name: "ubyte", "ushort", "symbol"; "described".
QCONN_API std::string_view to_string(AmqpType type) noexcept;

/// ASCII from a constrained domain: capabilities, content types, keys of annotations.
struct AmqpSymbol {
    std::string name;
    friend bool operator==(const AmqpSymbol&, const AmqpSymbol&) = default;
    friend auto operator<=>(const AmqpSymbol&, const AmqpSymbol&) = default;
};
/// Bytes.
struct AmqpBinary {
    std::string bytes;
    friend bool operator==(const AmqpBinary&, const AmqpBinary&) = default;
};
/// Milliseconds since 1970-01-01T00:00:00Z.
struct AmqpTimestamp {
    std::int64_t milliseconds{0};
    friend bool operator==(AmqpTimestamp, AmqpTimestamp) = default;
};
/// As in RFC 4122, most significant byte first.
struct QCONN_API AmqpUuid {
    std::array<std::uint8_t, 16> bytes{};
    /// With or without hyphens, in either case. Nothing where it is none.
    static std::optional<AmqpUuid> parse(std::string_view text) noexcept;
    /// A random one (version 4).
    static AmqpUuid random();
    /// "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
    std::string text() const;
    friend bool operator==(const AmqpUuid&, const AmqpUuid&) = default;
};
/// IEEE 754-2008 decimals, as the bytes of the wire (BID encoding, most significant byte first): nothing is computed with them here.
template <std::size_t Size>
struct AmqpDecimal {
    std::array<std::uint8_t, Size> bytes{};
    friend bool operator==(const AmqpDecimal&, const AmqpDecimal&) = default;
};
using AmqpDecimal32 = AmqpDecimal<4>;
using AmqpDecimal64 = AmqpDecimal<8>;
using AmqpDecimal128 = AmqpDecimal<16>;

class AmqpValue;

using AmqpList = std::vector<AmqpValue>;
/// In the order of the wire, which the specification makes part of a map's value.
using AmqpMap = std::vector<std::pair<AmqpValue, AmqpValue>>;

/// Elements of one type. For an array of a described type every element is an AmqpDescribed with the same descriptor; `element` is then described,
/// and an empty one keeps no descriptor.
struct AmqpArray {
    AmqpType element{AmqpType::null};
    AmqpList elements;  // without an initialiser, which would make one while AmqpValue is unknown
    friend QCONN_API bool operator==(const AmqpArray&, const AmqpArray&);
};
/// A value with a descriptor that says what it stands for; the descriptor is a symbol or a ulong, others are carried.
struct QCONN_API AmqpDescribed {
    AmqpDescribed();
    AmqpDescribed(AmqpValue descriptor, AmqpValue value);
    AmqpDescribed(const AmqpDescribed& other);
    AmqpDescribed(AmqpDescribed&&) noexcept;
    AmqpDescribed& operator=(const AmqpDescribed& other);
    AmqpDescribed& operator=(AmqpDescribed&&) noexcept;
    ~AmqpDescribed();
    const AmqpValue& descriptor() const noexcept;
    const AmqpValue& value() const noexcept;
    friend QCONN_API bool operator==(const AmqpDescribed&, const AmqpDescribed&);

private:
    std::unique_ptr<std::pair<AmqpValue, AmqpValue>> both_;
};

/// Limits of what comes from outside.
struct AmqpLimits {
    int depth{64};                                      ///< of lists, maps, arrays, described types in each other
    std::size_t elements{1'000'000};                    ///< of all of them together
    std::size_t size{std::size_t{1024} * 1024 * 1024};  ///< bytes of text in JSON
};

/// How AmqpValue::to_json writes.
struct AmqpJsonStyle {
    /// null, booleans and strings stand for themselves, without "type".
    bool abbreviated{true};
    /// Lines and two blanks a level, instead of one line.
    bool pretty{false};
};

/// A value type. Made from C++ types: each integer width is its own AMQP type, `bool` is boolean, `char32_t` char, texts are strings.
class QCONN_API AmqpValue {
public:
    /// null
    AmqpValue() noexcept = default;
    AmqpValue(std::nullptr_t) noexcept {}
    AmqpValue(bool v) noexcept : held_{v} {}
    AmqpValue(std::uint8_t v) noexcept : held_{v} {}
    AmqpValue(std::uint16_t v) noexcept : held_{v} {}
    AmqpValue(std::uint32_t v) noexcept : held_{v} {}
    AmqpValue(std::uint64_t v) noexcept : held_{v} {}
    AmqpValue(std::int8_t v) noexcept : held_{v} {}
    AmqpValue(std::int16_t v) noexcept : held_{v} {}
    AmqpValue(std::int32_t v) noexcept : held_{v} {}
    AmqpValue(std::int64_t v) noexcept : held_{v} {}
    AmqpValue(float v) noexcept : held_{v} {}
    AmqpValue(double v) noexcept : held_{v} {}
    AmqpValue(AmqpDecimal32 v) noexcept : held_{v} {}
    AmqpValue(AmqpDecimal64 v) noexcept : held_{v} {}
    AmqpValue(AmqpDecimal128 v) noexcept : held_{v} {}
    AmqpValue(char32_t v) noexcept : held_{v} {}
    AmqpValue(AmqpTimestamp v) noexcept : held_{v} {}
    AmqpValue(AmqpUuid v) noexcept : held_{v} {}
    AmqpValue(AmqpBinary v) noexcept : held_{std::move(v)} {}
    AmqpValue(std::string v) noexcept : held_{std::move(v)} {}
    AmqpValue(std::string_view v) : held_{std::string{v}} {}
    AmqpValue(const char* v) : held_{std::string{v}} {}
    AmqpValue(AmqpSymbol v) noexcept : held_{std::move(v)} {}
    AmqpValue(AmqpList v) noexcept : held_{std::move(v)} {}
    AmqpValue(AmqpMap v) noexcept : held_{std::move(v)} {}
    AmqpValue(AmqpArray v) noexcept : held_{std::move(v)} {}
    AmqpValue(AmqpDescribed v) noexcept : held_{std::move(v)} {}

    AmqpType type() const noexcept { return static_cast<AmqpType>(held_.index()); }
    bool is_null() const noexcept { return held_.index() == 0; }
    /// What it holds, where that is of this C++ type; else null.
    template <class T>
    const T* get_if() const noexcept {
        return std::get_if<T>(&held_);
    }
    template <class T>
    T* get_if() noexcept {
        return std::get_if<T>(&held_);
    }

    /// Any integer type that holds it, char and timestamp not. Nothing where it is no integer or out of range.
    std::optional<std::int64_t> integer() const noexcept;
    /// Of strings and symbols; nothing for others.
    std::optional<std::string_view> text() const noexcept;
    /// The entry of a map whose key is that string or symbol; null where there is none, or this is no map.
    const AmqpValue* find(std::string_view key) const noexcept;

    /// Type by type and in order: 1 (int) is not 1 (long), a string not a symbol; NaN equals a NaN of the same bits.
    friend QCONN_API bool operator==(const AmqpValue& a, const AmqpValue& b);

    // ---- as qconn::Value ----

    /// What other families understand. Types that Value has not become: ubyte to ulong uint64 or int64, float double, decimals their bytes as
    /// binary, char and uuid and symbol strings, arrays lists, maps with keys that are no texts lists of pairs, described values `tagged`.
    Value to_value() const;
    /// int64 and uint64 become long and ulong, maps have string keys. @throws Error AMQP-ENCODE-ERROR for what AMQP has not: decimals of arbitrary
    /// length, durations, timestamps beyond 64 bits of milliseconds
    static AmqpValue from_value(const Value& value);

    // ---- as JSON ----

    /// `{"type": "uint", "value": 23}`, with "descriptor" for described values: binary, decimals and their like as hexadecimal digits, timestamps as
    /// milliseconds, maps as lists of keys and values in turn; decimals are named decimal32, decimal64, decimal128. Numbers that JSON has not (NaN,
    /// infinities) are strings. Reading takes all that writing makes, abbreviated or not, and "decimal" for a decimal of the length of its digits;
    /// the type of an array without elements is lost. @throws Error AMQP-ENCODE-ERROR: a text that is not UTF-8
    std::string to_json(AmqpJsonStyle style = {}) const;
    /// @throws Error AMQP-DECODE-ERROR with line, column and what was wrong: an unknown type, a value out of range, an array of mixed types, a map
    /// with an odd count or a key twice, a descriptor that is itself described, more than the limits
    static AmqpValue from_json(std::string_view json, const AmqpLimits& limits = {});

    // ---- as bytes ----

    /// Appends the shortest encoding (part 1 of the specification); in arrays, whose elements share one, integers, lists, maps and arrays have their
    /// full width, as there are brokers that know no other there. @throws Error AMQP-ENCODE-ERROR, and the buffer is as it was: a string that is not
    /// UTF-8, a symbol that is not ASCII, a char that is no character, an array whose elements are not of its type, more than 4 GiB
    void encode(std::string& to) const;
    /// One value that takes all of these bytes, in any encoding. Besides the limits: elements of arrays that take no bytes (nulls) are read up to
    /// 65,536. @throws Error AMQP-DECODE-ERROR with the offset
    static AmqpValue decode(std::string_view bytes, const AmqpLimits& limits = {});

private:
    // In the order of AmqpType.
    std::variant<std::monostate, bool, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, std::int8_t, std::int16_t, std::int32_t,
                 std::int64_t, float, double, AmqpDecimal32, AmqpDecimal64, AmqpDecimal128, char32_t, AmqpTimestamp, AmqpUuid, AmqpBinary,
                 std::string, AmqpSymbol, AmqpList, AmqpMap, AmqpArray, AmqpDescribed>
        held_;
};

}  // namespace qconn
