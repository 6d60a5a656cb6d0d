// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace qconn::text {

/// Appends a code point, which must be one (no surrogate, at most 0x10FFFF).
inline void append_utf8(std::string& out, std::uint32_t c) {
    const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | (c >> shift & 0x3FU)); };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xC0U | c >> 6U);
        tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xE0U | c >> 12U);
        tail(6), tail(0);
    } else {
        out += static_cast<char>(0xF0U | c >> 18U);
        tail(12), tail(6), tail(0);
    }
}

}  // namespace qconn::text
