// SPDX-License-Identifier: Apache-2.0
/// What a connection that goes down would stop, and why an interface does not run.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/monitor/interface.hpp>

namespace qconn {

/// An interface in the answer to "what if that connection went down?"
struct AffectedInterface {
    InterfaceKey interface;
    /// The connection of its own that it would miss: the one asked about, or one that is offered by an interface which misses it.
    std::string connection;
    /// It would run when the connection has come up again.
    bool returns{true};
    /// Where it would not: why. Sentences of Monitor::why_stopped, joined by "; ".
    std::string why_not;
};

/// What would happen if a connection went down now. A dry run over what the monitor knows; nothing is called. A snapshot.
struct Impact {
    std::string connection;
    /// They run now and would be stopped, in this order.
    std::vector<AffectedInterface> stops;
    /// They require it too, but do not run now.
    std::vector<AffectedInterface> stopped;
    /// They would do without, and run on.
    std::vector<AffectedInterface> optional;
    /// False: manage_interfaces is off, so nothing would be stopped. The lists are as if it were on.
    bool managed{true};
};

/// Why an interface does not run.
enum class StopCause : std::uint8_t {
    connection,      ///< a connection is down, disabled, invalid, or not known to be up again
    provider,        ///< a connection is offered by an interface that does not run; `because` says why not
    by_hand,         ///< Interface::stop()
    ended,           ///< the application said that it ended by itself
    not_started,     ///< it was not running when it was added
    start_failed,    ///< its start function threw
    no_autostart,    ///< nothing is in its way, but it is only started by hand
    group_disabled,  ///< one of its groups is disabled
    all_stopped,     ///< Monitor::stop_interfaces()
    not_managed,     ///< manage_interfaces is off, so nothing starts it
    in_transition,   ///< it is being stopped or started
};
QCONN_API std::string_view to_string(StopCause cause) noexcept;

struct StopReason {
    StopCause cause{StopCause::connection};
    /// The connection or the group; empty for the other causes.
    std::string name;
    /// The fact in a sentence, with what is known of it: state, reason, error, since when.
    std::string text;
    /// For `provider`: why that interface does not run.
    std::vector<StopReason> because;
};

/// The answer to "why does it not run?"
struct WhyStopped {
    InterfaceKey interface;
    InterfaceState state{InterfaceState::running};
    /// Each is enough to keep it from running. Empty where it runs.
    std::vector<StopReason> reasons;
};
/// Lines for an operator: the state, then each reason, what is behind a provider further to the right. Ends with a line feed.
QCONN_API std::string to_text(const WhyStopped& why);

}  // namespace qconn
