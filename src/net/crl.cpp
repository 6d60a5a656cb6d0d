// SPDX-License-Identifier: Apache-2.0
#include "net/crl.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "net/openssl_ptr.hpp"
#include "net/runtime_impl.hpp"

namespace qconn::net {

ReadCrls read_crls(std::string_view bytes) {
    ReadCrls read;
    const auto in = memory_bio(bytes);
    const bool is_pem = bytes.find("-----BEGIN ") != bytes.npos;
    while (X509_CRL* const list = is_pem ? PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr) : d2i_X509_CRL_bio(in.get(), nullptr)) {
        read.lists.emplace_back(list, X509_CRL_free);
        if (!is_pem) break;
    }
    const unsigned long last = ERR_peek_last_error();
    const bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (is_pem && !at_end)
        read.trouble = "its list number " + std::to_string(read.lists.size() + 1) + " is damaged: " + openssl_words(last);
    else if (read.lists.empty())
        read.trouble = "it holds no list of revoked certificates in PEM or DER form";
    return read;
}

bool is_delta(X509_CRL* list) { return X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) >= 0; }

std::string crl_problem(X509_CRL* list, X509* issuer) {
    if (is_delta(list)) return "the list tells of changes only";
    if (X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(issuer)) != 0) return "the list is of another authority";
    const bool is_signed = X509_CRL_verify(list, X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    if (!is_signed) return "the list was not signed by its authority";
    const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(list);
    if (next != nullptr && X509_cmp_current_time(next) < 0) return "the list is over";
    return {};
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
    const bool is_older =
        fetched.list && entry.list && ASN1_TIME_compare(X509_CRL_get0_lastUpdate(fetched.list.get()), X509_CRL_get0_lastUpdate(entry.list.get())) < 0;
    if (is_older) {
        entry.trouble = source.front() + ": the list is older than the one from there before";
    } else if (fetched.list) {
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
    const void* const key = wanted.cache->key(wanted.wants.front().source);
    auto work = [loop = loop.shared_from_this(), wanted = std::move(wanted), callback = callback_]() mutable {
        const Deadline limit{wanted.timeout};
        for (const auto& [source, issuer] : wanted.wants) {
            if (!wanted.cache->is_due(source)) continue;
            auto fetched = fetch_crl({source, issuer}, limit);
            if (fetched.tried) wanted.cache->keep(source, std::move(fetched));
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
