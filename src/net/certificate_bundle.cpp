// SPDX-License-Identifier: Apache-2.0
#include "net/certificate_bundle.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "net/tls_core.hpp"

namespace qconn::net {

namespace {

struct SafesFree {
    void operator()(STACK_OF(PKCS7) * safes) const noexcept { sk_PKCS7_pop_free(safes, PKCS7_free); }
    void operator()(STACK_OF(PKCS12_SAFEBAG) * bags) const noexcept { sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free); }
};
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, OpensslFree<PKCS8_PRIV_KEY_INFO_free>>;

void take_bag(const PKCS12_SAFEBAG* bag, const char* password, int size, CertificateBundle& into) {
    KeyPtr key;
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
        case NID_certBag:
            if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) return;
            if (X509Ptr certificate{PKCS12_SAFEBAG_get1_cert(bag)}) into.certificates.push_back(std::move(certificate));
            return;
        case NID_keyBag: key.reset(EVP_PKCS82PKEY(PKCS12_SAFEBAG_get0_p8inf(bag))); break;
        case NID_pkcs8ShroudedKeyBag: {
            const Pkcs8Ptr opened{PKCS12_decrypt_skey(bag, password, size)};
            if (opened) key.reset(EVP_PKCS82PKEY(opened.get()));
            break;
        }
        default: return;
    }
    if (key) into.keys.push_back(std::move(key));
}

bool is_key_of(const KeyPtr& key, const X509Ptr& certificate) noexcept {
    const bool fits = X509_check_private_key(certificate.get(), key.get()) == 1;
    ERR_clear_error();
    return fits;
}

/// Takes those that lead from `certificate` to its authority out of `others`.
std::vector<X509Ptr> chain_of(X509* certificate, std::vector<X509Ptr>& others) {
    std::vector<X509Ptr> chain;
    for (X509* last = certificate;;) {
        const auto issuer =
            std::find_if(others.begin(), others.end(), [last](const X509Ptr& one) { return X509_check_issued(one.get(), last) == X509_V_OK; });
        if (issuer == others.end() || X509_check_issued(last, last) == X509_V_OK) return chain;
        chain.push_back(std::move(*issuer));
        others.erase(issuer);
        last = chain.back().get();
    }
}

/// The places of those meant: with that subject, or else with it in theirs.
std::vector<std::size_t> meant(const std::vector<std::string>& subjects, std::string_view subject) {
    const std::string wanted = text::to_lower(subject);
    std::vector<std::size_t> whole;
    std::vector<std::size_t> part;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const std::string one = text::to_lower(subjects[i]);
        if (one == wanted) whole.push_back(i);
        if (one.find(wanted) != one.npos) part.push_back(i);
    }
    return whole.empty() ? part : whole;
}

OwnCertificate none(std::string trouble) {
    OwnCertificate result;
    result.trouble = std::move(trouble);
    return result;
}

CertificateBundle opened(PKCS12* container, const char* password, int size) {
    CertificateBundle bundle;
    const std::unique_ptr<STACK_OF(PKCS7), SafesFree> safes{PKCS12_unpack_authsafes(container)};
    for (int i = 0; safes && i < sk_PKCS7_num(safes.get()); ++i) {
        PKCS7* const safe = sk_PKCS7_value(safes.get(), i);
        const bool encrypted = OBJ_obj2nid(safe->type) == NID_pkcs7_encrypted;
        const std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), SafesFree> bags{encrypted ? PKCS12_unpack_p7encdata(safe, password, size)
                                                                                  : PKCS12_unpack_p7data(safe)};
        for (int j = 0; bags && j < sk_PKCS12_SAFEBAG_num(bags.get()); ++j) take_bag(sk_PKCS12_SAFEBAG_value(bags.get(), j), password, size, bundle);
    }
    ERR_clear_error();
    return bundle;
}

}  // namespace

CertificateBundle everything_in(PKCS12* container, const std::string& password) {
    auto bundle = opened(container, password.data(), static_cast<int>(password.size()));
    // No pass-phrase and an empty one are two things there.
    if (bundle.keys.empty() && password.empty()) bundle = opened(container, nullptr, 0);
    return bundle;
}

OwnCertificate choose(CertificateBundle bundle, std::string_view subject) {
    if (bundle.certificates.empty() || bundle.keys.empty()) return none("no certificate with its private key is there");
    std::size_t chosen = 0;
    std::size_t key = 0;
    if (!subject.empty()) {
        std::vector<std::string> subjects;
        for (const auto& certificate : bundle.certificates) subjects.push_back(subject_of(certificate.get()));
        const auto candidates = meant(subjects, subject);
        if (candidates.empty()) return none("no certificate there has that in its subject; there are: " + text::join(subjects, "; "));
        const auto found = std::find_if(candidates.begin(), candidates.end(), [&](std::size_t one) {
            const auto fits =
                std::find_if(bundle.keys.begin(), bundle.keys.end(), [&](const KeyPtr& k) { return is_key_of(k, bundle.certificates[one]); });
            key = static_cast<std::size_t>(fits - bundle.keys.begin());
            return fits != bundle.keys.end();
        });
        if (found == candidates.end()) return none("the private key of " + subjects[candidates.front()] + " is not there");
        chosen = *found;
    }
    OwnCertificate own;
    own.certificate = std::move(bundle.certificates[chosen]);
    own.key = std::move(bundle.keys[key]);
    bundle.certificates.erase(bundle.certificates.begin() + static_cast<std::ptrdiff_t>(chosen));
    own.chain = subject.empty() ? std::move(bundle.certificates) : chain_of(own.certificate.get(), bundle.certificates);
    return own;
}

}  // namespace qconn::net
