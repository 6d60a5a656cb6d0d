// SPDX-License-Identifier: Apache-2.0
/// Lists of revoked certificates (CRL, RFC 5280 section 5): fetched from where certificates say, and kept.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>

#include "net/blocking_pool.hpp"

// As in <openssl/types.h>, which needs not be read for this.
struct X509_crl_st;
struct X509_name_st;
struct x509_st;

namespace qconn::net {

class Loop;

using CrlPtr = std::shared_ptr<X509_crl_st>;

/// One place where a list can be had: addresses that all have the same one, to be tried in their order.
using CrlSource = std::vector<std::string>;

/// A list that a handshake waits for.
struct CrlWant {
    CrlSource source;
    std::shared_ptr<x509_st> issuer;  ///< by whom it has to be signed
};

/// What one attempt to fetch a list came to: the list, or why there is none.
struct FetchedCrl {
    CrlPtr list;
    std::string trouble;
    bool tried{true};  ///< false: there was no time for it
};

/// The largest of public authorities have some tens of mebibytes.
inline constexpr std::size_t k_max_crl = std::size_t{64} * 1024 * 1024;

/// Blocks for `limit` at most. Proxies are those of the environment (http_proxy, no_proxy), as libcurl knows them.
FetchedCrl fetch_crl(const CrlWant& want, Deadline limit);

/// The lists in PEM text, or the one in DER form.
struct ReadCrls {
    std::vector<CrlPtr> lists;
    std::string trouble;  ///< empty where all could be read, and there is one
};
ReadCrls read_crls(std::string_view bytes);

/// Why a list does not count for certificates by that issuer; empty where it does. Lists come by http: anybody on the way may have put in another,
/// or one that only tells of changes (a delta, RFC 5280 section 5.2.4), which OpenSSL would take for a whole one.
std::string crl_problem(X509_crl_st* list, x509_st* issuer);
/// Whether it tells of changes only.
bool is_delta(X509_crl_st* list);

/// The lists that are known, by their sources.
/// @note Thread-safe
class CrlCache {
public:
    /// A list is fetched anew when it is this old, or when it says that there is a newer one; until then it counts even where that fails.
    static constexpr std::chrono::hours k_keep{24};
    /// After a failure.
    static constexpr std::chrono::minutes k_pause{1};
    static constexpr std::size_t k_size = 256;

    bool knows(const CrlSource& source) const;
    /// Whether it has to be asked for.
    bool is_due(const CrlSource& source) const;
    /// Why the last attempt failed; empty where none did.
    std::string trouble(const CrlSource& source) const;
    std::vector<CrlPtr> by_issuer(const X509_name_st* issuer) const;
    /// The same for equal sources, as long as they are kept.
    const void* key(const CrlSource& source);
    /// A list that was there before stays where there is no new one, or an older one.
    void keep(const CrlSource& source, FetchedCrl fetched);

private:
    struct Entry {
        CrlPtr list;
        std::string trouble;
        Clock::time_point fetched{};  // the list
        Clock::time_point tried{};
    };
    mutable std::mutex mutex_;
    std::map<CrlSource, Entry> entries_;
};

/// The lists of one chain that a handshake waits for.
struct CrlWanted {
    std::shared_ptr<CrlCache> cache;
    std::vector<CrlWant> wants;
    std::chrono::milliseconds timeout{0};
};

/// One on a loop who waits for lists that a thread of the blocking pool fetches into the cache. Destroying it gives up; its callback is then never
/// called.
/// @note Used on its loop's thread; may be destroyed from inside the callback.
class CrlQuery {
public:
    /// The callback comes on the loop's thread, never from inside this call; whether there are lists now, the cache says.
    /// @throws Error SYSTEM-ERROR as BlockingPool::post_check
    CrlQuery(BlockingPool& pool, Loop& loop, CrlWanted wanted, UniqueFunction<void()> callback);
    CrlQuery(const CrlQuery&) = delete;
    CrlQuery& operator=(const CrlQuery&) = delete;
    ~CrlQuery();

private:
    const std::shared_ptr<BlockingPool> pool_;
    const std::shared_ptr<UniqueFunction<void()>> callback_;  // empty once it was called
    std::shared_ptr<BlockingPool::Check> check_;
};

}  // namespace qconn::net
