// SPDX-License-Identifier: Apache-2.0
// What is sent to token servers and what their answers mean, assertions, and when tokens are renewed.
#include <openssl/ecdsa.h>
#include <openssl/pem.h>

#include <string>

#include "auth/auth_error.hpp"
#include "auth/jwt.hpp"
#include "auth/pkce.hpp"
#include "auth/token_answer.hpp"
#include "auth/token_end.hpp"
#include "auth/token_request.hpp"
#include "auth/token_state.hpp"
#include "base/base64.hpp"
#include "base/form.hpp"
#include "base/json.hpp"
#include "net/openssl_ptr.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::auth;
using namespace std::chrono_literals;

namespace {

constexpr Clock::time_point k_start{1000s};

TokenOutcome read(std::string_view body, int status = 200, std::string type = "application/json") {
    return read_token_answer({status, std::move(type), Secret{body}}, k_start);
}

OAuth2Options options_with(OAuth2Grant grant) {
    OAuth2Options options;
    options.label = "shop";
    options.grant = grant;
    options.client_id = "shop id";
    options.client_secret = Secret{"p&ss"};
    options.token_url = "https://login.example/token";
    options.auth_url = "https://login.example/authorize?tenant=a";
    options.redirect_url = "https://app.example/back";
    options.username = "jo";
    options.password = Secret{"Pass"};
    return options;
}

Value fields_of(const TokenRequest& request) { return form::decode(request.body.reveal()).value(); }

template <class Work>
Error error_of(Work work) {
    try {
        work();
    } catch (const Error& error) { return error; }
    FAIL("nothing was thrown");
    throw std::logic_error{"not reached"};
}

Token token_of(std::string_view access, std::optional<Clock::duration> lifetime, Clock::time_point now = k_start) {
    Token token;
    token.access = Secret{access};
    token.lifetime = lifetime;
    if (lifetime) token.expires = now + *lifetime;
    return token;
}

// Appendix A.2 of RFC 7515.
constexpr std::string_view k_rsa_key = R"(
RSA key ok
-----BEGIN RSA PRIVATE KEY-----
MIIEowIBAAKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0
l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pC
gNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSX
ndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD
Zlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8
q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQABAoIBABKucaRpzQorw35S
bEUAVx8dYXUdZOlJcHtiWQ+dC6V8ljxAHj/PLyzTveyI5QO/xkObCyjIL303l2cf
UhPu2MFaJdjVzqACXuOrLot/eSFvxjvqVidTtAZExqFRJ9mylUVAoLvhowVWmC1O
n95fZCXxTUtxNEG1Xcc7m0rtzJKs45J+N/V9DP1edYH6USyPSWGp6wuA+KgHRnKK
Vf9GRx80JQY7nVNkL17eHoTWEwga+lwi0FEoW9Y7lDtWXYmKBWhUE+U8PGxlJf8f
40493HDw1WRQ/aSLoS4QTp3rn7gYgeHEvfJdkkf0UMhlknlo53M09EFPdadQ4TlU
bjqKc50CgYEA4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH/5IB3jw3bcxGn6QLvnE
tfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw/Py5PJdTJNPY8cQn7ouZ2KKDcmnPG
BY5t7yLc1QlQ5xHdwW1VhvKn+nXqhJTBgIPgtldC+KDV5z+y2XDwGUcCgYEAuQPE
fgmVtjL0Uyyx88GZFF1fOunH3+7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYs
p1ZSe7zFYHj7C6ul7TjeLQeZD/YwD66t62wDmpe/HlB+TnBA+njbglfIsRLtXlnD
zQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdcCgYAHAp9XcCSrn8wVkMVkKdb7
DOX4IKjzdahm+ctDAJN4O/y7OW5FKebvUjdAIt2GuoTZ71iTG+7F0F+lP88jtjP4
U4qe7VHoewl4MKOfXZKTe+YCS1XbNvfgwJ3Ltyl1OH9hWvu2yza7q+d5PCsDzqtm
27kxuvULVeya+TEdAB1ijQKBgQCH/3r6YrVH/uCWGy6bzV1nGNOdjKc9tmkfOJmN
54dxdixdpozCQ6U4OxZrsj3FcOhHBsqAHvX2uuYjagqvo3cOj1TRqNocX40omfCC
Mx3bD1yPPf/6TI2XECva/ggqEY2mYzmIiA5LVVmc5nrybr+lssFKneeyxN2Wq93S
0iJMdQKBgCGHewxzoa1r8ZMD0LETNrToK423K377UCYqXfg5XMclbrjPbEC3YI1Z
NqMtuhdBJqUnBi6tjKMF+34Xf0CUN8ncuXGO2CAYvO8PdyCixHX52ybaDjy1FtCE
6yUXjoKNXKvUm7MWGsAYH6f4IegOetN5NvmUMFStCSkh7ixZLkN1
-----END RSA PRIVATE KEY-----
)";

std::string make_p256_key() {
    const net::KeyPtr key{EVP_EC_gen("P-256")};
    const net::BioPtr bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string from_base64url(std::string text) {
    for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
    return base64::decode(text).value();
}

bool verifies(const std::string& pem, std::string_view input, const std::string& der) {
    const net::BioPtr bio = net::memory_bio(pem);
    const net::KeyPtr key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)};
    EVP_MD_CTX* digest = EVP_MD_CTX_new();
    const bool good = EVP_DigestVerifyInit(digest, nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                      EVP_DigestVerify(digest, reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                                       reinterpret_cast<const unsigned char*>(input.data()), input.size()) == 1;
    EVP_MD_CTX_free(digest);
    return good;
}

std::string der_of(const std::string& numbers) {
    REQUIRE(numbers.size() == 64);
    const auto* bytes = reinterpret_cast<const unsigned char*>(numbers.data());
    ECDSA_SIG* signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature, &der);
    std::string out{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_free(der);
    ECDSA_SIG_free(signature);
    return out;
}

}  // namespace

TEST_CASE("an answer in JSON is a token with its end counted from when it came", "[auth]") {
    const TokenOutcome outcome =
        read(R"({"access_token":"abc","token_type":"bearer","expires_in":3600,"refresh_token":"r","scope":"read","id_token":"x"})");

    REQUIRE(outcome.token);
    CHECK(outcome.token->access.reveal() == "abc");
    CHECK(outcome.token->type == "Bearer");
    CHECK(outcome.token->refresh.reveal() == "r");
    CHECK(outcome.token->scope == "read");
    CHECK(outcome.token->expires == k_start + 3600s);
    CHECK(outcome.token->fields == Map{{"id_token", "x"}});
}

TEST_CASE("an answer as a form is a token as well, whatever type it is said to have", "[auth]") {
    for (const char* type : {"application/x-www-form-urlencoded; charset=utf-8", "text/plain", ""}) {
        const TokenOutcome outcome = read("access_token=abc&token_type=bearer&expires_in=60", 200, type);
        REQUIRE(outcome.token);
        CHECK(outcome.token->access.reveal() == "abc");
        CHECK(outcome.token->lifetime == 60s);
    }
    CHECK(read(R"({"access_token":"abc","token_type":"bearer"})", 200, "text/plain").token);
}

TEST_CASE("an end that makes no sense is no end", "[auth]") {
    for (const char* end : {"0", "-5", "1e300", "\"soon\"", "null", "\"\"", "[1]", "99999999999999999999"}) {
        const TokenOutcome outcome = read(R"({"access_token":"abc","token_type":"bearer","expires_in":)" + std::string{end} + "}");
        INFO(end);
        REQUIRE(outcome.token);
        CHECK_FALSE(outcome.token->expires);
    }
    CHECK(read(R"({"access_token":"abc","token_type":"bearer","expires_in":"90"})").token->lifetime == 90s);
}

TEST_CASE("an answer without a token that can be sent is none", "[auth]") {
    for (const char* body : {"", "{", "[]", "\"abc\"", "{}", R"({"access_token":"abc"})", R"({"token_type":"bearer"})",
                             R"({"access_token":1,"token_type":"bearer"})", R"({"access_token":"a\r\nX: y","token_type":"bearer"})",
                             R"({"access_token":"abc","token_type":"two words"})", "access_token=%zz&token_type=b"}) {
        const TokenOutcome outcome = read(body);
        INFO(body);
        CHECK_FALSE(outcome.token);
        CHECK_FALSE(outcome.problem.empty());
        CHECK_FALSE(outcome.refused);
    }
}

TEST_CASE("a refusal keeps the server's words, and is told from trouble", "[auth]") {
    const TokenOutcome refused = read(R"({"error":"invalid_client","error_description":"no such\nclient"})", 401);
    CHECK(refused.refused);
    CHECK(refused.error == "invalid_client");
    CHECK(refused.problem == "no such\\nclient");

    CHECK(read(R"({"error":"bad_verification_code"})", 200).refused);
    CHECK(read("<html>", 404, "text/html").refused);
    CHECK_FALSE(read("<html>", 502, "text/html").refused);
    CHECK_FALSE(read("{}", 429).refused);
    CHECK(read(R"({"error":")" + std::string(5000, 'x') + R"("})", 400).error.size() < 400);
}

TEST_CASE("a log-in has the client in the body, or encoded in the header", "[auth]") {
    OAuth2Options options = options_with(OAuth2Grant::client_credentials);
    options.scopes = {"read", "write"};
    options.token_args = Map{{"audience", "api"}};

    const TokenRequest plain = login_request(options, 0);
    CHECK(
        fields_of(plain) ==
        Map{{"grant_type", "client_credentials"}, {"client_id", "shop id"}, {"client_secret", "p&ss"}, {"scope", "read write"}, {"audience", "api"}});
    CHECK(plain.authorization.empty());
    CHECK(plain.url == "https://login.example/token");
    CHECK(plain.repeatable);

    options.basic_auth = true;
    options.alternative_token_url = "https://relay.example/";
    const TokenRequest basic = login_request(options, 0);
    CHECK(basic.authorization.reveal() == "Basic " + base64::encode("shop%20id:p%26ss"));
    CHECK(fields_of(basic)["client_id"].is_null());
    CHECK(fields_of(basic)["client_secret"].is_null());
    CHECK(basic.url == "https://relay.example/");
    CHECK(fields_of(basic)["oauth2_token_url"] == Value{"https://login.example/token"});
}

TEST_CASE("a password goes along with a log-in only", "[auth]") {
    const OAuth2Options options = options_with(OAuth2Grant::password);

    CHECK(fields_of(login_request(options, 0))["password"] == Value{"Pass"});
    const TokenRequest refresh = refresh_request(options, Secret{"r1"});
    CHECK(fields_of(refresh) == Map{{"grant_type", "refresh_token"}, {"refresh_token", "r1"}, {"client_id", "shop id"}, {"client_secret", "p&ss"}});
    CHECK_FALSE(refresh.repeatable);
}

TEST_CASE("what a grant lacks is named by its options", "[auth]") {
    OAuth2Options none;
    const auto missing = [&none](OAuth2Grant grant) {
        none.grant = grant;
        return missing_parts(none);
    };
    using Names = std::vector<std::string>;
    CHECK(missing(OAuth2Grant::none).empty());
    CHECK(missing(OAuth2Grant::client_credentials) == Names{"oauth2_client_id", "oauth2_client_secret", "oauth2_token_url"});
    CHECK(missing(OAuth2Grant::password) == Names{"oauth2_client_id", "oauth2_client_secret", "oauth2_token_url", "username", "password"});
    CHECK(missing(OAuth2Grant::authorization_code) == Names{"oauth2_client_id", "oauth2_auth_url", "oauth2_token_url"});
    CHECK(missing(OAuth2Grant::refresh_token) == Names{"oauth2_client_id", "oauth2_token_url", "oauth2_refresh_token"});
    CHECK(missing(OAuth2Grant::jwt_bearer) == Names{"oauth2_token_url", "oauth2_jwt_key", "oauth2_jwt_issuer"});
    none.pkce = false;
    CHECK(missing(OAuth2Grant::authorization_code).at(1) == "oauth2_client_secret");
    CHECK(missing_parts(options_with(OAuth2Grant::password)).empty());
}

TEST_CASE("the challenge of a verifier is that of RFC 7636, appendix B", "[auth]") {
    CHECK(pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    CHECK(random_word().reveal().size() == 43);
    CHECK_FALSE(random_word() == random_word());
}

TEST_CASE("a person is sent away with a state and a challenge, and the verifier comes with the code", "[auth]") {
    OAuth2Options options = options_with(OAuth2Grant::authorization_code);
    options.scopes = {"read", "write"};
    options.auth_args = Map{{"prompt", "consent"}};

    const AuthorizationRequest request = authorization_request(options, {});

    REQUIRE(request.url.starts_with("https://login.example/authorize?tenant=a&"));
    const Value query = form::decode(request.url.substr(request.url.find('&') + 1)).value();
    CHECK(query == Map{{"response_type", "code"},
                       {"client_id", "shop id"},
                       {"redirect_uri", "https://app.example/back"},
                       {"scope", "read write"},
                       {"prompt", "consent"},
                       {"state", request.state},
                       {"code_challenge", pkce_challenge(request.verifier.reveal())},
                       {"code_challenge_method", "S256"}});
    CHECK(request.url.find(request.verifier.reveal()) == std::string::npos);
    const TokenRequest exchange = code_request(options, request, "the code");
    CHECK(fields_of(exchange)["code"] == Value{"the code"});
    CHECK(fields_of(exchange)["code_verifier"] == Value{request.verifier.reveal()});
    CHECK(fields_of(exchange)["redirect_uri"] == Value{"https://app.example/back"});

    options.redirect_url = "auto";
    CHECK(error_of([&] { authorization_request(options, {}); }).message().find("oauth2_redirect_url") != std::string::npos);
    CHECK(authorization_request(options, "http://127.0.0.1:1/").redirect_url == "http://127.0.0.1:1/");
}

TEST_CASE("RS256 signs as appendix A.2 of RFC 7515 does", "[auth]") {
    const std::string input = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    const Secret signed_input = sign_jwt(input, JwtAlgorithm::rs256, Secret{k_rsa_key}, {});

    CHECK(
        signed_input.reveal() ==
        input + "." +
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdi"
            "uB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
            "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9"
            "QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
}

TEST_CASE("ES256 signs with two numbers of 32 bytes, which OpenSSL verifies", "[auth]") {
    const std::string key = make_p256_key();

    for (int i = 0; i < 20; ++i) {  // numbers with a leading zero come up now and then
        const std::string whole{sign_jwt("a.b", JwtAlgorithm::es256, Secret{key}, {}).reveal()};
        REQUIRE(verifies(key, "a.b", der_of(from_base64url(whole.substr(4)))));
    }
}

TEST_CASE("an assertion says who asks whom, and for how long", "[auth]") {
    OAuth2Options options = options_with(OAuth2Grant::jwt_bearer);
    options.jwt.key = Secret{k_rsa_key};
    options.jwt.subject = "jo@example.com";
    options.jwt.key_id = "k1";

    const Value fields = fields_of(login_request(options, 1'700'000'000));

    CHECK(fields["grant_type"] == Value{"urn:ietf:params:oauth:grant-type:jwt-bearer"});
    const std::string assertion{fields["assertion"].as_string()};
    const std::size_t dot = assertion.find('.');
    CHECK(json::decode(from_base64url(assertion.substr(0, dot))).value() == Map{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k1"}});
    Value claims = json::decode(from_base64url(assertion.substr(dot + 1, assertion.rfind('.') - dot - 1))).value();
    claims.as_map().erase("jti");
    CHECK(claims ==
          Map{{"iss", "shop id"}, {"sub", "jo@example.com"}, {"aud", "https://login.example/token"}, {"iat", 1'700'000'000}, {"exp", 1'700'000'300}});
}

TEST_CASE("a key that cannot sign is refused without being shown", "[auth]") {
    const auto refused = [](std::string_view key, JwtAlgorithm algorithm) {
        const Error error = error_of([&] { sign_jwt("a.b", algorithm, Secret{key}, Secret{"wrong"}); });
        CHECK(error.name() == "OAUTH2-ERROR");
        CHECK(error.message().find("MII") == std::string_view::npos);
        return std::string{error.message()};
    };
    CHECK(refused("no key", JwtAlgorithm::rs256).find("no private key") != std::string::npos);
    CHECK(refused(k_rsa_key, JwtAlgorithm::es256).find("P-256") != std::string::npos);
    CHECK(refused(make_p256_key(), JwtAlgorithm::rs256).find("RSA") != std::string::npos);
}

TEST_CASE("a token is renewed a minute before its end, of a short life not before four fifths of it", "[auth]") {
    CHECK(renewal_time(token_of("a", 3600s), 60s, k_start) == k_start + 3540s);
    CHECK(renewal_time(token_of("a", 10s), 60s, k_start) == k_start + 8s);
    CHECK(renewal_time(token_of("a", 3600s), 0s, k_start) == k_start + 3600s);
    CHECK_FALSE(renewal_time(token_of("a", std::nullopt), 60s, k_start));
}

TEST_CASE("a token is used until it is due, renewed beside its use, and waited for once it has ended", "[auth]") {
    using Advice = TokenState::Advice;
    TokenState state{options_with(OAuth2Grant::client_credentials)};
    CHECK(state.ask(k_start) == Advice::fetch);
    state.begin_fetch();
    CHECK(state.ask(k_start) == Advice::wait);
    state.fetched(token_of("a", 100s), k_start);

    CHECK(state.ask(k_start + 79s) == Advice::use);
    CHECK(state.ask(k_start + 80s) == Advice::use_and_fetch);
    state.begin_fetch();
    CHECK(state.ask(k_start + 81s) == Advice::use);
    state.failed(make_auth_error(AuthErrc::login, "down", Reason::refused), k_start + 82s);
    CHECK(state.ask(k_start + 82s) == Advice::use);
    CHECK(state.ask(k_start + 84s) == Advice::use_and_fetch);
    CHECK(state.ask(k_start + 100s) == Advice::fetch);
}

TEST_CASE("after a failed fetch all are given its error for a while, longer each time", "[auth]") {
    using Advice = TokenState::Advice;
    TokenState state{options_with(OAuth2Grant::client_credentials)};
    auto now = k_start;
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        REQUIRE(state.ask(now) == Advice::fetch);
        state.begin_fetch();
        state.failed(make_auth_error(AuthErrc::login, "down", Reason::refused), now);
        CHECK(state.ask(now + pause - 1ms) == Advice::fail);
        now += pause;
    }
    state.begin_fetch();
    state.fetched(token_of("a", std::nullopt), now);
    CHECK(state.ask(now) == Advice::use);
}

TEST_CASE("a refused token is not used again, one new one is fetched for all, and a second refusal is reported", "[auth]") {
    using Advice = TokenState::Advice;
    TokenState state{options_with(OAuth2Grant::client_credentials)};
    state.begin_fetch();
    const TokenPtr first = state.fetched(token_of("a", std::nullopt), k_start);

    CHECK(state.refused(first, k_start) == Advice::fetch);
    state.begin_fetch();
    CHECK(state.refused(first, k_start) == Advice::wait);
    CHECK(state.ask(k_start) == Advice::wait);
    const TokenPtr second = state.fetched(token_of("b", std::nullopt), k_start);
    CHECK(state.refused(first, k_start) == Advice::use);
    CHECK(state.refused(second, k_start + 500ms) == Advice::report);
    CHECK(state.token() == second);

    CHECK(state.refused(second, k_start + 1s) == Advice::fetch);
    state.begin_fetch();
    const TokenPtr third = state.fetched(token_of("c", std::nullopt), k_start + 1s);
    CHECK(state.refused(third, k_start + 2s) == Advice::report);
    CHECK(state.refused(third, k_start + 3s) == Advice::fetch);
    state.begin_fetch();
    const TokenPtr fourth = state.fetched(token_of("d", std::nullopt), k_start + 3s);
    CHECK(state.refused(fourth, k_start + 600s) == Advice::fetch);
    state.begin_fetch();
    const TokenPtr fifth = state.fetched(token_of("e", std::nullopt), k_start + 600s);
    CHECK(state.refused(fifth, k_start + 601s) == Advice::fetch);
}

TEST_CASE("without automatic renewal a token is used until it ends and its refusal is reported", "[auth]") {
    using Advice = TokenState::Advice;
    OAuth2Options options = options_with(OAuth2Grant::client_credentials);
    options.auto_refresh = false;
    TokenState state{options};
    state.begin_fetch();
    const TokenPtr token = state.fetched(token_of("a", 100s), k_start);

    CHECK(state.ask(k_start + 99s) == Advice::use);
    CHECK(state.refused(token, k_start + 99s) == Advice::report);
    CHECK(state.ask(k_start + 100s) == Advice::fetch);
}

TEST_CASE("a given token is used first, and without a way to another one a person is needed once it is refused", "[auth]") {
    using Advice = TokenState::Advice;
    OAuth2Options options = options_with(OAuth2Grant::authorization_code);
    CHECK(TokenState{options}.needs_person(k_start));
    options.token = Secret{"given"};
    TokenState state{options};

    CHECK(state.ask(k_start) == Advice::use);
    CHECK_FALSE(state.needs_person(k_start));
    CHECK(state.refused(state.token(), k_start) == Advice::fetch);
    CHECK(state.needs_person(k_start));

    options.refresh_token = Secret{"r"};
    TokenState with_refresh{options};
    CHECK(with_refresh.refused(with_refresh.token(), k_start) == Advice::fetch);
    CHECK_FALSE(with_refresh.needs_person(k_start));
    options.grant = OAuth2Grant::none;
    TokenState fixed{options};
    CHECK(fixed.refused(fixed.token(), k_start) == Advice::report);
}

TEST_CASE("a refresh token is kept where the answer brings none, and replaced where it brings one", "[auth]") {
    OAuth2Options options = options_with(OAuth2Grant::refresh_token);
    options.refresh_token = Secret{"r1"};
    TokenState state{options};

    CHECK(state.fetched(token_of("a", std::nullopt), k_start)->refresh.reveal() == "r1");
    Token rotated = token_of("b", std::nullopt);
    rotated.refresh = Secret{"r2"};
    state.fetched(rotated, k_start);
    CHECK(state.refresh_token().reveal() == "r2");
    state.drop_refresh_token();
    CHECK_FALSE(state.can_fetch());
}

// ---- ends that a person has to know of -------------------------------------------------------------------------------------------------------

namespace {

constexpr Credential::Time k_wall{1'700'000'000s};

/// Not signed by anybody.
Secret jwt_of(const Map& claims) { return Secret{signing_input(Map{{"alg", "none"}}, claims) + ".c2ln"}; }

}  // namespace

TEST_CASE("a token that was given tells its end where it is a JSON Web Token", "[auth][token]") {
    const auto end = ending_token(jwt_of(Map{{"exp", 1'800'000'000}, {"iat", 1'700'000'000}, {"iss", "https://login.example"}}));
    REQUIRE(end);
    CHECK(end->kind == Credential::Kind::token);
    CHECK(end->expires == Credential::Time{1'800'000'000s});
    CHECK(end->valid_from == k_wall);
    CHECK(end->issuer == "https://login.example");
    CHECK(end->subject == "access token");
    for (const Secret& none : {Secret{}, Secret{"opaque"}, Secret{"a.b.c"}, Secret{"a.!.c"}, jwt_of(Map{{"iss", "x"}}), jwt_of(Map{{"exp", "soon"}}),
                               jwt_of(Map{{"exp", -1}}), jwt_of(Map{{"exp", 1e300}})})
        CHECK_FALSE(ending_token(none));
}

TEST_CASE("a grant that logs in by itself has no end to tell", "[auth][token]") {
    const Token token = token_of("a", 1h);
    for (const OAuth2Grant grant : {OAuth2Grant::client_credentials, OAuth2Grant::password, OAuth2Grant::jwt_bearer})
        CHECK_FALSE(ending_token(options_with(grant), &token, k_start, k_wall));
}

TEST_CASE("of a grant that needs a person the refresh token's end counts, else the token's", "[auth][token]") {
    const OAuth2Options options = options_with(OAuth2Grant::authorization_code);
    CHECK_FALSE(ending_token(options, nullptr, k_start, k_wall));

    const Token bare = token_of("a", 1h);
    const auto access = ending_token(options, &bare, k_start + 10min, k_wall);
    REQUIRE(access);
    CHECK(access->subject == "access token");
    CHECK(access->expires == k_wall + 50min);
    CHECK(access->valid_from == k_wall - 10min);
    CHECK(access->issuer == "login.example");

    Token with_refresh = bare;
    with_refresh.refresh = Secret{"opaque"};
    CHECK_FALSE(ending_token(options, &with_refresh, k_start, k_wall));  // nobody has said when it ends
    with_refresh.refresh = jwt_of(Map{{"exp", 1'800'000'000}});
    CHECK(ending_token(options, &with_refresh, k_start, k_wall)->expires == Credential::Time{1'800'000'000s});
    with_refresh.refresh_expires = k_start + 24h;  // the server's word counts more
    const auto refresh = ending_token(options, &with_refresh, k_start, k_wall);
    REQUIRE(refresh);
    CHECK(refresh->subject == "refresh token");
    CHECK(refresh->expires == k_wall + 24h);
}

TEST_CASE("the end of a refresh token is read, and kept where a new token comes without one", "[auth][token]") {
    for (const char* name : {"refresh_expires_in", "refresh_token_expires_in"}) {
        const std::string body = std::string{R"({"access_token":"a","token_type":"Bearer","refresh_token":"r",")"} + name + R"(":3600})";
        CHECK(read(body).token->refresh_expires == k_start + 1h);
    }
    TokenState state{options_with(OAuth2Grant::authorization_code)};
    Token first = token_of("a", 10min);
    first.refresh = Secret{"r"};
    first.refresh_expires = k_start + 1h;
    state.fetched(first, k_start);
    CHECK(state.fetched(token_of("b", 10min), k_start + 9min)->refresh_expires == k_start + 1h);
    Token third = token_of("c", 10min);
    third.refresh = Secret{"new"};
    CHECK_FALSE(state.fetched(third, k_start + 18min)->refresh_expires);
}
