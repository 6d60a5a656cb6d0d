// SPDX-License-Identifier: Apache-2.0
#include "monitor/cell.hpp"

#include <thread>

namespace qconn::monitor {

ConnectionStatus Cell::read() const {
    while (busy_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
    const Standing standing = standing_;  // allocates nothing
    busy_.store(false, std::memory_order_release);

    ConnectionStatus status;
    status.name = name_;
    status.state = standing.state;
    status.flapping = standing.flapping;
    status.slow = standing.slow;
    status.since = standing.since;
    status.checked = standing.checked;
    status.latency = standing.latency;
    status.failures = standing.failures;
    status.pings = standing.pings;
    status.outage = standing.outage;
    if (standing.silence) status.silence = *standing.silence;
    if (standing.error) {
        status.phase = standing.error->phase();
        status.reason = standing.error->reason();
        status.error = standing.error->what();
    }
    return status;
}

}  // namespace qconn::monitor
