// SPDX-License-Identifier: Apache-2.0
#include "monitor/cell.hpp"

#include <thread>

namespace qconn::monitor {

Standing Cell::copy() const {
    while (busy_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
    Standing standing = standing_;  // allocates nothing
    busy_.store(false, std::memory_order_release);
    return standing;
}

std::shared_ptr<const std::vector<Credential>> Cell::credentials() const { return copy().credentials(); }
std::shared_ptr<const ServerCertificate> Cell::certificate() const { return copy().certificate(); }

ConnectionStatus Cell::read() const {
    const Standing standing = copy();
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
    status.outage = standing.outage();
    if (const auto silence = standing.silence()) status.silence = *silence;
    if (const auto certificate = standing.certificate()) status.certificate_expires = certificate->expires;
    status.next = std::chrono::system_clock::time_point{std::chrono::system_clock::duration{next_.load(std::memory_order_relaxed)}};
    if (const Error* error = standing.error()) {
        status.phase = error->phase();
        status.reason = error->reason();
        status.error = error->what();
    }
    return status;
}

}  // namespace qconn::monitor
