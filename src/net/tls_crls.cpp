// SPDX-License-Identifier: Apache-2.0
#include "net/tls_crls.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "net/tls_core.hpp"

namespace qconn::net {

namespace {

using DistributionPoints = std::unique_ptr<CRL_DIST_POINTS, OpensslFree<CRL_DIST_POINTS_free>>;

const TlsCore& core_of(const X509_STORE_CTX* store) {
    const auto* const ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    return *attached_to(SSL_get_SSL_CTX(ssl))->core;
}

STACK_OF(X509_CRL) * lists_of(const X509_STORE_CTX* store, const X509_NAME* issuer) {
    STACK_OF(X509_CRL)* lists = X509_STORE_CTX_get1_crls(store, issuer);
    const TlsCore& core = core_of(store);
    for (const auto& list : core.crls->by_issuer(issuer)) {
        if (lists == nullptr) lists = sk_X509_CRL_new_null();
        if (lists != nullptr && X509_CRL_up_ref(list.get()) == 1 && sk_X509_CRL_push(lists, list.get()) == 0) X509_CRL_free(list.get());
    }
    return lists;
}

/// Whoever made the certificate chose these bytes, which get into messages too.
bool is_usable(const std::string& url) {
    constexpr std::size_t k_longest = 1024;
    const auto is_plain = [](char c) { return c > ' ' && c < 0x7F; };
    return url.size() <= k_longest && text::to_lower(url.substr(0, 7)) == "http://" && std::all_of(url.begin(), url.end(), is_plain);
}

/// RFC 5280 section 4.2.1.13: the addresses within one point have the same list; ldap and directory names are left out.
std::vector<CrlSource> sources_of(X509* certificate) {
    std::vector<CrlSource> sources;
    const DistributionPoints points{static_cast<CRL_DIST_POINTS*>(X509_get_ext_d2i(certificate, NID_crl_distribution_points, nullptr, nullptr))};
    for (int i = 0; points && i < sk_DIST_POINT_num(points.get()); ++i) {
        const DIST_POINT* const point = sk_DIST_POINT_value(points.get(), i);
        if (point->distpoint == nullptr || point->distpoint->type != 0) continue;
        CrlSource source;
        const GENERAL_NAMES* const names = point->distpoint->name.fullname;
        for (int j = 0; j < sk_GENERAL_NAME_num(names); ++j) {
            int type = 0;
            const auto* const value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, j), &type));
            if (type != GEN_URI) continue;
            std::string url{reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)), static_cast<std::size_t>(ASN1_STRING_length(value))};
            if (is_usable(url)) source.push_back(std::move(url));
        }
        if (!source.empty()) sources.push_back(std::move(source));
    }
    return sources;
}

X509* at_depth(X509_STORE_CTX* store, int depth) {
    const auto* const chain = X509_STORE_CTX_get0_chain(store);
    return depth < sk_X509_num(chain) ? sk_X509_value(chain, depth) : nullptr;
}

/// Of the authority that is trusted, behind which nobody is asked for; where the chain leads to none, behind its last.
int depth_of_anchor(X509_STORE_CTX* store, const std::vector<TlsProblem>& problems) {
    const int last = sk_X509_num(X509_STORE_CTX_get0_chain(store)) - 1;
    return std::any_of(problems.begin(), problems.end(), [](const TlsProblem& one) { return is_untrusted(one.code); }) ? last + 1 : last;
}

}  // namespace

void find_crls_in_cache(X509_STORE* store) { X509_STORE_set_lookup_crls(store, lists_of); }

void check_crls(X509_STORE_CTX* store) {
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(store), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

bool is_untrusted(int code) noexcept {
    switch (code) {
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_CERT_UNTRUSTED: return true;
        default: return false;
    }
}

bool is_missing_crl(int code) noexcept {
    switch (code) {
        case X509_V_ERR_UNABLE_TO_GET_CRL:
        case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
        case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
        case X509_V_ERR_CRL_SIGNATURE_FAILURE:
        case X509_V_ERR_CRL_NOT_YET_VALID:
        case X509_V_ERR_CRL_HAS_EXPIRED:
        case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
        case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
        case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
        case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
        case X509_V_ERR_DIFFERENT_CRL_SCOPE:
        case X509_V_ERR_CRL_PATH_VALIDATION_ERROR: return true;
        default: return false;
    }
}

void settle_crls(X509_STORE_CTX* store, const TlsCore& core, std::vector<TlsProblem>& problems) {
    const int anchor = depth_of_anchor(store, problems);
    std::erase_if(problems, [anchor](const TlsProblem& one) { return is_missing_crl(one.code) && one.depth >= anchor; });
    for (auto& problem : problems) problem.waived = problem.waived || (core.options.crl_check == CrlCheck::soft && is_missing_crl(problem.code));
}

std::vector<CrlWant> wanted_crls(X509_STORE_CTX* store, const TlsCore& core, const std::vector<TlsProblem>& problems) {
    std::vector<CrlWant> wanted;
    if (core.options.crl_timeout.count() == 0) return wanted;
    const auto refuses = [](const TlsProblem& one) { return (!one.waived && !is_missing_crl(one.code)) || is_untrusted(one.code); };
    if (std::any_of(problems.begin(), problems.end(), refuses)) return wanted;
    for (int depth = 0; depth < depth_of_anchor(store, problems); ++depth) {
        X509* const issuer = at_depth(store, depth + 1);
        const auto is_here = [depth](const TlsProblem& one) { return one.depth == depth && is_missing_crl(one.code); };
        const bool missing = std::any_of(problems.begin(), problems.end(), is_here);
        for (auto& source : sources_of(at_depth(store, depth))) {
            // One that is not missing is looked at as well: what was fetched once is to be renewed.
            if (!core.crls->is_due(source) || (!missing && !core.crls->knows(source))) continue;
            if (issuer == nullptr || X509_up_ref(issuer) != 1) continue;
            wanted.push_back({std::move(source), {issuer, X509_free}});
        }
    }
    return wanted;
}

std::string missing_crl_words(X509_STORE_CTX* store, const TlsCore& core, int depth) {
    X509* const certificate = at_depth(store, depth);
    const auto sources = certificate != nullptr ? sources_of(certificate) : std::vector<CrlSource>{};
    if (sources.empty()) return "it names no list that can be fetched by http";
    for (const auto& source : sources) {
        if (auto trouble = core.crls->trouble(source); !trouble.empty()) return trouble;
    }
    return "the list is of " + sources.front().front();
}

}  // namespace qconn::net
