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

namespace qconn::net {

class Loop;

using CrlPtr = std::shared_ptr<X509_crl_st>;

/// One place where a list can be had: addresses that all have the same one, to be tried in their order.
using CrlSource = std::vector<std::string>;

/// What one attempt to fetch a list came to: the list, or why there is none.
struct FetchedCrl {
    CrlPtr list;
    std::string trouble;
};

/// Blocks for `limit` at most. Proxies are those of the environment (http_proxy, no_proxy), as libcurl knows them.
FetchedCrl fetch_crl(const CrlSource& source, Deadline limit);
/// The lists in PEM text, or the one in DER form; empty where it is neither.
std::vector<CrlPtr> read_crls(std::string_view bytes);

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
    /// A list that was there before stays where there is no new one.
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
    std::vector<CrlSource> sources;
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
