// SPDX-License-Identifier: Apache-2.0
/// Instants in texts for operators.
#pragma once

#include <array>
#include <chrono>
#include <ctime>
#include <string>

namespace qconn::monitor {

/// "2026-05-01 10:00:00 UTC"; empty where the calendar has no such time.
inline std::string utc(std::chrono::system_clock::time_point time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    std::array<char, 32> text{};
    if (gmtime_r(&seconds, &parts) == nullptr) return {};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

}  // namespace qconn::monitor
