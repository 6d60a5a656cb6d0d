// SPDX-License-Identifier: Apache-2.0
#include "auth/sasl.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <new>
#include <string>

#include <qconn/base/error.hpp>

#include "base/text.hpp"

namespace qconn::sasl {
namespace {

/// The copy that was put together is not left in memory.
Secret taken(std::string& text) {
    Secret out{text};
    wipe(text);
    return out;
}

}  // namespace

Secret plain(std::string_view authorization_id, std::string_view username, std::string_view password) {
    std::string text;
    text.reserve(authorization_id.size() + username.size() + password.size() + 2);
    for (const std::string_view part : {authorization_id, username, password}) {
        if (part.find('\0') != std::string_view::npos)
            throw make_error(Errc::invalid_argument, "a user name or password holds a NUL, which PLAIN cannot send");
    }
    text.append(authorization_id).push_back('\0');
    text.append(username).push_back('\0');
    text.append(password);
    return taken(text);
}

Secret cram_md5(std::string_view challenge, std::string_view username, std::string_view password) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(challenge.data());
    if (HMAC(EVP_md5(), password.data(), static_cast<int>(password.size()), bytes, challenge.size(), digest.data(), &size) == nullptr)
        throw make_error(Errc::system, "this machine's OpenSSL refuses MD5, without which there is no CRAM-MD5").with_reason(Reason::local);
    std::string answer{username};
    answer += ' ';
    answer += text::to_hex({reinterpret_cast<const char*>(digest.data()), size});
    return taken(answer);
}

Secret xoauth2(std::string_view username, std::string_view token) {
    std::string text;
    text.reserve(username.size() + token.size() + 32);
    text.append("user=").append(username).append("\x01").append("auth=Bearer ").append(token).append("\x01\x01");
    return taken(text);
}

}  // namespace qconn::sasl
