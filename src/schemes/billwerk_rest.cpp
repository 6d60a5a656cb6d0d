// SPDX-License-Identifier: Apache-2.0
// billwerkrest and billwerkrests: subscriptions of billwerk+.
#include "schemes/rest_kind.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {
namespace {

/// `{"Message": …, "ModelState": {field: [text…]}}`
std::optional<RestFault> billwerk_fault(const Value& body) {
    if (!body["Message"].is_string()) return std::nullopt;
    RestFault fault{{}, std::string{body["Message"].as_string()}};
    const Value& fields = body["ModelState"];
    if (!fields.is_map()) return fault;
    for (const auto& [field, problems] : fields.as_map()) {
        if (!problems.is_list()) continue;
        for (const Value& problem : problems.as_list()) fault.message.append(" ").append(field).append(": ").append(scalar_text(problem));
    }
    return fault;
}

}  // namespace

Scheme billwerkrest_scheme() {
    RestKind kind;
    kind.names = {"billwerkrests", "billwerkrest"};
    kind.family = "billwerk";
    kind.title = "billwerk+";
    kind.help =
        "The REST API of billwerk+. Tokens are got by id and secret of a client, or by its id and a person's user name and password (in the URL, or "
        "as name and password). A ping opens a connection.";
    kind.example_url = "billwerkrests://app.billwerk.com/api/v1";
    kind.options = [](RestTable& table) {
        add_client_id_options(table, "of the billwerk+ account");
        table.at("username").aliases = {"name"};
        table.at("no_charset").fallback = true;
        table.at("no_charset").example = false;
        table.at("assume_encoding").fallback = "UTF-8";
    };
    kind.required = {{{{"token"}, {"client_id", "client_secret"}, {"client_id", "url.user", "url.password"}, {"client_id", "username", "password"}}}};
    kind.oauth2 = [](const Given& given) {
        OAuth2Defaults defaults{.known = {"oauth2_token_url", "oauth2_client_secret"}};
        if (given.has("client_secret"))
            defaults.grant = OAuth2Grant::client_credentials;
        else if (given.has("client_id"))
            defaults.grant = OAuth2Grant::password;
        return defaults;
    };
    kind.complete = [](RestSettings& settings, const ResolvedDefinition&) {
        set_default_header(settings, "Accept-Charset", "utf-8");
        settings.fault_of = billwerk_fault;
        if (!settings.oauth2.token_url.empty()) return;
        settings.oauth2.token_url = "/oauth/token";
        settings.oauth2.basic_auth = settings.oauth2.grant == OAuth2Grant::client_credentials;
    };
    return rest_kind(std::move(kind));
}

}  // namespace qconn::schemes
