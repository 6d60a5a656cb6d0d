// SPDX-License-Identifier: Apache-2.0
#include "auth/pkce.hpp"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>

#include <qconn/base/error.hpp>

#include "base/base64.hpp"

namespace qconn::auth {

std::string base64url(std::string_view bytes) {
    std::string text = base64::encode(bytes);
    while (text.ends_with('=')) text.pop_back();
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

Secret random_word() {
    std::array<unsigned char, 32> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw make_error(Errc::system, "OpenSSL has no random bytes");
    std::string word = base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    Secret secret{word};
    wipe(word);
    return secret;
}

std::string pkce_challenge(std::string_view verifier) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size(), hash.data());
    return base64url({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace qconn::auth
