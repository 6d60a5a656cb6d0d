// SPDX-License-Identifier: Apache-2.0
#include "stand_in.hpp"

#include "base/json.hpp"

namespace qconn::test {

namespace {

HttpOptions at(const std::string& address) {
    HttpOptions options;
    options.url = "http://" + address;
    return options;
}

}  // namespace

Server& vendors() {
    static Server server{"vendors"};
    return server;
}

std::string yaml_line(std::string_view name, std::string_view value) { return std::string{name} + ": " + json::encode(Value{value}) + "\n"; }

Vendor::Vendor(const std::string& name, const std::string& origin, const Server& server)
    : about_{json::decode(server.directory().read("vendors.json")).value()[name]}, origin_{origin}, desk_{at(address())} {
    turn(Map{{"reset", true}, {"clear_log", true}});
}

std::string Vendor::address(const std::string& origin) const { return "127.0.0.1:" + std::to_string(about_["ports"][origin].as_int64()); }

void Vendor::turn(const Map& knobs) { desk_.post("/__control", json::encode(knobs), "application/json"); }

List Vendor::story(std::string_view part) { return json::decode(desk_.get("/__log").body).value()[part].as_list(); }

int Vendor::waiting() { return static_cast<int>(json::decode(desk_.get("/__log").body).value()["waiting"].as_int64()); }

std::vector<Value> Vendor::requests(std::string_view path) {
    std::vector<Value> found;
    for (const Value& one : story("requests")) {
        const std::string_view asked = one["path"].as_string().substr(0, one["path"].as_string().find('?'));
        const bool fits = path.ends_with('*') ? asked.starts_with(path.substr(0, path.size() - 1)) : asked == path;
        if (fits) found.push_back(one);
    }
    return found;
}

std::vector<std::string> Vendor::refusals() {
    std::vector<std::string> reasons;
    for (const Value& one : story("refused")) reasons.emplace_back(one["reason"].as_string());
    return reasons;
}

std::vector<Kind> kinds(const Server& server) {
    const Vendor sewio{"sewio", "api", server};
    const Vendor sap{"sap", "api", server};
    const Vendor billwerk{"billwerk", "api", server};
    const Vendor dataverse{"dataverse", "api", server};
    const Vendor now{"servicenow", "api", server};
    const Vendor zeyos{"zeyos", "api", server};
    const Vendor salesforce{"salesforce", "login", server};
    const std::string tenant = dataverse.login("tenant");
    const std::string tokens_of_dataverse = "/" + tenant + "/oauth2/v2.0/token";
    const std::string dataverse_options = "oauth2_token_url: https://" + dataverse.address("login") + tokens_of_dataverse + "\n" +
                                          dataverse.option("tenant") + dataverse.option("client_id");
    const std::string service = "sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner";
    const Map partner{{"BusinessPartner", "77"}, {"BusinessPartnerFullName", "Grün & Söhne"}, {"BusinessPartnerCategory", "2"}};
    const std::string sap_missing = service + "('no')";
    return {
        {"sewio",
         "api",
         "sewiorests",
         "/sensmapserver/api",
         sewio.option("apikey"),
         "feeds",
         "feeds",
         {{"title", "Größe L"}},
         "",
         "feeds/4711",
         "HTTP-CLIENT-RECEIVE-ERROR",
         "404",
         "apikey: wrong-key-1\n",
         "403",
         sewio.login("apikey")},
        {"sap", "api", "sap4hanarests", "/s4hanacloud", sap.option("apikey"), service, service, partner, "", sap_missing, "REST-RESPONSE-ERROR",
         "Resource not found", "apikey: wrong-key-1\n", "Invalid ApiKey", sap.login("apikey")},
        {"sap", "api", "sap4hanarests", "/s4hanacloud", sap.option("client_id") + sap.option("client_secret"), service, service, partner,
         "/oauth2/apitoken/v1", sap_missing, "REST-RESPONSE-ERROR", "Resource not found", sap.option("client_id") + "client_secret: wrong-key-1\n",
         "/oauth2/apitoken/v1", sap.login("client_secret")},
        {"billwerk",
         "api",
         "billwerkrest",
         "/api/v1",
         billwerk.option("client_id") + billwerk.option("client_secret"),
         "contracts",
         "customers",
         {{"CompanyName", "Müller & Söhne"}},
         "/oauth/token",
         "contracts/5f0c5d7e81b1f8076c8d9999",
         "REST-RESPONSE-ERROR",
         "not found",
         billwerk.option("client_id") + "client_secret: wrong-key-1\n",
         "invalid_client",
         billwerk.login("client_secret")},
        {"billwerk",
         "api",
         "billwerkrests",
         "/api/v1",
         billwerk.option("client_id", "public_client_id") + billwerk.option("name", "username") + billwerk.option("password"),
         "contracts",
         "customers",
         {{"CompanyName", "Müller & Söhne"}},
         "/oauth/token",
         "contracts/5f0c5d7e81b1f8076c8d9999",
         "REST-RESPONSE-ERROR",
         "not found",
         billwerk.option("client_id", "public_client_id") + billwerk.option("name", "username") + "password: wrong-key-1\n",
         "invalid_grant",
         billwerk.login("password")},
        {"dataverse",
         "api",
         "cdsrests",
         "",
         dataverse_options + dataverse.option("client_secret"),
         "accounts",
         "accounts",
         {{"name", "Blüten & Co"}},
         tokens_of_dataverse,
         "accounts(475b158c-541c-e511-80d3-3863bb349999)",
         "0x80040217",
         "",
         dataverse_options + "client_secret: wrong-key-1\n",
         "AADSTS7000215",
         dataverse.login("client_secret")},
        {"servicenow",
         "api",
         "snrests",
         "",
         now.option("username") + now.option("password"),
         "table/incident",
         "table/incident",
         {{"short_description", "Größe"}},
         "",
         "table/incident/00000000000000000000000000000000",
         "SERVICENOW-REST-RESPONSE-ERROR",
         "No Record found: Record doesn't exist",
         now.option("username") + "password: wrong-key-1\n",
         "User Not Authenticated",
         now.login("password")},
        {"servicenow",
         "api",
         "snrests",
         "",
         now.option("username") + now.option("password") + now.option("client_id") + now.option("client_secret"),
         "table/incident",
         "table/incident",
         {{"short_description", "Größe"}},
         "/oauth_token.do",
         "table/incident/00000000000000000000000000000000",
         "SERVICENOW-REST-RESPONSE-ERROR",
         "No Record found",
         now.option("username") + "password: wrong-key-1\n" + now.option("client_id") + now.option("client_secret"),
         "access_denied",
         now.login("client_secret")},
        {"zeyos",
         "api",
         "zeyosrests",
         "/" + zeyos.login("instance"),
         zeyos.option("name") + zeyos.option("password") + zeyos.option("appsecret"),
         "api/v1/appointments",
         "api/v1/appointments",
         {{"name", "Köln"}},
         "/" + zeyos.login("instance") + "/auth/v1/login",
         "api/v1/appointments/99",
         "REST-RESPONSE-ERROR",
         "Entity not found",
         zeyos.option("name") + zeyos.option("appsecret") + "password: wrong-key-1\n",
         "401",
         zeyos.login("appsecret")},
        {"salesforce",
         "login",
         "sfrests",
         "",
         salesforce.option("username") + salesforce.option("password") + salesforce.option("client_id") + salesforce.option("client_secret"),
         "sobjects/Account",
         "sobjects/Account",
         {{"Name", "Bücher & Söhne"}},
         "/services/oauth2/token",
         "sobjects/Account/001D0000009INjV009",
         "NOT_FOUND",
         "external ID field",
         salesforce.option("username") + "password: wrong-key-1\n" + salesforce.option("client_id") + salesforce.option("client_secret"),
         "authentication failure",
         salesforce.login("client_secret")},
    };
}

}  // namespace qconn::test
