// SPDX-License-Identifier: Apache-2.0
/// How long to wait before a connection is made anew. A pure function.
#pragma once

#include <algorithm>
#include <chrono>

namespace qconn::net {

/// Twice as long before each further attempt, up to `most`. Of each wait the half is certain, the rest random, so that clients who failed together do
/// not come back together.
/// @param attempt  from 1
/// @param random   from 0 to 1
inline std::chrono::milliseconds backoff(std::chrono::milliseconds delay, std::chrono::milliseconds most, int attempt, double random) noexcept {
    auto wait = std::min(delay, most);
    for (int i = 1; i < attempt && wait < most; ++i) wait = std::min(wait * 2, most);
    const double half = static_cast<double>(wait.count()) / 2;
    return std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(half + half * std::clamp(random, 0.0, 1.0))};
}

}  // namespace qconn::net
