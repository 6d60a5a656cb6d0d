// SPDX-License-Identifier: Apache-2.0
/// Signed assertions: JSON Web Tokens (RFC 7519) with RS256 and ES256 (RFC 7518).
#pragma once

#include <string>
#include <string_view>

#include <qconn/auth/oauth2.hpp>

namespace qconn::auth {

/// The parts of `header`.`claims` that are signed, in base64url.
std::string signing_input(const Map& header, const Map& claims);

/// `input` and its signature.
/// @throws Error OAUTH2-ERROR where the key cannot be read, or is of another kind than the algorithm needs
Secret sign_jwt(const std::string& input, JwtAlgorithm algorithm, const Secret& key, const Secret& key_password);

/// The assertion of a log-in (RFC 7523).
/// @param options  those of a jwt_bearer grant
/// @param now      seconds since 1970
/// @throws Error as sign_jwt
Secret make_assertion(const OAuth2Options& options, std::int64_t now);

/// What a token says of itself where it is a JSON Web Token; its signature is not looked at. Null: it is none.
Value claims_of(const Secret& token);

}  // namespace qconn::auth
