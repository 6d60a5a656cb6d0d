// SPDX-License-Identifier: Apache-2.0
/// What two ends of a connection prove themselves with, beside the certificate of the server.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/export.hpp>

namespace qconn {

/// Holds nothing that is secret. A value type.
struct Credential {
    enum class Kind : std::uint8_t {
        client_certificate,  ///< what a connection shows of itself in TLS handshakes
        token,               ///< what it sends with its requests, where no new one can be had without a person
        host_key,            ///< what an SSH server has shown; it has no end
    };
    using Time = std::chrono::system_clock::time_point;

    Kind kind{Kind::client_certificate};
    /// RFC 2253 form of a certificate's; "refresh token"; "ssh-ed25519".
    std::string subject{};
    /// Who has issued it; empty where that is not told.
    std::string issuer{};
    std::optional<Time> valid_from{};
    /// None: it has no end, or none that is known.
    std::optional<Time> expires{};
    /// SHA-256: in hex of a certificate's DER form, of a host key as ssh-keygen shows it. Empty for tokens.
    std::string fingerprint{};

    bool operator==(const Credential&) const = default;
};
QCONN_API std::string_view to_string(Credential::Kind kind) noexcept;

}  // namespace qconn
