// SPDX-License-Identifier: Apache-2.0
#include "amqp/value_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>

#include "amqp/amqp_error.hpp"
#include "amqp/value_codec.hpp"
#include "base/json_scanner.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace qconn::amqp {

namespace {

// ---- writing ----

class JsonWriter {
public:
    JsonWriter(json::TextBuffer& out, const AmqpJsonStyle& style) : out_{out}, style_{style} {}

    void value(const AmqpValue& v, std::size_t level) {
        const auto* const described = v.get_if<AmqpDescribed>();
        const AmqpValue& inner = described != nullptr ? described->value() : v;
        const AmqpType type = inner.type();
        const bool plain = style_.abbreviated && (type == AmqpType::null || type == AmqpType::boolean || type == AmqpType::string);
        if (plain && described == nullptr) return bare(inner, level);
        // In lines of their own where there is more than two short members.
        const bool lines = style_.pretty && (described != nullptr || type == AmqpType::list || type == AmqpType::map || type == AmqpType::array);
        out_.put('{');
        bool first = true;
        const auto member = [&](std::string_view name) {
            if (!std::exchange(first, false)) out_.put(lines || !style_.pretty ? "," : ", ");
            if (lines) line(level + 1);
            out_.put('"');
            out_.put(name);
            out_.put(style_.pretty ? "\": " : "\":");
        };
        if (described != nullptr) {
            member("descriptor");
            value(described->descriptor(), level + 1);
        }
        // A described value that is described again has no type of its own.
        if (!plain && type != AmqpType::described) {
            member("type");
            out_.put('"');
            out_.put(to_string(type));
            out_.put('"');
        }
        member("value");
        bare(inner, level + (lines ? 1 : 0));
        if (lines) line(level);
        out_.put('}');
    }

private:
    void line(std::size_t level) {
        char* const at = out_.room(1 + 2 * level);
        *at = '\n';
        std::memset(at + 1, ' ', 2 * level);
        out_.wrote(at + 1 + 2 * level);
    }

    /// What the member "value" has.
    void bare(const AmqpValue& v, std::size_t level) {
        switch (v.type()) {
            case AmqpType::null: return out_.put("null");
            case AmqpType::boolean: return out_.put(*v.get_if<bool>() ? "true" : "false");
            case AmqpType::ulong_: return json::put_integer(out_, *v.get_if<std::uint64_t>());
            case AmqpType::timestamp: return json::put_integer(out_, v.get_if<AmqpTimestamp>()->milliseconds);
            case AmqpType::float_: return number(*v.get_if<float>());
            case AmqpType::double_: return number(*v.get_if<double>());
            case AmqpType::decimal32: return octets(v.get_if<AmqpDecimal32>()->bytes);
            case AmqpType::decimal64: return octets(v.get_if<AmqpDecimal64>()->bytes);
            case AmqpType::decimal128: return octets(v.get_if<AmqpDecimal128>()->bytes);
            case AmqpType::char_: {
                std::string text;
                const auto c = static_cast<std::uint32_t>(*v.get_if<char32_t>());
                if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) json::refuse_text();
                text::append_utf8(text, c);
                return json::put_quoted(out_, text);
            }
            case AmqpType::uuid: return json::put_quoted(out_, v.get_if<AmqpUuid>()->text());
            case AmqpType::binary: return hexadecimal(v.get_if<AmqpBinary>()->bytes);
            case AmqpType::string:
            case AmqpType::symbol: return json::put_quoted(out_, *v.text());
            case AmqpType::list: return values(*v.get_if<AmqpList>(), level);
            case AmqpType::array: return values(v.get_if<AmqpArray>()->elements, level);
            case AmqpType::map: return entries(*v.get_if<AmqpMap>(), level);
            case AmqpType::described: return value(v, level);
            default: return json::put_integer(out_, v.integer().value_or(0));
        }
    }

    template <class Float>
    void number(Float f) {
        if (!std::isfinite(f)) return out_.put(std::isnan(f) ? "\"NaN\"" : f < 0 ? "\"-Infinity\"" : "\"Infinity\"");
        constexpr std::size_t k_most = 40;
        char* const begin = out_.room(k_most);
        out_.wrote(std::to_chars(begin, begin + k_most, f).ptr);
    }

    void hexadecimal(std::string_view bytes) {
        constexpr std::string_view k_digits = "0123456789ABCDEF";
        char* at = out_.room(2 * bytes.size() + 2);
        *at++ = '"';
        for (const char c : bytes) {
            *at++ = k_digits[static_cast<std::uint8_t>(c) >> 4U];
            *at++ = k_digits[static_cast<std::uint8_t>(c) & 15U];
        }
        *at++ = '"';
        out_.wrote(at);
    }

    template <std::size_t Size>
    void octets(const std::array<std::uint8_t, Size>& bytes) {
        hexadecimal({reinterpret_cast<const char*>(bytes.data()), Size});
    }

    void element(const AmqpValue& v, bool first, std::size_t level) {
        if (!first) out_.put(',');
        if (style_.pretty) line(level);
        value(v, level);
    }
    void close(bool empty, std::size_t level) {
        if (style_.pretty && !empty) line(level);
        out_.put(']');
    }

    void values(const AmqpList& list, std::size_t level) {
        out_.put('[');
        bool first = true;
        for (const AmqpValue& one : list) element(one, std::exchange(first, false), level + 1);
        close(first, level);
    }

    void entries(const AmqpMap& map, std::size_t level) {
        out_.put('[');
        bool first = true;
        for (const auto& [key, one] : map) {
            element(key, std::exchange(first, false), level + 1);
            element(one, false, level + 1);
        }
        close(first, level);
    }

    json::TextBuffer& out_;
    const AmqpJsonStyle& style_;
};

// ---- reading ----

/// The name of a decimal of any length, whose digits tell which.
constexpr std::string_view k_any_decimal = "decimal";

class ValueScanner : private json::Scanner {
public:
    ValueScanner(std::string_view text, const AmqpLimits& limits) : Scanner{text}, limits_{limits} {}

    AmqpValue document() {
        blanks();
        AmqpValue v = value(0);
        if (!error_) {
            blanks();
            if (!at_end()) fail("there is something behind the value");
        }
        if (!error_) return v;
        if (error_->code() == make_error_code(AmqpErrc::decode)) throw *std::move(error_);
        throw amqp_error(AmqpErrc::decode, std::string{error_->message()});  // of the scanner, which knows of no family
    }

private:
    /// What "type" names: a type, or a decimal of whichever length.
    struct Type {
        AmqpType type{AmqpType::null};
        bool any_decimal{false};
    };

    AmqpValue wrong_at(std::size_t offset, std::string_view what) {
        error_ = amqp_error(AmqpErrc::decode, "the JSON is no AMQP value: " + json::place(text_, offset) + ": " + std::string{what});
        return {};
    }
    AmqpValue wrong(std::string_view what) { return at_end() ? (unexpected(), AmqpValue{}) : wrong_at(offset(), what); }

    bool enter(int level) {
        if (level >= limits_.depth) {
            wrong_at(offset(), "more lists, maps, arrays and described values in each other than the limit on depth (" +
                                   std::to_string(limits_.depth) + ") lets in");
            return false;
        }
        deepest_ = std::max(deepest_, level + 1);
        return true;
    }
    bool count() {
        if (++elements_ <= limits_.elements) return true;
        wrong_at(offset(), "more elements than the limit on elements (" + std::to_string(limits_.elements) + ") lets in");
        return false;
    }

    /// @param level  how many lists, maps, arrays and described values it is in
    AmqpValue value(int level) {
        switch (peek()) {
            case '{': return object(level);
            case '"': return std::string{string()};
            case 't': return word("true"), AmqpValue{true};
            case 'f': return word("false"), AmqpValue{false};
            case 'n': return word("null"), AmqpValue{};
            case '[': return wrong(R"(a list needs a type: {"type": "list", "value": [...]}, likewise "map" or "array")");
            default:
                if (peek() == '-' || text::is_digit(peek())) return wrong(R"(a number needs a type: {"type": "int", "value": 23})");
                unexpected();
                return {};
        }
    }

    AmqpValue object(int level) {
        const std::size_t begin = offset();
        const int deepest_outside = std::exchange(deepest_, level);
        std::optional<Type> type;
        std::optional<AmqpValue> descriptor;
        std::optional<AmqpValue> held;
        std::size_t untyped_at = 0;  // of a value that came before its type; an object begins at 0 at the earliest, so that 0 is no place of one
        take('{');
        blanks();
        if (!take('}')) {
            do {
                blanks();
                if (peek() != '"') return unexpected(), AmqpValue{};
                const std::size_t name_at = offset();
                const std::string name{string()};
                if (error_) return {};
                blanks();
                if (!take(':')) return unexpected(), AmqpValue{};
                blanks();
                if (name == "type" && !type) {
                    type = type_name();
                } else if (name == "descriptor" && !descriptor) {
                    const std::size_t descriptor_at = offset();
                    // What is read already is one level deeper than was known.
                    const int deepest_value = std::exchange(deepest_, level);
                    if (!enter(held ? std::max(deepest_value, level) : level)) return {};
                    descriptor = value(level + 1);
                    deepest_ = std::max(deepest_, deepest_value + 1);
                    if (descriptor->type() == AmqpType::described) return wrong_at(descriptor_at, "a descriptor cannot be described itself");
                } else if (name == "value" && !held && untyped_at == 0) {
                    if (type) {
                        held = typed(*type, level + (descriptor ? 1 : 0));
                    } else {
                        untyped_at = offset();
                        skip(static_cast<std::size_t>(std::max(limits_.depth, 0)) * 2 + 2);
                    }
                } else if (name == "type" || name == "descriptor" || name == "value") {
                    return wrong_at(name_at, "\"" + name + "\" is there twice");
                } else {
                    return wrong_at(name_at, "there is no member \"" + text::printable(text::shorten(name, 60)) +
                                                 R"(": an object has "type", "value", "descriptor")");
                }
                if (error_) return {};
                blanks();
            } while (take(','));
            if (!take('}')) return unexpected(), AmqpValue{};
        }
        if (untyped_at != 0) {
            const char* const end = std::exchange(at_, text_.data() + untyped_at);
            held = type ? typed(*type, level + (descriptor ? 1 : 0)) : abbreviated(descriptor.has_value(), level + 1);
            if (error_) return {};
            at_ = end;
        }
        if (!held) {
            if (!type || type->type != AmqpType::null) return wrong_at(begin, R"(an object without "value")");
            held = AmqpValue{};
        }
        deepest_ = std::max(deepest_, deepest_outside);
        if (!descriptor) return *std::move(held);
        return AmqpDescribed{*std::move(descriptor), *std::move(held)};
    }

    /// A value without "type".
    AmqpValue abbreviated(bool described, int level) {
        // Described values can be in each other; an object in an object would say nothing.
        if (peek() == '{' && !described) return wrong(R"(an object without "type")");
        return value(level);
    }

    Type type_name() {
        const std::size_t at = offset();
        if (peek() != '"') return wrong(R"("type" is a string: "int", "symbol", ...)"), Type{};
        const std::string_view name = string();
        if (error_) return {};
        if (name == k_any_decimal) return {AmqpType::decimal32, true};
        for (std::size_t i = 0; i < static_cast<std::size_t>(AmqpType::described); ++i)
            if (to_string(static_cast<AmqpType>(i)) == name) return {static_cast<AmqpType>(i), false};
        wrong_at(at, "there is no type \"" + text::printable(text::shorten(std::string{name}, 60)) + "\" (names are in lower case)");
        return {};
    }

    AmqpValue typed(Type type, int level) {
        switch (type.type) {
            case AmqpType::null:
                if (peek() != 'n') return wrong("the value of a null is null");
                return value(level);
            case AmqpType::boolean:
                if (peek() != 't' && peek() != 'f') return wrong("the value of a boolean is true or false");
                return value(level);
            case AmqpType::ubyte: return integer<std::uint8_t>(type);
            case AmqpType::ushort_: return integer<std::uint16_t>(type);
            case AmqpType::uint_: return integer<std::uint32_t>(type);
            case AmqpType::ulong_: return integer<std::uint64_t>(type);
            case AmqpType::byte: return integer<std::int8_t>(type);
            case AmqpType::short_: return integer<std::int16_t>(type);
            case AmqpType::int_: return integer<std::int32_t>(type);
            case AmqpType::long_: return integer<std::int64_t>(type);
            case AmqpType::timestamp: {
                const AmqpValue ms = integer<std::int64_t>(type);
                return AmqpTimestamp{ms.integer().value_or(0)};
            }
            case AmqpType::float_: return floating<float>(type);
            case AmqpType::double_: return floating<double>(type);
            case AmqpType::list: return list(level);
            case AmqpType::map: return map(level);
            case AmqpType::array: return array(level);
            default: return text_of(type);
        }
    }

    template <class T>
    AmqpValue integer(Type type) {
        const std::size_t at = offset();
        if (peek() != '-' && !text::is_digit(peek())) return wrong("the value of this type (" + std::string{to_string(type.type)} + ") is a number");
        const Number n = number();
        if (error_) return {};
        T out{};
        const auto [end, error] = std::from_chars(n.text.data(), n.text.data() + n.text.size(), out);
        if (!n.integer || end != n.text.data() + n.text.size() || error != std::errc{})
            return wrong_at(at, text::shorten(std::string{n.text}, 60) + " is no " + std::string{to_string(type.type)} +
                                    ", which has the integers from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                                    std::to_string(std::numeric_limits<T>::max()));
        return out;
    }

    template <class T>
    AmqpValue floating(Type type) {
        using Limits = std::numeric_limits<T>;
        const std::size_t at = offset();
        if (peek() == '"') {
            const std::string_view name = string();
            if (error_) return {};
            if (name == "NaN") return Limits::quiet_NaN();
            if (name == "Infinity") return Limits::infinity();
            if (name == "-Infinity") return -Limits::infinity();
            return wrong_at(at, R"(a number as a string is "NaN", "Infinity" or "-Infinity")");
        }
        if (peek() != '-' && !text::is_digit(peek())) return wrong("the value of this type (" + std::string{to_string(type.type)} + ") is a number");
        const Number n = number();
        if (error_) return {};
        T out{};
        const auto [end, error] = std::from_chars(n.text.data(), n.text.data() + n.text.size(), out);
        if (end != n.text.data() + n.text.size() || error != std::errc{} || !std::isfinite(out))
            return wrong_at(at,
                            text::shorten(std::string{n.text}, 60) + " is too large or too small for the type " + std::string{to_string(type.type)});
        return out;
    }

    /// Those whose value is a string.
    AmqpValue text_of(Type type) {
        const std::size_t at = offset();
        if (peek() != '"') return wrong("the value of this type (" + std::string{to_string(type.type)} + ") is a string");
        const std::string_view text = string();
        if (error_) return {};
        switch (type.type) {
            case AmqpType::string: return std::string{text};
            case AmqpType::symbol:
                if (!is_ascii(text)) return wrong_at(at, "a symbol is ASCII");
                return AmqpSymbol{std::string{text}};
            case AmqpType::char_: return character(at, text);
            case AmqpType::uuid:
                if (const auto uuid = AmqpUuid::parse(text)) return *uuid;
                return wrong_at(at, "this is no UUID, which has 32 hexadecimal digits, with hyphens or without");
            default: break;
        }
        std::string bytes(text.size() / 2, '\0');
        bool good = text.size() % 2 == 0;
        for (std::size_t i = 0; good && i < bytes.size(); ++i) {
            const int high = text::hex_digit(text[2 * i]);
            const int low = text::hex_digit(text[2 * i + 1]);
            good = high >= 0 && low >= 0;
            bytes[i] = static_cast<char>(high * 16 + low);
        }
        if (!good) return wrong_at(at, "bytes are written as an even number of hexadecimal digits");
        if (type.type == AmqpType::binary) return AmqpBinary{std::move(bytes)};
        if (bytes.size() == 4 && type.type == AmqpType::decimal32) return decimal<4>(bytes);
        if (bytes.size() == 8 && (type.any_decimal || type.type == AmqpType::decimal64)) return decimal<8>(bytes);
        if (bytes.size() == 16 && (type.any_decimal || type.type == AmqpType::decimal128)) return decimal<16>(bytes);
        return wrong_at(at, "decimals have 8, 16 or 32 hexadecimal digits: decimal32, decimal64, decimal128");
    }

    AmqpValue character(std::size_t at, std::string_view text) {
        const std::size_t length = text.empty() ? 0 : text::sequence_length(text);
        if (length == 0 || length != text.size()) return wrong_at(at, "a char is one character");
        // The first byte of n has n + 1 bits before those of the character.
        constexpr std::array<std::uint32_t, 5> k_first_bits{0, 0x7f, 0x1f, 0x0f, 0x07};
        std::uint32_t c = static_cast<std::uint8_t>(text[0]) & k_first_bits[length];
        for (std::size_t i = 1; i < length; ++i) c = c << 6U | (static_cast<std::uint8_t>(text[i]) & 0x3fU);
        return static_cast<char32_t>(c);
    }

    template <std::size_t Size>
    static AmqpValue decimal(const std::string& bytes) {
        AmqpDecimal<Size> out;
        std::memcpy(out.bytes.data(), bytes.data(), Size);
        return out;
    }

    /// Calls `each(offset)` at each of the elements of a list. False: an error.
    template <class Each>
    bool elements(int level, Each each) {
        if (peek() != '[') return wrong("the value of a list, map or array is a list"), false;
        if (!enter(level)) return false;
        take('[');
        blanks();
        if (take(']')) return true;
        do {
            blanks();
            if (!count()) return false;
            each(offset());
            if (error_) return false;
            blanks();
        } while (take(','));
        if (!take(']')) unexpected();
        return !error_;
    }

    AmqpValue list(int level) {
        AmqpList out;
        if (!elements(level, [&](std::size_t) { out.push_back(value(level + 1)); })) return {};
        return out;
    }

    AmqpValue array(int level) {
        AmqpArray out;
        const auto each = [&](std::size_t at) {
            AmqpValue one = value(level + 1);
            if (error_) return;
            if (out.elements.empty())
                out.element = one.type();
            else if (!same_type(out.elements.front(), one))
                wrong_at(at, "this element has another type, or descriptor, than the first of its array");
            out.elements.push_back(std::move(one));
        };
        if (!elements(level, each)) return {};
        return out;
    }

    AmqpValue map(int level) {
        struct Key {
            std::string bytes;
            std::size_t offset;
        };
        const std::size_t begin = offset();
        AmqpMap out;
        std::vector<Key> keys;
        bool at_key = true;
        const auto each = [&](std::size_t at) {
            AmqpValue one = value(level + 1);
            if (error_) return;
            if (at_key) {
                keys.push_back({{}, at});
                one.encode(keys.back().bytes);
                out.emplace_back().first = std::move(one);
            } else {
                out.back().second = std::move(one);
            }
            at_key = !at_key;
        };
        if (!elements(level, each)) return {};
        if (!at_key) return wrong_at(begin, "a map has a key without a value");
        std::stable_sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.bytes < b.bytes; });
        const auto twice = std::adjacent_find(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.bytes == b.bytes; });
        if (twice != keys.end()) return wrong_at(std::next(twice)->offset, "this key is there twice in its map");
        return out;
    }

    const AmqpLimits& limits_;
    std::size_t elements_{0};
    int deepest_{0};  // level of what was read since it was last set
};

}  // namespace

void put_json(json::TextBuffer& out, const AmqpValue& value, const AmqpJsonStyle& style, std::size_t level) {
    JsonWriter{out, style}.value(value, level);
}

AmqpValue read_json(std::string_view json, const AmqpLimits& limits) {
    if (json.starts_with("\xEF\xBB\xBF")) json.remove_prefix(3);
    if (json.size() > limits.size)
        throw amqp_error(AmqpErrc::decode, "the JSON is no AMQP value: it has " + std::to_string(json.size()) +
                                               " bytes, of which the limit on size lets in " + std::to_string(limits.size));
    if (const std::size_t bad = text::invalid_utf8(json); bad != npos)
        throw amqp_error(AmqpErrc::decode, "the JSON is no AMQP value: " + json::place(json, bad) + ": this is not UTF-8");
    return ValueScanner{json, limits}.document();
}

}  // namespace qconn::amqp

namespace qconn {

std::string AmqpValue::to_json(AmqpJsonStyle style) const {
    json::TextBuffer out;
    try {
        amqp::put_json(out, *this, style);
    } catch (const Error&) {
        throw amqp::amqp_error(AmqpErrc::encode, "the value cannot be written as JSON, as a text in it is not UTF-8; hold bytes as binary");
    }
    return out.take();
}

AmqpValue AmqpValue::from_json(std::string_view json, const AmqpLimits& limits) { return amqp::read_json(json, limits); }

}  // namespace qconn
