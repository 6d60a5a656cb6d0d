// SPDX-License-Identifier: Apache-2.0
#include "base/base64.hpp"

#include <array>
#include <cstdint>

#include "base/text.hpp"

namespace qconn::base64 {

namespace {

constexpr std::string_view k_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t k_none = 0xFF;

constexpr std::array<std::uint8_t, 256> k_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(k_none);
    for (std::size_t i = 0; i < k_alphabet.size(); ++i) values[static_cast<unsigned char>(k_alphabet[i])] = static_cast<std::uint8_t>(i);
    return values;
}();

}  // namespace

char* encode(std::string_view bytes, char* out) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
    std::size_t i = 0;
    for (; bytes.size() - i >= 3; i += 3) {
        const std::uint32_t group = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
        *out++ = k_alphabet[group >> 18U];
        *out++ = k_alphabet[group >> 12U & 63U];
        *out++ = k_alphabet[group >> 6U & 63U];
        *out++ = k_alphabet[group & 63U];
    }
    if (i == bytes.size()) return out;
    const bool two = bytes.size() - i == 2;
    const std::uint32_t group = byte(i) << 16U | (two ? byte(i + 1) << 8U : 0U);
    *out++ = k_alphabet[group >> 18U];
    *out++ = k_alphabet[group >> 12U & 63U];
    *out++ = two ? k_alphabet[group >> 6U & 63U] : '=';
    *out++ = '=';
    return out;
}

std::string encode(std::string_view bytes) {
    std::string out((bytes.size() + 2) / 3 * 4, '\0');
    encode(bytes, out.data());
    return out;
}

std::optional<std::string> decode(std::string_view text) {
    std::string out;
    out.resize(text.size() / 4 * 3);
    // Groups of four as long as nothing else comes; 0xFF has bits that no value has.
    const auto value = [&](std::size_t i) { return static_cast<std::uint32_t>(k_values[static_cast<unsigned char>(text[i])]); };
    std::size_t groups = 0;
    char* to = out.data();
    for (; text.size() - groups >= 4; groups += 4) {
        const std::uint32_t a = value(groups), b = value(groups + 1), c = value(groups + 2), d = value(groups + 3);
        if (((a | b | c | d) & 0xC0U) != 0) break;
        const std::uint32_t bits = a << 18U | b << 12U | c << 6U | d;
        *to++ = static_cast<char>(bits >> 16U);
        *to++ = static_cast<char>(bits >> 8U & 0xFFU);
        *to++ = static_cast<char>(bits & 0xFFU);
    }
    out.resize(groups / 4 * 3);
    text.remove_prefix(groups);
    std::uint32_t group = 0;
    std::size_t n = 0, padding = 0;
    for (const char c : text) {
        if (text::is_space(c)) continue;
        if (c == '=') {
            ++padding;
            continue;
        }
        const std::uint8_t v = k_values[static_cast<unsigned char>(c)];
        if (v == k_none || padding != 0) return std::nullopt;
        group = group << 6U | v;
        if (++n == 4) {
            out += static_cast<char>(group >> 16U & 0xFFU);
            out += static_cast<char>(group >> 8U & 0xFFU);
            out += static_cast<char>(group & 0xFFU);
            group = 0;
            n = 0;
        }
    }
    if (n == 1 || (padding != 0 && (n == 0 || n + padding != 4))) return std::nullopt;
    if (n == 2) {
        if (group & 0xFU) return std::nullopt;
        out += static_cast<char>(group >> 4U & 0xFFU);
    } else if (n == 3) {
        if (group & 0x3U) return std::nullopt;
        out += static_cast<char>(group >> 10U & 0xFFU);
        out += static_cast<char>(group >> 2U & 0xFFU);
    }
    return out;
}

}  // namespace qconn::base64
