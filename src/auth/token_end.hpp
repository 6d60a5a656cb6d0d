// SPDX-License-Identifier: Apache-2.0
/// Tokens that end, and that nothing but a person can replace: what is to be told in time.
#pragma once

#include <optional>

#include <qconn/auth/oauth2.hpp>
#include <qconn/net/credential.hpp>

namespace qconn::auth {

/// Of a connection whose tokens are got as `options` say: its refresh token where it has one, else its token. Nothing where new ones come without a
/// person, or where no end is known.
/// @param last  the newest token; null: there has been none
/// @param now   and `wall`: the same moment by both clocks
std::optional<Credential> ending_token(const OAuth2Options& options, const Token* last, Clock::time_point now, Credential::Time wall);

/// Of a token that was given as it is: the end that it tells itself, where it is a JSON Web Token.
std::optional<Credential> ending_token(const Secret& token);

}  // namespace qconn::auth
