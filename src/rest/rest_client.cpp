// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <utility>

#include <qconn/rest/rest_client.hpp>

#include "http/coding.hpp"
#include "http/transport.hpp"
#include "rest/body.hpp"
#include "rest/rest_error.hpp"
#include "rest/validation.hpp"

namespace qconn {

namespace {

HttpOptions http_options(const RestOptions& rest) {
    for (const std::string& coding : rest.accept_codings) {
        if (http::is_known_coding(coding)) continue;
        throw rest::make_rest_error(RestErrc::option, "the content coding \"" + coding + "\" is not known: there are gzip, deflate, br, zstd, bzip2",
                                    Phase::none, Reason::bad_value)
            .with_connection(rest.label);
    }
    HttpOptions options = rest;
    options.url = rest::url_of(rest);
    if (options.headers.find("Accept") == nullptr) options.headers.add("Accept", std::string{rest::k_accept});
    return options;
}

HttpRequest to_request(const RestCall& call, const RestOptions& options) {
    HttpRequest request;
    request.method = call.method;
    request.path = call.path;
    request.headers = call.headers;
    request.timeout = call.timeout;
    request.repeatable = call.repeatable;
    if (call.body.is_null()) return request;
    try {
        rest::Encoded encoded = rest::encode_body(call.body, call.data.value_or(options.data), options.no_charset);
        request.body = std::move(encoded.body);
        request.has_body = true;
        if (request.headers.find("Content-Type") == nullptr && options.headers.find("Content-Type") == nullptr) {
            request.headers.add("Content-Type", std::move(encoded.content_type));
        }
    } catch (Error& error) {
        error.with_connection(options.label);
        throw;
    }
    return request;
}

/// What an answer means. Refers to no client, as it may come after the client has gone.
/// @throws Error
RestResponse interpret(HttpResponse answer, const http::Settings& settings, const rest::FaultOf& fault_of, const rest::Described& described) {
    const HttpOptions& options = settings.options;
    if (answer.status >= 400 && !options.error_passthru) {
        const Error plain = http::status_error(settings, answer);
        const Error error = rest::response_error(plain, answer, fault_of, options.assume_charset, http::shown_url(answer.info.url),
                                                 http::advice_on(settings, answer));
        throw rest::redacted(error, settings).with_detail(std::make_shared<HttpErrorDetail>(std::move(answer)));
    }
    RestResponse response;
    response.status = answer.status;
    try {
        response.body = rest::decode_body(answer.body, answer.headers.get("Content-Type"), options.assume_charset);
    } catch (Error& error) {
        error.with_prefix(answer.info.method + " " + http::shown_url(answer.info.url) + " was answered with " + std::to_string(answer.status) +
                          ", but ");
        error.with_connection(options.label);
        throw std::move(error).with_detail(std::make_shared<HttpErrorDetail>(std::move(answer)));
    }
    response.headers = answer.headers;
    response.http = std::move(answer);
    rest::check_response(described, response, settings);
    return response;
}

/// Failing statuses are judged here, with their bodies.
constexpr http::CallMode k_mode{false};

}  // namespace

RestClient::RestClient(RestOptions options, Runtime runtime) : HttpClient{http_options(options), std::move(runtime)}, rest_{std::move(options)} {}

RestClient::~RestClient() {
    transport_->close();  // before the options of the calls that are under way are gone
}

RestResponse RestClient::call(const RestCall& call, Deadline deadline) {
    return observed([&] {
        HttpRequest request = to_request(call, rest_);
        const rest::Described described = rest::check_request(rest_, call, request, nullptr);
        return interpret(transport_->request(std::move(request), deadline, k_mode), *transport_->settings(), rest_.fault_of, described);
    });
}

Operation RestClient::async_call(RestCall call, Deadline deadline, Callback<RestResponse> callback) {
    return begin(std::move(callback), deadline, [&](rest::Described& described) {
        HttpRequest request = to_request(call, rest_);
        described = rest::check_request(rest_, call, request, nullptr);
        return request;
    });
}

RestResponse RestClient::call_operation(std::string_view id, const Map& arguments, Deadline deadline) {
    return observed([&] {
        const rest::OperationCall made = rest::make_call(rest_, id, arguments);
        HttpRequest request = to_request(made.call, rest_);
        const rest::Described described = rest::check_request(rest_, made.call, request, &made);
        return interpret(transport_->request(std::move(request), deadline, k_mode), *transport_->settings(), rest_.fault_of, described);
    });
}

Operation RestClient::async_call_operation(std::string_view id, const Map& arguments, Deadline deadline, Callback<RestResponse> callback) {
    return begin(std::move(callback), deadline, [&](rest::Described& described) {
        const rest::OperationCall made = rest::make_call(rest_, id, arguments);
        HttpRequest request = to_request(made.call, rest_);
        described = rest::check_request(rest_, made.call, request, &made);
        return request;
    });
}

/// @param make  the request; what it throws is what the callback gets
template <class Make>
Operation RestClient::begin(Callback<RestResponse> callback, Deadline deadline, Make make) {
    callback = under_way(std::move(callback));
    const auto settings = transport_->settings();
    HttpRequest request;
    rest::Described described;
    try {
        request = make(described);
    } catch (const Error& error) {
        return transport_->refuse([callback = std::move(callback), error]() mutable { callback(Result<RestResponse>{error}); });
    }
    return transport_->async_request(
        std::move(request), deadline,
        [callback = std::move(callback), settings, fault_of = rest_.fault_of, described = std::move(described)](Result<HttpResponse> result) mutable {
            if (!result) return callback(Result<RestResponse>{result.error()});
            std::optional<Result<RestResponse>> outcome;
            try {
                outcome.emplace(interpret(std::move(*result), *settings, fault_of, described));
            } catch (const Error& error) { outcome.emplace(error); }
            callback(std::move(*outcome));
        },
        k_mode);
}

RestResponse RestClient::get(std::string_view path, Deadline deadline) {
    RestCall request;
    request.path = path;
    return call(request, deadline);
}
RestResponse RestClient::post(std::string_view path, Value body, Deadline deadline) {
    return call({.method = "POST", .path = std::string{path}, .body = std::move(body)}, deadline);
}
RestResponse RestClient::put(std::string_view path, Value body, Deadline deadline) {
    return call({.method = "PUT", .path = std::string{path}, .body = std::move(body)}, deadline);
}
RestResponse RestClient::patch(std::string_view path, Value body, Deadline deadline) {
    return call({.method = "PATCH", .path = std::string{path}, .body = std::move(body)}, deadline);
}
RestResponse RestClient::del(std::string_view path, Value body, Deadline deadline) {
    return call({.method = "DELETE", .path = std::string{path}, .body = std::move(body)}, deadline);
}

}  // namespace qconn
