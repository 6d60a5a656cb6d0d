// SPDX-License-Identifier: Apache-2.0
// cdsrests: Microsoft Dataverse (Common Data Service) and Dynamics 365.
#include <string>

#include "http/target.hpp"
#include "schemes/odata.hpp"
#include "schemes/rest_kind.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {
namespace {

std::string login_url(const ResolvedDefinition& definition, std::string_view last) {
    return "https://login.microsoftonline.com/" + scalar_text(option_of(definition, "tenant")) + "/oauth2/v2.0/" + std::string{last};
}

void set_default(std::string& member, std::string value) {
    if (member.empty() || member == "auto") member = std::move(value);
}

}  // namespace

Scheme cdsrest_scheme() {
    RestKind kind;
    kind.names = {"cdsrests"};
    kind.family = "dataverse";
    kind.title = "Microsoft Dataverse and Dynamics 365";
    kind.help =
        "The Web API of Microsoft Dataverse, the Common Data Service. Tokens come from Microsoft Entra ID, for the tenant, by id and secret of the "
        "application. Paths are those after /api/data/vN.N. A ping opens a connection, with api_profile dynamics it asks for a user.";
    kind.example_url = "cdsrests://org.crm4.dynamics.com";
    kind.options = [](RestTable& table) {
        add_client_id_options(table, "the application, as it is registered in Microsoft Entra ID");
        {
            OptionSpec& spec = table.add("tenant", OptionType::string, "Id or domain of the tenant, whose tokens are taken", nullptr);
            spec.example = "contoso.onmicrosoft.com";
            spec.check = [](const Value& v) {
                const bool whole = !v.as_string().empty() && v.as_string().find_first_of("/?# \t") == std::string_view::npos;
                return whole ? std::string{} : std::string{"it must be one part of a path"};
            };
        }
        {
            OptionSpec& spec = table.add("api", OptionType::string, "Version of the Web API", nullptr);
            spec.fallback = "9.2";
            spec.example = "9.1";
            spec.check = [](const Value& v) {
                const bool version = !v.as_string().empty() && v.as_string().find_first_not_of("0123456789.") == std::string_view::npos;
                return version ? std::string{} : std::string{"it must be a version such as 9.2"};
            };
        }
        {
            OptionSpec& spec = table.add("scope", OptionType::string, "What the token is to be good for; the same as oauth2_scopes",
                                         [](RestSettings& s, const Value& v) { s.oauth2.scopes = {std::string{v.as_string()}}; });
            spec.fallback_text = "https://HOST/.default; with grant authorization_code offline_access as well";
            spec.example = "https://org.crm4.dynamics.com/.default";
            spec.check = [](const Value& v) { return scopes_problem(List{v}); };
        }
        {
            OptionSpec& spec = table.add("api_profile", OptionType::string, "What a ping may ask for", nullptr);
            spec.fallback = "none";
            spec.allowed = {{Value{"none"}, "nothing"}, {Value{"dynamics"}, "a user: Dynamics 365 has a table of them"}};
            spec.example = "dynamics";
        }
        take_json_only(table);
    };
    kind.required = {{{{"client_id", "client_secret", "tenant"}, {"token"}}}};
    kind.oauth2 = [](const Given& given) {
        return OAuth2Defaults{.grant = given.has("client_id") ? OAuth2Grant::client_credentials : OAuth2Grant::none,
                              .known = {"oauth2_token_url", "oauth2_auth_url"}};
    };
    kind.complete = [](RestSettings& settings, const ResolvedDefinition& definition) {
        set_default(settings.oauth2.token_url, login_url(definition, "token"));
        set_default(settings.oauth2.auth_url, login_url(definition, "authorize"));
        if (settings.oauth2.scopes.empty()) {
            settings.oauth2.scopes = {"https://" + definition.url.host + "/.default"};
            // Only with this one does a code bring a refresh token.
            if (settings.oauth2.grant == OAuth2Grant::authorization_code) settings.oauth2.scopes.emplace_back("offline_access");
        }
        add_base_path(settings, "/api/data/v" + scalar_text(option_of(definition, "api")));
        set_default_header(settings, "Accept", "application/json");
        settings.fault_of = odata_fault;
    };
    kind.ping = [](const ResolvedDefinition& definition) -> std::optional<PingCall> {
        if (scalar_text(option_of(definition, "api_profile")) != "dynamics") return std::nullopt;
        return PingCall{.path = "systemusers?$top=1&$select=identityid", .headers = {{"Accept", "application/json"}}};
    };
    kind.check = [](const Definition& definition, Findings& findings) {
        if (is_set(definition, "scope") && is_set(definition, "oauth2_scopes"))
            findings.error("scope", "conflicting-options", "'scope' and 'oauth2_scopes' say the same", "take one of the two out");
    };
    return rest_kind(std::move(kind));
}

}  // namespace qconn::schemes
