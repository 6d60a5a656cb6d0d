// SPDX-License-Identifier: Apache-2.0
#include <qconn/admin/metrics_server.hpp>
#include <qconn/monitor/metrics.hpp>

#include "admin/http_server.hpp"
#include "net/address.hpp"

namespace qconn {

namespace {

admin::Response answer(const admin::Request& request, const Monitor& monitor) {
    admin::Response response;
    if (request.path != "/metrics") {
        response.status = 404;
        response.body = "there is only /metrics\n";
    } else if (request.method != "GET") {
        response.status = 405;
        response.headers = {{"Allow", "GET, HEAD"}};
        response.body = "metrics can only be read\n";
    } else {
        response.type = k_metrics_type;
        response.body = metrics_text(monitor);
    }
    return response;
}

}  // namespace

MetricsServer::MetricsServer(const Monitor& monitor, const ServerOptions& options)
    : server_{std::make_unique<admin::HttpServer>(options, [&monitor](const admin::Request& request) { return answer(request, monitor); })} {}
MetricsServer::~MetricsServer() = default;

std::uint16_t MetricsServer::port() const noexcept { return server_->port(); }
std::string MetricsServer::url() const { return "http://" + net::authority(server_->host(), server_->port()) + "/metrics"; }

}  // namespace qconn
