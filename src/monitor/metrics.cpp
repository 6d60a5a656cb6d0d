// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/monitor/metrics.hpp>

#include "monitor/exposition.hpp"

namespace qconn {

namespace {

using monitor::Exposition;
using monitor::MetricType;

constexpr std::array k_connection_states{ConnectionState::unknown, ConnectionState::up,       ConnectionState::failing,
                                         ConnectionState::down,    ConnectionState::disabled, ConnectionState::invalid};
constexpr std::array k_interface_states{InterfaceState::running,  InterfaceState::stopping, InterfaceState::blocked,
                                        InterfaceState::starting, InterfaceState::stopped,  InterfaceState::disabled};

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>{time}.count(); }
std::uint64_t flag(bool yes) { return yes ? 1 : 0; }

void write_connections(Exposition& out, const std::vector<ConnectionStatus>& statuses) {
    out.family("qconn_connection_up", MetricType::gauge, "Whether the connection is up (1), or in any other state (0).");
    for (const auto& one : statuses) out.sample({{"connection", one.name}}, flag(one.state == ConnectionState::up));

    out.family("qconn_connection_state", MetricType::gauge, "The state of the connection: 1 for the one that it is in, 0 for the others.");
    for (const auto& one : statuses)
        for (const auto state : k_connection_states) out.sample({{"connection", one.name}, {"state", to_string(state)}}, flag(one.state == state));

    out.family("qconn_connection_latency_seconds", MetricType::gauge, "How long the last good ping took.");
    for (const auto& one : statuses)
        if (one.latency.count() > 0) out.sample({{"connection", one.name}}, seconds(one.latency));

    const auto now = std::chrono::system_clock::now();
    out.family("qconn_connection_last_check_age_seconds", MetricType::gauge, "Time since the last ping ended, good or bad.");
    for (const auto& one : statuses)
        if (one.checked != std::chrono::system_clock::time_point{})
            out.sample({{"connection", one.name}}, seconds(std::max<std::chrono::nanoseconds>(now - one.checked, std::chrono::nanoseconds{0})));

    out.family("qconn_connection_certificate_expires_seconds", MetricType::gauge, "When the certificate of the server expires, in Unix time.");
    for (const auto& one : statuses)
        if (one.certificate_expires != std::chrono::system_clock::time_point{})
            out.sample({{"connection", one.name}}, seconds(one.certificate_expires.time_since_epoch()));

    out.family("qconn_connection_failures", MetricType::gauge, "Pings in a row that have failed.");
    for (const auto& one : statuses) out.sample({{"connection", one.name}}, static_cast<std::uint64_t>(one.failures));

    out.family("qconn_connection_silenced", MetricType::gauge, "1 for each connection that is silenced, by kind.");
    for (const auto& one : statuses)
        if (one.silence) out.sample({{"connection", one.name}, {"kind", to_string(one.silence->kind)}}, std::uint64_t{1});

    out.family("qconn_connection_pings_total", MetricType::counter, "Pings of the connection that have ended.");
    for (const auto& one : statuses) out.sample({{"connection", one.name}}, one.pings);
}

/// The first end of each kind that a connection has.
void write_credentials(Exposition& out, const std::vector<ConnectionCredential>& by_end) {
    out.family("qconn_connection_credential_expires_seconds", MetricType::gauge,
               "When the connection's own certificate, or its token, expires, in Unix time.");
    std::set<std::pair<std::string_view, Credential::Kind>> written;
    for (const auto& one : by_end) {
        if (!one.credential.expires || !written.emplace(one.connection, one.credential.kind).second) continue;
        out.sample({{"connection", one.connection}, {"kind", to_string(one.credential.kind)}}, seconds(one.credential.expires->time_since_epoch()));
    }
}

void write_counts(Exposition& out, const MonitorCounts& counts) {
    out.family("qconn_pings_total", MetricType::counter, "Pings of all connections that have ended, by outcome.");
    out.sample({{"outcome", "ok"}}, counts.pings_ok);
    out.sample({{"outcome", "failed"}}, counts.pings_failed);
    out.sample({{"outcome", "inconclusive"}}, counts.pings_inconclusive);
    out.family("qconn_events_total", MetricType::counter, "Events that have happened.");
    out.sample({}, counts.events);
    out.family("qconn_events_skipped_total", MetricType::counter, "Events that were left out for slow listeners.");
    out.sample({}, counts.events_skipped);
    out.family("qconn_listener_exceptions_total", MetricType::counter, "Exceptions that listeners have thrown.");
    out.sample({}, counts.listener_exceptions);
}

void write_alerts(Exposition& out, const std::vector<Alert>& alerts) {
    out.family("qconn_alerts", MetricType::gauge, "Alerts that stand.");
    out.sample({}, static_cast<std::uint64_t>(alerts.size()));
    out.family("qconn_alert_active", MetricType::gauge, "1 for each alert that stands, 0 for one that is silenced.");
    for (const auto& one : alerts) out.sample({{"connection", one.name}, {"type", one.type}}, flag(!one.silenced));
}

void write_outages(Exposition& out, const std::vector<Outage>& outages) {
    out.family("qconn_outages", MetricType::gauge, "Causes for which connections are down.");
    out.sample({}, static_cast<std::uint64_t>(outages.size()));
}

void write_interfaces(Exposition& out, const std::vector<InterfaceInfo>& interfaces) {
    out.family("qconn_interfaces", MetricType::gauge, "Interfaces by state.");
    for (const auto state : k_interface_states) {
        const auto number = std::count_if(interfaces.begin(), interfaces.end(), [state](const InterfaceInfo& one) { return one.state == state; });
        out.sample({{"state", to_string(state)}}, static_cast<std::uint64_t>(number));
    }
}

}  // namespace

std::string metrics_text(const Monitor& monitor) {
    Exposition out;
    write_connections(out, monitor.statuses());
    write_credentials(out, monitor.credentials());
    write_alerts(out, monitor.alerts());
    write_outages(out, monitor.outages());
    write_interfaces(out, monitor.interfaces());
    write_counts(out, monitor.counts());
    return out.take();
}

}  // namespace qconn
