// SPDX-License-Identifier: Apache-2.0
// What is said over HTTP, looked at: all of it is there, and no secret.
#include <mutex>

#include <qconn/http/oauth2.hpp>
#include <qconn/http/trace.hpp>
#include <qconn/rest/rest_client.hpp>
#include <qconn/rpc/rpc_client.hpp>

#include "../http/http_fixture.hpp"
#include "oauth2_fixture.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Keeps what it is told.
class Witness {
public:
    explicit Witness(std::string connection) : tracing_{std::move(connection), [this](const HttpTraceEvent& event) { note(event); }} {}

    /// "call POST http://… 200" each.
    std::vector<std::string> story() const {
        const std::scoped_lock lock{mutex_};
        return story_;
    }
    /// Everything that an event has.
    std::string text() const {
        const std::scoped_lock lock{mutex_};
        return text_;
    }

private:
    void note(const HttpTraceEvent& event) {
        const std::scoped_lock lock{mutex_};
        const std::string path = event.request.path.substr(event.request.path.find('/', 8));
        story_.push_back(std::string{to_string(event.cause)} + " " + event.request.method + " " + path + " " + std::to_string(event.response.status));
        text_.append(event.request.path).append("\n").append(event.response.info.url).append("\n");
        for (const Headers* headers : {&event.request.headers, &event.response.headers})
            for (const auto& [name, value] : *headers) text_.append(name).append(": ").append(value).append("\n");
        text_.append(event.request.body).append("\n").append(event.response.body).append("\n").append(event.error).append("\n");
    }

    mutable std::mutex mutex_;
    std::vector<std::string> story_;  // guarded by mutex_
    std::string text_;                // guarded by mutex_
    HttpTracing tracing_;
};

std::string json_answer(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("token requests, a refusal and what follows it are seen, with every secret masked", "[auth][trace][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    Server& server = token_server();
    HttpClient client{with_tokens(server, oauth2_options(server))};
    const auto source = token_source(client);
    const std::string first{source->token(Deadline{20s})->access.reveal()};
    revoke(server, *source->last());
    const Witness witness{"shop"};
    const Witness stranger{"other"};
    const Witness all{""};

    HttpRequest request;
    request.path = "resource?api_key=C4nary-1";
    CHECK(call(client, form, request, Deadline{20s}).status == 200);

    CHECK(witness.story() == std::vector<std::string>{"call GET /resource?api_key=<masked> 401", "call POST /token 200",
                                                      "authorization GET /resource?api_key=<masked> 200"});
    CHECK(all.story() == witness.story());
    CHECK(stranger.story().empty());
    const std::string text = witness.text();
    INFO(text);
    CHECK(has(text, "Authorization: Bearer <masked>"));
    CHECK(has(text, "grant_type=client_credentials"));
    CHECK(has(text, "Authorization: Basic <masked>"));
    CHECK(has(text, "\"access_token\":\"<masked>\""));
    CHECK(has(text, "the token <masked> is of no use"));
    for (const std::string& secret : {first, std::string{source->last()->access.reveal()}, std::string{k_password}, std::string{"C4nary"}}) {
        INFO(secret);
        CHECK_FALSE(secret.empty());
        CHECK_FALSE(has(text, secret));
    }
}

TEST_CASE("the log-in in the body of the token request is masked as well", "[auth][trace][integration]") {
    Server& server = token_server();
    OAuth2Options options = oauth2_options(server);
    options.client_id += "-post";
    options.basic_auth = false;
    HttpClient client{with_tokens(server, options)};
    const Witness witness{"shop"};

    client.get("resource", Deadline{20s});

    CHECK(witness.story() == std::vector<std::string>{"call POST /token 200", "call GET /resource 200"});
    CHECK(has(witness.text(), "client_secret=<masked>"));
    CHECK_FALSE(has(witness.text(), k_password));
}

TEST_CASE("requests and answers of REST and RPC are seen without what went over the wire as a secret", "[auth][trace][integration]") {
    const std::string secret = "C4nary-of-jo";
    ScriptedServer rest_peer{json_answer(R"({"sku": "A-1", "refresh_token": "C4nary-of-them", "echo": "C4nary-of-jo"})")};
    ScriptedServer rpc_peer{json_answer(R"({"jsonrpc":"2.0","id":1,"result":{"password":"C4nary-of-them","note":"C4nary-of-jo"}})")};
    RestOptions rest_options;
    rest_options.label = "shop";
    rest_options.url = rest_peer.url();
    rest_options.headers = {{"X-Api-Key", secret}};
    RpcOptions rpc_options;
    rpc_options.label = "calc";
    rpc_options.url = rpc_peer.url();
    rpc_options.username = "jo";
    rpc_options.password = Secret{secret};
    RestClient rest{rest_options};
    RpcClient rpc{rpc_options};
    const Witness witness{""};

    rest.post("orders", Map{{"sku", "A-1"}, {"password", secret}}, Deadline{20s});
    rpc.call("login", List{Map{{"token", secret}}}, Deadline{20s});

    const std::string text = witness.text();
    INFO(text);
    CHECK(witness.story() == std::vector<std::string>{"call POST /orders 200", "call POST / 200"});
    CHECK(has(text, "X-Api-Key: <masked>"));
    CHECK(has(text, "\"sku\""));
    CHECK(has(text, "login"));
    CHECK_FALSE(has(text, "C4nary"));
    // What went over the wire had them.
    CHECK(has(rest_peer.received(), "X-Api-Key: " + secret));
    CHECK(has(rest_peer.received(), "\"" + secret + "\""));
    CHECK(has(rpc_peer.received(), "\"" + secret + "\""));
}

TEST_CASE("redirects and failures are told, and nothing after the end of the looking", "[auth][trace][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    ScriptedServer peer{[](int connection, int request) -> std::optional<std::string> {
        if (connection == 0 && request == 0) return "HTTP/1.1 302 Found\r\nLocation: /next?token=C4nary\r\nContent-Length: 0\r\n\r\n";
        return std::nullopt;
    }};
    HttpOptions options;
    options.label = "shop";
    options.url = peer.url();
    HttpClient client{options};
    {
        const Witness witness{"shop"};
        HttpRequest request;
        request.method = "POST";
        failure(client, form, request, Deadline{20s});

        REQUIRE(witness.story().size() >= 2);
        CHECK(witness.story()[0] == "call POST / 302");
        CHECK(witness.story()[1] == "redirect GET /next?token=<masked> 0");
        CHECK(has(witness.text(), "Location: /next?token=<masked>"));
        CHECK(has(witness.text(), "closed the connection"));
        CHECK_FALSE(has(witness.text(), "C4nary"));
    }
    failure(client, form, {}, Deadline{20s});  // nobody is told: there is nobody
}

TEST_CASE("who looks on and throws changes nothing", "[auth][trace][integration]") {
    ScriptedServer peer{json_answer("{}")};
    HttpOptions options;
    options.url = peer.url();
    HttpClient client{options};
    int told = 0;
    const HttpTracing tracing{"", [&told](const HttpTraceEvent&) {
                                  ++told;
                                  throw std::runtime_error{"not mine"};
                              }};

    CHECK(client.get("", Deadline{20s}).status == 200);
    CHECK(client.get("", Deadline{20s}).status == 200);
    CHECK(told == 2);
}
