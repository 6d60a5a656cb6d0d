// SPDX-License-Identifier: Apache-2.0
/// What a monitor knows and tells.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/core/silence.hpp>

namespace qconn {

enum class ConnectionState : std::uint8_t {
    unknown,  ///< not judged yet
    up,
    failing,  ///< was up; failures since, but fewer than make it down
    down,
    disabled,
    invalid,  ///< its definition cannot be used
};
QCONN_API std::string_view to_string(ConnectionState state) noexcept;

enum class EventKind : std::uint8_t {
    up,  ///< from unknown or down
    down,
    failing,    ///< the first failure of one that was up
    recovered,  ///< from failing back to up
    enabled,
    disabled,
    invalid,
    added,
    updated,
    removed,
    alert,  ///< an ongoing condition was raised, or a transient one noticed
    alert_cleared,
    stop,         ///< an interface is being stopped; `name` is the interface's
    start,        ///< an interface is being started again
    outage,       ///< several connections went down for one cause, which `name` is: told once, a second after the last that joined in
    outage_over,  ///< none of them is down for it any more
    slow,         ///< its ping takes longer than MonitorOptions::slow, where that is set; once, until one was quicker
    silenced,     ///< a silence has come into force: `error` says which, by whom, until when and why
    unsilenced,   ///< it is not any more; where another one is in its place, its `silenced` follows
};
/// As in the tool's JSON: "up", "alert-cleared" and so on.
QCONN_API std::string_view to_string(EventKind kind) noexcept;

/// One thing that happened. Immutable, holds no secret. A value type.
struct Event {
    EventKind kind{EventKind::up};
    /// Of the connection; of the interface for stop and start.
    std::string name;
    ConnectionState state{ConnectionState::unknown};
    ConnectionState from{ConnectionState::unknown};
    /// Of the failure, where there was one.
    Phase phase{Phase::none};
    Reason reason{Reason::none};
    /// what() of the failure, or for alerts their text; may be empty.
    std::string error;
    std::chrono::system_clock::time_point time;
    /// Not before that of any event with a lower `seq`.
    Clock::time_point mono;
    /// Counts up by one over all events of a monitor, in the order in which the states changed.
    std::uint64_t seq{0};
    /// For alert and alert_cleared: its type, "USER-CONNECTION-UNAVAILABLE".
    std::string alert{};
    /// For down, up from down, alert, alert_cleared, outage and outage_over: Outage::id; else zero.
    std::uint64_t outage{0};
    /// For outage: the names of those that are down for it, sorted.
    std::vector<std::string> members{};
    /// For alert: it is told once, nothing stands and nothing will be cleared.
    bool transient{false};
    /// It happened while its connection was silenced, an outage while all its connections were: nobody is to be called for it.
    bool silenced{false};
    /// How many events were left out for this listener since the one that it got before, as it was slow (SubscribeOptions::queue).
    std::uint64_t skipped{0};
};

/// Which events a listener gets, and how many may wait for it. A value type.
struct SubscribeOptions {
    /// Empty: all kinds.
    std::vector<EventKind> kinds{};
    /// Patterns of names, of connections and of interfaces: `*` is any text, `?` one byte; one of them must match. Empty: all names.
    std::vector<std::string> names{};
    /// Events that may wait while the listener is busy. When more do, those that cancel out are left out: of a connection that was down, up, down
    /// and up again its first `down` and its last `up` remain, of an alert that was raised and cleared nothing. The last event of a connection always
    /// says what it is, none ever contradicts the one before, and Event::skipped counts what is missing. What cannot cancel out still waits: as many
    /// connections as have changed. Zero: nothing is left out, whatever the memory.
    std::size_t queue{1000};
};

/// What a monitor has done since it was made. A snapshot; only goes up.
struct MonitorCounts {
    std::uint64_t pings_ok{0};
    std::uint64_t pings_failed{0};
    std::uint64_t pings_inconclusive{0};
    std::uint64_t events{0};
    std::uint64_t events_skipped{0};       ///< left out for slow listeners, of all of them together
    std::uint64_t listener_exceptions{0};  ///< thrown by listeners
};

/// Whether a monitor can do its own work. A snapshot.
struct MonitorHealth {
    /// MONITOR-DEGRADED stands: within the last minute it came too late, this machine lacked what pings need, or nearly all
    /// connections failed together.
    bool degraded{false};
    /// How much later than it should the monitor has come, or a ping has begun, in the last minute; the worst.
    std::chrono::nanoseconds worst_lag{0};
    std::uint64_t stalls{0};        ///< times at which the process did not run for a second, or half of the time-out
    std::uint64_t local_faults{0};  ///< pings that did not count for a fault of this machine
    std::uint64_t suspends{0};      ///< of the machine
};

/// An ongoing condition: raised once, cleared once. Or a transient one, which was noticed once.
struct Alert {
    std::string type;  ///< "USER-CONNECTION-UNAVAILABLE", "CERTIFICATE-EXPIRES"
    std::string name;  ///< of the connection
    std::string text;
    std::chrono::system_clock::time_point since;
    std::uint64_t id{0};  ///< of an ongoing one; never used again
    /// Of USER-CONNECTION-UNAVAILABLE: Outage::id. One alert stands for all connections of an outage (MonitorOptions::group_alerts); when the one
    /// that it is named after is up again it takes the name of another.
    std::uint64_t outage{0};
    bool transient{false};
    /// Its connection is silenced, that of an outage all its connections: no `alert` event is told. One that was raised meanwhile is told when it is
    /// silenced no more, if it still stands then.
    bool silenced{false};
    /// It has been silenced ever since it was raised, so no `alert` event was told, and its end will not be told either.
    bool untold{false};
    /// Who has seen to it, and what they noted (Registry::acknowledge, Monitor::acknowledge); empty, and the zero time point: nobody yet.
    std::string acknowledged_by{};
    std::string note{};
    std::chrono::system_clock::time_point acknowledged{};
};

/// What a monitor knows of a connection, from memory. A snapshot.
struct ConnectionStatus {
    std::string name;
    ConnectionState state{ConnectionState::unknown};
    /// When it came into that state.
    std::chrono::system_clock::time_point since;
    /// Of the last ping; zero time point: none yet.
    std::chrono::system_clock::time_point checked;
    /// When the next ping is due; past: it is under way, or waits for a place. Zero time point: none is planned.
    std::chrono::system_clock::time_point next{};
    std::chrono::nanoseconds latency{0};
    int failures{0};  ///< in a row
    /// It goes up and down too often (MonitorOptions::flap_changes).
    bool flapping{false};
    /// The ping under way takes, or the last one took, longer than MonitorOptions::slow, or half of its time-out where that is not set. Not of one
    /// that is down.
    bool slow{false};
    Phase phase{Phase::none};
    Reason reason{Reason::none};
    std::string error;  ///< of the last failure while it is failing or down
    std::uint64_t pings{0};
    /// Outage::id while it is down; else zero.
    std::uint64_t outage{0};
    /// The one that is in force, of an operator or of the definition's windows (then its `by` is "definition").
    std::optional<Silence> silence{};
    /// When the certificate that its server showed last expires; zero time point: it has shown none.
    std::chrono::system_clock::time_point certificate_expires{};
};

}  // namespace qconn
