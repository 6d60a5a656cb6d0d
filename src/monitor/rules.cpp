// SPDX-License-Identifier: Apache-2.0
#include "monitor/rules.hpp"

#include <algorithm>

namespace qconn::monitor {

Rules rules_of(const MonitorOptions& options, const MonitoringRules& own) {
    using std::chrono::milliseconds;
    const milliseconds interval = own.interval.value_or(options.interval);
    Rules rules;
    Pace& pace = rules.pace;
    pace.interval = interval.count() <= 0 ? milliseconds{0} : std::max(interval, milliseconds{100});
    const milliseconds down = own.interval_down.value_or(options.interval_down);
    pace.interval_down = pace.interval.count() == 0 || down.count() <= 0 ? pace.interval : std::max<Clock::duration>(down, milliseconds{100});
    pace.timeout = std::max(own.timeout.value_or(options.timeout), milliseconds{1});
    pace.slow = options.slow.count() > 0 ? Clock::duration{options.slow} : pace.timeout / 2;
    const milliseconds fast = own.fast.value_or(options.fast);
    pace.fast = fast.count() > 0 ? fast : std::clamp<Clock::duration>(pace.interval / 10, milliseconds{100}, std::chrono::seconds{2});
    if (pace.interval.count() > 0) pace.fast = std::min(pace.fast, pace.interval);
    rules.thresholds = {std::max(own.fall.value_or(options.fall), 1), std::max(own.rise.value_or(options.rise), 1)};
    rules.min_up = own.min_up.value_or(options.min_up);
    rules.min_down = own.min_down.value_or(options.min_down);
    rules.restart_delay = own.restart_delay.value_or(options.restart_delay);
    rules.flap_changes = own.flap_changes.value_or(options.flap_changes);
    rules.flap_window = own.flap_window.value_or(options.flap_window);
    rules.ignores_socket_warnings = own.ignore_socket_warnings.value_or(false);
    return rules;
}

}  // namespace qconn::monitor
