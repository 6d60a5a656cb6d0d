// SPDX-License-Identifier: Apache-2.0
/// SHA-256 of what comes piece by piece.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "net/openssl_ptr.hpp"

namespace qconn::net {

class Sha256 {
public:
    Sha256() : context_{EVP_MD_CTX_new()} {
        if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc{};
    }
    void add(std::string_view bytes) noexcept { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
    /// The 32 bytes. Once.
    std::string finish() {
        std::string digest(32, '\0');
        EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
        return digest;
    }

private:
    std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>> context_;
};

}  // namespace qconn::net
