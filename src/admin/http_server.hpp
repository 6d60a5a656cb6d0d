// SPDX-License-Identifier: Apache-2.0
/// A small HTTP server: requests without a body in, answers out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <qconn/admin/metrics_server.hpp>

namespace qconn::admin {

struct Request {
    std::string method;
    std::string path;  ///< as it was sent, without the query
};

struct Response {
    int status{200};
    std::string type{"text/plain; charset=utf-8"};
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
};

/// Called on the blocking pool, several at a time. What it throws is answered with 500 and logged.
using Handler = std::function<Response(const Request&)>;

/// Listens from its construction to its end; then no handler is running any more. HEAD is the server's business: handlers see GET.
/// @note Thread-safe.
class HttpServer {
public:
    /// @throws Error LISTEN-ERROR
    HttpServer(const ServerOptions& options, Handler handler);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer();

    std::uint16_t port() const noexcept { return port_; }
    const std::string& host() const noexcept { return host_; }

private:
    class Core;
    class Session;

    std::shared_ptr<Core> core_;
    std::string host_;
    std::uint16_t port_{0};
};

}  // namespace qconn::admin
