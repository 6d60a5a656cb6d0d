// SPDX-License-Identifier: Apache-2.0
#include "auth/jwt.hpp"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "auth/auth_error.hpp"
#include "auth/pkce.hpp"
#include "base/base64.hpp"
#include "base/json.hpp"
#include "net/openssl_ptr.hpp"

namespace qconn::auth {

namespace {

using net::OpensslFree;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;

constexpr int k_half = 32;  // bytes of each number of an ES256 signature

[[noreturn]] void refuse(std::string message) { throw make_auth_error(AuthErrc::option, std::move(message), Reason::bad_value); }

int give_password(char* buffer, int size, int, void* user) {
    const std::string_view password = static_cast<const Secret*>(user)->reveal();
    if (password.size() > static_cast<std::size_t>(size)) return -1;
    std::copy(password.begin(), password.end(), buffer);
    return static_cast<int>(password.size());
}

net::KeyPtr read_key(const Secret& key, const Secret& password) {
    ERR_clear_error();
    const net::BioPtr bio = net::memory_bio(key.reveal());
    net::KeyPtr read{PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, const_cast<Secret*>(&password))};
    if (!read)
        refuse("the key for assertions (oauth2_jwt_key) is no private key in PEM form that can be read (" + net::take_openssl_words() +
               "); is its pass-phrase right?");
    return read;
}

void check_kind(EVP_PKEY* key, JwtAlgorithm algorithm) {
    if (algorithm == JwtAlgorithm::rs256) {
        if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < 2048)
            refuse("RS256 needs an RSA key of at least 2048 bits (RFC 7518 section 3.3); the key for assertions is another one");
        return;
    }
    std::array<char, 32> group{};
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1 ||
        std::strcmp(group.data(), "prime256v1") != 0)
        refuse("ES256 needs a key of curve P-256; the key for assertions is another one");
}

/// From the form that OpenSSL makes to that of RFC 7518 section 3.4: both numbers, each of 32 bytes.
std::string two_numbers(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const SignaturePtr signature{d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()))};
    std::array<unsigned char, std::size_t{2} * k_half> out{};
    if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.data(), k_half) != k_half ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out.data() + k_half, k_half) != k_half)
        refuse("OpenSSL made a signature that cannot be read");
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

}  // namespace

std::string signing_input(const Map& header, const Map& claims) {
    return base64url(json::encode(Value{header})) + '.' + base64url(json::encode(Value{claims}));
}

Secret sign_jwt(const std::string& input, JwtAlgorithm algorithm, const Secret& key, const Secret& key_password) {
    const net::KeyPtr private_key = read_key(key, key_password);
    check_kind(private_key.get(), algorithm);
    const DigestPtr digest{EVP_MD_CTX_new()};
    const auto* data = reinterpret_cast<const unsigned char*>(input.data());
    std::size_t size = 0;
    std::string signature;
    const bool begun = digest && EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, private_key.get()) == 1 &&
                       EVP_DigestSign(digest.get(), nullptr, &size, data, input.size()) == 1;
    signature.resize(size);
    if (!begun || EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data, input.size()) != 1)
        refuse("signing an assertion failed: " + net::take_openssl_words());
    signature.resize(size);
    if (algorithm == JwtAlgorithm::es256) signature = two_numbers(signature);
    std::string whole = input + '.' + base64url(signature);
    Secret assertion{whole};
    wipe(whole);
    return assertion;
}

Secret make_assertion(const OAuth2Options& options, std::int64_t now) {
    const JwtBearer& jwt = options.jwt;
    const std::string& issuer = jwt.issuer.empty() ? options.client_id : jwt.issuer;
    Map header{{"alg", jwt.algorithm == JwtAlgorithm::rs256 ? "RS256" : "ES256"}, {"typ", "JWT"}};
    if (!jwt.key_id.empty()) header.set("kid", jwt.key_id);
    const Map claims{{"iss", issuer},
                     {"sub", jwt.subject.empty() ? issuer : jwt.subject},
                     {"aud", jwt.audience.empty() ? options.token_url : jwt.audience},
                     {"iat", now},
                     {"exp", now + std::max<std::int64_t>(jwt.lifetime.count(), 1)},
                     {"jti", random_word().reveal()}};
    return sign_jwt(signing_input(header, claims), jwt.algorithm, jwt.key, jwt.key_password);
}

Value claims_of(const Secret& token) {
    constexpr std::size_t k_most = 64U << 10U;
    const std::string_view text = token.reveal();
    const std::size_t first = text.find('.');
    const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
    if (second == std::string_view::npos || text.size() > k_most) return {};
    std::string part{text.substr(first + 1, second - first - 1)};
    for (char& c : part) c = c == '-' ? '+' : c == '_' ? '/' : c;
    const std::optional<std::string> decoded = base64::decode(part);
    if (!decoded) return {};
    Result<Value> claims = json::decode(*decoded, {.size = k_most, .depth = 16, .values = 1'000, .last_member_wins = false});
    return claims && claims->is_map() ? std::move(*claims) : Value{};
}

}  // namespace qconn::auth
