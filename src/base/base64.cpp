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

std::string encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t n = bytes.size() - i < 3 ? bytes.size() - i : 3;
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) group = group << 8U | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) out += k <= n ? k_alphabet[group >> (18U - 6U * k) & 63U] : '=';
    }
    return out;
}

std::optional<std::string> decode(std::string_view text) {
    std::string out;
    out.reserve(text.size() / 4 * 3);
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
