// SPDX-License-Identifier: Apache-2.0
// rest and rests.
#include <array>
#include <string_view>
#include <utility>

#include <qconn/http/oauth2.hpp>
#include <qconn/rest/rest_client.hpp>

#include "base/json.hpp"
#include "http/coding.hpp"
#include "http/target.hpp"
#include "schemes/http_address.hpp"
#include "schemes/http_options.hpp"
#include "schemes/http_scheme.hpp"
#include "schemes/oauth2_options.hpp"
#include "schemes/schemes.hpp"
#include "schemes/swagger.hpp"

namespace qconn::schemes {
namespace {

struct Format {
    std::string_view name;
    DataFormat format;
    std::string_view content_type;
    std::string_view help;
};
constexpr std::array<Format, 8> k_formats{{
    {"auto", DataFormat::automatic, "application/json", "json"},
    {"json", DataFormat::json, "application/json", ""},
    {"yaml", DataFormat::yaml, "text/x-yaml", ""},
    {"xml", DataFormat::xml, "text/xml", "the value encoding of XML-RPC"},
    {"rawxml", DataFormat::rawxml, "application/xml", "elements named after the keys"},
    {"url", DataFormat::url, "application/x-www-form-urlencoded", "maps only"},
    {"text", DataFormat::text, "text/plain", ""},
    {"bin", DataFormat::bin, "application/octet-stream", ""},
}};

DataFormat format_of(std::string_view name) {
    for (const Format& format : k_formats) {
        if (format.name == name) return format.format;
    }
    return DataFormat::automatic;
}

std::string_view content_type_of(DataFormat wanted) {
    for (const Format& format : k_formats) {
        if (format.format == wanted) return format.content_type;
    }
    return k_formats.front().content_type;
}

struct RestSettings : RestOptions {
    OAuth2Options oauth2;
};

const OptionTable<RestSettings>& table() {
    static const OptionTable<RestSettings> options = [] {
        OptionTable<RestSettings> all;
        add_http_options(all);
        {
            OptionSpec& spec = all.add(
                "content_encoding", OptionType::string,
                "The one content coding that is offered to the server, and taken for larger request bodies where send_encoding says nothing else",
                [](RestSettings& o, const Value& v) {
                    const std::string coding{v.as_string()};
                    o.accept_codings.clear();
                    if (coding != "identity") o.accept_codings.push_back(coding);
                    o.send_coding = coding == "identity" ? "" : coding;
                });
            spec.allowed = {{"gzip", ""}, {"bzip2", ""}, {"deflate", ""}, {"br", ""}, {"zstd", ""}, {"identity", "none"}};
            spec.example = "gzip";
        }
        add_coding_options(all);
        {
            OptionSpec& spec = all.add("data", OptionType::string, "How bodies are written; answers are read by their Content-Type",
                                       [](RestSettings& o, const Value& v) { o.data = format_of(v.as_string()); });
            spec.fallback = "auto";
            for (const Format& format : k_formats) spec.allowed.push_back({Value{format.name}, std::string{format.help}});
            spec.example = "yaml";
        }
        {
            OptionSpec& spec = all.add("no_charset", &RestOptions::no_charset, OptionType::boolean,
                                       "Leave out ;charset=utf-8 after the Content-Type of text formats");
            spec.fallback = false;
            spec.example = true;
        }
        {
            OptionSpec& spec =
                all.add("token", &HttpOptions::token, OptionType::string,
                        "Sent as Authorization with each request; excludes user name and password. With oauth2_grant_type the first of its tokens");
            spec.sensitive = true;
            spec.example = "${env:SHOP_TOKEN}";
        }
        {
            OptionSpec& spec = all.add("token_type", &HttpOptions::token_type, OptionType::string, "The word before the token");
            spec.fallback = "Bearer";
            spec.example = "Token";
            spec.check = [](const Value& v) { return http::is_token(v.as_string()) ? std::string{} : std::string{"it must be one word"}; };
        }
        add_oauth2_options(all);
        {
            OptionSpec& spec =
                all.add("ping_method", OptionType::string, "With ping_path: the ping sends this request, and a 2xx answer means up", nullptr);
            spec.example = "GET";
            spec.check = [](const Value& v) {
                return http::is_token(v.as_string()) && v.as_string() != "CONNECT" ? std::string{} : std::string{"it must be a method such as GET"};
            };
        }
        {
            OptionSpec& spec = all.add(
                "ping_path", OptionType::string,
                "What ping_method asks for: a whole URL replaces the connection's, a leading '/' its path, anything else is joined to it", nullptr);
            spec.example = "status";
        }
        {
            OptionSpec& spec = all.add("ping_headers", OptionType::map, "Further headers of that request", nullptr);
            spec.pairs_text = true;
            spec.example = Map{{"Accept", "application/json"}};
            spec.check = headers_problem;
        }
        {
            OptionSpec& spec = all.add("ping_body", OptionType::any,
                                       "Body of that request, unless its method is GET: text as it is, anything else as JSON", nullptr);
            spec.example = Map{{"check", "shallow"}};
        }
        add_swagger_options(all);
        return all;
    }();
    return options;
}

RestSettings options_of(const ResolvedDefinition& definition) {
    RestSettings options;
    table().apply(definition.options, options);
    set_address(options, definition);
    set_oauth2(options.oauth2, options);
    return options;
}

std::optional<PingCall> ping_call(const ResolvedDefinition& definition, const RestOptions& options) {
    const Value& method = option_of(definition, "ping_method");
    const Value& path = option_of(definition, "ping_path");
    if (!method.is_string() || !path.is_string()) return std::nullopt;
    PingCall call;
    call.method = method.as_string();
    call.path = path.as_string();
    if (const Value& headers = option_of(definition, "ping_headers"); headers.is_map()) call.headers = headers_of(headers);
    const Value& body = option_of(definition, "ping_body");
    if (body.is_null() || call.method == "GET" || call.method == "HEAD") return call;
    const bool as_it_is = body.is_string() || body.is_binary();
    call.body = as_it_is ? scalar_text(body) : json::encode(body);
    if (call.headers.find("Content-Type") == nullptr && options.headers.find("Content-Type") == nullptr) {
        call.headers.set("Content-Type", std::string{as_it_is ? content_type_of(options.data) : "application/json"});
    }
    return call;
}

/// A body as it came from a command line: JSON text of a map or list is read, any other text stays what it is.
Value body_of(const Map& arguments, const OperationSpec& spec) {
    if (const Value* body = arguments.find("body")) {
        if (!body->is_string()) return *body;
        const std::string_view text = body->as_string();
        const auto first = text.find_first_not_of(" \t\r\n");
        if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return *body;
        return json::decode(text).value();
    }
    Map fields;
    for (const auto& [name, value] : arguments) {
        bool declared = false;
        for (const auto& argument : spec.arguments) declared = declared || argument.name == name;
        if (!declared) fields.set(name, value);
    }
    return fields.empty() ? Value{} : Value{std::move(fields)};
}

OperationSpec operation(const char* name, const char* method, const char* help, bool with_body) {
    OperationSpec spec;
    spec.name = name;
    spec.help = help;
    spec.arguments.push_back({"path", OptionType::string, true, "joined to the path of the URL; a query may follow"});
    if (with_body) {
        spec.arguments.push_back({"body", OptionType::any, false, "JSON; without it the further KEY=VALUE make a map"});
        spec.free_fields = true;
    }
    const OperationSpec declared = spec;
    spec.run = [method, with_body, declared](Client& client, const Map& arguments, Deadline deadline) {
        RestCall call;
        call.method = method;
        call.path = text_argument(arguments, "path");
        if (with_body) call.body = body_of(arguments, declared);
        return dynamic_cast<RestClient&>(client).call(call, deadline).body;
    };
    return spec;
}

/// How clients and pings are made: those of connections with a grant get their tokens from one source, clients a description of the API.
void set_makers(Scheme& scheme) {
    const auto sources = std::make_shared<TokenSources>();
    const auto authorize = [sources](RestSettings& options, const ResolvedDefinition& definition, const Runtime& runtime) {
        if (options.oauth2.grant == OAuth2Grant::none) return false;
        options.authenticator = oauth2_authenticator(sources->get(definition, options.oauth2, options, runtime));
        return true;
    };
    scheme.make_client = [authorize](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        RestSettings options = options_of(definition);
        authorize(options, definition, runtime);
        options.validator = document_of(definition);
        return std::make_shared<RestClient>(std::move(options), runtime);
    };
    scheme.make_ping = [authorize, plain = scheme.make_ping](const ResolvedDefinition& definition, PingDepth depth, const Runtime& runtime) {
        RestSettings options = options_of(definition);
        const std::optional<PingCall> call = ping_call(definition, options);
        const bool with_token =
            depth == PingDepth::auth || depth == PingDepth::full || (depth == PingDepth::standard && call && pings_automatically(definition));
        if (!with_token || !authorize(options, definition, runtime)) return plain(definition, depth, runtime);
        return make_authorized_ping(options, depth, call, runtime);
    };
}

}  // namespace

Scheme rest_scheme() {
    Scheme scheme = http_kind<RestClient>("rest", options_of, ping_call);
    set_makers(scheme);
    scheme.operations_of = described_operations;
    scheme.title = "REST";
    scheme.help =
        "Calls of a REST API with bodies as values in JSON, YAML, XML and other formats. A ping opens a connection (with TLS for rests), or sends a "
        "request where "
        "ping_method and ping_path are set. With oauth2_grant_type its requests have tokens.";
    scheme.example_url = "rests://user:password@api.example.com/v1";
    scheme.options = table().specs();
    scheme.clients = client_types<RestClient, HttpClient>({"RestClient", "HttpClient"});
    scheme.operations = {operation("get", "GET", "GET a path; the decoded body", false), operation("post", "POST", "POST a body to a path", true),
                         operation("put", "PUT", "PUT a body to a path", true), operation("patch", "PATCH", "PATCH a path with a body", true),
                         operation("delete", "DELETE", "DELETE a path", true)};
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check_http(definition, findings);
        check_swagger(definition, findings);
        check_oauth2(definition, findings);
        const bool method = is_set(definition, "ping_method");
        const bool path = is_set(definition, "ping_path");
        if (method != path) {
            findings.warning(method ? "ping_method" : "ping_path", "unused-option",
                             std::string{"'"} + (method ? "ping_method" : "ping_path") + "' has no effect without '" +
                                 (method ? "ping_path" : "ping_method") + "'");
        }
        for (const char* name : {"ping_headers", "ping_body"}) {
            if (is_set(definition, name) && !(method && path)) {
                findings.warning(name, "unused-option", std::string{"'"} + name + "' has no effect without 'ping_method' and 'ping_path'");
            }
        }
    };
    return scheme;
}

}  // namespace qconn::schemes
