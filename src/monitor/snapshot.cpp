// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/registry_error.hpp>
#include <qconn/monitor/snapshot.hpp>

namespace qconn {

MonitorSnapshot read_monitor_state(const std::string& path) {
    throw make_error(Errc::system, "reading the monitor's state from \"" + path + "\" failed: no monitor writes one").with_reason(Reason::missing);
}

Impact impact(const MonitorSnapshot&, std::string_view connection) {
    throw Error{RegistryErrc::unknown, "CONNECTION-UNKNOWN", "there is no connection \"" + std::string{connection} + "\" in that snapshot"}
        .with_connection(connection)
        .with_reason(Reason::not_found);
}

}  // namespace qconn
