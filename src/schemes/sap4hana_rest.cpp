// SPDX-License-Identifier: Apache-2.0
// sap4hanarests: the OData services of SAP S/4HANA.
#include "schemes/api_key.hpp"
#include "schemes/odata.hpp"
#include "schemes/rest_kind.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {
namespace {

/// That of a service, or of the API management before it: `{"fault": {"faultstring": …, "detail": {"errorcode": …}}}`.
std::optional<RestFault> sap_fault(const Value& body) {
    const Value& fault = body["fault"];
    if (!fault["faultstring"].is_string()) return odata_fault(body);
    return RestFault{scalar_text(fault["detail"]["errorcode"]), std::string{fault["faultstring"].as_string()}};
}

}  // namespace

Scheme sap4hanarest_scheme() {
    RestKind kind;
    kind.names = {"sap4hanarests"};
    kind.family = "s4hana";
    kind.title = "SAP S/4HANA";
    kind.help =
        "OData services of SAP S/4HANA, with a key of the API (apikey) or with tokens of a client (client_id and client_secret). A ping opens a "
        "connection.";
    kind.example_url = "sap4hanarests://sandbox.api.sap.com/s4hanacloud";
    kind.options = [](RestTable& table) {
        add_api_key_option(table);
        add_client_id_options(table, "of the API, for oauth2/apitoken/v1");
        OptionSpec& data = table.at("data");
        data.fallback = "json";
        compress_by_default(table);
    };
    kind.required = {{{{"apikey"}, {"client_id", "client_secret"}, {"token"}}}};
    kind.oauth2 = [](const Given& given) {
        const bool by_client = given.has("client_id") && !given.has("apikey");
        return OAuth2Defaults{.grant = by_client ? OAuth2Grant::client_credentials : OAuth2Grant::none, .known = {"oauth2_token_url"}};
    };
    kind.complete = [](RestSettings& settings, const ResolvedDefinition& definition) {
        set_api_key(settings, definition, "ApiKey");
        if (settings.data == DataFormat::json) set_default_header(settings, "Accept", "application/json");
        if (settings.oauth2.token_url.empty()) {
            settings.oauth2.token_url = "/oauth2/apitoken/v1";
            settings.oauth2.basic_auth = true;
        }
        settings.fault_of = sap_fault;
    };
    kind.check = [](const Definition& definition, Findings& findings) {
        const Given given{definition};
        if (given.has("apikey") && given.has("client_id"))
            findings.error("apikey", "conflicting-options", "'apikey' and 'client_id' exclude each other", "take one of the two out");
    };
    return rest_kind(std::move(kind));
}

}  // namespace qconn::schemes
