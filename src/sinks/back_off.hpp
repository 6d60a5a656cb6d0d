// SPDX-License-Identifier: Apache-2.0
/// How long a sink waits before it tries again.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace qconn::sinks {

/// The wait after so many failures in a row, counted from 1.
inline std::chrono::milliseconds back_off(int failures, std::chrono::milliseconds first, std::chrono::milliseconds longest) noexcept {
    const auto doubled = first * (std::int64_t{1} << std::clamp(failures - 1, 0, 20));
    return std::min(doubled, longest);
}

}  // namespace qconn::sinks
