// SPDX-License-Identifier: Apache-2.0
// Many callers and one source of tokens, with a token server that is a function.
#include <atomic>
#include <barrier>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <qconn/auth/oauth2.hpp>

#include "base/form.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/text.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace std::chrono_literals;
using test::has;

namespace {

/// Keeps what is asked until the test answers.
class FakeServer {
public:
    SendForm sender() {
        return [this](TokenRequest request, Deadline, Callback<TokenAnswer> callback) {
            const std::scoped_lock lock{mutex_};
            ++asked_;
            requests_.push_back(form::decode(request.body.reveal()).value());
            waiting_.push_back(std::move(callback));
            if (automatic_) answer_locked(always_.empty() ? token(asked_) : always_, always_.empty() ? 200 : 401);
            return Operation{};
        };
    }
    static std::string token(int number) {
        return R"({"access_token":"token-)" + std::to_string(number) + R"(","token_type":"Bearer","expires_in":3600})";
    }
    /// Every request is answered with a new token.
    void answer_all() {
        const std::scoped_lock lock{mutex_};
        automatic_ = true;
    }
    /// Every request is refused like this.
    void refuse_all(std::string_view body) {
        const std::scoped_lock lock{mutex_};
        automatic_ = true;
        always_ = body;
    }
    /// Waits for a request and answers it.
    void answer(const std::string& body, int status = 200) {
        REQUIRE(test::wait_until([this] {
            const std::scoped_lock lock{mutex_};
            return !waiting_.empty();
        }));
        const std::scoped_lock lock{mutex_};
        answer_locked(body, status);
    }
    void fail(const Error& error) {
        REQUIRE(test::wait_until([this] {
            const std::scoped_lock lock{mutex_};
            return !waiting_.empty();
        }));
        const std::scoped_lock lock{mutex_};
        post([error](Callback<TokenAnswer>& callback) { callback(error); });
    }
    int asked() {
        const std::scoped_lock lock{mutex_};
        return asked_;
    }
    std::string field(std::size_t request, std::string_view name) {
        const std::scoped_lock lock{mutex_};
        const Value& value = requests_.at(request)[name];
        return value.is_string() ? std::string{value.as_string()} : std::string{};
    }

private:
    template <class Work>
    void post(Work work) {
        auto callback = std::make_shared<Callback<TokenAnswer>>(std::move(waiting_.front()));
        waiting_.pop_front();
        Runtime{}.post([callback, work] { work(*callback); });
    }
    void answer_locked(const std::string& body, int status = 200) {
        post([body, status](Callback<TokenAnswer>& callback) { callback(TokenAnswer{status, "application/json", Secret{body}}); });
    }

    std::mutex mutex_;
    bool automatic_{false};
    std::string always_;
    int asked_{0};
    std::vector<Value> requests_;
    std::deque<Callback<TokenAnswer>> waiting_;
};

OAuth2Options example(OAuth2Grant grant = OAuth2Grant::client_credentials) {
    OAuth2Options options;
    options.label = "shop";
    options.grant = grant;
    options.client_id = "shop";
    options.client_secret = Secret{"s3cret-of-shop"};
    options.token_url = "https://login.example/token?key=k3y";
    return options;
}

template <class Work>
Error error_of(Work work) {
    try {
        work();
    } catch (const Error& error) { return error; }
    FAIL("nothing was thrown");
    throw std::logic_error{"not reached"};
}

constexpr std::string_view k_refused = R"({"error":"invalid_client","error_description":"s3cret-of-shop is wrong"})";

}  // namespace

TEST_CASE("fifty threads that want a token make one fetch, and fifty that were refused one more", "[auth]") {
    FakeServer server;
    server.answer_all();
    TokenSource source{example(), server.sender()};
    constexpr int k_threads = 50;
    const auto all = [](auto work) {
        std::barrier start{k_threads};
        std::vector<TokenPtr> tokens(k_threads);
        std::vector<std::thread> threads;
        for (int i = 0; i < k_threads; ++i) {
            threads.emplace_back([&, i] {
                start.arrive_and_wait();
                tokens[static_cast<std::size_t>(i)] = work();
            });
        }
        for (std::thread& thread : threads) thread.join();
        return tokens;
    };

    const std::vector<TokenPtr> first = all([&] { return source.token(Deadline{20s}); });
    const std::vector<TokenPtr> second = all([&] { return source.renew(first.front(), Deadline{20s}); });

    CHECK(server.asked() == 2);
    for (const TokenPtr& one : first) CHECK(one->access.reveal() == "token-1");
    for (const TokenPtr& one : second) CHECK(one->access.reveal() == "token-2");
    CHECK(source.current() == second.front());
}

TEST_CASE("who waits for a token ends by its own deadline, and the fetch goes on for the others", "[auth]") {
    FakeServer server;
    TokenSource source{example(), server.sender()};
    test::Outcomes<TokenPtr> patient;
    source.async_token({}, patient.callback());

    const Error error = error_of([&] { source.token(Deadline{20ms}); });

    CHECK(error.code() == make_error_code(Errc::timeout));
    CHECK(error.phase() == Phase::auth);
    CHECK(has(error.message(), "https://login.example/token"));
    CHECK_FALSE(has(error.message(), "k3y"));
    server.answer(FakeServer::token(1));
    REQUIRE(patient.wait(1));
    CHECK(patient.results().front().value()->access.reveal() == "token-1");
    CHECK(server.asked() == 1);
}

TEST_CASE("a wait for a token can be cancelled, and ends with the source", "[auth]") {
    FakeServer server;
    auto source = std::make_unique<TokenSource>(example(), server.sender());
    test::Outcomes<TokenPtr> outcomes;
    Operation first = source->async_token({}, outcomes.callback());
    source->async_token({}, outcomes.callback());

    first.cancel();
    REQUIRE(outcomes.wait(1));
    CHECK(first.done());
    source.reset();
    REQUIRE(outcomes.wait(2));

    for (const auto& result : outcomes.results()) {
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == make_error_code(Errc::cancelled));
    }
}

TEST_CASE("a failed fetch is one error for all who wait and for who comes at once after them, without the secret that the server repeats", "[auth]") {
    FakeServer server;
    TokenSource source{example(), server.sender()};
    test::Outcomes<TokenPtr> outcomes;
    for (int i = 0; i < 5; ++i) source.async_token({}, outcomes.callback());

    server.answer(std::string{k_refused}, 401);
    REQUIRE(outcomes.wait(5));
    CHECK(server.asked() == 1);
    server.refuse_all(k_refused);  // for a machine that is busy for a second
    const Error later = error_of([&] { source.token(Deadline{20s}); });

    CHECK(later.what() == std::string{outcomes.results().front().error().what()});
    CHECK(later.name() == "REST-LOGIN-ERROR");
    CHECK(later.reason() == Reason::denied);
    CHECK(later.connection() == "shop");
    CHECK(has(later.message(), "invalid_client"));
    CHECK_FALSE(has(later.message(), "s3cret"));
}

TEST_CASE("a refresh token comes before a log-in, and is given up where the server does not know it", "[auth]") {
    FakeServer server;
    OAuth2Options options = example();
    options.refresh_token = Secret{"refresh-0"};
    TokenSource source{options, server.sender()};
    test::Outcomes<TokenPtr> outcomes;
    source.async_token({}, outcomes.callback());

    server.answer(R"({"error":"invalid_grant"})", 400);
    server.answer(R"({"access_token":"a","token_type":"Bearer","refresh_token":"refresh-1"})");
    REQUIRE(outcomes.wait(1));
    source.async_renew(outcomes.results().front().value(), {}, outcomes.callback());
    server.answer(R"({"access_token":"b","token_type":"Bearer"})");
    REQUIRE(outcomes.wait(2));

    CHECK(server.field(0, "refresh_token") == "refresh-0");
    CHECK(server.field(1, "grant_type") == "client_credentials");
    CHECK(server.field(2, "refresh_token") == "refresh-1");
    CHECK(outcomes.results().back().value()->refresh.reveal() == "refresh-1");
}

TEST_CASE("trouble of the token server costs no refresh token", "[auth]") {
    FakeServer server;
    OAuth2Options options = example(OAuth2Grant::refresh_token);
    options.refresh_token = Secret{"refresh-0"};
    TokenSource source{options, server.sender()};
    test::Outcomes<TokenPtr> outcomes;
    source.async_token({}, outcomes.callback());

    server.answer("<html>", 503);
    REQUIRE(outcomes.wait(1));

    const Error error = outcomes.results().front().error();
    CHECK(error.name() == "REST-LOGIN-ERROR");
    CHECK(error.retryable());
    CHECK_FALSE(source.needs_authorization());
}

TEST_CASE("a refresh token that is refused needs a person where nothing else gets a token", "[auth]") {
    FakeServer server;
    OAuth2Options options = example(OAuth2Grant::authorization_code);
    options.auth_url = "https://login.example/authorize";
    options.redirect_url = "https://app.example/back";
    options.refresh_token = Secret{"refresh-0"};
    TokenSource source{options, server.sender()};
    test::Outcomes<TokenPtr> outcomes;
    source.async_token({}, outcomes.callback());

    server.answer(R"({"error":"invalid_grant","error_description":"refresh-0 was revoked"})", 400);
    REQUIRE(outcomes.wait(1));

    const Error error = outcomes.results().front().error();
    CHECK(error.name() == "REST-TOKEN-ERROR");
    CHECK_FALSE(has(error.message(), "refresh-0"));
    CHECK(source.needs_authorization());

    const AuthorizationRequest request = source.begin_authorization();
    CHECK(error_of([&] { source.finish_authorization(request, "code-1", "another state", Deadline{20s}); }).name() == "OAUTH2-ERROR");
    CHECK(server.asked() == 1);
    source.async_finish_authorization(request, "code-1", request.state, {}, outcomes.callback());
    server.answer(FakeServer::token(2));
    REQUIRE(outcomes.wait(2));
    CHECK(server.field(1, "code") == "code-1");
    CHECK(server.field(1, "code_verifier") == request.verifier.reveal());
    CHECK_FALSE(source.needs_authorization());
    CHECK(source.token(Deadline{20s})->access.reveal() == "token-2");
}

TEST_CASE("what a grant lacks is said when a token is asked for", "[auth]") {
    FakeServer server;
    OAuth2Options options = example();
    options.client_secret = {};
    TokenSource source{options, server.sender()};

    const Error error = error_of([&] { source.token(Deadline{20s}); });

    CHECK(error.name() == "OAUTH2-ERROR");
    CHECK(has(error.message(), "oauth2_client_secret"));
    CHECK(server.asked() == 0);
    CHECK(error_of([] { TokenSource{example(), nullptr}; }).name() == "OAUTH2-ERROR");
}

TEST_CASE("new tokens are told before who waits for them goes on", "[auth]") {
    FakeServer server;
    server.answer_all();
    TokenSource source{example(), server.sender()};
    std::atomic<int> told{0};
    source.on_token([&told](const Token& token) {
        if (token.access.reveal() == "token-1") ++told;
        throw std::runtime_error{"is logged"};
    });

    source.token(Deadline{20s});

    CHECK(told == 1);
}

TEST_CASE("a token that is due is renewed while it is used", "[auth]") {
    FakeServer server;
    OAuth2Options options = example();
    TokenSource source{options, server.sender()};
    test::Outcomes<TokenPtr> outcomes;
    source.async_token({}, outcomes.callback());
    server.answer(R"({"access_token":"short","token_type":"Bearer","expires_in":"0.5"})");
    REQUIRE(outcomes.wait(1));

    // From 0.4 s on; a machine that is too busy to see it in its last tenth gets null, and the fetch has to be asked for.
    test::wait_until([&] {
        if (!source.current()) source.async_token({}, outcomes.callback());
        return server.asked() == 2;
    });

    CHECK(server.asked() == 2);
    server.answer(FakeServer::token(2));
    CHECK(test::wait_until([&] {
        const TokenPtr token = source.current();
        return token && token->access.reveal() == "token-2";
    }));
}

TEST_CASE("a token that came with a code stays when a fetch beside it fails", "[auth]") {
    FakeServer server;
    OAuth2Options options = example();
    options.auth_url = "https://login.example/authorize";
    options.redirect_url = "https://app.example/back";
    TokenSource source{options, server.sender()};
    test::Outcomes<TokenPtr> fetched;
    test::Outcomes<TokenPtr> exchanged;
    const AuthorizationRequest request = source.begin_authorization();
    source.async_finish_authorization(request, "code-1", request.state, {}, exchanged.callback());
    REQUIRE(test::wait_until([&] { return server.asked() == 1; }));
    source.async_token({}, fetched.callback());
    REQUIRE(test::wait_until([&] { return server.asked() == 2; }));

    server.answer(FakeServer::token(1));
    REQUIRE(exchanged.wait(1));
    REQUIRE(fetched.wait(1));
    server.fail(make_error(Errc::timeout, "late"));

    CHECK(fetched.results().front().value()->access.reveal() == "token-1");
    CHECK(source.token(Deadline{20s})->access.reveal() == "token-1");
}
