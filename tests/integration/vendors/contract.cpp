// SPDX-License-Identifier: Apache-2.0
// The contract of connections, for the kinds of vendors' APIs.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <qconn/rest/rest_client.hpp>

#include "contract/connection_contract.hpp"
#include "stand_in.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/define.hpp"
#include "support/free_port.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// How many objects a list has, in the form of each vendor.
std::string count_of(const Value& answer) {
    const auto size = [](const Value& list) { return std::to_string(list.as_list().size()); };
    if (answer.is_list()) return size(answer);
    if (!answer["totalSize"].is_null()) return to_text(answer["totalSize"]);
    for (const Value* list : {&answer["results"], &answer["d"]["results"], &answer["value"], &answer["result"]}) {
        if (list->is_list()) return size(*list);
    }
    return "no list";
}

Use counting(const std::string& path) {
    return {.blocking = [path](Client& client, Deadline deadline) { return count_of(dynamic_cast<RestClient&>(client).get(path, deadline).body); },
            .asynchronous =
                [path](Client& client, Deadline deadline, Callback<std::string> callback) {
                    return dynamic_cast<RestClient&>(client).async_call(
                        {.path = path}, deadline, [callback = std::move(callback)](Result<RestResponse> result) mutable {
                            callback(result ? Result<std::string>{count_of(result->body)} : Result<std::string>{result.error()});
                        });
                }};
}

/// What the contract has to know of a kind beside its row in kinds().
struct Traits {
    std::string scheme;
    /// Which of several rows of one kind: what its options have.
    std::string with;
    /// A list of all there is, and the number of it at the start.
    std::string all;
    int count;
    /// Where its requests are stalled.
    std::string stalled;
    /// Standard pings log in, which fails where there is no server.
    bool ping_logs_in{false};
};

const std::vector<Traits>& all_traits() {
    static const std::vector<Traits> table{
        {"billwerkrest", "client_secret", "customers", 4, "*/customers"},
        {"billwerkrests", "name", "customers", 4, "*/customers"},
        {"cdsrests", "client_secret", "accounts?$top=100", 5, "*/accounts"},
        {"sap4hanarests", "client_secret", "sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner", 4, "*/A_BusinessPartner"},
        {"sewiorest", "apikey", "feeds", 3, "*/feeds"},
        {"sewiorests", "apikey", "feeds", 3, "*/feeds"},
        {"sfrests", "client_secret", "query?q=SELECT+Id+FROM+Account", 5, "*/query", true},
        {"snrests", "client_secret", "table/incident", 3, "*/incident", true},
        {"zeyosrest", "appsecret", "api/v1/appointments", 3, "*/appointments"},
        {"zeyosrests", "appsecret", "api/v1/appointments", 3, "*/appointments"},
    };
    return table;
}

/// Stand-ins: one as it is at the start, one that has an object more of each kind, one that leaves the requests of the contract without an answer.
class VendorPeers {
public:
    ConnectionContract contract(const std::string& scheme) {
        const auto& traits = *std::find_if(all_traits().begin(), all_traits().end(), [&](const Traits& one) { return one.scheme == scheme; });
        const bool tls = scheme.ends_with('s');
        const Kind kind = row(traits, usual_);
        const Kind other = row(traits, fuller_);
        const Kind slow = row(traits, stalled_);
        const std::string trust = tls ? "ssl_ca_file: " + tls_file("ca.crt") + "\n" : "";
        const auto at = [&](const std::string& address) { return scheme + "://" + address + kind.url_path; };
        const auto place_of = [](const Kind& one, const Server& server) { return Vendor{one.vendor, one.origin, server}.address(); };
        // A request of the API; those that have one of their own keep it.
        const std::string ping = traits.ping_logs_in ? "" : yaml_line("ping_method", "GET") + yaml_line("ping_path", kind.list);
        const bool takes_tokens = !kind.token_path.empty();
        const bool tokens_are_elsewhere = kind.vendor == "dataverse";
        const std::string dead = "127.0.0.1:" + std::to_string(free_port());
        const std::string silent = "127.0.0.1:" + std::to_string(silent_.port());

        ConnectionContract out;
        out.up = {at(place_of(kind, usual_)), trust + kind.options + ping};
        out.changed = {at(place_of(other, fuller_)), trust + other.options};
        define(out.changed.url, out.changed.options).client<RestClient>()->post(other.create, other.body, 20s);
        out.use = counting(traits.all);
        out.answer = std::to_string(traits.count);
        out.changed_answer = std::to_string(traits.count + 1);
        const Phase unreachable = traits.ping_logs_in ? Phase::auth : Phase::connect;
        out.refused = Down{{at(dead), trust + kind.options}, unreachable, Reason::refused};
        const Phase mute = takes_tokens && !tokens_are_elsewhere ? Phase::auth : tls ? Phase::tls : Phase::protocol;
        // A log-in says how far it came where it ends before its ping does, also on a machine that is busy.
        out.silent = Down{{at(silent), trust + kind.options + ping}, mute, Reason::timeout, PingDepth::full, takes_tokens ? 4s : 2s};
        // Sewio answers 403 to a key that it does not know.
        const Reason refusal = kind.vendor == "sewio" ? Reason::permission : Reason::denied;
        out.wrong_password = Down{{at(place_of(kind, usual_)), trust + kind.wrong + ping}, Phase::auth, refusal, PingDepth::auth};
        if (tls)
            out.bad_certificate =
                Down{{at(expired().address2()), trust + kind.options}, traits.ping_logs_in ? Phase::auth : Phase::tls, Reason::certificate_expired};
        else
            out.bad_certificate = Absent{"without TLS there is no certificate"};
        const auto stalling = std::make_shared<Vendor>(kind.vendor, kind.origin, stalled_);
        stalling->turn(Map{{"stall", traits.stalled}});
        out.slow = SlowUse{.sample = {at(stalling->address()), trust + slow.options},
                           .reached = [stalling](int calls) { return stalling->waiting() >= calls; }};
        out.options_beyond = "rests";
        add_samples(out, kind, at(place_of(kind, usual_)), trust);
        const std::string canary = k_canary;
        out.with_canary = {{at(place_of(kind, usual_)), trust + kind.options + "headers: {X-Api: " + canary + "}"},
                           {at(dead), trust + kind.options + "proxy: http://edi:" + canary + "@" + dead}};
        return out;
    }

private:
    /// With a scheme of the same kind, as it reaches that server.
    static Kind row(const Traits& traits, const Server& server) {
        const std::string kind = traits.scheme.ends_with('s') ? traits.scheme.substr(0, traits.scheme.size() - 1) : traits.scheme;
        for (const Kind& one : kinds(server)) {
            if (one.scheme.starts_with(kind) && one.options.find(traits.with + ":") != std::string::npos) return one;
        }
        throw std::runtime_error{"tests/integration/vendors/stand_in.cpp has no row for " + traits.scheme};
    }

    /// Of options whose example does not go with the log-in of the kind.
    static void add_samples(ConnectionContract& out, const Kind& kind, const std::string& url, const std::string& trust) {
        const auto has = [&kind](const std::string& option) { return ("\n" + kind.options).find("\n" + option + ":") != std::string::npos; };
        if (has("password")) out.samples["oauth2_grant_type"] = {"", "oauth2_grant_type: password"};
        if (kind.vendor == "zeyos") out.samples["username"] = {url, trust + "appsecret: s\nusername: u\npassword: p"};
        if (kind.vendor == "billwerk") {
            out.samples["client_secret"] = {url, trust + "client_id: c\nclient_secret: s"};
            out.samples["username"] = {url, trust + "client_id: c\nusername: u\npassword: p"};
        }
        if (kind.vendor == "sap") out.samples["apikey"] = {url, trust + "apikey: k"};
    }

    Server& expired() {
        if (!expired_) expired_.emplace("nginx", ServerOptions{.environment = {"NGINX_CERT=expired"}});
        return *expired_;
    }

    Server usual_{"vendors"};
    Server fuller_{"vendors"};
    Server stalled_{"vendors"};
    std::optional<Server> expired_;
    SilentServer silent_;
};

void keeps_contract(const std::string& scheme) {
    static VendorPeers peers;
    CHECK(to_text(broken_promises(peers.contract(scheme))) == "");
}

}  // namespace

// Plain names only where QCONN_LONG=1 asks for them: the secure ones have all that they have.
TEST_CASE("billwerkrests keeps the contract of connections", "[contract][vendors][integration]") { keeps_contract("billwerkrests"); }
TEST_CASE("cdsrests keeps the contract of connections", "[contract][vendors][integration]") { keeps_contract("cdsrests"); }
TEST_CASE("sap4hanarests keeps the contract of connections", "[contract][vendors][integration]") { keeps_contract("sap4hanarests"); }
TEST_CASE("sewiorests keeps the contract of connections", "[contract][vendors][integration]") { keeps_contract("sewiorests"); }
TEST_CASE("sfrests keeps the contract of connections", "[contract][vendors][integration]") { keeps_contract("sfrests"); }
TEST_CASE("snrests keeps the contract of connections", "[contract][vendors][integration]") { keeps_contract("snrests"); }
TEST_CASE("zeyosrests keeps the contract of connections", "[contract][vendors][integration]") { keeps_contract("zeyosrests"); }
TEST_CASE("the plain names of vendors' kinds keep the contract of connections", "[contract][vendors][integration]") {
    if (std::getenv("QCONN_LONG") == nullptr) return;  // of .ci/full
    for (const char* scheme : {"billwerkrest", "sewiorest", "zeyosrest"}) keeps_contract(scheme);
}
