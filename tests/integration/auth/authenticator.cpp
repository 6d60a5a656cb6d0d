// SPDX-License-Identifier: Apache-2.0
// What an authenticator is asked for, and where what it sets goes.
#include <atomic>
#include <thread>

#include <qconn/http/authenticator.hpp>

#include "../http/http_fixture.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Signs with a text that shows what was signed.
class Signer final : public HttpAuthenticator, public HttpAuthorization, public std::enable_shared_from_this<Signer> {
public:
    HttpAuthorizationPtr current() override { return shared_from_this(); }
    Headers headers_for(const HttpAttempt& attempt) const override {
        if (attempt.url.find("forbidden") != std::string_view::npos) throw make_error(Errc::invalid_argument, "this is not signed");
        return {{"Authorization", "Test " + std::string{attempt.method} + " " + std::string{attempt.url} + " " + std::to_string(attempt.body.size()) +
                                      " " + std::string{attempt.headers.get("X-Call")} + " " + std::string{attempt.host}},
                {"X-Signed", "yes"}};
    }
};

/// Never has an authorization; waits that are cancelled end.
class Silent final : public HttpAuthenticator {
public:
    HttpAuthorizationPtr current() override { return nullptr; }
    bool renews() const noexcept override { return true; }
    Operation async_authorize(HttpAuthorizationPtr, Deadline, Callback<HttpAuthorizationPtr> callback) override {
        const auto wait = std::make_shared<Wait>(std::move(callback));
        ++asked;
        return Operation{wait};
    }
    std::atomic<int> asked{0};

private:
    class Wait final : public Operation::State, public std::enable_shared_from_this<Wait> {
    public:
        explicit Wait(Callback<HttpAuthorizationPtr> callback) : callback_{std::move(callback)} {}
        void cancel() noexcept override {
            if (!done_.exchange(true)) Runtime{}.post([self = shared_from_this()] { self->callback_(make_error(Errc::cancelled, "over")); });
        }
        bool done() const noexcept override { return done_; }

    private:
        std::atomic<bool> done_{false};
        Callback<HttpAuthorizationPtr> callback_;
    };
};

std::string answer(const std::string& head, const std::string& body = "ok") {
    return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("each request of a call is signed for itself, also behind a redirect within the origin", "[auth][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    ScriptedServer server{
        [](int, int request) -> std::optional<std::string> { return answer(request == 0 ? "303 See Other\r\nLocation: /there?b=2&a=1" : "200 OK"); }};
    HttpOptions options = test::options(server.url());
    options.authenticator = std::make_shared<Signer>();
    HttpClient client{options};
    HttpRequest request;
    request.method = "POST";
    request.path = "here";
    request.body = "12345";
    request.headers.set("X-Call", "mine");

    CHECK(call(client, form, request, Deadline{20s}).status == 200);

    const std::string host = "127.0.0.1:" + std::to_string(server.port());
    CHECK(has(server.received(), "Authorization: Test POST " + server.url() + "here 5 mine " + host + "\r\n"));
    CHECK(has(server.received(), "Authorization: Test GET " + server.url() + "there?b=2&a=1 0 mine " + host + "\r\n"));
}

TEST_CASE("what an authenticator sets never goes to another origin", "[auth][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    ScriptedServer other{answer("200 OK")};
    ScriptedServer server{answer("302 Found\r\nLocation: " + other.url())};
    HttpOptions options = test::options(server.url());
    const bool fixed = GENERATE(false, true);
    if (fixed)
        options.authenticator = header_authenticator({{"X-Signed", "k3y-canary"}});
    else
        options.authenticator = std::make_shared<Signer>();
    HttpClient client{options};

    CHECK(call(client, form, {.path = "a"}, Deadline{20s}).status == 200);
    CHECK(call(client, form, {.path = other.url()}, Deadline{20s}).status == 200);

    CHECK(has(server.received(), "X-Signed: "));
    CHECK(wait_until([&] { return other.requests() == 2; }));
    CHECK_FALSE(has(other.received(), "X-Signed"));
    CHECK_FALSE(has(other.received(), "Authorization"));
}

TEST_CASE("a call that brings its own authorization is sent with that", "[auth][integration]") {
    ScriptedServer server{answer("401 Unauthorized")};
    HttpOptions options = test::options(server.url());
    options.authenticator = std::make_shared<Signer>();
    HttpClient client{options};
    HttpRequest request;
    request.headers.set("Authorization", "Mine 1");

    failure(client, Form::blocking, request, Deadline{20s});

    CHECK(wait_until([&] { return server.requests() == 1; }));
    CHECK(has(server.received(), "Authorization: Mine 1\r\n"));
    CHECK_FALSE(has(server.received(), "X-Signed"));
}

TEST_CASE("what cannot be authorized is not sent", "[auth][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    ScriptedServer server{answer("302 Found\r\nLocation: /forbidden")};
    HttpOptions options = test::options(server.url());
    options.authenticator = std::make_shared<Signer>();
    HttpClient client{options};

    CHECK(has(failure(client, form, {.path = "forbidden"}, Deadline{20s}).message(), "this is not signed"));
    CHECK(server.requests() == 0);
    CHECK(has(failure(client, form, {.path = "a"}, Deadline{20s}).message(), "this is not signed"));
    CHECK(wait_until([&] { return server.requests() == 1; }));
}

TEST_CASE("a key in a header is sent with each request, refused ones are reported, and no error shows it", "[auth][integration]") {
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    ScriptedServer server{answer("401 the key k3y-canary is wrong")};
    HttpOptions options = test::options(server.url());
    options.authenticator = header_authenticator({{"X-Api-Key", "k3y-canary"}});
    HttpClient client{options};

    const Error error = failure(client, form, {}, Deadline{20s});

    CHECK(wait_until([&] { return server.requests() == 1; }));
    CHECK(has(server.received(), "X-Api-Key: k3y-canary\r\n"));
    CHECK_FALSE(has(error.what(), "k3y-canary"));
    CHECK_THROWS_AS(header_authenticator({{"X-Api-Key", "a\r\nb"}}), Error);
    options.username = "jo";
    CHECK_THROWS_AS(HttpClient{options}, Error);
}

TEST_CASE("the end of a client ends the calls that wait for an authorization, blocking ones before it returns", "[auth][integration]") {
    ScriptedServer server{answer("200 OK")};
    HttpOptions options = test::options(server.url());
    const auto silent = std::make_shared<Silent>();
    options.authenticator = silent;
    auto client = std::make_unique<HttpClient>(options);
    Responses outcomes;
    client->async_request({}, {}, outcomes.callback());
    Operation cancelled = client->async_request({}, {}, outcomes.callback());
    std::optional<Error> blocked;
    std::thread waiting{[&blocked, raw = client.get()] {
        try {
            raw->get("");
        } catch (const Error& error) { blocked = error; }
    }};
    REQUIRE(wait_until([&] { return silent->asked == 3; }));

    cancelled.cancel();
    REQUIRE(outcomes.wait(1));
    CHECK(cancelled.done());
    client.reset();
    waiting.join();
    REQUIRE(outcomes.wait(2));

    REQUIRE(blocked);
    CHECK(blocked->name() == "CANCELLED");
    for (const auto& result : outcomes.results()) {
        REQUIRE_FALSE(result);
        CHECK(result.error().name() == "CANCELLED");
    }
    CHECK(server.connections() == 0);
}
