// SPDX-License-Identifier: Apache-2.0
#include "cli/states.hpp"

#include <algorithm>
#include <array>

namespace qconn::cli {

Style style_of(EventKind kind) noexcept {
    switch (kind) {
        case EventKind::up:
        case EventKind::recovered:
        case EventKind::start:
        case EventKind::outage_over:
        case EventKind::alert_cleared: return Style::good;
        case EventKind::down:
        case EventKind::invalid:
        case EventKind::outage:
        case EventKind::stop: return Style::bad;
        case EventKind::failing:
        case EventKind::alert: return Style::warn;
        default: return Style::plain;
    }
}

Style style_of(ConnectionState state) noexcept {
    switch (state) {
        case ConnectionState::up: return Style::good;
        case ConnectionState::down:
        case ConnectionState::invalid: return Style::bad;
        case ConnectionState::failing: return Style::warn;
        case ConnectionState::unknown:
        case ConnectionState::disabled: return Style::dim;
    }
    return Style::plain;
}

std::string counts_text(const std::vector<ConnectionStatus>& statuses, const Output& out) {
    static constexpr std::array k_order{ConnectionState::down,    ConnectionState::failing,  ConnectionState::invalid,
                                        ConnectionState::unknown, ConnectionState::disabled, ConnectionState::up};
    std::string text = counted(statuses.size(), "connection") + ":";
    bool first = true;
    for (const ConnectionState state : k_order) {
        const auto count = std::count_if(statuses.begin(), statuses.end(), [state](const ConnectionStatus& one) { return one.state == state; });
        if (count == 0) continue;
        text += first ? " " : ", ";
        text += out.paint(style_of(state), std::to_string(count) + " " + std::string{to_string(state)});
        first = false;
    }
    return text;
}

std::vector<Column> event_columns() {
    return {{"event"}, {"name"},  {"state"},     {"from"},     {"phase"},  {"reason"},  {"error"},   {"time"},        {"mono_ns"},
            {"seq"},   {"alert"}, {"transient"}, {"silenced"}, {"outage"}, {"members"}, {"skipped"}, {"qorus_event"}, {"qorus_code"}};
}

}  // namespace qconn::cli
