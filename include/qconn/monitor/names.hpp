// SPDX-License-Identifier: Apache-2.0
/// The names of events: ours and those of Qorus.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include <qconn/base/export.hpp>
#include <qconn/monitor/event.hpp>

namespace qconn {

/// One kind of event.
struct EventName {
    EventKind kind;
    std::string_view name;   ///< as in the tool's JSON: "up", "alert-cleared"
    std::string_view qorus;  ///< "CONNECTION_UP"; empty where Qorus has no such event
    int qorus_code;          ///< 5101; zero where Qorus has no such event
};

/// The class of Qorus' events that these belong to: CONNECTION.
inline constexpr int k_qorus_connection_class = 108;

/// All kinds, in the order of EventKind.
QCONN_API std::span<const EventName> event_names() noexcept;
QCONN_API const EventName& event_name(EventKind kind) noexcept;
/// By its own name, or that of Qorus; of several that Qorus calls the same (CONNECTION_ENABLED_CHANGE) the first.
QCONN_API std::optional<EventKind> event_kind(std::string_view name) noexcept;

}  // namespace qconn
