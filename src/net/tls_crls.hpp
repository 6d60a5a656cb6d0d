// SPDX-License-Identifier: Apache-2.0
/// Lists of revoked certificates within the verification of a chain.
#pragma once

#include <string>
#include <vector>

#include "net/crl.hpp"
#include "net/openssl_ptr.hpp"

namespace qconn::net {

struct TlsCore;
struct TlsProblem;

/// Makes verifications with this store find the lists in TlsCore::crls, besides its own.
void find_crls_in_cache(X509_STORE* store);

/// From here on the whole chain is looked up in lists. Before X509_verify_cert().
void check_crls(X509_STORE_CTX* store);

/// Whether that says that the chain does not lead to an authority that is trusted.
bool is_untrusted(int code) noexcept;
/// Whether that says that there is no list, or none that counts.
bool is_missing_crl(int code) noexcept;

/// After X509_verify_cert(): takes out what was found about the authority that is trusted itself, and waives what is missing where that is to pass.
void settle_crls(X509_STORE_CTX* store, const TlsCore& core, std::vector<TlsProblem>& problems);

/// Lists that this chain needs and that have to be asked for. None where the chain is refused anyway: whoever made that is not to choose what is
/// fetched from here.
std::vector<CrlWant> wanted_crls(X509_STORE_CTX* store, const TlsCore& core, const std::vector<TlsProblem>& problems);

/// Why there is no list for the certificate at that depth.
std::string missing_crl_words(X509_STORE_CTX* store, const TlsCore& core, int depth);

}  // namespace qconn::net
