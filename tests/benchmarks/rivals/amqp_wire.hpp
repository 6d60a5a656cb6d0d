// SPDX-License-Identifier: Apache-2.0
/// As much of AMQP 1.0 as the peer and the limit of the benchmark need: no check is made that the other end keeps to the specification.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {

inline constexpr std::string_view k_sasl_header{"AMQP\x03\x01\x00\x00", 8};
inline constexpr std::string_view k_amqp_header{"AMQP\x00\x01\x00\x00", 8};

enum : std::uint8_t {
    k_open = 0x10,
    k_begin,
    k_attach,
    k_flow,
    k_transfer,
    k_disposition,
    k_detach,
    k_end,
    k_close,
    k_mechanisms = 0x40,
    k_init = 0x41,
    k_outcome = 0x44
};

inline void put32(std::string& to, std::uint32_t n) {
    for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(n >> shift);
}
inline void patch32(char* at, std::uint32_t n) noexcept {
    n = __builtin_bswap32(n);
    std::memcpy(at, &n, 4);
}
inline std::uint32_t get32(const char* at) noexcept {
    std::uint32_t n = 0;
    std::memcpy(&n, at, 4);
    return __builtin_bswap32(n);
}

/// A performative: fields in their order, then frame().
class Performative {
public:
    explicit Performative(std::uint8_t code) : code_{code} {}

    Performative& null() { return raw("\x40"); }
    Performative& boolean(bool b) { return raw(b ? "\x41" : "\x42"); }
    Performative& ubyte(std::uint8_t n) { return raw(std::string{'\x50', static_cast<char>(n)}); }
    Performative& ushort(std::uint16_t n) { return raw(std::string{'\x60', static_cast<char>(n >> 8), static_cast<char>(n)}); }
    Performative& uint(std::uint32_t n) {
        std::string bytes{'\x70'};
        put32(bytes, n);
        return raw(bytes);
    }
    Performative& text(char code, std::string_view s) { return raw(std::string{code, static_cast<char>(s.size())} + std::string{s}); }
    Performative& string(std::string_view s) { return text('\xa1', s); }
    Performative& symbol(std::string_view s) { return text('\xa3', s); }
    /// A described list with one string: a source or a target.
    Performative& address(std::uint8_t code, std::string_view s) {
        const auto size = static_cast<char>(s.size());
        return raw(std::string{'\0', '\x53', static_cast<char>(code), '\xc0', static_cast<char>(size + 3), '\1', '\xa1', size} + std::string{s});
    }
    Performative& raw(std::string_view bytes) {
        fields_ += bytes;
        ++count_;
        return *this;
    }

    /// Appends the frame.
    void frame(std::string& to, std::uint16_t channel = 0, std::uint8_t kind = 0) const {
        put32(to, static_cast<std::uint32_t>(8 + 3 + 9 + fields_.size()));
        to += {'\2',  static_cast<char>(kind), static_cast<char>(channel >> 8), static_cast<char>(channel), '\0', '\x53', static_cast<char>(code_),
               '\xd0'};
        put32(to, static_cast<std::uint32_t>(4 + fields_.size()));
        put32(to, count_);
        to += fields_;
    }

private:
    std::uint8_t code_;
    std::uint32_t count_{0};
    std::string fields_{};
};

/// Reads the fields of a performative one after the other; those that are left out are null.
class Fields {
public:
    struct Value {
        std::uint8_t code{0x40};
        std::string_view whole{};  // with its constructor
        bool is_null() const noexcept { return code == 0x40; }
        bool is_true() const noexcept { return code == 0x41 || (code == 0x56 && whole[1] == 1); }
        std::uint32_t number() const noexcept {
            switch (code) {
                case 0x52:
                case 0x53:
                case 0x50: return static_cast<std::uint8_t>(whole[1]);
                case 0x60: return static_cast<std::uint32_t>(static_cast<std::uint8_t>(whole[1]) << 8 | static_cast<std::uint8_t>(whole[2]));
                case 0x70: return get32(whole.data() + 1);
                case 0x80: return get32(whole.data() + 5);
                default: return 0;
            }
        }
        std::string_view text() const noexcept {
            return (code & 0xF0U) == 0xA0 ? whole.substr(2) : (code & 0xF0U) == 0xB0 ? whole.substr(5) : std::string_view{};
        }
    };

    /// @param body  of a frame, after its head
    explicit Fields(std::string_view body) : at_{body.data()}, end_{body.data() + body.size()} {
        if (body.size() < 4 || body[0] != 0) throw std::runtime_error{"a frame without a performative"};
        ++at_;
        code_ = static_cast<std::uint8_t>(next_value().number());
        const auto list = static_cast<std::uint8_t>(*at_++);
        if (list == 0xC0) {
            left_ = static_cast<std::uint8_t>(at_[1]);
            at_ += 2;
        } else if (list == 0xD0) {
            left_ = get32(at_ + 4);
            at_ += 8;
        } else if (list != 0x45) {
            throw std::runtime_error{"a performative that is no list"};
        }
    }
    std::uint8_t code() const noexcept { return code_; }
    Value next() {
        if (left_ == 0) return {};
        --left_;
        return next_value();
    }
    void skip(int n) {
        while (n-- > 0) next();
    }

private:
    Value next_value() {
        const char* const begin = at_;
        const auto code = static_cast<std::uint8_t>(*at_++);
        if (code == 0) {
            next_value();
            next_value();
        } else {
            static constexpr std::uint8_t k_sizes[16] = {0, 0, 0, 0, 0, 1, 2, 4, 8, 16};
            const unsigned kind = code >> 4;
            if (kind < 10) {
                at_ += k_sizes[kind];
            } else if (kind % 2 == 0) {
                at_ += 1 + static_cast<std::uint8_t>(*at_);
            } else {
                at_ += 4 + get32(at_);
            }
        }
        if (at_ > end_) throw std::runtime_error{"a value ends beyond its frame"};
        return {code, {begin, static_cast<std::size_t>(at_ - begin)}};
    }

    const char* at_;
    const char* end_;
    std::uint8_t code_{0};
    std::uint32_t left_{0};
};

/// A message with one body of that size, a string or a data section.
inline std::string message(std::size_t size, bool is_string) {
    std::string bytes{'\0', '\x53', is_string ? '\x77' : '\x75'};
    if (size < 256) {
        bytes += {is_string ? '\xa1' : '\xa0', static_cast<char>(size)};
    } else {
        bytes += is_string ? '\xb1' : '\xb0';
        put32(bytes, static_cast<std::uint32_t>(size));
    }
    for (std::size_t n = 0; n < size; ++n) bytes += static_cast<char>('a' + n % 26);
    return bytes;
}

/// Frames of one transfer each, of which only the delivery-id and the tag change.
class Transfers {
public:
    Transfers(std::size_t size, bool is_string, bool settled, std::uint32_t handle, std::size_t frames) {
        const std::string body = message(size, is_string);
        std::string one;
        constexpr std::uint32_t k_fields = 5 + 5 + 6 + 1 + 1;
        put32(one, static_cast<std::uint32_t>(8 + 6 + k_fields + body.size()));
        one += {'\2', '\0', '\0', '\0', '\0', '\x53', '\x14', '\xc0', static_cast<char>(k_fields + 1), '\5', '\x70'};
        put32(one, handle);
        one += '\x70';
        id_at_ = one.size();
        one += std::string(4, '\0') + "\xa0\x04";
        tag_at_ = one.size();
        one += std::string(4, '\0') + '\x43' + (settled ? '\x41' : '\x42') + body;
        size_ = one.size();
        for (std::size_t n = 0; n < frames; ++n) bytes_ += one;
    }
    std::size_t frame_size() const noexcept { return size_; }
    std::size_t frames() const noexcept { return bytes_.size() / size_; }
    /// The first `count` frames, with ids from `first` on.
    std::string_view numbered(std::uint32_t first, std::size_t count) noexcept {
        for (std::size_t n = 0; n < count; ++n) {
            char* const frame = bytes_.data() + n * size_;
            patch32(frame + id_at_, first + static_cast<std::uint32_t>(n));
            patch32(frame + tag_at_, first + static_cast<std::uint32_t>(n));
        }
        return {bytes_.data(), count * size_};
    }

private:
    std::string bytes_{};
    std::size_t size_{0};
    std::size_t id_at_{0};
    std::size_t tag_at_{0};
};

}  // namespace bench
