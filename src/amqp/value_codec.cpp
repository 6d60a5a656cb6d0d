// SPDX-License-Identifier: Apache-2.0
#include "amqp/value_codec.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "amqp/amqp_error.hpp"
#include "base/text.hpp"

namespace qconn::amqp {

namespace {

// A few bytes of an array can stand for any number of nulls, or repeat a long descriptor as often as it has elements.
constexpr std::size_t k_most_widthless = std::size_t{64} * 1024;
constexpr std::size_t k_most_copied = std::size_t{16} * 1024 * 1024;

// The full width, in the order of AmqpType.
constexpr std::array<std::uint8_t, 25> k_full_codes{code::k_null,  code::k_boolean,   code::k_ubyte,     code::k_ushort,    code::k_uint,
                                                    code::k_ulong, code::k_byte,      code::k_short,     code::k_int,       code::k_long,
                                                    code::k_float, code::k_double,    code::k_decimal32, code::k_decimal64, code::k_decimal128,
                                                    code::k_char,  code::k_timestamp, code::k_uuid,      code::k_vbin32,    code::k_str32,
                                                    code::k_sym32, code::k_list32,    code::k_map32,     code::k_array32,   code::k_described};

std::uint8_t full_code(AmqpType type) noexcept { return k_full_codes[static_cast<std::size_t>(type)]; }

/// Of a code that exists.
AmqpType type_of(std::uint8_t code) noexcept {
    switch (code) {
        case code::k_true:
        case code::k_false: return AmqpType::boolean;
        case code::k_uint0:
        case code::k_smalluint: return AmqpType::uint_;
        case code::k_ulong0:
        case code::k_smallulong: return AmqpType::ulong_;
        case code::k_smallint: return AmqpType::int_;
        case code::k_smalllong: return AmqpType::long_;
        case code::k_list0: return AmqpType::list;
        default: break;
    }
    const unsigned nibble = code >> 4U;
    const auto full = static_cast<std::uint8_t>(code + (nibble == 0xa || nibble == 0xc || nibble == 0xe ? 0x10 : 0));
    return static_cast<AmqpType>(std::find(k_full_codes.begin(), k_full_codes.end(), full) - k_full_codes.begin());
}

[[noreturn]] void refuse_value(std::string what) { throw amqp_error(AmqpErrc::encode, std::move(what)); }

bool is_character(std::uint32_t c) noexcept { return c < 0xd800 || (c >= 0xe000 && c <= 0x10ffff); }

void check_symbol(std::string_view name) {
    if (!is_ascii(name))
        refuse_value("the symbol \"" + text::printable(text::shorten(std::string{name}, 60)) + "\" cannot be sent, as symbols are ASCII");
}

std::string_view bytes_of(const AmqpValue& value) {
    if (const auto* const text = value.get_if<std::string>()) return check_string(*text), *text;
    if (const auto* const symbol = value.get_if<AmqpSymbol>()) return check_symbol(symbol->name), symbol->name;
    return value.get_if<AmqpBinary>()->bytes;
}

template <class T>
void put_held(std::string& to, const AmqpValue& value) {
    put(to, *value.get_if<T>());
}

template <std::size_t Size>
void put_octets(std::string& to, const std::array<std::uint8_t, Size>& octets) {
    to.append(reinterpret_cast<const char*>(octets.data()), Size);
}

/// Size and count with 32 bits each, as elements of arrays have them, whose constructor is written before the first.
class FullCompound {
public:
    explicit FullCompound(std::string& to) : to_{to}, begin_{to.size()} { to.append(8, '\0'); }
    void close(std::size_t count) {
        store(&to_[begin_], static_cast<std::uint32_t>(to_.size() - begin_ - 4));
        store(&to_[begin_ + 4], static_cast<std::uint32_t>(count));
    }

private:
    std::string& to_;
    std::size_t begin_;
};

void put_elements(std::string& to, const AmqpArray& array);

/// What comes after the constructor, which is that of the full width, or for texts and bytes that of 8 bits.
void put_body(std::string& to, std::uint8_t code, const AmqpValue& value) {
    switch (value.type()) {
        case AmqpType::null: return;
        case AmqpType::boolean: return to.push_back(*value.get_if<bool>() ? '\1' : '\0');
        case AmqpType::ubyte: return put_held<std::uint8_t>(to, value);
        case AmqpType::ushort_: return put_held<std::uint16_t>(to, value);
        case AmqpType::uint_: return put_held<std::uint32_t>(to, value);
        case AmqpType::ulong_: return put_held<std::uint64_t>(to, value);
        case AmqpType::byte: return put_held<std::int8_t>(to, value);
        case AmqpType::short_: return put_held<std::int16_t>(to, value);
        case AmqpType::int_: return put_held<std::int32_t>(to, value);
        case AmqpType::long_: return put_held<std::int64_t>(to, value);
        case AmqpType::float_: return put(to, std::bit_cast<std::uint32_t>(*value.get_if<float>()));
        case AmqpType::double_: return put(to, std::bit_cast<std::uint64_t>(*value.get_if<double>()));
        case AmqpType::decimal32: return put_octets(to, value.get_if<AmqpDecimal32>()->bytes);
        case AmqpType::decimal64: return put_octets(to, value.get_if<AmqpDecimal64>()->bytes);
        case AmqpType::decimal128: return put_octets(to, value.get_if<AmqpDecimal128>()->bytes);
        case AmqpType::char_: {
            const auto c = static_cast<std::uint32_t>(*value.get_if<char32_t>());
            if (!is_character(c)) refuse_value("the char " + std::to_string(c) + " cannot be sent, as it is no character of Unicode");
            return put(to, c);
        }
        case AmqpType::timestamp: return put(to, value.get_if<AmqpTimestamp>()->milliseconds);
        case AmqpType::uuid: return put_octets(to, value.get_if<AmqpUuid>()->bytes);
        case AmqpType::binary:
        case AmqpType::string:
        case AmqpType::symbol: {
            const std::string_view bytes = bytes_of(value);
            if (code < code::k_vbin32) {
                to.push_back(static_cast<char>(bytes.size()));
            } else {
                put(to, static_cast<std::uint32_t>(bytes.size()));
            }
            to.append(bytes);
            return;
        }
        case AmqpType::list: {
            const AmqpList& list = *value.get_if<AmqpList>();
            FullCompound whole{to};
            for (const AmqpValue& one : list) put_value(to, one);
            return whole.close(list.size());
        }
        case AmqpType::map: {
            const AmqpMap& map = *value.get_if<AmqpMap>();
            FullCompound whole{to};
            for (const auto& [key, one] : map) put_value(to, key), put_value(to, one);
            return whole.close(2 * map.size());
        }
        case AmqpType::array: {
            const AmqpArray& array = *value.get_if<AmqpArray>();
            FullCompound whole{to};
            put_elements(to, array);
            return whole.close(array.elements.size());
        }
        case AmqpType::described: return;  // has no body of its own
    }
}

/// What an element of an array is below its descriptors.
const AmqpValue& undescribed(const AmqpValue& value) noexcept {
    const AmqpValue* at = &value;
    while (const auto* const described = at->get_if<AmqpDescribed>()) at = &described->value();
    return *at;
}

std::uint8_t element_code(AmqpType type, const AmqpList& elements) {
    if (type != AmqpType::binary && type != AmqpType::string && type != AmqpType::symbol) return full_code(type);
    const bool small = std::all_of(elements.begin(), elements.end(), [](const AmqpValue& one) {
        const AmqpValue& value = undescribed(one);
        const auto* const bytes = value.get_if<AmqpBinary>();
        return bytes != nullptr ? bytes->bytes.size() <= 0xff : value.text().value_or(std::string_view{}).size() <= 0xff;
    });
    return static_cast<std::uint8_t>(full_code(type) - (small ? 0x10 : 0));
}

/// The constructor, and the bodies.
void put_elements(std::string& to, const AmqpArray& array) {
    if (array.elements.empty()) {
        // No descriptor is known, but there must be one.
        if (array.element == AmqpType::described)
            put_code(to, code::k_described), put_null(to), put_null(to);
        else
            put_code(to, full_code(array.element));
        return;
    }
    const AmqpValue& first = array.elements.front();
    if (first.type() != array.element)
        refuse_value("an array of the type " + std::string{to_string(array.element)} + " cannot be sent, as it has an element of the type " +
                     std::string{to_string(first.type())});
    const AmqpValue* inner = &first;
    for (; inner->type() == AmqpType::described; inner = &inner->get_if<AmqpDescribed>()->value()) {
        put_code(to, code::k_described);
        put_value(to, inner->get_if<AmqpDescribed>()->descriptor());
    }
    const std::uint8_t code = element_code(inner->type(), array.elements);
    put_code(to, code);
    for (const AmqpValue& one : array.elements) {
        if (!same_type(first, one))
            refuse_value("an array of the type " + std::string{to_string(array.element)} +
                         " cannot be sent, as its elements are of several types, or have several descriptors");
        put_body(to, code, undescribed(one));
    }
}

/// In one byte where that holds it.
template <class T>
void put_signed(std::string& to, std::uint8_t small, std::uint8_t full, T value) {
    if (value >= -128 && value <= 127) {
        const char bytes[2]{static_cast<char>(small), static_cast<char>(value)};
        to.append(bytes, 2);
        return;
    }
    put_code(to, full);
    put(to, value);
}

template <std::size_t Size>
AmqpDecimal<Size> decimal_of(const Raw& raw) noexcept {
    AmqpDecimal<Size> out;
    std::memcpy(out.bytes.data(), raw.body.data(), Size);
    return out;
}

}  // namespace

void check_string(std::string_view text) {
    if (is_ascii(text)) return;
    if (const std::size_t bad = text::invalid_utf8(text); bad != npos)
        refuse_value("a string cannot be sent, as it is not UTF-8 from byte " + std::to_string(bad) + " on; send bytes as binary");
}

void put_checked_string(std::string& to, std::string_view text) {
    check_string(text);
    put_string(to, text);
}

void put_checked_symbol(std::string& to, std::string_view name) {
    check_symbol(name);
    put_symbol(to, name);
}

void check_size(const std::string& to, std::size_t begin) {
    if (to.size() - begin > std::numeric_limits<std::uint32_t>::max()) refuse_value("a value of more than 4 GiB cannot be sent");
}

bool same_type(const AmqpValue& a, const AmqpValue& b) {
    const AmqpValue* one = &a;
    const AmqpValue* other = &b;
    for (; one->type() == other->type(); one = &one->get_if<AmqpDescribed>()->value(), other = &other->get_if<AmqpDescribed>()->value()) {
        if (one->type() != AmqpType::described) return true;
        if (!(one->get_if<AmqpDescribed>()->descriptor() == other->get_if<AmqpDescribed>()->descriptor())) return false;
    }
    return false;
}

void put_list(std::string& to, const AmqpList& list) {
    if (list.empty()) return put_code(to, code::k_list0);
    Compound whole{to, code::k_list8};
    for (const AmqpValue& one : list) put_value(to, one);
    whole.close(list.size());
}

void put_map(std::string& to, const AmqpMap& map) {
    Compound whole{to, code::k_map8};
    for (const auto& [key, value] : map) put_value(to, key), put_value(to, value);
    whole.close(2 * map.size());
}

void put_value(std::string& to, const AmqpValue& value) {
    switch (value.type()) {
        case AmqpType::boolean: return put_boolean(to, *value.get_if<bool>());
        case AmqpType::uint_: return put_uint(to, *value.get_if<std::uint32_t>());
        case AmqpType::ulong_: return put_ulong(to, *value.get_if<std::uint64_t>());
        case AmqpType::int_: return put_signed(to, code::k_smallint, code::k_int, *value.get_if<std::int32_t>());
        case AmqpType::long_: return put_signed(to, code::k_smalllong, code::k_long, *value.get_if<std::int64_t>());
        case AmqpType::binary:
        case AmqpType::string:
        case AmqpType::symbol: return put_variable(to, static_cast<std::uint8_t>(full_code(value.type()) - 0x10), bytes_of(value));
        case AmqpType::list: return put_list(to, *value.get_if<AmqpList>());
        case AmqpType::map: return put_map(to, *value.get_if<AmqpMap>());
        case AmqpType::array: {
            const AmqpArray& array = *value.get_if<AmqpArray>();
            Compound whole{to, code::k_array8};
            put_elements(to, array);
            return whole.close(array.elements.size());
        }
        case AmqpType::described: {
            const AmqpDescribed& described = *value.get_if<AmqpDescribed>();
            put_code(to, code::k_described);
            put_value(to, described.descriptor());
            return put_value(to, described.value());
        }
        default: {
            const std::uint8_t code = full_code(value.type());
            put_code(to, code);
            return put_body(to, code, value);
        }
    }
}

Error not_amqp(std::string_view what, std::size_t offset, std::string_view trouble) {
    std::string message = "the bytes are no AMQP ";
    message.append(what).append(": at byte ").append(std::to_string(offset)).append(": ").append(trouble);
    return amqp_error(AmqpErrc::decode, std::move(message));
}

bool ValueDecoder::enter(int level, const char* at) {
    if (level < limits_.depth) return true;
    return fail(at, "more lists, maps, arrays and described values in each other than the limit on depth lets in");
}

bool ValueDecoder::count(std::uint32_t elements, const Reader& from, std::size_t width) {
    const char* const at = from.rest().data();
    if (elements > limits_.elements - std::min(elements_, limits_.elements)) return fail(at, "more elements than the limit on elements lets in");
    if (elements > from.rest().size() / std::max(width, std::size_t{1}) && width != 0) return fail(at, "more elements than there are bytes");
    elements_ += elements;
    return true;
}

bool ValueDecoder::value(Reader& from, AmqpValue& out, int level) {
    const char* const at = from.rest().data();
    std::uint8_t code = 0;
    if (!from.read_code(code)) return failed(from);
    if (code != code::k_described) {
        Raw raw;
        return from.read_body(code, raw) ? plain(raw, out, level) : failed(from);
    }
    AmqpValue descriptor;
    AmqpValue described;
    if (!enter(level, at) || !value(from, descriptor, level + 1) || !value(from, described, level + 1)) return false;
    out = AmqpDescribed{std::move(descriptor), std::move(described)};
    return true;
}

bool ValueDecoder::plain(const Raw& raw, AmqpValue& out, int level) {
    const char* const from = raw.body.data();
    switch (raw.code) {
        case code::k_null: out = nullptr; return true;
        case code::k_true: out = true; return true;
        case code::k_false: out = false; return true;
        case code::k_boolean:
            if (static_cast<std::uint8_t>(*from) > 1) return fail(from, "a boolean is neither 0 nor 1");
            out = *from != 0;
            return true;
        case code::k_ubyte: out = load<std::uint8_t>(from); return true;
        case code::k_ushort: out = load<std::uint16_t>(from); return true;
        case code::k_uint0: out = std::uint32_t{0}; return true;
        case code::k_smalluint: out = std::uint32_t{load<std::uint8_t>(from)}; return true;
        case code::k_uint: out = load<std::uint32_t>(from); return true;
        case code::k_ulong0: out = std::uint64_t{0}; return true;
        case code::k_smallulong: out = std::uint64_t{load<std::uint8_t>(from)}; return true;
        case code::k_ulong: out = load<std::uint64_t>(from); return true;
        case code::k_byte: out = load<std::int8_t>(from); return true;
        case code::k_short: out = load<std::int16_t>(from); return true;
        case code::k_smallint: out = std::int32_t{load<std::int8_t>(from)}; return true;
        case code::k_int: out = load<std::int32_t>(from); return true;
        case code::k_smalllong: out = std::int64_t{load<std::int8_t>(from)}; return true;
        case code::k_long: out = load<std::int64_t>(from); return true;
        case code::k_float: out = std::bit_cast<float>(load<std::uint32_t>(from)); return true;
        case code::k_double: out = std::bit_cast<double>(load<std::uint64_t>(from)); return true;
        case code::k_decimal32: out = decimal_of<4>(raw); return true;
        case code::k_decimal64: out = decimal_of<8>(raw); return true;
        case code::k_decimal128: out = decimal_of<16>(raw); return true;
        case code::k_char: {
            const auto c = load<std::uint32_t>(from);
            if (!is_character(c)) return fail(from, "a char is no character of Unicode");
            out = static_cast<char32_t>(c);
            return true;
        }
        case code::k_timestamp: out = AmqpTimestamp{load<std::int64_t>(from)}; return true;
        case code::k_uuid: {
            AmqpUuid uuid;
            std::memcpy(uuid.bytes.data(), from, uuid.bytes.size());
            out = uuid;
            return true;
        }
        case code::k_vbin8:
        case code::k_vbin32: out = AmqpBinary{std::string{raw.body}}; return true;
        case code::k_str8:
        case code::k_str32:
            if (const std::size_t bad = is_ascii(raw.body) ? npos : text::invalid_utf8(raw.body); bad != npos)
                return fail(from + bad, "a string is not UTF-8");
            out = std::string{raw.body};
            return true;
        case code::k_sym8:
        case code::k_sym32:
            if (!is_ascii(raw.body)) return fail(from, "a symbol is not ASCII");
            out = AmqpSymbol{std::string{raw.body}};
            return true;
        case code::k_list0:
        case code::k_list8:
        case code::k_list32: out = AmqpList{}; return list(raw, *out.get_if<AmqpList>(), level);
        case code::k_map8:
        case code::k_map32: out = AmqpMap{}; return map(raw, *out.get_if<AmqpMap>(), level);
        default: out = AmqpArray{}; return array(raw, *out.get_if<AmqpArray>(), level);
    }
}

bool ValueDecoder::list(const Raw& raw, AmqpList& out, int level) {
    Reader from{raw.body};
    if (!enter(level, raw.body.data()) || !count(raw.count, from, 1)) return false;
    for (std::uint32_t i = 0; i < raw.count; ++i)
        if (!value(from, out.emplace_back(), level + 1)) return false;
    return from.at_end() || fail(from.rest().data(), "a list has more bytes than its elements");
}

bool ValueDecoder::map(const Raw& raw, AmqpMap& out, int level) {
    Reader from{raw.body};
    if (!enter(level, raw.body.data()) || !count(raw.count, from, 1)) return false;
    if (raw.count % 2 != 0) return fail(raw.body.data(), "a map has a key without a value");
    for (std::uint32_t i = 0; i < raw.count; i += 2) {
        auto& [key, held] = out.emplace_back();
        if (!value(from, key, level + 1) || !value(from, held, level + 1)) return false;
    }
    return from.at_end() || fail(from.rest().data(), "a map has more bytes than its elements");
}

bool ValueDecoder::array(const Raw& raw, AmqpArray& out, int level) {
    constexpr std::array<std::size_t, 16> k_least_widths{0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 1, 4, 2, 8, 2, 8};  // by the high nibble of the code
    Reader from{raw.body};
    if (!enter(level, raw.body.data())) return false;
    if (raw.count == 0 && raw.body.empty()) return true;  // some leave the constructor out, too
    ++level;
    std::vector<AmqpValue> descriptors;
    const std::size_t elements_before = elements_;
    std::uint8_t code = 0;
    for (;;) {
        const char* const at = from.rest().data();
        if (!from.read_code(code)) return failed(from);
        if (code != code::k_described) break;
        if (!enter(level, at) || !value(from, descriptors.emplace_back(), ++level)) return false;
    }
    if (!Reader::is_known(code)) return fail(from.rest().data() - 1, "a constructor that does not exist");
    const std::size_t width = k_least_widths[code >> 4U];
    if (!descriptors.empty()) {
        // Each element gets its own.
        const std::size_t held = elements_ - elements_before;
        if (held != 0 && raw.count > limits_.elements / held) return fail(raw.body.data(), "more elements than the limit on elements lets in");
        elements_ += held * raw.count;
        copied_ += (raw.body.size() - from.rest().size()) * raw.count;
        if (copied_ > k_most_copied) return fail(raw.body.data(), "a descriptor that is too long for so many elements");
    }
    if (!count(raw.count, from, width)) return false;
    if (width == 0) widthless_ += raw.count;
    if (widthless_ > k_most_widthless) return fail(raw.body.data(), "too many elements of arrays that take no bytes");
    AmqpValue one;
    for (std::uint32_t i = 0; i < raw.count; ++i) {
        Raw element;
        if (!from.read_body(code, element)) return failed(from);
        if (!plain(element, one, level)) return false;
        for (std::size_t d = descriptors.size(); d-- > 0;) {
            AmqpValue described = AmqpDescribed{descriptors[d], std::move(one)};
            one = std::move(described);
        }
        out.elements.push_back(std::move(one));
    }
    if (!from.at_end()) return fail(from.rest().data(), "an array has more bytes than its elements");
    if (!descriptors.empty()) {
        out.element = AmqpType::described;
    } else if (!out.elements.empty()) {
        out.element = out.elements.front().type();
    } else {
        out.element = type_of(code);
    }
    return true;
}

}  // namespace qconn::amqp

namespace qconn {

void AmqpValue::encode(std::string& to) const {
    const std::size_t begin = to.size();
    try {
        amqp::put_value(to, *this);
        amqp::check_size(to, begin);
    } catch (...) {
        to.resize(begin);
        throw;
    }
}

AmqpValue AmqpValue::decode(std::string_view bytes, const AmqpLimits& limits) {
    AmqpValue out;
    amqp::Reader from{bytes};
    amqp::ValueDecoder decoder{bytes, limits};
    if (!decoder.value(from, out)) throw amqp::not_amqp("value", decoder.offset(), decoder.fault());
    if (!from.at_end()) throw amqp::not_amqp("value", from.offset(), "there is something behind it");
    return out;
}

}  // namespace qconn
