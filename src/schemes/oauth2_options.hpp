// SPDX-License-Identifier: Apache-2.0
/// The options oauth2_… of every scheme over HTTP whose requests can have tokens.
#pragma once

#include <string>
#include <utility>

#include <qconn/auth/oauth2.hpp>
#include <qconn/core/option.hpp>

#include "schemes/oauth2.hpp"

namespace qconn::schemes {

/// `Options` has a member `oauth2` of type OAuth2Options.
template <class Options>
void add_oauth2_options(OptionTable<Options>& table) {
    const auto text = [&table](std::string name, std::string OAuth2Options::*member, std::string help, const char* example) -> OptionSpec& {
        OptionSpec& spec = table.add(std::move(name), OptionType::string, std::move(help),
                                     [member](Options& o, const Value& v) { o.oauth2.*member = v.as_string(); });
        spec.example = example;
        return spec;
    };
    const auto secret = [&table](std::string name, Secret OAuth2Options::*member, std::string help, const char* example) {
        OptionSpec& spec = table.add(std::move(name), OptionType::string, std::move(help),
                                     [member](Options& o, const Value& v) { o.oauth2.*member = Secret{v.as_string()}; });
        spec.sensitive = true;
        spec.example = example;
    };
    const auto flag = [&table](std::string name, bool OAuth2Options::*member, bool fallback, std::string help) {
        OptionSpec& spec = table.add(std::move(name), OptionType::boolean, std::move(help),
                                     [member](Options& o, const Value& v) { o.oauth2.*member = v.as_bool(); });
        spec.fallback = fallback;
        spec.example = !fallback;
    };
    const auto fields = [&table](std::string name, Map OAuth2Options::*member, std::string help, Map example) -> OptionSpec& {
        OptionSpec& spec =
            table.add(std::move(name), OptionType::map, std::move(help), [member](Options& o, const Value& v) { o.oauth2.*member = v.as_map(); });
        spec.pairs_text = true;
        spec.example = std::move(example);
        spec.check = form_fields_problem;
        return spec;
    };
    const auto jwt_text = [&table](std::string name, std::string JwtBearer::*member, std::string help, const char* example, std::string otherwise) {
        OptionSpec& spec = table.add(std::move(name), OptionType::string, std::move(help),
                                     [member](Options& o, const Value& v) { o.oauth2.jwt.*member = v.as_string(); });
        spec.example = example;
        spec.fallback_text = std::move(otherwise);
    };

    {
        OptionSpec& spec = table.add("oauth2_grant_type", OptionType::string, "How tokens are got (OAuth 2)",
                                     [](Options& o, const Value& v) { o.oauth2.grant = grant_of(v.as_string()); });
        spec.fallback = "none";
        spec.allowed = {{"none", "token is all there is"},
                        {"client_credentials", "as the client"},
                        {"password", "with a person's username and password"},
                        {"authorization_code", "a person allows it in a browser"},
                        {"refresh_token", "with oauth2_refresh_token only"},
                        {"jwt_bearer", "with an assertion that is signed by oauth2_jwt_key"}};
        spec.example = "client_credentials";
    }
    text("oauth2_client_id", &OAuth2Options::client_id, "The client's name at the token server", "shop");
    secret("oauth2_client_secret", &OAuth2Options::client_secret, "And its secret; a client without one needs oauth2_pkce", "${env:SHOP_SECRET}");
    text("oauth2_token_url", &OAuth2Options::token_url,
         "Where tokens are asked for: a whole URL, or a path at the host of the connection, without the path of its URL",
         "https://login.example.com/token")
        .check = whole_or_path_problem;
    text("oauth2_auth_url", &OAuth2Options::auth_url, "Where a person allows the access: a URL like oauth2_token_url",
         "https://login.example.com/authorize")
        .check = whole_or_path_problem;
    text("oauth2_alt_token_url", &OAuth2Options::alternative_token_url,
         "Asked in the place of oauth2_token_url, which goes along as a field of that name", "https://relay.example.com/token")
        .check = whole_or_path_problem;
    text("oauth2_redirect_url", &OAuth2Options::redirect_url, "Where the browser is sent back to; auto: the application says it",
         "https://app.example.com/back")
        .fallback = "auto";
    {
        OptionSpec& spec = table.add("oauth2_scopes", OptionType::list, "What the token is to be good for", [](Options& o, const Value& v) {
            o.oauth2.scopes.clear();
            for (const auto& one : v.as_list()) o.oauth2.scopes.emplace_back(one.as_string());
        });
        spec.example = List{"read", "write"};
        spec.check = scopes_problem;
    }
    fields("oauth2_auth_args", &OAuth2Options::auth_args, "Further parameters of the URL that a person is sent to", Map{{"prompt", "consent"}});
    fields("oauth2_token_args", &OAuth2Options::token_args, "Further fields of log-ins", Map{{"audience", "https://api.example.com"}}).sensitive =
        true;
    flag("oauth2_token_use_basic_auth", &OAuth2Options::basic_auth, false,
         "Id and secret of the client stand in an Authorization header, not among the fields");
    flag("oauth2_auto_refresh", &OAuth2Options::auto_refresh, true, "Tokens are renewed ahead of their end, and once after a 401");
    {
        OptionSpec& spec = table.add("oauth2_refresh_ahead", OptionType::integer,
                                     "How long before its end a token is renewed; never before four fifths of its life are over",
                                     [](Options& o, const Value& v) { o.oauth2.refresh_ahead = std::chrono::seconds{v.as_int64()}; });
        spec.unit = Unit::seconds;
        spec.fallback = 60;
        spec.minimum = 0;
        spec.maximum = 86'400;
        spec.example = 300;
    }
    flag("oauth2_pkce", &OAuth2Options::pkce, true, "Codes are bound to who asked for them (RFC 7636, S256)");
    secret("oauth2_refresh_token", &OAuth2Options::refresh_token, "Gets the first token, and the next ones until the server gives another",
           "${env:SHOP_REFRESH_TOKEN}");
    {
        OptionSpec& spec =
            table.add("oauth2_app", OptionType::string, "The application in Qorus that holds id and secret; of no meaning here", nullptr);
        spec.example = "shop-app";
    }
    {
        OptionSpec& spec = table.add("oauth2_jwt_key", OptionType::data, "Private key that signs assertions (jwt_bearer), PEM text",
                                     [](Options& o, const Value& v) { o.oauth2.jwt.key = Secret{v.as_bytes()}; });
        spec.sensitive = true;
        spec.example = "${file:/run/secrets/assertion.pem}";
    }
    {
        OptionSpec& spec = table.add("oauth2_jwt_key_password", OptionType::string, "Pass-phrase of that key",
                                     [](Options& o, const Value& v) { o.oauth2.jwt.key_password = Secret{v.as_string()}; });
        spec.sensitive = true;
        spec.example = "${env:ASSERTION_KEY_PASSWORD}";
    }
    {
        OptionSpec& spec = table.add("oauth2_jwt_algorithm", OptionType::string, "How assertions are signed", [](Options& o, const Value& v) {
            o.oauth2.jwt.algorithm = v.as_string() == "ES256" ? JwtAlgorithm::es256 : JwtAlgorithm::rs256;
        });
        spec.fallback = "RS256";
        spec.allowed = {{"RS256", "an RSA key"}, {"ES256", "a key of curve P-256"}};
        spec.example = "ES256";
    }
    jwt_text("oauth2_jwt_key_id", &JwtBearer::key_id, "Name of the key in assertions (kid)", "key-1", "none");
    jwt_text("oauth2_jwt_issuer", &JwtBearer::issuer, "Who makes assertions (iss)", "shop@example.com", "oauth2_client_id");
    jwt_text("oauth2_jwt_subject", &JwtBearer::subject, "For whom they are (sub)", "jo@example.com", "the issuer");
    jwt_text("oauth2_jwt_audience", &JwtBearer::audience, "For which server they are (aud)", "https://login.example.com/", "oauth2_token_url");
    {
        OptionSpec& spec = table.add("oauth2_jwt_lifetime", OptionType::integer, "How long an assertion is good",
                                     [](Options& o, const Value& v) { o.oauth2.jwt.lifetime = std::chrono::seconds{v.as_int64()}; });
        spec.unit = Unit::seconds;
        spec.fallback = 300;
        spec.minimum = 1;
        spec.maximum = 86'400;
        spec.example = 60;
    }
}

}  // namespace qconn::schemes
