// SPDX-License-Identifier: Apache-2.0
/// The certificates that connections have shown, and what they are shown with.
#pragma once

#include <chrono>
#include <string>

#include <qconn/net/credential.hpp>

namespace qconn {

/// The certificate of the server that a connection reached last (of the proxy where that is all that TLS is spoken with). A value type.
struct ServerCertificate {
    std::string subject;  ///< RFC 2253 form
    std::string issuer;
    std::chrono::system_clock::time_point not_before;
    std::chrono::system_clock::time_point expires;
    std::string sha256;  ///< of the DER form, lower-case hex
};

/// A connection and its certificate.
struct ConnectionCertificate {
    std::string connection;
    ServerCertificate certificate;
};

/// A connection and what it has besides, or has been shown.
struct ConnectionCredential {
    std::string connection;
    Credential credential;
};

}  // namespace qconn
