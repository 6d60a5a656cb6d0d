// SPDX-License-Identifier: Apache-2.0
// Tokens of real servers: got, used, expired, revoked, refused.
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <barrier>
#include <fstream>
#include <mutex>
#include <thread>

#include <qconn/core/registry.hpp>
#include <qconn/http/oauth2.hpp>
#include <qconn/rest/rest_client.hpp>

#include "../http/http_fixture.hpp"
#include "net/openssl_ptr.hpp"
#include "oauth2_fixture.hpp"
#include "support/document.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// What an answer of the resource says of the token.
Value asked(HttpClient& client, Form form) {
    HttpRequest request;
    request.path = "resource";
    const HttpResponse answer = call(client, form, request, Deadline{20s});
    CHECK(answer.status == 200);
    return Value{answer.body};
}

Error refused(HttpClient& client, Form form, const std::string& path = "resource") {
    HttpRequest request;
    request.path = path;
    return failure(client, form, request, Deadline{20s});
}

std::string pem_of(EVP_PKEY* key, bool with_private) {
    const net::BioPtr bio{BIO_new(BIO_s_mem())};
    if (with_private)
        PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    else
        PEM_write_bio_PUBKEY(bio.get(), key);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

}  // namespace

TEST_CASE("a token is got before the first request and used for all that follow", "[auth][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    Server& server = token_server();
    const int before = tokens_given(server);
    HttpClient client{with_tokens(server, oauth2_options(server))};

    CHECK(asked(client, form) == asked(client, form));

    CHECK(tokens_given(server) == before + 1);
}

TEST_CASE("the client is known by what stands in the body as well", "[auth][integration]") {
    Server& server = token_server();
    OAuth2Options options = oauth2_options(server);
    options.client_id += "-post";
    options.basic_auth = false;
    HttpClient client{with_tokens(server, options)};

    CHECK(has(asked(client, Form::blocking).as_string(), "qconntest-post"));
}

TEST_CASE("a token that has ended is replaced before it is sent", "[auth][integration]") {
    Server server{"oauth", {.environment = {"OAUTH_TTL=1"}}};
    OAuth2Options auth = oauth2_options(server);
    auth.refresh_ahead = 0s;  // else it would be renewed while it lives
    HttpClient client{with_tokens(server, auth)};
    const auto source = token_source(client);
    asked(client, Form::blocking);
    REQUIRE(source->current()->lifetime == 1s);

    REQUIRE(wait_until([&] { return source->current() == nullptr; }));
    asked(client, Form::asynchronous);

    CHECK(tokens_given(server) >= 2);
}

TEST_CASE("a revoked token is replaced once, whatever the request is", "[auth][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    Server& server = token_server();
    HttpClient client{with_tokens(server, oauth2_options(server))};
    const Value first = asked(client, form);
    const int before = tokens_given(server);

    revoke(server, *token_source(client)->current());
    HttpRequest post;
    post.method = "POST";
    post.path = "resource";
    post.body = "order";
    const HttpResponse answer = call(client, form, post, Deadline{20s});

    CHECK(answer.status == 200);
    CHECK(Value{answer.body} != first);
    CHECK(tokens_given(server) == before + 1);
}

TEST_CASE("a server that refuses every token is asked twice, then once a call, and the token server is left alone", "[auth][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    Server& server = token_server();
    ScriptedServer refusing{"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"};
    HttpOptions options = with_tokens(server, oauth2_options(server));
    options.url = refusing.url();
    HttpClient client{options};
    const int before = tokens_given(server);

    const Error error = refused(client, form);
    CHECK(error.name() == "HTTP-CLIENT-RECEIVE-ERROR");
    CHECK(error.phase() == Phase::auth);
    CHECK(error.reason() == Reason::denied);
    REQUIRE(error.detail<HttpErrorDetail>());
    CHECK(error.detail<HttpErrorDetail>()->response.status == 401);
    CHECK(wait_until([&] { return refusing.requests() == 2; }));
    CHECK(tokens_given(server) == before + 2);

    refused(client, form);  // within a second, unless this machine is busy: then one more token is got, and used once
    const int more = tokens_given(server) - before - 2;
    CHECK(more <= 1);
    CHECK(wait_until([&] { return refusing.requests() == 3 + more; }));
}

TEST_CASE("fifty threads make one log-in, and after a revocation one more", "[auth][integration]") {
    Server& server = token_server();
    HttpClient client{with_tokens(server, oauth2_options(server))};
    const int before = tokens_given(server);
    const auto all_ask = [&client] {
        constexpr int k_threads = 50;
        std::barrier start{k_threads};
        std::mutex mutex;
        std::vector<std::string> problems;
        std::vector<std::thread> threads;
        for (int i = 0; i < k_threads; ++i) {
            threads.emplace_back([&] {
                start.arrive_and_wait();
                try {
                    client.get("resource", Deadline{60s});
                } catch (const Error& error) {
                    const std::scoped_lock lock{mutex};
                    problems.emplace_back(error.what());
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        return problems;
    };

    CHECK(all_ask() == std::vector<std::string>{});
    CHECK(tokens_given(server) == before + 1);
    revoke(server, *token_source(client)->current());
    CHECK(all_ask() == std::vector<std::string>{});
    CHECK(tokens_given(server) == before + 2);
}

TEST_CASE("a wrong secret is refused once for many calls, and stands in no error", "[auth][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    Server& server = token_server();
    OAuth2Options options = oauth2_options(server);
    options.client_secret = Secret{"Wr0ng-canary"};
    HttpClient client{with_tokens(server, options)};
    const int before = refusals(server);

    for (int i = 0; i < 5; ++i) {
        const Error error = refused(client, form);
        CHECK(error.name() == "REST-LOGIN-ERROR");
        CHECK(error.phase() == Phase::auth);
        CHECK(error.reason() == Reason::denied);
        CHECK(error.connection() == "shop");
        CHECK(has(error.message(), "invalid_client"));
        CHECK_FALSE(has(error.what(), "canary"));
    }
    CHECK(refusals(server) <= before + 2);  // one, unless this machine needs a second for five calls
}

TEST_CASE("a token server that is not there is named as such", "[auth][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    Server& server = token_server();
    OAuth2Options options = oauth2_options(server);
    options.token_url = "http://127.0.0.1:1/token?key=canary";
    HttpClient client{with_tokens(server, options)};

    const Error error = refused(client, form);

    CHECK(error.name() == "REST-LOGIN-ERROR");
    CHECK(error.phase() == Phase::auth);
    CHECK(error.reason() == Reason::refused);
    CHECK(error.retryable());
    CHECK(has(error.message(), "127.0.0.1:1"));
    CHECK_FALSE(has(error.message(), "canary"));
}

TEST_CASE("a token server that hangs costs nobody more than the deadline, and the end of the client ends the wait", "[auth][integration]") {
    ScriptedServer hanging{""};
    Server& server = token_server();
    OAuth2Options options = oauth2_options(server);
    options.token_url = hanging.url();
    auto client = std::make_unique<HttpClient>(with_tokens(server, options));

    for (const Form form : {Form::blocking, Form::asynchronous}) {
        HttpRequest request;
        request.path = "resource";
        const Error error = failure(*client, form, request, Deadline{50ms});
        CHECK(error.name() == "HTTP-CLIENT-TIMEOUT");
        CHECK(error.phase() == Phase::auth);
    }
    Responses outcomes;
    client->async_request({.path = "resource"}, {}, outcomes.callback());
    Operation cancelled = client->async_request({.path = "resource"}, {}, outcomes.callback());
    cancelled.cancel();
    REQUIRE(outcomes.wait(1));
    CHECK(cancelled.done());
    client.reset();
    REQUIRE(outcomes.wait(2));

    for (const auto& result : outcomes.results()) {
        REQUIRE_FALSE(result);
        CHECK(result.error().name() == "CANCELLED");
    }
    CHECK(hanging.heard() == 1);
}

TEST_CASE("a token that the server repeats in its answer stands in no error and in no record", "[auth][integration]") {
    Server& server = token_server();
    std::mutex mutex;
    std::string records;
    RuntimeOptions logged;
    logged.log = Log{LogLevel::debug, [&](const LogRecord& record) {
                         const std::scoped_lock lock{mutex};
                         records.append(record.text);
                         for (const auto& [name, value] : record.fields) records.append(value);
                     }};
    const Runtime runtime{logged};
    RestOptions options;
    options.label = "shop";
    options.url = "http://" + server.address() + "/";
    OAuth2Options auth = oauth2_options(server);
    auth.auto_refresh = false;
    const auto source = std::make_shared<TokenSource>(auth, form_sender(options, runtime), runtime);
    options.authenticator = oauth2_authenticator(source);
    RestClient client{options, runtime};
    const std::string token{source->token(Deadline{20s})->access.reveal()};
    revoke(server, *source->current());

    std::optional<Error> error;
    try {
        client.get("resource", Deadline{20s});
    } catch (const Error& thrown) { error = thrown; }

    REQUIRE(error);
    CHECK(error->name() == "REST-RESPONSE-ERROR");
    CHECK(has(error->message(), "<masked> is of no use"));
    CHECK_FALSE(has(error->what(), token));
    const std::scoped_lock lock{mutex};
    CHECK_FALSE(has(records, token));
    CHECK_FALSE(has(records, k_password));
}

TEST_CASE("a person allows the access, and from then on refresh tokens that change each time do", "[auth][integration]") {
    Server& server = token_server();
    OAuth2Options options = oauth2_options(server);
    options.grant = OAuth2Grant::authorization_code;
    options.client_id += "-web";
    options.basic_auth = false;
    options.auth_url = "http://" + server.address() + "/auth";
    options.redirect_url = "https://app.example/back";
    options.scopes = {"openid", "offline_access"};
    options.auth_args = Map{{"prompt", "consent"}};
    HttpClient client{with_tokens(server, options)};
    const auto source = token_source(client);
    std::mutex mutex;
    std::vector<std::string> kept;
    source->on_token([&](const Token& token) {
        const std::scoped_lock lock{mutex};
        kept.emplace_back(token.refresh.reveal());
    });

    CHECK(source->needs_authorization());
    CHECK(refused(client, Form::blocking).name() == "REST-TOKEN-ERROR");
    const AuthorizationRequest request = source->begin_authorization();
    const BackFromBrowser back = browse(request.url);
    source->finish_authorization(request, back.code, back.state, Deadline{20s});
    CHECK_FALSE(source->needs_authorization());
    const Value first = asked(client, Form::blocking);
    source->renew(source->current(), Deadline{20s});
    const Value second = asked(client, Form::asynchronous);

    CHECK(first != second);
    const std::scoped_lock lock{mutex};
    REQUIRE(kept.size() == 2);
    CHECK(kept[0] != kept[1]);
    const AuthorizationRequest again = source->begin_authorization();
    try {
        source->finish_authorization(again, "a code of nobody", again.state, Deadline{20s});
        FAIL("a code that nobody gave was taken");
    } catch (const Error& error) {
        CHECK(error.name() == "REST-LOGIN-ERROR");
        CHECK(has(error.message(), "invalid_grant"));
    }
}

TEST_CASE("an assertion that is signed here is a log-in", "[auth][integration]") {
    const JwtAlgorithm algorithm = GENERATE(JwtAlgorithm::rs256, JwtAlgorithm::es256);
    Server& server = token_server();
    const net::KeyPtr key{algorithm == JwtAlgorithm::rs256 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256")};
    std::ofstream{server.directory() / "assertion.pub"} << pem_of(key.get(), false);
    OAuth2Options options = oauth2_options(server);
    options.grant = OAuth2Grant::jwt_bearer;
    options.client_id += "-post";
    options.basic_auth = false;
    options.jwt.key = Secret{pem_of(key.get(), true)};
    options.jwt.algorithm = algorithm;
    options.jwt.issuer = "robot@shop.example";

    HttpClient client{with_tokens(server, options)};
    CHECK(has(asked(client, Form::blocking).as_string(), "robot@shop.example"));

    options.jwt.audience = "https://somebody.else/";
    HttpClient other{with_tokens(server, options)};
    CHECK(has(refused(other, Form::blocking).message(), "not for https://somebody.else/"));
}

TEST_CASE("a person's name and password get a token and a refresh token, which gets the next", "[auth][integration]") {
    Server& mock = token_mock();
    OAuth2Options options = oauth2_options(mock);
    options.grant = OAuth2Grant::password;
    options.username = "jo";
    options.password = Secret{"canary-of-jo"};
    HttpOptions http;
    http.url = "http://" + mock.address() + "/";
    TokenSource source{options, form_sender(http)};

    const TokenPtr first = source.token(Deadline{20s});
    const TokenPtr second = source.renew(first, Deadline{20s});

    CHECK(first->expires);
    CHECK_FALSE(first->refresh.empty());
    REQUIRE(second);
    CHECK_FALSE(second->access == first->access);
}

namespace {

/// A definition of the server's resource.
std::string document_of(const Server& server, const std::string& more = {}, std::string_view secret = k_password) {
    return document("shop", "rest://" + server.address() + "/",
                    "oauth2_grant_type: client_credentials\noauth2_client_id: " + std::string{k_user} +
                        "\noauth2_token_use_basic_auth: true\noauth2_client_secret: " + std::string{secret} +
                        "\noauth2_token_url: /token\nping_method: GET\nping_path: resource\n" + more);
}

}  // namespace

TEST_CASE("the client and the pings of a connection share its token, also after a reload that changes something else", "[auth][integration]") {
    Server& server = token_server();
    const int before = tokens_given(server);
    const TempDir dir;
    dir.write("shop.qconn.yaml", document_of(server));
    Registry registry;
    registry.load(dir.path());

    for (const PingDepth depth : {PingDepth::full, PingDepth::auth, PingDepth::standard}) {
        const PingResult result = registry.ping("shop", depth, Deadline{20s});
        INFO((result.error ? result.error->what() : "ok"));
        CHECK(result.ok);
    }
    CHECK(registry.get<RestClient>("shop")->get("resource", Deadline{20s}).status == 200);
    CHECK(tokens_given(server) == before + 1);

    dir.write("shop.qconn.yaml", document_of(server, "headers: {X-Shop: new}\n"));
    registry.reload();
    CHECK(registry.get<RestClient>("shop")->get("resource", Deadline{20s}).status == 200);
    CHECK(registry.get<RestClient>("shop")->options().headers.size() == 2);
    CHECK(registry.ping("shop", PingDepth::full, Deadline{20s}).ok);
    CHECK(tokens_given(server) == before + 1);

    dir.write("shop.qconn.yaml", document_of(server, "swagger_lax_parsing: true\n"));
    registry.reload();
    CHECK(registry.ping("shop", PingDepth::full, Deadline{20s}).ok);
    CHECK(tokens_given(server) == before + 1);

    dir.write("shop.qconn.yaml", document_of(server, "oauth2_scopes: [write]\n"));
    registry.reload();
    CHECK(registry.get<RestClient>("shop")->get("resource", Deadline{20s}).body["scope"] == Value{"write"});
    CHECK(tokens_given(server) == before + 2);
}

TEST_CASE("a ping renews a token that was revoked, and tells a wrong secret", "[auth][integration]") {
    Server& server = token_server();
    const TempDir dir;
    dir.write("shop.qconn.yaml", document_of(server));
    Registry registry;
    registry.load(dir.path());
    const auto client = registry.get<RestClient>("shop").pin();
    revoke(server, *token_source(*client)->token(Deadline{20s}));
    const int before = tokens_given(server);

    CHECK(registry.ping("shop", PingDepth::full, Deadline{20s}).ok);
    CHECK(tokens_given(server) == before + 1);

    dir.write("shop.qconn.yaml", document_of(server, {}, "Wr0ng-canary"));
    registry.reload();
    const PingResult result = registry.ping("shop", PingDepth::auth, Deadline{20s});
    REQUIRE(result.error);
    CHECK(result.error->name() == "REST-LOGIN-ERROR");
    CHECK(result.error->phase() == Phase::auth);
    CHECK_FALSE(has(result.error->what(), "canary"));
    CHECK(registry.ping("shop", PingDepth::connect, Deadline{20s}).ok);
}
