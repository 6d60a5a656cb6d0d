// SPDX-License-Identifier: Apache-2.0
// snrests: the Now Platform of ServiceNow.
#include <string>

#include "schemes/rest_kind.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {
namespace {

/// `{"error": {"message": …, "detail": …}, "status": "failure"}`, and that of the token server, which other parts of the platform use too.
std::optional<RestFault> now_fault(const Value& body) {
    const Value& error = body["error"];
    if (error.is_map() && error["message"].is_string()) {
        std::string message{error["message"].as_string()};
        if (const Value& detail = error["detail"]; detail.is_string() && !detail.as_string().empty()) message.append(": ").append(detail.as_string());
        return RestFault{"SERVICENOW-REST-RESPONSE-ERROR", std::move(message)};
    }
    if (error.is_string() && body["error_description"].is_string())
        return RestFault{std::string{error.as_string()}, std::string{body["error_description"].as_string()}};
    return std::nullopt;
}

}  // namespace

Scheme servicenow_scheme() {
    RestKind kind;
    kind.names = {"snrests"};
    kind.family = "servicenow";
    kind.title = "ServiceNow";
    kind.help =
        "The REST APIs of ServiceNow. With a user name and password alone they are sent with each request; together with client_id and client_secret "
        "they get tokens (grant password); those two alone are for the grant authorization_code. Paths are those after /api/now. A ping asks for a "
        "property of the system.";
    kind.example_url = "snrests://user:password@dev1.service-now.com";
    kind.options = [](RestTable& table) {
        add_client_id_options(table, "of the application registry of the instance");
        OptionSpec& spec = table.add("api", OptionType::string, "Namespace of the API: what follows /api/ in its paths", nullptr);
        spec.fallback = "now";
        spec.example = "x_acme_shop";
    };
    kind.required = {{{{"url.user", "url.password"}, {"username", "password"}, {"token"}, {"client_id", "client_secret"}}}};
    kind.oauth2 = [](const Given& given) {
        OAuth2Defaults defaults{.known = {"oauth2_token_url", "oauth2_auth_url"}};
        if (given.has("client_id")) defaults.grant = given.has_user() ? OAuth2Grant::password : OAuth2Grant::authorization_code;
        return defaults;
    };
    kind.complete = [](RestSettings& settings, const ResolvedDefinition& definition) {
        if (settings.oauth2.token_url.empty()) settings.oauth2.token_url = "/oauth_token.do";
        if (settings.oauth2.auth_url.empty()) settings.oauth2.auth_url = "/oauth_auth.do";
        add_base_path(settings, "/api/" + scalar_text(option_of(definition, "api")));
        settings.fault_of = now_fault;
    };
    kind.ping = [](const ResolvedDefinition& definition) -> std::optional<PingCall> {
        // The table API is part of the namespace `now` only.
        std::string path =
            "table/sys_properties?sysparm_exclude_reference_link=true&sysparm_suppress_pagination_header=true&sysparm_fields=value"
            "&sysparm_query=name=mid.version";
        if (scalar_text(option_of(definition, "api")) != "now") path.insert(0, "/api/now/");
        return PingCall{.path = std::move(path), .headers = {{"Accept", "application/json"}}};
    };
    return rest_kind(std::move(kind));
}

}  // namespace qconn::schemes
