// SPDX-License-Identifier: Apache-2.0
/// Owners of OpenSSL's objects, and its words.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace qconn::net {

template <auto free>
struct OpensslFree {
    template <class T>
    void operator()(T* object) const noexcept {
        free(object);
    }
};
using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using StorePtr = std::unique_ptr<X509_STORE, OpensslFree<X509_STORE_free>>;
using Pkcs12Ptr = std::unique_ptr<PKCS12, OpensslFree<PKCS12_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, OpensslFree<SSL_SESSION_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;

inline BioPtr memory_bio(std::string_view data) { return BioPtr{BIO_new_mem_buf(data.data(), static_cast<int>(data.size()))}; }

inline std::string openssl_words(unsigned long code) {
    if (const char* reason = ERR_reason_error_string(code)) return reason;
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

/// The oldest error of this thread in words, and an empty queue.
inline std::string take_openssl_words() {
    const unsigned long code = ERR_peek_error();
    ERR_clear_error();
    return code == 0 ? std::string{"no details from OpenSSL"} : openssl_words(code);
}

}  // namespace qconn::net
