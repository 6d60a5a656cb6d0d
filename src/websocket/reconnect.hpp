// SPDX-License-Identifier: Apache-2.0
/// How long to wait before a connection is made anew. A pure function.
#pragma once

#include <algorithm>
#include <chrono>

#include <qconn/websocket/websocket_options.hpp>

namespace qconn::websocket {

/// @param attempt  from 1
/// @param random   from 0 to 1
inline std::chrono::milliseconds reconnect_wait(const WebSocketReconnect& how, int attempt, double random) noexcept {
    auto wait = std::min(how.delay, how.max_delay);
    for (int i = 1; i < attempt && wait < how.max_delay; ++i) wait = std::min(wait * 2, how.max_delay);
    const double half = static_cast<double>(wait.count()) / 2;
    return std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(half + half * std::clamp(random, 0.0, 1.0))};
}

}  // namespace qconn::websocket
