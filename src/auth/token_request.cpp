// SPDX-License-Identifier: Apache-2.0
#include "auth/token_request.hpp"

#include <array>
#include <utility>

#include "auth/auth_error.hpp"
#include "auth/jwt.hpp"
#include "auth/pkce.hpp"
#include "base/base64.hpp"
#include "base/form.hpp"
#include "base/text.hpp"

namespace qconn::auth {

namespace {

constexpr std::string_view k_auto = "auto";  // of redirect_url: the application says it

struct Part {
    std::string_view option;
    bool (*is_there)(const OAuth2Options&);
};
constexpr Part k_client_id{"oauth2_client_id", [](const OAuth2Options& o) { return !o.client_id.empty(); }};
constexpr Part k_client_secret{"oauth2_client_secret", [](const OAuth2Options& o) { return !o.client_secret.empty(); }};
constexpr Part k_token_url{"oauth2_token_url", [](const OAuth2Options& o) { return !o.token_url.empty(); }};
constexpr Part k_auth_url{"oauth2_auth_url", [](const OAuth2Options& o) { return !o.auth_url.empty(); }};
constexpr Part k_refresh_token{"oauth2_refresh_token", [](const OAuth2Options& o) { return !o.refresh_token.empty(); }};
constexpr Part k_username{"username", [](const OAuth2Options& o) { return !o.username.empty(); }};
constexpr Part k_password{"password", [](const OAuth2Options& o) { return !o.password.empty(); }};
constexpr Part k_key{"oauth2_jwt_key", [](const OAuth2Options& o) { return !o.jwt.key.empty(); }};
constexpr Part k_issuer{"oauth2_jwt_issuer", [](const OAuth2Options& o) { return !o.jwt.issuer.empty() || !o.client_id.empty(); }};
// A client without a secret is a public one: it is bound to its code by PKCE.
constexpr Part k_secret_or_pkce{"oauth2_client_secret", [](const OAuth2Options& o) { return o.pkce || !o.client_secret.empty(); }};

constexpr Part k_secret_unless_public{"oauth2_client_secret", [](const OAuth2Options& o) { return o.public_client || !o.client_secret.empty(); }};

struct Needs {
    OAuth2Grant grant;
    std::vector<Part> parts;
};

const std::array<Needs, 6>& needs() {
    static const std::array<Needs, 6> all{{
        {OAuth2Grant::none, {}},
        {OAuth2Grant::client_credentials, {k_client_id, k_client_secret, k_token_url}},
        {OAuth2Grant::password, {k_client_id, k_secret_unless_public, k_token_url, k_username, k_password}},
        {OAuth2Grant::authorization_code, {k_client_id, k_secret_or_pkce, k_auth_url, k_token_url}},
        {OAuth2Grant::refresh_token, {k_client_id, k_token_url, k_refresh_token}},
        {OAuth2Grant::jwt_bearer, {k_token_url, k_key, k_issuer}},
    }};
    return all;
}

const Needs& needs_of(OAuth2Grant grant) {
    for (const Needs& one : needs()) {
        if (one.grant == grant) return one;
    }
    return needs().front();
}

/// Where and as whom the form is sent.
TokenRequest finish(const OAuth2Options& options, Map fields) {
    TokenRequest request;
    request.url = options.token_url;
    if (!options.alternative_token_url.empty()) {
        request.url = options.alternative_token_url;
        fields.set("oauth2_token_url", options.token_url);
    }
    if (options.basic_auth) {
        request.authorization = client_authorization(options);
    } else {
        if (!options.client_id.empty()) fields.set("client_id", options.client_id);
        if (!options.client_secret.empty()) fields.set("client_secret", options.client_secret.reveal());
    }
    std::string body = form::encode(Value{std::move(fields)});
    request.body = Secret{body};
    wipe(body);
    return request;
}

void add_scope(const OAuth2Options& options, Map& fields) {
    if (!options.scopes.empty()) fields.set("scope", text::join(options.scopes, " "));
}

}  // namespace

std::vector<std::string> missing_parts(const OAuth2Options& options) {
    std::vector<std::string> missing;
    for (const Part& part : needs_of(options.grant).parts) {
        if (!part.is_there(options)) missing.emplace_back(part.option);
    }
    return missing;
}

bool can_log_in(OAuth2Grant grant) noexcept {
    return grant == OAuth2Grant::client_credentials || grant == OAuth2Grant::password || grant == OAuth2Grant::jwt_bearer;
}

Secret client_authorization(const OAuth2Options& options) {
    // Both are encoded like fields of a form before they are put together (RFC 6749 section 2.3.1).
    std::string pair = form::percent_encode(options.client_id) + ':' + form::percent_encode(options.client_secret.reveal());
    std::string line = "Basic " + base64::encode(pair);
    Secret authorization{line};
    wipe(pair);
    wipe(line);
    return authorization;
}

TokenRequest login_request(const OAuth2Options& options, std::int64_t now) {
    Map fields{{"grant_type", to_string(options.grant)}};
    if (options.grant == OAuth2Grant::jwt_bearer) {
        fields.set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        fields.set("assertion", make_assertion(options, now).reveal());
    }
    if (options.grant == OAuth2Grant::password) {
        fields.set("username", options.username);
        fields.set("password", options.password.reveal());
    }
    add_scope(options, fields);
    for (const auto& [name, value] : options.token_args) fields.set(name, value);
    TokenRequest request = finish(options, std::move(fields));
    request.repeatable = true;
    return request;
}

TokenRequest refresh_request(const OAuth2Options& options, const Secret& refresh_token) {
    return finish(options, Map{{"grant_type", "refresh_token"}, {"refresh_token", refresh_token.reveal()}});
}

TokenRequest code_request(const OAuth2Options& options, const AuthorizationRequest& request, std::string_view code) {
    Map fields{{"grant_type", "authorization_code"}, {"code", code}, {"redirect_uri", request.redirect_url}};
    if (!request.verifier.empty()) fields.set("code_verifier", request.verifier.reveal());
    for (const auto& [name, value] : options.token_args) fields.set(name, value);
    if (options.basic_auth) fields.set("client_id", options.client_id);
    return finish(options, std::move(fields));
}

AuthorizationRequest authorization_request(const OAuth2Options& options, std::string_view redirect_url) {
    AuthorizationRequest request;
    request.redirect_url = redirect_url.empty() && options.redirect_url != k_auto ? options.redirect_url : std::string{redirect_url};
    std::string missing;
    if (options.auth_url.empty()) missing = "oauth2_auth_url";
    if (options.client_id.empty()) missing = "oauth2_client_id";
    if (request.redirect_url.empty()) missing = "oauth2_redirect_url";
    if (!missing.empty())
        throw make_auth_error(AuthErrc::option, "a person cannot be sent to the authorization server: '" + missing + "' is missing", Reason::missing);
    request.state = random_word().reveal();
    Map query{{"response_type", "code"}, {"client_id", options.client_id}, {"redirect_uri", request.redirect_url}};
    add_scope(options, query);
    for (const auto& [name, value] : options.auth_args) query.set(name, value);
    query.set("state", request.state);
    if (options.pkce) {
        request.verifier = random_word();
        query.set("code_challenge", pkce_challenge(request.verifier.reveal()));
        query.set("code_challenge_method", "S256");
    }
    const std::string_view joint = options.auth_url.find('?') == std::string::npos ? "?" : "&";
    request.url = options.auth_url + std::string{joint} + form::encode(Value{std::move(query)});
    return request;
}

}  // namespace qconn::auth

namespace qconn {

std::string_view to_string(OAuth2Grant grant) noexcept {
    switch (grant) {
        case OAuth2Grant::none: return "none";
        case OAuth2Grant::client_credentials: return "client_credentials";
        case OAuth2Grant::password: return "password";
        case OAuth2Grant::authorization_code: return "authorization_code";
        case OAuth2Grant::refresh_token: return "refresh_token";
        case OAuth2Grant::jwt_bearer: return "jwt_bearer";
    }
    return "none";
}

}  // namespace qconn
