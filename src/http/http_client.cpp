// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <qconn/http/http_client.hpp>

#include "http/transport.hpp"

namespace qconn {

namespace {

HttpRequest with_body(std::string_view method, std::string_view path, std::string body, std::string_view content_type) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.body = std::move(body);
    request.has_body = true;
    if (!content_type.empty()) request.headers.set("Content-Type", std::string{content_type});
    return request;
}

HttpRequest without_body(std::string_view method, std::string_view path) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    return request;
}

}  // namespace

HttpClient::HttpClient(HttpOptions options, Runtime runtime)
    : transport_{std::make_unique<http::Transport>(std::move(options), std::move(runtime))} {}
HttpClient::~HttpClient() = default;

std::string_view HttpClient::label() const noexcept { return transport_->options().label; }
const HttpOptions& HttpClient::options() const noexcept { return transport_->options(); }

HttpResponse HttpClient::request(const HttpRequest& request, Deadline deadline) {
    return observed([&] { return transport_->request(request, deadline); });
}
Operation HttpClient::async_request(HttpRequest request, Deadline deadline, Callback<HttpResponse> callback) {
    return transport_->async_request(std::move(request), deadline, under_way(std::move(callback)));
}

HttpResponse HttpClient::get(std::string_view path, Deadline deadline) { return request(without_body("GET", path), deadline); }
HttpResponse HttpClient::head(std::string_view path, Deadline deadline) { return request(without_body("HEAD", path), deadline); }
HttpResponse HttpClient::post(std::string_view path, std::string body, std::string_view content_type, Deadline deadline) {
    return request(with_body("POST", path, std::move(body), content_type), deadline);
}
HttpResponse HttpClient::put(std::string_view path, std::string body, std::string_view content_type, Deadline deadline) {
    return request(with_body("PUT", path, std::move(body), content_type), deadline);
}
HttpResponse HttpClient::del(std::string_view path, Deadline deadline) { return request(without_body("DELETE", path), deadline); }

}  // namespace qconn
