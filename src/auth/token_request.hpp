// SPDX-License-Identifier: Apache-2.0
/// What is sent to token servers, and what a person is sent away with. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/auth/oauth2.hpp>

namespace qconn::auth {

/// What the grant cannot do without and these options do not have, by the names of the options of definitions.
std::vector<std::string> missing_parts(const OAuth2Options& options);
/// Whether the grant gets a token without a person and without a refresh token.
bool can_log_in(OAuth2Grant grant) noexcept;

/// `Basic …` of the client's id and secret.
Secret client_authorization(const OAuth2Options& options);

/// @param now  seconds since 1970
/// @throws Error OAUTH2-ERROR where the key of jwt_bearer cannot be used
TokenRequest login_request(const OAuth2Options& options, std::int64_t now);
TokenRequest refresh_request(const OAuth2Options& options, const Secret& refresh_token);
TokenRequest code_request(const OAuth2Options& options, const AuthorizationRequest& request, std::string_view code);

/// With a random state, and a random verifier where pkce is on.
/// @param redirect_url  empty: that of the options
/// @throws Error OAUTH2-ERROR where a part is missing
AuthorizationRequest authorization_request(const OAuth2Options& options, std::string_view redirect_url);

}  // namespace qconn::auth
