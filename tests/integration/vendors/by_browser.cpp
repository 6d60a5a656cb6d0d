// SPDX-License-Identifier: Apache-2.0
// APIs of vendors whose tokens a person has allowed in a browser: grant authorization_code.
#include <mutex>
#include <string>
#include <vector>

#include <qconn/http/oauth2.hpp>
#include <qconn/rest/rest_client.hpp>

#include "../auth/oauth2_fixture.hpp"
#include "base/form.hpp"
#include "net/ping_run.hpp"
#include "stand_in.hpp"
#include "support/catch.hpp"
#include "support/define.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_patience = 20s;

/// A kind that sends people to a browser.
struct ByBrowser {
    std::string vendor;
    std::string origin;
    std::string url;
    std::string options;
    std::string list;
    std::string token_path;
    /// In the vendor's words: a code that is no good.
    std::string bad_code;
};

std::string common_options(const Vendor& vendor) {
    return yaml_line("ssl_ca_file", tls_file("ca.crt")) + yaml_line("oauth2_redirect_url", "https://app.example/back") + vendor.option("client_id") +
           vendor.option("client_secret");
}

std::vector<ByBrowser> kinds_by_browser() {
    const Vendor now{"servicenow"};
    const Vendor salesforce{"salesforce", "login"};
    const Vendor dataverse{"dataverse"};
    const std::string entra = "https://" + dataverse.address("login") + "/" + dataverse.login("tenant") + "/oauth2/v2.0/";
    return {
        {"servicenow", "api", "snrests://" + now.address(), common_options(now), "table/incident", "/oauth_token.do", "invalid_grant"},
        {"salesforce", "login", "sfrests://" + salesforce.address(), common_options(salesforce) + "oauth2_grant_type: authorization_code\n",
         "sobjects/Account", "/services/oauth2/token", "invalid authorization code"},
        {"dataverse", "api", "cdsrests://" + dataverse.address(),
         common_options(dataverse) + dataverse.option("tenant") + "oauth2_grant_type: authorization_code\n" +
             yaml_line("oauth2_token_url", entra + "token") + yaml_line("oauth2_auth_url", entra + "authorize"),
         "accounts", "/" + dataverse.login("tenant") + "/oauth2/v2.0/token", "AADSTS70008"},
    };
}

Checked defined(const std::string& url, const std::string& options) {
    Checked checked = define(url, options);
    INFO(checked.text());
    REQUIRE(checked.valid);
    return checked;
}

Error refusal(RestClient& client, const std::string& path) {
    try {
        client.get(path, k_patience);
    } catch (const Error& error) { return error; }
    FAIL("the call succeeded");
    return make_error(Errc::invalid_argument, "");
}

PingResult ping_at(const Checked& checked, PingDepth depth) {
    return net::run_ping_blocking(Runtime{}, checked.ping(depth), checked.definition.name, k_patience, true);
}

/// A field of the form that was sent.
std::string field(const Value& request, std::string_view name) {
    const Result<Value> fields = form::decode(std::string{request["body"].as_string()});
    return fields && (*fields)[name].is_string() ? std::string{(*fields)[name].as_string()} : std::string{};
}

}  // namespace

TEST_CASE("a person lets a connection into a vendor's API, and its refresh token does from then on", "[vendors][auth][integration]") {
    for (const ByBrowser& kind : kinds_by_browser()) {
        INFO(kind.url);
        Vendor vendor{kind.vendor, kind.origin};
        const Checked checked = defined(kind.url, kind.options);
        const auto client = checked.client<RestClient>();
        const auto source = token_source(*client);
        std::mutex mutex;
        std::vector<std::string> kept;
        source->on_token([&](const Token& token) {
            const std::scoped_lock lock{mutex};
            kept.emplace_back(token.refresh.reveal());
        });

        CHECK(source->needs_authorization());
        CHECK(refusal(*client, kind.list).name() == "REST-TOKEN-ERROR");
        const PingResult without = ping_at(checked, PingDepth::auth);
        REQUIRE(without.error);
        CHECK(without.error->name() == "REST-TOKEN-ERROR");
        CHECK(vendor.requests(kind.token_path).empty());

        const AuthorizationRequest request = source->begin_authorization();
        const BackFromBrowser back = browse(request.url);
        CHECK(back.url.starts_with("https://app.example/back?"));
        try {
            source->finish_authorization(request, back.code, "another", k_patience);
            FAIL("a code of another log-in was taken");
        } catch (const Error& error) { CHECK(error.name() == "OAUTH2-ERROR"); }
        source->finish_authorization(request, back.code, back.state, k_patience);
        CHECK_FALSE(source->needs_authorization());
        CHECK(client->get(kind.list, k_patience).status == 200);
        CHECK(ping_at(checked, PingDepth::auth).ok);
        CHECK(ping_at(checked, PingDepth::standard).ok);
        REQUIRE(vendor.requests(kind.token_path).size() == 1);
        CHECK(field(vendor.requests(kind.token_path).front(), "grant_type") == "authorization_code");

        vendor.turn(Map{{"expire_tokens", true}});
        CHECK(client->get(kind.list, k_patience).status == 200);
        REQUIRE(vendor.requests(kind.token_path).size() == 2);
        CHECK(field(vendor.requests(kind.token_path).back(), "grant_type") == "refresh_token");
        std::string refresh_token;
        {
            const std::scoped_lock lock{mutex};
            REQUIRE(kept.size() == 2);
            CHECK_FALSE(kept[0].empty());
            refresh_token = kept[1];
        }

        // What was kept serves a process that knows nothing of the log-in.
        const auto later = defined(kind.url, kind.options + yaml_line("oauth2_refresh_token", refresh_token)).client<RestClient>();
        CHECK_FALSE(token_source(*later)->needs_authorization());
        CHECK(later->get(kind.list, k_patience).status == 200);

        // A code is good once; and one day the person has to come again.
        const AuthorizationRequest again = source->begin_authorization();
        try {
            source->finish_authorization(again, back.code, again.state, k_patience);
            FAIL("a code was taken twice");
        } catch (const Error& error) {
            CHECK(error.name() == "REST-LOGIN-ERROR");
            CHECK(error.message().find(kind.bad_code) != std::string::npos);
        }
        vendor.turn(Map{{"expire_tokens", "refresh"}});
        CHECK(wait_until([&] { return refusal(*client, kind.list).name() == "REST-TOKEN-ERROR"; }, k_patience));
        CHECK(source->needs_authorization());
    }
}

TEST_CASE("a vendor's API takes the tokens of a token server that knows nothing of it", "[vendors][auth][integration]") {
    const Server& tokens = token_server();
    const std::string at = "http://" + tokens.address();
    const std::string client_of_tokens = yaml_line("ssl_ca_file", tls_file("ca.crt")) + yaml_line("oauth2_redirect_url", "https://app.example/back") +
                                         yaml_line("client_id", std::string{k_user} + "-web") + yaml_line("client_secret", k_password) +
                                         "oauth2_grant_type: authorization_code\n" + yaml_line("oauth2_auth_url", at + "/auth") +
                                         yaml_line("oauth2_token_url", at + "/token") + "oauth2_scopes: [openid, offline_access]\n" +
                                         "oauth2_auth_args: {prompt: consent}\n";
    Vendor now{"servicenow"};
    Vendor dataverse{"dataverse"};
    Vendor billwerk{"billwerk"};
    Vendor sap{"sap"};
    const ByBrowser kinds[] = {
        {"servicenow", "", "snrests://" + now.address(), "", "table/incident", "", ""},
        {"dataverse", "", "cdsrests://" + dataverse.address(), dataverse.option("tenant"), "accounts", "", ""},
        {"billwerk", "", "billwerkrests://" + billwerk.address() + "/api/v1", "", "contracts", "", ""},
        {"sap", "", "sap4hanarests://" + sap.address() + "/s4hanacloud", "", "sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner", "", ""},
    };
    for (const ByBrowser& kind : kinds) {
        INFO(kind.url);
        Vendor vendor{kind.vendor};
        vendor.turn(Map{{"introspection", Map{{"url", at + "/token/introspection"}, {"user", k_user}, {"password", k_password}}}});
        const Checked checked = defined(kind.url, client_of_tokens + kind.options);
        const auto client = checked.client<RestClient>();
        const auto source = token_source(*client);

        CHECK(source->needs_authorization());
        const AuthorizationRequest request = source->begin_authorization();
        const BackFromBrowser back = browse(request.url);
        const TokenPtr first = source->finish_authorization(request, back.code, back.state, k_patience);
        CHECK(client->get(kind.list, k_patience).status == 200);
        CHECK(ping_at(checked, PingDepth::auth).ok);

        revoke(tokens, *first, std::string{k_user} + "-web");
        CHECK(client->get(kind.list, k_patience).status == 200);
        CHECK_FALSE(source->last()->refresh == first->refresh);
        CHECK(ping_at(checked, PingDepth::auth).ok);
    }
}
