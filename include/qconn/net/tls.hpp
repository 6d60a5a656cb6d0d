// SPDX-License-Identifier: Apache-2.0
/// Everything that can be set about TLS, the same for every protocol.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>

namespace qconn {

enum class TlsVersion : std::uint8_t { unset, tls1_0, tls1_1, tls1_2, tls1_3 };

/// A single check of the certificate that can be waived while the others stand.
enum class TlsWaiver : std::uint8_t {
    none = 0,
    expired = 1,     ///< accept certificates outside their time
    wrong_host = 2,  ///< accept certificates for another host
    untrusted = 4,   ///< accept self-signed ones and unknown issuers
};
constexpr TlsWaiver operator|(TlsWaiver a, TlsWaiver b) noexcept {
    return static_cast<TlsWaiver>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr bool has(TlsWaiver set, TlsWaiver one) noexcept { return (static_cast<std::uint8_t>(set) & static_cast<std::uint8_t>(one)) != 0; }

/// Whether the server's certificates are looked up in their authorities' lists of revoked ones (CRL, RFC 5280 section 5).
enum class CrlCheck : std::uint8_t {
    off,
    soft,  ///< what is on a list is refused; where there is no current list the certificate passes, and TlsInfo::verdict says so
    hard,  ///< refused as well where there is no current list for one of the chain (the authority that is trusted itself has none)
};

/// One certificate as text for people and for decisions.
struct TlsCertificate {
    std::string subject;  ///< RFC 2253 form
    std::string issuer;
    std::vector<std::string> names;  ///< subject alternative names: DNS names and addresses
    std::chrono::system_clock::time_point not_before;
    std::chrono::system_clock::time_point not_after;
    std::string sha256;  ///< of the DER form, lower-case hex
    std::string pem;
};

/// What a handshake came to.
struct TlsInfo {
    std::string version;  ///< "TLSv1.3"
    std::string cipher;
    std::string group;  ///< key exchange, for example "X25519"; empty where unknown
    std::string alpn;
    bool session_reused{false};
    /// The server's own certificate first.
    std::vector<TlsCertificate> chain;
    /// What this end has shown, or would have on request; none: it has none to show.
    std::optional<TlsCertificate> own;
    /// "ok", or OpenSSL's words for what the verification found.
    std::string verdict;
};

/// How TLS connections are made and checked. Certificates are verified against the system's authorities and the host name unless something
/// here says otherwise. A value type; wrong contents are reported when a client is made (Error TLS-OPTION-ERROR).
struct TlsOptions {
    /// False: no check of the certificate at all. Logged as a warning for each client.
    bool verify{true};
    /// Checks left out while `verify` is on.
    TlsWaiver waive{TlsWaiver::none};

    /// Certificate authorities: a PEM file, a directory made by c_rehash, PEM text. They are added to the system's.
    std::string ca_file;
    std::string ca_directory;
    std::string ca_pem;
    /// Only the authorities named above count, not the system's.
    bool ca_only{false};

    /// Lists of revoked certificates are fetched from where the certificates say, by http as their signatures protect them, before the handshake
    /// goes on; kept until they are renewed, for all clients of one runtime. Not with `verify` off. Each handshake is then a whole one, whatever
    /// `reuse_sessions` says. With TlsWaiver::untrusted nothing is fetched for a chain that leads to no authority.
    CrlCheck crl_check{CrlCheck::off};
    /// Lists that need not be fetched: a PEM or DER file of at most 64 MiB, whole lists only. They count with any `crl_check` but off.
    std::string crl_file;
    /// For the fetching of all lists of a handshake. What could not be had is not asked for again for a minute. 0: nothing is fetched.
    std::chrono::milliseconds crl_timeout{5'000};

    /// Client certificate with its chain: a PEM or PKCS#12 file, or the same as bytes (which win over the file).
    std::string certificate_file;
    std::string certificate_data;
    /// Which one, where there are several with their keys: its subject in RFC 2253 form (as TlsCertificate::subject), or a part of that, whatever
    /// the case; the whole wins over a part. Empty: the first.
    std::string certificate_subject;
    /// Its private key in PEM; not needed where the certificate's file or data holds it.
    std::string key_file;
    Secret key_data;
    /// Pass-phrase of the key, or of the PKCS#12 container.
    Secret key_password;

    /// SHA-256 of the server certificate in DER form, as hex with or without colons: this one and no other. Checked in addition to the
    /// rest; with `verify` off it is the only check.
    std::string pinned_sha256;

    /// Unset: TLS 1.2 at least, 1.3 at most.
    TlsVersion minimum{TlsVersion::unset};
    TlsVersion maximum{TlsVersion::unset};
    /// OpenSSL cipher list for TLS 1.2 and below; empty: OpenSSL's default.
    std::string ciphers;
    /// Colon-separated TLS 1.3 cipher suites.
    std::string cipher_suites;
    /// Colon-separated key exchange groups, for example "X25519:P-256".
    std::string groups;
    /// Colon-separated signature algorithms, for example "ECDSA+SHA256:RSA-PSS+SHA256".
    std::string signature_algorithms;

    /// The name sent to the server and looked for in its certificate. Unset: the host of the URL. Empty: none is sent, the host of the URL
    /// is looked for.
    std::optional<std::string> server_name;
    /// Offers earlier sessions to the server for a shorter handshake.
    bool reuse_sessions{true};
    /// Appends the session keys to this file in the form of NSS (SSLKEYLOGFILE): whoever has it can read the traffic. Logged as a warning.
    std::string key_log_file;

    /// Sees every chain with the verdict that OpenSSL and the pin came to and decides: true accepts, false refuses. Called on the thread that does
    /// the handshake; must not block. What it throws refuses.
    std::function<bool(const TlsInfo& info, bool accepted)> decide;
};

}  // namespace qconn
