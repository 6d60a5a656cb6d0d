// SPDX-License-Identifier: Apache-2.0
/// Files that hold several certificates with their keys, and which of them is meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/openssl_ptr.hpp"

namespace qconn::net {

/// In the order of the file.
struct CertificateBundle {
    std::vector<X509Ptr> certificates;
    std::vector<KeyPtr> keys;
};

/// Everything in a container that PKCS12_parse() has opened with this pass-phrase; that gives one pair only.
CertificateBundle everything_in(PKCS12* container, const std::string& password);

/// A client certificate as a handshake needs it.
struct OwnCertificate {
    X509Ptr certificate;
    KeyPtr key;
    std::vector<X509Ptr> chain;
    /// Why there is none; empty otherwise.
    std::string trouble;
};

/// The one that TlsOptions::certificate_subject means, with those of the others that lead to its authority. An empty subject is the first of both,
/// with all others.
OwnCertificate choose(CertificateBundle bundle, std::string_view subject);

}  // namespace qconn::net
