// SPDX-License-Identifier: Apache-2.0
/// Encodings of AMQP 1.0 values (part 1 of the specification, 1.6): appended to a buffer, and looked at where they lie.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace qconn::amqp {

/// Format codes. The high nibble says how the payload is sized.
namespace code {
inline constexpr std::uint8_t k_described = 0x00;
inline constexpr std::uint8_t k_null = 0x40;
inline constexpr std::uint8_t k_true = 0x41;
inline constexpr std::uint8_t k_false = 0x42;
inline constexpr std::uint8_t k_uint0 = 0x43;
inline constexpr std::uint8_t k_ulong0 = 0x44;
inline constexpr std::uint8_t k_list0 = 0x45;
inline constexpr std::uint8_t k_ubyte = 0x50;
inline constexpr std::uint8_t k_byte = 0x51;
inline constexpr std::uint8_t k_smalluint = 0x52;
inline constexpr std::uint8_t k_smallulong = 0x53;
inline constexpr std::uint8_t k_smallint = 0x54;
inline constexpr std::uint8_t k_smalllong = 0x55;
inline constexpr std::uint8_t k_boolean = 0x56;
inline constexpr std::uint8_t k_ushort = 0x60;
inline constexpr std::uint8_t k_short = 0x61;
inline constexpr std::uint8_t k_uint = 0x70;
inline constexpr std::uint8_t k_int = 0x71;
inline constexpr std::uint8_t k_float = 0x72;
inline constexpr std::uint8_t k_char = 0x73;
inline constexpr std::uint8_t k_decimal32 = 0x74;
inline constexpr std::uint8_t k_ulong = 0x80;
inline constexpr std::uint8_t k_long = 0x81;
inline constexpr std::uint8_t k_double = 0x82;
inline constexpr std::uint8_t k_timestamp = 0x83;
inline constexpr std::uint8_t k_decimal64 = 0x84;
inline constexpr std::uint8_t k_decimal128 = 0x94;
inline constexpr std::uint8_t k_uuid = 0x98;
inline constexpr std::uint8_t k_vbin8 = 0xa0;
inline constexpr std::uint8_t k_str8 = 0xa1;
inline constexpr std::uint8_t k_sym8 = 0xa3;
inline constexpr std::uint8_t k_vbin32 = 0xb0;
inline constexpr std::uint8_t k_str32 = 0xb1;
inline constexpr std::uint8_t k_sym32 = 0xb3;
inline constexpr std::uint8_t k_list8 = 0xc0;
inline constexpr std::uint8_t k_map8 = 0xc1;
inline constexpr std::uint8_t k_list32 = 0xd0;
inline constexpr std::uint8_t k_map32 = 0xd1;
inline constexpr std::uint8_t k_array8 = 0xe0;
inline constexpr std::uint8_t k_array32 = 0xf0;
}  // namespace code

// ---- network byte order ----

template <class T>
inline T load(const char* from) noexcept {
    std::make_unsigned_t<T> out = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) out = static_cast<std::make_unsigned_t<T>>(out << 8U | static_cast<std::uint8_t>(from[i]));
    return static_cast<T>(out);
}
template <class T>
inline void store(char* to, T value) noexcept {
    auto rest = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = sizeof(T); i-- > 0;) {
        to[i] = static_cast<char>(rest & 0xffU);
        if constexpr (sizeof(T) > 1) rest = static_cast<std::make_unsigned_t<T>>(rest >> 8U);
    }
}
template <class T>
inline void put(std::string& to, T value) {
    char bytes[sizeof(T)];
    store(bytes, value);
    to.append(bytes, sizeof(T));
}
inline void put_code(std::string& to, std::uint8_t code) { to.push_back(static_cast<char>(code)); }

// ---- the shortest encodings ----

inline void put_null(std::string& to) { put_code(to, code::k_null); }
inline void put_boolean(std::string& to, bool value) { put_code(to, value ? code::k_true : code::k_false); }
inline void put_ubyte(std::string& to, std::uint8_t value) {
    const char bytes[2]{static_cast<char>(code::k_ubyte), static_cast<char>(value)};
    to.append(bytes, 2);
}
inline void put_ushort(std::string& to, std::uint16_t value) {
    put_code(to, code::k_ushort);
    put(to, value);
}
inline void put_uint(std::string& to, std::uint32_t value) {
    if (value == 0) return put_code(to, code::k_uint0);
    if (value <= 0xff) {
        const char bytes[2]{static_cast<char>(code::k_smalluint), static_cast<char>(value)};
        to.append(bytes, 2);
        return;
    }
    put_code(to, code::k_uint);
    put(to, value);
}
inline void put_ulong(std::string& to, std::uint64_t value) {
    if (value == 0) return put_code(to, code::k_ulong0);
    if (value <= 0xff) {
        const char bytes[2]{static_cast<char>(code::k_smallulong), static_cast<char>(value)};
        to.append(bytes, 2);
        return;
    }
    put_code(to, code::k_ulong);
    put(to, value);
}
inline void put_timestamp(std::string& to, std::int64_t milliseconds) {
    put_code(to, code::k_timestamp);
    put(to, milliseconds);
}
/// @param small  the code for up to 255 bytes; that for more is 0x10 above it
inline void put_variable(std::string& to, std::uint8_t small, std::string_view bytes) {
    if (bytes.size() <= 0xff) {
        const char head[2]{static_cast<char>(small), static_cast<char>(bytes.size())};
        to.append(head, 2);
    } else {
        put_code(to, static_cast<std::uint8_t>(small + 0x10));
        put(to, static_cast<std::uint32_t>(bytes.size()));
    }
    to.append(bytes);
}
inline void put_binary(std::string& to, std::string_view bytes) { put_variable(to, code::k_vbin8, bytes); }
inline void put_string(std::string& to, std::string_view text) { put_variable(to, code::k_str8, text); }
inline void put_symbol(std::string& to, std::string_view name) { put_variable(to, code::k_sym8, name); }
/// The constructor of a described type whose descriptor is a small ulong, as all of the specification's are.
inline void put_descriptor(std::string& to, std::uint8_t descriptor) {
    const char bytes[3]{static_cast<char>(code::k_described), static_cast<char>(code::k_smallulong), static_cast<char>(descriptor)};
    to.append(bytes, 3);
}

/// Size and count of a list, map or array whose elements are appended after its making: written when it is closed, in the short form where it fits.
class Compound {
public:
    /// @param small  the code of the 8-bit form; that of the 32-bit one is 0x10 above it
    Compound(std::string& to, std::uint8_t small) : to_{to}, begin_{to.size()} {
        const char head[3]{static_cast<char>(small), 0, 0};
        to.append(head, 3);
    }
    /// @param count  elements (of a map: keys and values)
    void close(std::size_t count) {
        const std::size_t body = to_.size() - begin_ - 3;
        if (body + 1 <= 0xff && count <= 0xff) {
            to_[begin_ + 1] = static_cast<char>(body + 1);
            to_[begin_ + 2] = static_cast<char>(count);
            return;
        }
        to_.insert(begin_ + 3, 6, '\0');
        to_[begin_] = static_cast<char>(static_cast<std::uint8_t>(to_[begin_]) + 0x10);
        store(&to_[begin_ + 1], static_cast<std::uint32_t>(body + 4));
        store(&to_[begin_ + 5], static_cast<std::uint32_t>(count));
    }

private:
    std::string& to_;
    std::size_t begin_;
};

/// The fields of a composite type, in the order of its definition. Those at the end that are absent are left out.
class Fields {
public:
    Fields(std::string& to, std::uint8_t descriptor) : to_{described(to, descriptor)}, list_{to, code::k_list8} {}

    /// The buffer, for one field that is about to be appended to it.
    std::string& next() {
        if (absent_ != 0) {
            to_.append(absent_, static_cast<char>(code::k_null));
            count_ += absent_;
            absent_ = 0;
        }
        ++count_;
        return to_;
    }
    void absent() noexcept { ++absent_; }
    void close() {
        if (count_ != 0) return list_.close(count_);
        to_.resize(to_.size() - 3);
        put_code(to_, code::k_list0);
    }

private:
    static std::string& described(std::string& to, std::uint8_t descriptor) {
        put_descriptor(to, descriptor);
        return to;
    }

    std::string& to_;
    Compound list_;
    std::size_t count_{0};   // that are written
    std::size_t absent_{0};  // that come after those
};

// ---- looking ----

/// One value as it lies in a buffer. The views are parts of that.
struct Raw {
    std::uint8_t code{code::k_null};
    /// Of a described value (the code is then that of what is described): its descriptor, constructor and all. Empty: it is not described.
    std::string_view descriptor{};
    /// Fixed widths: the bytes. Texts: the text. Lists, maps: the elements. Arrays: the constructor of the elements, and them.
    std::string_view body{};
    /// Of lists, maps, arrays.
    std::uint32_t count{0};
    /// Where it begins, with its constructor (and descriptor).
    const char* from{nullptr};

    /// All of it, as AmqpValue::decode() takes it.
    std::string_view whole() const noexcept { return {from, static_cast<std::size_t>(body.data() + body.size() - from)}; }

    bool is_null() const noexcept { return code == code::k_null; }
    bool is_list() const noexcept { return code == code::k_list8 || code == code::k_list32 || code == code::k_list0; }
    bool is_map() const noexcept { return code == code::k_map8 || code == code::k_map32; }
    bool is_array() const noexcept { return code == code::k_array8 || code == code::k_array32; }
    bool is_text(std::uint8_t small) const noexcept { return code == small || code == small + 0x10; }
};

/// Reads values one after the other. Never beyond the end, and nothing is reserved from a size that is read. After a fault nothing more is read.
/// @note Recursion is bounded: of values in each other only their sizes are looked at, of descriptors (of each other, or of one value) k_descriptors.
class Reader {
public:
    static constexpr int k_descriptors = 8;

    explicit Reader(std::string_view bytes) noexcept : begin_{bytes.data()}, at_{begin_}, end_{begin_ + bytes.size()} {}

    bool at_end() const noexcept { return at_ == end_; }
    std::size_t offset() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
    std::string_view rest() const noexcept { return {at_, static_cast<std::size_t>(end_ - at_)}; }
    /// Whether a format code other than k_described exists.
    static bool is_known(std::uint8_t code) noexcept;
    /// Null: none so far. Else what is wrong at offset().
    const char* fault() const noexcept { return fault_; }

    /// False: a fault, as at the end.
    bool read(Raw& out) noexcept {
        out.descriptor = {};
        out.from = at_;
        if (at_ != end_ && static_cast<std::uint8_t>(*at_) == code::k_described) return read_described(out);
        std::uint8_t code = 0;
        return read_code(code) && read_body(code, out);
    }
    /// A constructor without a payload: of the elements of an array. Descriptors go to out.descriptor as in read(); where several are in each other
    /// the outermost.
    bool read_constructor(Raw& out) noexcept;
    /// The mark and the descriptor of a described value, as Raw has it. What is described comes next, which may be described in turn.
    bool read_descriptor(std::string_view& out) noexcept {
        if (end_ - at_ < 3 || at_[0] != 0 || static_cast<std::uint8_t>(at_[1]) != code::k_smallulong) return read_any_descriptor(out);
        out = {at_ + 1, 2};
        at_ += 3;
        return true;
    }
    bool read_code(std::uint8_t& code) noexcept {
        if (at_ == end_) return fail("a value is missing");
        code = static_cast<std::uint8_t>(*at_++);
        return true;
    }
    /// What comes after a constructor.
    bool read_body(std::uint8_t code, Raw& out) noexcept {
        const auto size_left = static_cast<std::size_t>(end_ - at_);
        out.code = code;
        out.count = 0;
        std::size_t size = 0;
        switch (code >> 4U) {
            case 0x4: break;
            case 0x5: size = 1; break;
            case 0x6: size = 2; break;
            case 0x7: size = 4; break;
            case 0x8: size = 8; break;
            case 0x9: size = 16; break;
            case 0xa:
                if (size_left < 1) return fail("the size of a value is cut off");
                size = static_cast<std::uint8_t>(*at_);
                ++at_;
                break;
            case 0xb:
                if (size_left < 4) return fail("the size of a value is cut off");
                size = load<std::uint32_t>(at_);
                at_ += 4;
                break;
            case 0xc:
            case 0xe:
                if (size_left < 2) return fail("the size of a list, map or array is cut off");
                size = static_cast<std::uint8_t>(*at_);
                if (size < 1) return fail("the size of a list, map or array has no room for its count");
                out.count = static_cast<std::uint8_t>(at_[1]);
                size -= 1;
                at_ += 2;
                break;
            case 0xd:
            case 0xf:
                if (size_left < 8) return fail("the size of a list, map or array is cut off");
                size = load<std::uint32_t>(at_);
                if (size < 4) return fail("the size of a list, map or array has no room for its count");
                out.count = load<std::uint32_t>(at_ + 4);
                size -= 4;
                at_ += 8;
                break;
            default: return fail("a constructor that does not exist");
        }
        if (!is_known(code)) return fail("a constructor that does not exist");
        if (size > static_cast<std::size_t>(end_ - at_)) return fail("a value goes beyond the end");
        out.body = {at_, size};
        at_ += size;
        return true;
    }

private:
    bool read_described(Raw& out) noexcept;
    bool read_any_descriptor(std::string_view& out) noexcept;
    /// Over a value that has at most so many descriptors, on itself and in them.
    bool skip(int descriptors) noexcept;
    bool fail(const char* what) noexcept {
        fault_ = what;
        end_ = at_;
        return false;
    }

    const char* begin_;
    const char* at_;
    const char* end_;
    const char* fault_{nullptr};
};

// ---- what a value is, where it is of that type in any of its encodings; else false ----

bool get_boolean(const Raw& raw, bool& out) noexcept;
bool get_ubyte(const Raw& raw, std::uint8_t& out) noexcept;
bool get_ushort(const Raw& raw, std::uint16_t& out) noexcept;
bool get_uint(const Raw& raw, std::uint32_t& out) noexcept;
bool get_ulong(const Raw& raw, std::uint64_t& out) noexcept;
bool get_timestamp(const Raw& raw, std::int64_t& out) noexcept;
inline bool get_text(const Raw& raw, std::uint8_t small, std::string_view& out) noexcept {
    if (!raw.is_text(small)) return false;
    out = raw.body;
    return true;
}

/// The code of a descriptor: a ulong, or the specification's name of one (part 2, 2.7; part 3; part 4; part 5). 0: another.
std::uint64_t descriptor_code(std::string_view descriptor) noexcept;

}  // namespace qconn::amqp
