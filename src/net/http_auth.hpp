// SPDX-License-Identifier: Apache-2.0
/// Log-ins of HTTP: challenges read, credentials made. Basic (RFC 7617) and Digest (RFC 7616).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qconn::net {

/// One challenge of WWW-Authenticate or Proxy-Authenticate.
struct AuthChallenge {
    std::string scheme;                                           // lower case
    std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

    /// Null pointer where there is none.
    const std::string* find(std::string_view name) const noexcept;
};

/// The challenges of one field value (RFC 9110 section 11.6.1). What is no challenge is skipped.
std::vector<AuthChallenge> parse_challenges(std::string_view value);

/// A digest challenge that can be answered.
struct DigestChallenge {
    enum class Hash : std::uint8_t { md5, sha256 };
    Hash hash{Hash::md5};
    bool session{false};                   // the algorithm ends in -sess
    bool qop{true};                        // "auth" is offered; without it the answer is that of RFC 2069
    bool stale{false};                     // the credentials were right, but their nonce is too old
    std::optional<std::string> algorithm;  // as it was spelled
    std::string realm;
    std::string nonce;
    std::optional<std::string> opaque;
};

/// The strongest that can be answered.
std::optional<DigestChallenge> best_digest(const std::vector<AuthChallenge>& challenges);

/// What an answer to a digest challenge is for.
struct DigestUse {
    std::string_view method;
    std::string_view uri;
    std::string_view client_nonce;
    /// How often this nonce of the server was used, from 1.
    std::uint32_t count{1};
};

/// `Digest username="…", …`; nothing where this machine's OpenSSL does not have the hash. The user name must hold no control character.
std::optional<std::string> digest_credentials(const DigestChallenge& challenge, std::string_view username, std::string_view password,
                                              const DigestUse& use);

/// `Basic dXNlcjpwYXNz`
std::string basic_credentials(std::string_view username, std::string_view password);

/// 128 random bits in hexadecimal.
std::string make_client_nonce();

}  // namespace qconn::net
