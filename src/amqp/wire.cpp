// SPDX-License-Identifier: Apache-2.0
#include "amqp/wire.hpp"

#include <algorithm>
#include <array>

namespace qconn::amqp {

namespace {

constexpr std::array<bool, 256> make_known() {
    std::array<bool, 256> known{};
    for (const std::uint8_t one :
         {code::k_null,   code::k_true,      code::k_false,      code::k_uint0,     code::k_ulong0,     code::k_list0,     code::k_ubyte,
          code::k_byte,   code::k_smalluint, code::k_smallulong, code::k_smallint,  code::k_smalllong,  code::k_boolean,   code::k_ushort,
          code::k_short,  code::k_uint,      code::k_int,        code::k_float,     code::k_char,       code::k_decimal32, code::k_ulong,
          code::k_long,   code::k_double,    code::k_timestamp,  code::k_decimal64, code::k_decimal128, code::k_uuid,      code::k_vbin8,
          code::k_str8,   code::k_sym8,      code::k_vbin32,     code::k_str32,     code::k_sym32,      code::k_list8,     code::k_map8,
          code::k_list32, code::k_map32,     code::k_array8,     code::k_array32})
        known[one] = true;
    return known;
}
constexpr std::array<bool, 256> k_known = make_known();

struct Named {
    std::string_view name;
    std::uint64_t code;
};
// Sorted by name.
constexpr std::array<Named, 42> k_named{{
    {"amqp:accepted:list", 0x24},
    {"amqp:amqp-sequence:list", 0x76},
    {"amqp:amqp-value:*", 0x77},
    {"amqp:application-properties:map", 0x74},
    {"amqp:attach:list", 0x12},
    {"amqp:begin:list", 0x11},
    {"amqp:close:list", 0x18},
    {"amqp:coordinator:list", 0x30},
    {"amqp:data:binary", 0x75},
    {"amqp:declare:list", 0x31},
    {"amqp:declared:list", 0x33},
    {"amqp:delete-on-close:list", 0x2b},
    {"amqp:delete-on-no-links-or-messages:list", 0x2e},
    {"amqp:delete-on-no-links:list", 0x2c},
    {"amqp:delete-on-no-messages:list", 0x2d},
    {"amqp:delivery-annotations:map", 0x71},
    {"amqp:detach:list", 0x16},
    {"amqp:discharge:list", 0x32},
    {"amqp:disposition:list", 0x15},
    {"amqp:end:list", 0x17},
    {"amqp:error:list", 0x1d},
    {"amqp:flow:list", 0x13},
    {"amqp:footer:map", 0x78},
    {"amqp:header:list", 0x70},
    {"amqp:message-annotations:map", 0x72},
    {"amqp:modified:list", 0x27},
    {"amqp:open:list", 0x10},
    {"amqp:properties:list", 0x73},
    {"amqp:received:list", 0x23},
    {"amqp:rejected:list", 0x25},
    {"amqp:released:list", 0x26},
    {"amqp:sasl-challenge:list", 0x42},
    {"amqp:sasl-init:list", 0x41},
    {"amqp:sasl-mechanisms:list", 0x40},
    {"amqp:sasl-outcome:list", 0x44},
    {"amqp:sasl-response:list", 0x43},
    {"amqp:source:list", 0x28},
    {"amqp:target:list", 0x29},
    {"amqp:transactional-state:list", 0x34},
    {"amqp:transfer:list", 0x14},
    {"apache.org:no-local-filter:list", 0x0000468c00000003},
    {"apache.org:selector-filter:string", 0x0000468c00000004},
}};
static_assert(std::is_sorted(k_named.begin(), k_named.end(), [](const Named& a, const Named& b) { return a.name < b.name; }));

}  // namespace

bool Reader::is_known(std::uint8_t code) noexcept { return k_known[code]; }

bool Reader::skip(int descriptors) noexcept {
    std::uint8_t code = 0;
    for (; read_code(code); --descriptors) {
        if (code != code::k_described) {
            Raw ignored;
            return read_body(code, ignored);
        }
        if (descriptors == 0) return fail("too many descriptors of one value");
        if (!skip(descriptors - 1)) return false;
    }
    return false;
}

bool Reader::read_any_descriptor(std::string_view& out) noexcept {
    std::uint8_t code = 0;
    if (!read_code(code)) return false;
    if (code != code::k_described) return fail("a described value was to be here");
    const char* const from = at_;
    if (!skip(k_descriptors)) return false;
    out = {from, static_cast<std::size_t>(at_ - from)};
    return true;
}

bool Reader::read_constructor(Raw& out) noexcept {
    std::uint8_t code = 0;
    out.descriptor = {};
    for (int descriptors = 0;; ++descriptors) {
        if (!read_code(code)) return false;
        if (code != code::k_described) break;
        if (descriptors == k_descriptors) return fail("too many descriptors of one value");
        const char* const from = at_;
        if (!skip(k_descriptors)) return false;
        if (descriptors == 0) out.descriptor = {from, static_cast<std::size_t>(at_ - from)};
    }
    if (!is_known(code)) return fail("a constructor that does not exist");
    out.code = code;
    out.count = 0;
    out.body = {};
    return true;
}

bool Reader::read_described(Raw& out) noexcept {
    if (!read_constructor(out)) return false;
    const std::string_view descriptor = out.descriptor;
    if (!read_body(out.code, out)) return false;
    out.descriptor = descriptor;
    return true;
}

bool get_boolean(const Raw& raw, bool& out) noexcept {
    if (raw.code == code::k_true || raw.code == code::k_false) {
        out = raw.code == code::k_true;
        return true;
    }
    if (raw.code != code::k_boolean) return false;
    const auto byte = static_cast<std::uint8_t>(raw.body[0]);
    if (byte > 1) return false;
    out = byte == 1;
    return true;
}

bool get_ubyte(const Raw& raw, std::uint8_t& out) noexcept {
    if (raw.code != code::k_ubyte) return false;
    out = static_cast<std::uint8_t>(raw.body[0]);
    return true;
}

bool get_ushort(const Raw& raw, std::uint16_t& out) noexcept {
    if (raw.code != code::k_ushort) return false;
    out = load<std::uint16_t>(raw.body.data());
    return true;
}

bool get_uint(const Raw& raw, std::uint32_t& out) noexcept {
    switch (raw.code) {
        case code::k_uint0: out = 0; return true;
        case code::k_smalluint: out = static_cast<std::uint8_t>(raw.body[0]); return true;
        case code::k_uint: out = load<std::uint32_t>(raw.body.data()); return true;
        default: return false;
    }
}

bool get_ulong(const Raw& raw, std::uint64_t& out) noexcept {
    switch (raw.code) {
        case code::k_ulong0: out = 0; return true;
        case code::k_smallulong: out = static_cast<std::uint8_t>(raw.body[0]); return true;
        case code::k_ulong: out = load<std::uint64_t>(raw.body.data()); return true;
        default: return false;
    }
}

bool get_timestamp(const Raw& raw, std::int64_t& out) noexcept {
    if (raw.code != code::k_timestamp) return false;
    out = load<std::int64_t>(raw.body.data());
    return true;
}

std::uint64_t descriptor_code(std::string_view descriptor) noexcept {
    if (descriptor.size() == 2 && static_cast<std::uint8_t>(descriptor[0]) == code::k_smallulong) return static_cast<std::uint8_t>(descriptor[1]);
    if (descriptor.empty()) return 0;
    Reader reader{descriptor};
    Raw raw;
    if (!reader.read(raw) || !raw.descriptor.empty()) return 0;
    std::uint64_t number = 0;
    if (get_ulong(raw, number)) return number;
    std::string_view name;
    if (!get_text(raw, code::k_sym8, name)) return 0;
    const auto* const found = std::lower_bound(k_named.begin(), k_named.end(), name, [](const Named& a, std::string_view b) { return a.name < b; });
    return found != k_named.end() && found->name == name ? found->code : 0;
}

}  // namespace qconn::amqp
