// SPDX-License-Identifier: Apache-2.0
/// How one connection is watched: what the monitor's options and the connection's own rules come to.
#pragma once

#include <compare>
#include <cstdint>
#include <map>

#include <qconn/core/monitoring.hpp>
#include <qconn/monitor/monitor.hpp>

#include "monitor/schedule.hpp"
#include "monitor/state.hpp"

namespace qconn::monitor {

/// A value type.
struct Rules {
    Pace pace;
    Thresholds thresholds;
    Clock::duration min_up{0};
    Clock::duration min_down{0};
    Clock::duration restart_delay{0};
    int flap_changes{0};
    Clock::duration flap_window{0};
    bool ignores_socket_warnings{false};

    auto operator<=>(const Rules&) const = default;
};

/// With defaults and bounds worked out.
Rules rules_of(const MonitorOptions& options, const MonitoringRules& own = {});

/// Most connections are watched by the same rules: each set of them is there once.
class RulesTable {
public:
    /// Stays where it is until as many release() have been called.
    const Rules* take(const Rules& rules) {
        const auto [entry, is_new] = users_.try_emplace(rules, 0);
        ++entry->second;
        return &entry->first;
    }
    void release(const Rules* rules) {
        if (rules == nullptr) return;
        const auto entry = users_.find(*rules);
        if (--entry->second == 0) users_.erase(entry);
    }

private:
    std::map<Rules, std::uint32_t> users_;
};

}  // namespace qconn::monitor
