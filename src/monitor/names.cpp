// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <qconn/monitor/names.hpp>

namespace qconn {

namespace {

constexpr std::array k_names{
    EventName{EventKind::up, "up", "CONNECTION_UP", 5101},
    EventName{EventKind::down, "down", "CONNECTION_DOWN", 5102},
    EventName{EventKind::failing, "failing", "", 0},
    EventName{EventKind::recovered, "recovered", "", 0},
    EventName{EventKind::enabled, "enabled", "CONNECTION_ENABLED_CHANGE", 5103},
    EventName{EventKind::disabled, "disabled", "CONNECTION_ENABLED_CHANGE", 5103},
    EventName{EventKind::invalid, "invalid", "", 0},
    EventName{EventKind::added, "added", "CONNECTION_CREATED", 5104},
    EventName{EventKind::updated, "updated", "CONNECTION_UPDATED", 5105},
    EventName{EventKind::removed, "removed", "CONNECTION_DELETED", 5106},
    EventName{EventKind::alert, "alert", "", 0},
    EventName{EventKind::alert_cleared, "alert-cleared", "", 0},
    EventName{EventKind::stop, "stop", "", 0},
    EventName{EventKind::start, "start", "", 0},
    EventName{EventKind::outage, "outage", "", 0},
    EventName{EventKind::outage_over, "outage-over", "", 0},
    EventName{EventKind::slow, "slow", "", 0},
    EventName{EventKind::silenced, "silenced", "", 0},
    EventName{EventKind::unsilenced, "unsilenced", "", 0},
};

constexpr bool in_order() noexcept {
    for (std::size_t i = 0; i < k_names.size(); ++i)
        if (k_names[i].kind != static_cast<EventKind>(i)) return false;
    return true;
}
static_assert(in_order());

}  // namespace

std::span<const EventName> event_names() noexcept { return k_names; }

const EventName& event_name(EventKind kind) noexcept { return k_names[static_cast<std::size_t>(kind)]; }

std::optional<EventKind> event_kind(std::string_view name) noexcept {
    const auto found = std::find_if(k_names.begin(), k_names.end(),
                                    [name](const EventName& one) { return !name.empty() && (one.name == name || one.qorus == name); });
    return found == k_names.end() ? std::nullopt : std::optional{found->kind};
}

std::string_view to_string(EventKind kind) noexcept { return event_name(kind).name; }

}  // namespace qconn
