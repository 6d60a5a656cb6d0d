// SPDX-License-Identifier: Apache-2.0
#include "monitor/certificates.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "monitor/utc.hpp"

namespace qconn::monitor {

Certificate CertificateTable::take(ServerCertificate certificate) {
    auto& known = all_[certificate.sha256];
    if (auto one = known.lock()) return one;
    auto fresh = std::make_shared<const ServerCertificate>(std::move(certificate));
    known = fresh;
    if (all_.size() >= tidy_at_) {
        std::erase_if(all_, [](const auto& one) { return one.second.expired(); });
        tidy_at_ = std::max<std::size_t>(64, all_.size() * 2);
    }
    return fresh;
}

ServerCertificate described(const TlsCertificate& certificate) {
    return {certificate.subject, certificate.issuer, certificate.not_before, certificate.not_after, certificate.sha256};
}

const TlsCertificate* ShownCertificates::seen_in(const PingResult& result) const {
    if (!result.tls || result.tls->chain.empty()) return nullptr;
    const TlsCertificate& seen = result.tls->chain.front();
    const auto known = std::find(latest_.begin(), latest_.end(), seen.sha256);
    const bool is_superseded = known != latest_.end() && std::next(known) != latest_.end();
    return result.tls->session_reused && is_superseded ? nullptr : &seen;
}

bool ShownCertificates::show(const std::string& sha256) {
    const auto known = std::find(latest_.begin(), latest_.end(), sha256);
    const bool is_news = known == latest_.end();
    if (!is_news) latest_.erase(known);
    latest_.push_back(sha256);
    if (latest_.size() > k_latest) latest_.erase(latest_.begin());
    return is_news;
}

bool ShownCertificates::settles(bool soon, bool is_news) noexcept {
    good_ = soon ? std::uint8_t{0} : std::min<std::uint8_t>(static_cast<std::uint8_t>(good_ + 1), k_settled);
    return !soon && (is_news || good_ == k_settled);
}

std::string expires_text(const std::string& name, const ServerCertificate& certificate, std::chrono::system_clock::time_point now) {
    std::string text = "the certificate of \"" + name + "\" (" + certificate.subject + ", issued by " + certificate.issuer + ") ";
    if (certificate.expires <= now)
        return text + "expired on " + utc(certificate.expires) + ": who checks it cannot connect any more; put a new one on the server";
    return text + "expires on " + utc(certificate.expires) + ": from then on who checks it cannot connect; put a new one on the server before";
}

std::string changed_text(const std::string& name, const ServerCertificate& before, const ServerCertificate& certificate,
                         std::chrono::system_clock::time_point now) {
    const auto shown = [](const ServerCertificate& one) {
        return one.subject + ", issued by " + one.issuer + ", sha256 " + one.sha256.substr(0, 16);
    };
    return '"' + name + "\" shows another certificate: " + shown(certificate) + ", which expires on " + utc(certificate.expires) + ", instead of " +
           shown(before) + ", which " + (before.expires <= now ? "expired on " : "was to expire on ") + utc(before.expires) +
           "; if nobody has replaced it, find out who answers there";
}

}  // namespace qconn::monitor
