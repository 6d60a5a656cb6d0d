// SPDX-License-Identifier: Apache-2.0
/// What a monitor remembers of a connection and of all together.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/monitor/event.hpp>
#include <qconn/monitor/outage.hpp>

namespace qconn {

enum class PingOutcome : std::uint8_t {
    ok,
    failed,
    inconclusive,  ///< not judged, for a reason of this machine
};
/// "ok", "failed", "inconclusive".
QCONN_API std::string_view to_string(PingOutcome outcome) noexcept;

/// How long good pings took. From 0.25 ms to 15 s the percentiles are within an eighth of the true values; shorter ones count as 0.29 ms, none is
/// above `longest`.
struct Latencies {
    std::uint64_t pings{0};  ///< that this is made from
    std::chrono::nanoseconds p50{0};
    std::chrono::nanoseconds p90{0};
    std::chrono::nanoseconds p99{0};
    std::chrono::nanoseconds longest{0};
};

/// Time that a connection was up and down. One that is failing is up still. Time in which it was unknown, disabled or invalid, or in maintenance, or
/// in which no monitor ran, is in neither.
struct Availability {
    std::chrono::milliseconds up{0};
    std::chrono::milliseconds down{0};

    /// From 0 to 1; none where no time counts.
    std::optional<double> share() const noexcept {
        const auto all = up + down;
        return all.count() > 0 ? std::optional{static_cast<double>(up.count()) / static_cast<double>(all.count())} : std::nullopt;
    }
};

/// A time in which a connection was down.
struct PastOutage {
    std::chrono::system_clock::time_point began;
    /// The zero time point: it has not.
    std::chrono::system_clock::time_point ended;
    /// Of the failure that made it down.
    Phase phase{Phase::none};
    Reason reason{Reason::none};
    std::string error;
    /// What was at fault, as Outage has it, and its number.
    OutageKind kind{OutageKind::connection};
    std::string cause;
    std::uint64_t outage{0};
};

/// What a monitor remembers of a connection. A snapshot; holds no secret.
struct ConnectionHistory {
    std::string name;
    /// The latest pings, at most 64, the oldest first.
    std::vector<PingOutcome> pings;
    /// Of the last half hour to hour.
    Latencies latencies;
    /// Of the last hour and up to five minutes more, of the last day and up to an hour more, and since `since`.
    Availability last_hour;
    Availability last_day;
    Availability total;
    /// When it began to be remembered: before the start of this process where the monitor has a state file.
    std::chrono::system_clock::time_point since;
    /// How often it went down since then.
    std::uint64_t downs{0};
    /// The latest of these times, at most 16, the oldest first.
    std::vector<PastOutage> outages;
};

/// Which events Monitor::timeline gives. A value type.
struct TimelineFilter {
    /// Empty: all kinds.
    std::vector<EventKind> kinds{};
    /// Patterns as in SubscribeOptions; an outage is also found by its members. Empty: all names.
    std::vector<std::string> names{};
    /// Not earlier than `from`, earlier than `until`.
    std::chrono::system_clock::time_point from{std::chrono::system_clock::time_point::min()};
    std::chrono::system_clock::time_point until{std::chrono::system_clock::time_point::max()};
    /// The latest so many of those that match.
    std::size_t most{std::numeric_limits<std::size_t>::max()};
};
/// Those that match, in their order.
QCONN_API std::vector<Event> filtered(const std::vector<Event>& events, const TimelineFilter& filter);

}  // namespace qconn
