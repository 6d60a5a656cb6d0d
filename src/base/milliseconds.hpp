// SPDX-License-Identifier: Apache-2.0
/// Milliseconds since 1970 to and from points in time.
#pragma once

#include <cstdint>

#include <qconn/base/value.hpp>

namespace qconn {

/// In UTC.
inline Timestamp timestamp_of(std::int64_t ms) noexcept {
    const std::int64_t rest = ms % 1000;
    Timestamp t;
    t.seconds = ms / 1000 - (rest < 0 ? 1 : 0);
    t.nanoseconds = static_cast<std::uint32_t>((rest < 0 ? rest + 1000 : rest) * 1'000'000);
    return t;
}

/// Whether 64 bits of milliseconds hold it, up to the last second of them at either end.
inline bool has_milliseconds(const Timestamp& t) noexcept {
    constexpr std::int64_t k_most = INT64_MAX / 1000 - 1;
    return t.seconds <= k_most && t.seconds >= -k_most;
}

inline std::int64_t milliseconds_of(const Timestamp& t) noexcept { return t.seconds * 1000 + t.nanoseconds / 1'000'000; }

}  // namespace qconn
