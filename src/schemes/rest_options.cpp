// SPDX-License-Identifier: Apache-2.0
#include "schemes/rest_options.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "base/json.hpp"
#include "http/coding.hpp"
#include "http/target.hpp"
#include "schemes/http_address.hpp"
#include "schemes/http_options.hpp"
#include "schemes/oauth2_options.hpp"
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

}  // namespace

void add_rest_options(RestTable& all) {
    add_http_options(all);
    {
        OptionSpec& spec =
            all.add("content_encoding", OptionType::string,
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
        OptionSpec& spec =
            all.add("no_charset", &RestOptions::no_charset, OptionType::boolean, "Leave out ;charset=utf-8 after the Content-Type of text formats");
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
        OptionSpec& spec =
            all.add("ping_body", OptionType::any, "Body of that request, unless its method is GET: text as it is, anything else as JSON", nullptr);
        spec.example = Map{{"check", "shallow"}};
    }
    add_swagger_options(all);
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

void check_ping_options(const Definition& definition, Findings& findings) {
    const bool method = is_set(definition, "ping_method");
    const bool path = is_set(definition, "ping_path");
    if (method != path) {
        findings.warning(
            method ? "ping_method" : "ping_path", "unused-option",
            std::string{"'"} + (method ? "ping_method" : "ping_path") + "' has no effect without '" + (method ? "ping_path" : "ping_method") + "'");
    }
    for (const char* name : {"ping_headers", "ping_body"}) {
        if (is_set(definition, name) && !(method && path)) {
            findings.warning(name, "unused-option", std::string{"'"} + name + "' has no effect without 'ping_method' and 'ping_path'");
        }
    }
}

}  // namespace qconn::schemes
