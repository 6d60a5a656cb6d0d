// SPDX-License-Identifier: Apache-2.0
/// What pings see of the certificates of servers. Pure: the time is an argument.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <qconn/monitor/certificate.hpp>
#include <qconn/net/ping.hpp>

namespace qconn::monitor {

using Certificate = std::shared_ptr<const ServerCertificate>;

/// One object for each certificate, however many connections show it.
class CertificateTable {
public:
    Certificate take(ServerCertificate certificate);
    std::size_t size() const noexcept { return all_.size(); }

private:
    std::unordered_map<std::string, std::weak_ptr<const ServerCertificate>> all_;  // by fingerprint
    std::size_t tidy_at_{64};
};

ServerCertificate described(const TlsCertificate& certificate);

/// Which certificates a connection has shown. Behind one address may be several servers, each with its own: a change is news only with one that was
/// not among the latest few.
class ShownCertificates {
public:
    static constexpr std::size_t k_latest = 4;

    /// The certificate that a ping has seen; null where it has seen none. That of an earlier session says nothing where a later one is known: the
    /// server may have that still.
    const TlsCertificate* seen_in(const PingResult& result) const;
    /// @returns whether it is news
    bool show(const std::string& sha256);
    /// @param soon  the one that was just seen expires within the time of warning
    /// @returns whether a standing warning is over: with a new certificate at once, with one known before only when it was seen several times in a
    /// row
    bool settles(bool soon, bool is_news) noexcept;

private:
    static constexpr std::uint8_t k_settled = 3;

    std::vector<std::string> latest_;  // fingerprints, the latest last
    std::uint8_t good_{0};             // in a row
};

/// `the certificate of "shop" (CN=shop.example, issued by CN=CA) expires on 2026-12-01 10:00:00 UTC; …`
std::string expires_text(const std::string& name, const ServerCertificate& certificate, std::chrono::system_clock::time_point now);
std::string changed_text(const std::string& name, const ServerCertificate& before, const ServerCertificate& certificate,
                         std::chrono::system_clock::time_point now);

}  // namespace qconn::monitor
