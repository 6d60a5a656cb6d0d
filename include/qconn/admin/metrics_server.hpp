// SPDX-License-Identifier: Apache-2.0
/// A monitor's metrics over HTTP, for Prometheus.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <qconn/base/export.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn {

/// Where an HTTP server of this library listens, and what strangers may cost.
struct ServerOptions {
    /// An address of this machine ("127.0.0.1", "::1"; "0.0.0.0" and "::" for all of them), or "localhost", which is 127.0.0.1.
    std::string host{"127.0.0.1"};
    /// Zero: a free one.
    std::uint16_t port{0};
    /// Bytes of the head of a request. Above: 431. A request with a body is answered with 413.
    std::size_t max_head{8192};
    /// Longest time for a request to come, also on a kept connection, and for its answer to be taken. Then the connection is closed.
    std::chrono::milliseconds idle{30'000};
    /// Connections at once; further ones are closed as they come.
    std::size_t max_connections{64};
    Runtime runtime{};
};

namespace admin {
class HttpServer;
}

/// Answers GET and HEAD of /metrics with metrics_text(). Anybody who can connect may read it: names of connections and alerts, no secrets. The
/// monitor must outlive it.
/// @note Thread-safe.
class QCONN_API MetricsServer {
public:
    /// Listens when it returns. @throws Error LISTEN-ERROR with the system's code (`std::errc::address_in_use`), where the address or port cannot be
    /// had
    explicit MetricsServer(const Monitor& monitor, const ServerOptions& options = {});
    MetricsServer(const MetricsServer&) = delete;
    MetricsServer& operator=(const MetricsServer&) = delete;
    /// Closes all connections. The port is free then, unless this is an I/O thread of the runtime's: then soon.
    ~MetricsServer();

    std::uint16_t port() const noexcept;
    /// "http://127.0.0.1:9464/metrics".
    std::string url() const;

private:
    std::unique_ptr<admin::HttpServer> server_;
};

}  // namespace qconn
