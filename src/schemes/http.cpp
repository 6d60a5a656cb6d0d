// SPDX-License-Identifier: Apache-2.0
// http and https.
#include <qconn/http/http_client.hpp>

#include "schemes/http_address.hpp"
#include "schemes/http_options.hpp"
#include "schemes/http_scheme.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {
namespace {

const OptionTable<HttpOptions>& table() {
    static const OptionTable<HttpOptions> options = [] {
        OptionTable<HttpOptions> all;
        add_http_options(all);
        add_coding_options(all);
        return all;
    }();
    return options;
}

HttpOptions options_of(const ResolvedDefinition& definition) {
    HttpOptions options;
    table().apply(definition.options, options);
    set_address(options, definition);
    return options;
}

Value value_of(HttpResponse response) {
    Map headers;
    for (const auto& [name, value] : response.headers) {
        const Value* before = headers.find(name);
        headers.set(name, before != nullptr ? Value{std::string{before->as_string()} + ", " + value} : Value{value});
    }
    return Map{
        {"status", response.status}, {"reason", response.reason}, {"headers", std::move(headers)}, {"body", text_or_bytes(std::move(response.body))}};
}

OperationSpec operation(const char* name, const char* method, const char* help, bool with_body) {
    OperationSpec spec;
    spec.name = name;
    spec.help = help;
    spec.arguments.push_back({"path", OptionType::string, true, "joined to the path of the URL; a query may follow"});
    if (with_body) {
        spec.arguments.push_back({"body", OptionType::any, false, "text, or JSON"});
        spec.fields.push_back({"content_type", OptionType::string, false, "of the body; default: application/json for JSON, else text/plain"});
    }
    spec.run = [method, with_body](Client& client, const Map& arguments, Deadline deadline) {
        HttpRequest request;
        request.method = method;
        request.path = text_argument(arguments, "path");
        if (with_body) {
            const Value* body = arguments.find("body");
            request.body = body_argument(arguments, "body");
            request.has_body = body != nullptr && !body->is_null();
            std::string type = text_argument(arguments, "content_type");
            if (type.empty()) type = request.has_body && (body->is_map() || body->is_list()) ? "application/json" : "text/plain;charset=utf-8";
            if (request.has_body) request.headers.set("Content-Type", std::move(type));
        }
        return value_of(dynamic_cast<HttpClient&>(client).request(request, deadline));
    };
    return spec;
}

}  // namespace

Scheme http_scheme() {
    Scheme scheme = http_kind<HttpClient>("http", options_of,
                                          [](const ResolvedDefinition&, const HttpOptions&) -> std::optional<PingCall> { return std::nullopt; });
    scheme.title = "HTTP";
    scheme.help =
        "Requests to one web server with bodies as they are. A ping opens a connection, with TLS for https, and sends no request; through a proxy it "
        "sends a HEAD for http, as connecting would only reach the proxy.";
    scheme.example_url = "https://user:password@www.example.com/base";
    scheme.options = table().specs();
    scheme.clients = client_types<HttpClient>({"HttpClient"});
    scheme.operations = {operation("get", "GET", "GET a path; the answer with status, headers and body", false),
                         operation("head", "HEAD", "HEAD of a path; status and headers", false),
                         operation("post", "POST", "POST a body to a path", true), operation("put", "PUT", "PUT a body to a path", true),
                         operation("delete", "DELETE", "DELETE a path", false)};
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check_http(definition, findings);
    };
    return scheme;
}

}  // namespace qconn::schemes
