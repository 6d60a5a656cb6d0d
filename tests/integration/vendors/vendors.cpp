// SPDX-License-Identifier: Apache-2.0
// The REST APIs of vendors, each against a stand-in that refuses what the vendor would (tests/servers/vendors).
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <qconn/http/oauth2.hpp>
#include <qconn/rest/rest_client.hpp>

#include "base/json.hpp"
#include "net/ping_run.hpp"
#include "stand_in.hpp"
#include "support/catch.hpp"
#include "support/define.hpp"
#include "support/server.hpp"
#include "support/text.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

std::string trust() { return "ssl_ca_file: " + tls_file("ca.crt") + "\n"; }

/// No two are the same, so that none goes on with the token of another.
Checked connection(const std::string& url, const std::string& options) {
    static int number = 0;
    Checked checked = define(url, options + "connect_timeout: " + std::to_string(20'000 + ++number) + "\n");
    INFO(checked.text());
    REQUIRE(checked.valid);
    return checked;
}

Error failure(RestClient& client, const RestCall& call) {
    try {
        client.call(call, 20s);
    } catch (const Error& error) { return error; }
    FAIL("the call succeeded");
    return make_error(Errc::invalid_argument, "");
}

PingResult ping(const Checked& checked, PingDepth depth = PingDepth::standard) {
    return net::run_ping_blocking(Runtime{}, checked.ping(depth), checked.definition.name, 20s, true);
}

}  // namespace

TEST_CASE("every kind calls its API as the vendor has it, and its errors are the vendor's", "[vendors][integration]") {
    for (const Kind& kind : kinds()) {
        INFO(kind.scheme << ' ' << kind.options);
        Vendor vendor{kind.vendor, kind.origin};
        const Checked checked = connection(kind.scheme + "://" + vendor.address() + kind.url_path, trust() + kind.options);
        const auto client = checked.client<RestClient>();

        CHECK(client->get(kind.list, 20s).status == 200);
        const RestResponse made = client->post(kind.create, kind.body, 20s);
        CHECK(made.status / 100 == 2);
        // Long enough to be compressed where that is usual.
        Map large = kind.body;
        const auto& [field, value] = *kind.body.begin();
        std::string text{value.as_string()};
        while (text.size() < 3000) text += " äöü 0123456789";
        if (kind.vendor != "sap") {
            large.set(field, text);
            CHECK(client->post(kind.create, large, 20s).status / 100 == 2);
        }
        CHECK(vendor.refusals().empty());
        for (const std::string& reason : vendor.refusals()) UNSCOPED_INFO(reason);

        const Error error = failure(*client, {.path = kind.missing});
        CHECK(error.name() == kind.missing_name);
        CHECK(has(error.message(), kind.missing_words));
        CHECK(error.connection() == "test");

        const auto log_ins = kind.token_path.empty() ? std::size_t{0} : vendor.requests(kind.token_path).size();
        CHECK(log_ins == (kind.token_path.empty() ? 0U : 1U));
        for (const Value& one : vendor.story("requests")) CHECK(one["tls"].as_bool() == kind.scheme.ends_with('s'));
    }
}

TEST_CASE("a token that has ended is renewed once for all who call, and pings use it up no more than calls do", "[vendors][integration]") {
    for (const Kind& kind : kinds()) {
        if (kind.token_path.empty()) continue;
        INFO(kind.scheme << ' ' << kind.options);
        Vendor vendor{kind.vendor, kind.origin};
        const Checked checked = connection(kind.scheme + "://" + vendor.address() + kind.url_path, trust() + kind.options);
        const auto client = checked.client<RestClient>();
        CHECK(client->get(kind.list, 20s).status == 200);
        CHECK(ping(checked, PingDepth::auth).ok);
        CHECK(vendor.requests(kind.token_path).size() == 1);

        vendor.turn(Map{{"expire_tokens", "refresh"}});
        std::vector<std::thread> callers;
        std::atomic<int> served{0};
        callers.reserve(4);
        for (int i = 0; i < 4; ++i) {
            callers.emplace_back([&] {
                if (client->get(kind.list, 20s).status == 200) ++served;
            });
        }
        for (std::thread& caller : callers) caller.join();
        CHECK(served == 4);
        CHECK(ping(checked, PingDepth::auth).ok);
        // A refresh token that is void as well is tried before the log-in.
        const auto log_ins = vendor.requests(kind.token_path).size();
        CHECK(log_ins >= 2);
        CHECK(log_ins <= 3);
    }
}

TEST_CASE("a token that is given takes the place of a log-in, and its refusal is the error", "[vendors][integration]") {
    for (const Kind& kind : kinds()) {
        if (kind.token_path.empty() || kind.vendor == "salesforce") continue;  // without a log-in the instance of Salesforce is not known
        INFO(kind.scheme << ' ' << kind.options);
        Vendor vendor{kind.vendor, kind.origin};
        const std::string url = kind.scheme + "://" + vendor.address() + kind.url_path;
        const auto source = token_source(*connection(url, trust() + kind.options).client<RestClient>());
        const std::string token{source->token(20s)->access.reveal()};
        const Checked checked = connection(url, trust() + yaml_line("token", token));
        const auto client = checked.client<RestClient>();

        CHECK(client->get(kind.list, 20s).status == 200);
        CHECK(ping(checked, PingDepth::auth).ok);
        vendor.turn(Map{{"expire_tokens", true}});
        const Error error = failure(*client, {.path = kind.list});
        CHECK(error.phase() == Phase::auth);
        CHECK(error.reason() == Reason::denied);
        CHECK_FALSE(has(error.message(), token));
        CHECK(vendor.requests(kind.token_path).size() == 1);
    }
}

TEST_CASE("a wrong secret is refused in the words of the vendor, and never shown", "[vendors][integration]") {
    for (const Kind& kind : kinds()) {
        INFO(kind.scheme << ' ' << kind.wrong);
        Vendor vendor{kind.vendor, kind.origin};
        const Checked checked = connection(kind.scheme + "://" + vendor.address() + kind.url_path, trust() + kind.wrong);
        const Error error = failure(*checked.client<RestClient>(), {.path = kind.list});
        INFO(error.message());
        CHECK(error.phase() == Phase::auth);
        CHECK(has(error.message(), kind.refused_words));
        CHECK_FALSE(has(error.message(), "wrong-key-1"));

        const std::string asks = "ping_method: GET\nping_path: " + json::encode(Value{kind.list}) + "\n";
        const PingResult result = ping(connection(kind.scheme + "://" + vendor.address() + kind.url_path, trust() + kind.wrong + asks));
        CHECK_FALSE(result.ok);
        CHECK(result.error->phase() == Phase::auth);
    }
}

TEST_CASE("a standard ping connects, or asks what the kind is known to answer", "[vendors][integration]") {
    for (const Kind& kind : kinds()) {
        INFO(kind.scheme << ' ' << kind.options);
        Vendor vendor{kind.vendor, kind.origin};
        const Checked checked = connection(kind.scheme + "://" + vendor.address() + kind.url_path, trust() + kind.options);
        CHECK(ping(checked).ok);
        const std::string asked = kind.vendor == "servicenow" ? "/api/now/table/sys_properties" : kind.vendor == "salesforce" ? "/services/data" : "";
        CHECK(vendor.requests("*").size() == (asked.empty() ? 0U : vendor.requests("*").size()));
        if (!asked.empty()) CHECK_FALSE(vendor.requests(asked).empty());
        CHECK(vendor.refusals().empty());
    }
    Vendor dataverse{"dataverse"};
    for (const Kind& kind : kinds()) {
        if (kind.vendor != "dataverse") continue;
        CHECK(ping(connection(kind.scheme + "://" + dataverse.address(), trust() + kind.options + "api_profile: dynamics\n")).ok);
        CHECK(dataverse.requests("/api/data/v9.2/systemusers").size() == 1);
    }
}

TEST_CASE("Salesforce: requests go to the instance that the log-in names, and to the version that is wanted", "[vendors][integration]") {
    Vendor vendor{"salesforce", "login"};
    const std::string options =
        trust() + vendor.option("username") + vendor.option("password") + vendor.option("client_id") + vendor.option("client_secret");
    const std::string url = "sfrests://" + vendor.address();
    const auto client = connection(url, options).client<RestClient>();

    // The newest version; what answers name by paths and whole URLs.
    const Value first = client->get("query?q=SELECT+Id,Name+FROM+Account", 20s).body;
    CHECK(first["totalSize"] == Value{5});
    REQUIRE(first["nextRecordsUrl"].is_string());
    CHECK(has(first["nextRecordsUrl"].as_string(), "/services/data/v61.0/query/"));
    CHECK(client->get(first["nextRecordsUrl"].as_string(), 20s).status == 200);
    CHECK(client->get("https://" + vendor.address("instance") + "/services/data/v59.0", 20s).status == 200);
    CHECK(client->get("", 20s).body["sobjects"].as_string() == "/services/data/v61.0/sobjects");
    CHECK(vendor.refusals().empty());

    const auto old = connection(url + "/services/oauth2/token", options + "api: '58.0'\n").client<RestClient>();
    CHECK(old->get("", 20s).body["sobjects"].as_string() == "/services/data/v58.0/sobjects");
    const Error unknown = failure(*connection(url, options + "api: '99.0'\n").client<RestClient>(), {});
    CHECK(unknown.name() == "SALESFORCE-API-ERROR");
    CHECK(has(unknown.message(), "99.0"));
    CHECK(has(unknown.message(), "61.0"));

    // The token goes to no other origin, the log-in's own included.
    CHECK(has(failure(*client, {.path = "https://" + vendor.address() + "/services/oauth2/userinfo"}).message(), "Missing_OAuth_Token"));
    CHECK_FALSE(vendor.requests("/services/oauth2/userinfo").back()["headers"]["authorization"].is_string());
}

TEST_CASE("Salesforce: the bulk API, void sessions in every form, and tokens given back", "[vendors][integration]") {
    Vendor vendor{"salesforce", "login"};
    const Checked checked = connection("sfrests://" + vendor.address(), trust() + vendor.option("username") + vendor.option("password") +
                                                                            vendor.option("client_id") + vendor.option("client_secret"));
    const auto client = checked.client<RestClient>();
    RestCall job{.method = "POST", .path = "/services/async/59.0/job"};
    job.data = DataFormat::text;
    job.headers = {{"Content-Type", "application/xml;charset=UTF-8"}};
    job.body = Value{
        "<?xml version=\"1.0\"?><jobInfo "
        "xmlns=\"http://www.force.com/2009/06/asyncapi/dataload\"><operation>insert</operation><object>Account</object>"
        "<contentType>CSV</contentType></jobInfo>"};
    CHECK(client->call(job, 20s).body["jobInfo"]["state"].as_string() == "Open");
    CHECK(vendor.refusals().empty());

    // A token that is refused a moment after it was got is not replaced at once.
    const auto works = [&client](const RestCall& call) {
        return wait_until([&] {
            try {
                return client->call(call, 20s).status / 100 == 2;
            } catch (const Error&) { return false; }
        });
    };
    const auto log_ins = [&] { return vendor.requests("/services/oauth2/token").size(); };
    CHECK(log_ins() == 1);
    vendor.turn(Map{{"expire_tokens", true}});
    CHECK(works(job));
    CHECK(log_ins() == 2);
    vendor.turn(Map{{"expire_tokens", true}, {"void_session", "bad_oauth_token"}});
    CHECK(works({.path = "sobjects"}));
    CHECK(log_ins() == 3);

    const auto& operations = checked.scheme().operations;
    const auto revoke = std::find_if(operations.begin(), operations.end(), [](const OperationSpec& one) { return one.name == "revoke"; });
    REQUIRE(revoke != operations.end());
    CHECK(revoke->run(*client, {}, 20s) == Value{"revoked"});
    CHECK(vendor.requests("/services/oauth2/revoke").size() == 1);
    CHECK(works({.path = "sobjects"}));
    CHECK(log_ins() == 4);
}

TEST_CASE("Dataverse: the next page of a list is a whole URL of the API", "[vendors][integration]") {
    Vendor vendor{"dataverse"};
    for (const Kind& kind : kinds()) {
        if (kind.vendor != "dataverse") continue;
        const auto client = connection(kind.scheme + "://" + vendor.address(), trust() + kind.options).client<RestClient>();
        const Value page = client->get("accounts?$select=name", 20s).body;
        REQUIRE(page["@odata.nextLink"].is_string());
        CHECK(client->get(page["@odata.nextLink"].as_string(), 20s).body["value"].as_list().size() == 2);
        CHECK(vendor.refusals().empty());
    }
}
