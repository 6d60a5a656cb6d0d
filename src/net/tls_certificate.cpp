// SPDX-License-Identifier: Apache-2.0
#include "net/tls_certificate.hpp"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

#include "base/text.hpp"
#include "net/tls_context.hpp"
#include "net/tls_core.hpp"

namespace qconn::net {

namespace {

std::string contents(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string{};
}

std::string name_text(const X509_NAME* name) {
    const BioPtr out{BIO_new(BIO_s_mem())};
    X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
    // Whoever made the certificate chose these bytes.
    return text::printable(contents(out.get()));
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::vector<std::string> alternative_names(X509* certificate) {
    std::vector<std::string> result;
    auto* const names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
        int type = 0;
        const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
        if (type != GEN_DNS && type != GEN_IPADD) continue;
        const std::string_view bytes{reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                     static_cast<std::size_t>(ASN1_STRING_length(value))};
        if (type == GEN_DNS)
            result.push_back(text::printable(bytes));
        else if (std::array<char, INET6_ADDRSTRLEN> shown{};
                 (bytes.size() == 4 || bytes.size() == 16) &&
                 inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), shown.data(), static_cast<socklen_t>(shown.size())) != nullptr)
            result.emplace_back(shown.data());
    }
    GENERAL_NAMES_free(names);
    return result;
}

std::string group_name(SSL* ssl) {
    const long id = SSL_get_negotiated_group(ssl);
    switch (id) {
        case NID_undef: return {};
        case NID_X9_62_prime256v1: return "P-256";
        case NID_secp384r1: return "P-384";
        case NID_secp521r1: return "P-521";
        case NID_X25519: return "X25519";
        case NID_X448: return "X448";
        default: break;
    }
    const char* const name = SSL_group_to_name(ssl, static_cast<int>(id));
    return name != nullptr ? name : "";
}

}  // namespace

TlsCertificate describe(X509* certificate) {
    TlsCertificate result;
    result.subject = name_text(X509_get_subject_name(certificate));
    result.issuer = name_text(X509_get_issuer_name(certificate));
    result.names = alternative_names(certificate);
    result.not_before = time_of(X509_get0_notBefore(certificate));
    result.not_after = time_of(X509_get0_notAfter(certificate));
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1)
        result.sha256 = text::to_hex({reinterpret_cast<const char*>(digest.data()), size});
    const BioPtr pem{BIO_new(BIO_s_mem())};
    if (PEM_write_bio_X509(pem.get(), certificate) == 1) result.pem = contents(pem.get());
    return result;
}

std::string subject_of(X509* certificate) { return name_text(X509_get_subject_name(certificate)); }

std::string day(std::chrono::system_clock::time_point time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 16> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts)};
}

TlsInfo describe(SSL* ssl) {
    TlsInfo info;
    info.version = SSL_get_version(ssl);
    if (const auto* cipher = SSL_get_current_cipher(ssl)) info.cipher = SSL_CIPHER_get_name(cipher);
    info.group = group_name(ssl);
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &protocol, &size);
    if (size > 0) info.alpn.assign(reinterpret_cast<const char*>(protocol), size);
    info.session_reused = SSL_session_reused(ssl) == 1;
    if (const auto* chain = SSL_get_peer_cert_chain(ssl)) {
        for (int i = 0; i < sk_X509_num(chain); ++i) info.chain.push_back(describe(sk_X509_value(chain, i)));
    } else if (const X509Ptr leaf{SSL_get1_peer_certificate(ssl)}) {
        info.chain.push_back(describe(leaf.get()));
    }
    if (X509* const own = SSL_get_certificate(ssl)) info.own = describe(own);
    info.verdict = state_of(ssl).verdict;
    // libcurl's earlier sessions: no certificate came, the verification that they are from had accepted it.
    if (info.verdict.empty() && info.session_reused && SSL_get_verify_result(ssl) == X509_V_OK) info.verdict = "ok";
    return info;
}

std::string summary(const TlsInfo& info) {
    std::string result = info.version + ", " + info.cipher;
    if (!info.group.empty()) result += ", " + info.group;
    if (info.session_reused) result += ", earlier session";
    if (!info.chain.empty()) {
        const auto& leaf = info.chain.front();
        const auto left = leaf.not_after - std::chrono::system_clock::now();
        const auto days = std::chrono::duration_cast<std::chrono::hours>(left).count() / 24;
        result += ", certificate " + leaf.subject;
        if (left.count() < 0)
            result += " expired on " + day(leaf.not_after);
        else
            result += ", valid " + std::to_string(days) + (days == 1 ? " day" : " days");
        if (!info.verdict.empty() && info.verdict != "ok") result += " (" + info.verdict + ")";
    }
    return result;
}

}  // namespace qconn::net
