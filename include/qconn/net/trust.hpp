// SPDX-License-Identifier: Apache-2.0
/// The authorities of the system: what certificates of servers are verified against unless TlsOptions say otherwise.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

/// What system_trust() found. A value type.
struct SystemTrust {
    /// A file, or a directory with a file a certificate, named by its hash.
    struct Place {
        std::string path;
        bool is_directory{false};
        /// Certificates in it.
        std::size_t certificates{0};
        /// Why it gives none; empty where it does, or where it merely is not there.
        std::string problem;
    };
    std::vector<Place> places;
    /// Different ones in all places.
    std::size_t certificates{0};
    /// Of these, those whose time is over.
    std::vector<TlsCertificate> expired;
};

/// Looks where OpenSSL looks: at SSL_CERT_FILE and SSL_CERT_DIR of the environment (not in programs with raised privileges), otherwise at the places
/// that it was built for.
/// @note Thread-safe. Reads files and may block.
QCONN_API SystemTrust system_trust();

}  // namespace qconn
