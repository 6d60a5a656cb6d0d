// SPDX-License-Identifier: Apache-2.0
/// Recurring times at which work on a connection is expected: "Sun 02:00-04:00". Pure: the time and the zone are arguments.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/result.hpp>

namespace qconn::core {

/// A value type.
struct MaintenanceWindow {
    std::uint8_t days{0};  ///< on which it begins: bit 0 is Sunday
    std::chrono::minutes begin{0};
    std::chrono::minutes end{0};  ///< from the midnight before `begin`, so more than 24 h where it lasts into the next day; always after `begin`
    bool utc{false};

    bool operator==(const MaintenanceWindow&) const = default;
};

/// `DAYS HH:MM-HH:MM [UTC]`: DAYS is `daily`, a day (`Sun`), a range (`Mon-Fri`, `Fri-Mon`) or several of them (`Mon,Wed-Fri`); an end that is not
/// after the beginning is one of the next day, `24:00` is midnight. Without UTC it is local time.
/// @returns what is wrong as the error's message
Result<MaintenanceWindow> parse_maintenance_window(std::string_view text);

using WallTime = std::chrono::system_clock::time_point;
/// How far local time is ahead of UTC at that instant.
using ZoneOffset = std::chrono::seconds (*)(WallTime);
/// Of the system's zone (TZ, /etc/localtime).
std::chrono::seconds local_offset(WallTime time);

struct Occurrence {
    WallTime from;
    WallTime until;
    bool is_open(WallTime now) const noexcept { return from <= now && now < until; }
};
/// The one that is open, or else the next one. A local time that comes twice, as clocks are set back, is the first for a beginning and the second for
/// an end; one that is left out, as they are set forward, is as much later as they are. A window that ends before it begins by that is not on that
/// day.
Occurrence next_occurrence(const MaintenanceWindow& window, WallTime now, ZoneOffset offset = local_offset);

}  // namespace qconn::core
