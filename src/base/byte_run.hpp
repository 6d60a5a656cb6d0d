// SPDX-License-Identifier: Apache-2.0
/// Finds the end of a run of bytes that need no look of their own, many at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace qconn::text {

/// How many of `Block`'s bytes are before the first that ends a run.
template <class Block, class Ends>
inline std::size_t run_in_block(const char* at, Ends ends) noexcept {
    Block block;
    std::memcpy(&block, at, sizeof block);
    const auto found = ends(block);  // all bits of each such byte
    constexpr bool k_little = std::endian::native == std::endian::little;
    for (std::size_t i = 0; i < sizeof block; i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, reinterpret_cast<const char*>(&found) + i, 8);
        if (word != 0) return i + static_cast<std::size_t>(k_little ? std::countr_zero(word) : std::countl_zero(word)) / 8;
    }
    return sizeof block;
}

/// For runs that are only looked for.
struct Ignore {
    void operator()(const char*, auto) const noexcept {}
};

/// The first byte of `[at, end)` that ends a run, or `end`.
/// @param ends  a generic lambda over one byte and over blocks of them, so without `||` and `&&`: `[](auto c) { return (c == '"') | (c < 0x20); }`
/// @param take  called with each part of the run, a place and a constant size, in order; a part at its end may be left out where it is not `end`
template <class Ends, class Take = Ignore>
inline const char* run_end(const char* at, const char* end, Ends ends, Take take = {}) noexcept {
    using Sixteen = std::uint8_t __attribute__((vector_size(16)));
    using Eight = std::uint8_t __attribute__((vector_size(8)));
    for (; end - at >= 16; at += 16) {
        if (const std::size_t run = run_in_block<Sixteen>(at, ends); run != 16) return at + run;
        take(at, std::integral_constant<std::size_t, 16>{});
    }
    if (end - at >= 8) {
        if (const std::size_t run = run_in_block<Eight>(at, ends); run != 8) return at + run;
        take(at, std::integral_constant<std::size_t, 8>{});
        at += 8;
    }
    for (; at != end && !ends(static_cast<std::uint8_t>(*at)); ++at) take(at, std::integral_constant<std::size_t, 1>{});
    return at;
}

}  // namespace qconn::text
