// SPDX-License-Identifier: Apache-2.0
/// Proof Key for Code Exchange (RFC 7636), and the random words that go with codes.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/secret.hpp>

namespace qconn::auth {

/// Base64 for URLs, without padding (RFC 4648 section 5).
std::string base64url(std::string_view bytes);

/// 256 random bits in base64url: 43 characters, as a verifier or a state is to be.
/// @throws Error SYSTEM-ERROR where the system has no randomness
Secret random_word();

/// The S256 challenge of a verifier.
std::string pkce_challenge(std::string_view verifier);

}  // namespace qconn::auth
