// SPDX-License-Identifier: Apache-2.0
#include "net/crl.hpp"

#include <openssl/pem.h>

#include <algorithm>
#include <utility>

#include "net/openssl_ptr.hpp"
#include "net/runtime_impl.hpp"

namespace qconn::net {

std::vector<CrlPtr> read_crls(std::string_view bytes) {
    std::vector<CrlPtr> lists;
    const auto in = memory_bio(bytes);
    const bool is_pem = bytes.find("-----BEGIN ") != bytes.npos;
    while (X509_CRL* const list = is_pem ? PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr) : d2i_X509_CRL_bio(in.get(), nullptr)) {
        lists.emplace_back(list, X509_CRL_free);
        if (!is_pem) break;
    }
    ERR_clear_error();
    return lists;
}

bool CrlCache::knows(const CrlSource& source) const {
    const std::scoped_lock lock{mutex_};
    const auto found = entries_.find(source);
    return found != entries_.end() && found->second.list;
}

bool CrlCache::is_due(const CrlSource& source) const {
    const std::scoped_lock lock{mutex_};
    const auto found = entries_.find(source);
    if (found == entries_.end()) return true;
    const Entry& entry = found->second;
    const auto now = Clock::now();
    if (!entry.trouble.empty() && now < entry.tried + k_pause) return false;
    if (!entry.list || now >= entry.fetched + k_keep) return true;
    const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(entry.list.get());
    return next != nullptr && X509_cmp_current_time(next) < 0 && now >= entry.tried + k_pause;
}

std::string CrlCache::trouble(const CrlSource& source) const {
    const std::scoped_lock lock{mutex_};
    const auto found = entries_.find(source);
    return found == entries_.end() ? std::string{} : found->second.trouble;
}

std::vector<CrlPtr> CrlCache::by_issuer(const X509_name_st* issuer) const {
    std::vector<CrlPtr> lists;
    const std::scoped_lock lock{mutex_};
    for (const auto& [source, entry] : entries_) {
        if (entry.list && X509_NAME_cmp(X509_CRL_get_issuer(entry.list.get()), issuer) == 0) lists.push_back(entry.list);
    }
    return lists;
}

const void* CrlCache::key(const CrlSource& source) {
    const std::scoped_lock lock{mutex_};
    return &entries_[source];
}

void CrlCache::keep(const CrlSource& source, FetchedCrl fetched) {
    const auto now = Clock::now();
    const std::scoped_lock lock{mutex_};
    Entry& entry = entries_[source];
    entry.tried = now;
    entry.trouble = std::move(fetched.trouble);
    if (fetched.list) {
        entry.list = std::move(fetched.list);
        entry.fetched = now;
    }
    if (entries_.size() > k_size)
        entries_.erase(
            std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) { return a.second.tried < b.second.tried; }));
}

CrlQuery::CrlQuery(BlockingPool& pool, Loop& loop, CrlWanted wanted, UniqueFunction<void()> callback)
    : pool_{pool.shared_from_this()}, callback_{std::make_shared<UniqueFunction<void()>>(std::move(callback))} {
    // Who waits for the same lists comes after the one who fetches them.
    const void* const key = wanted.cache->key(wanted.sources.front());
    auto work = [loop = loop.shared_from_this(), wanted = std::move(wanted), callback = callback_]() mutable {
        const Deadline limit{wanted.timeout};
        for (const auto& source : wanted.sources) {
            if (wanted.cache->is_due(source)) wanted.cache->keep(source, fetch_crl(source, limit));
        }
        loop->post([callback = std::move(callback)] {
            auto call = std::exchange(*callback, nullptr);
            if (call) call();
        });
    };
    check_ = pool_->post_check(std::move(work), key);
}

CrlQuery::~CrlQuery() {
    if (!*callback_) return;
    const auto dropped = std::exchange(*callback_, nullptr);
    pool_->give_up(check_);
}

}  // namespace qconn::net
