// SPDX-License-Identifier: Apache-2.0
/// TLS contexts shared by all who have the same options.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <qconn/base/log.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/result.hpp>
#include <qconn/net/tls.hpp>

#include "net/blocking_pool.hpp"

namespace qconn::net {

class CrlCache;
class Loop;
class RuntimeImpl;
class TlsContext;

/// Contexts by the contents of their options and the state (size, time, inode) of the files that those name. With `decide` set, which cannot be
/// compared, by the identity of the options object. The least recently used go when there are more than k_size.
/// @note Thread-safe. Files are looked at and read with no lock that others need: only who wants the same context waits for the one who makes it.
class TlsContexts {
public:
    static constexpr std::size_t k_size = 256;

    TlsContexts();

    /// May block. @throws Error TLS-OPTION-ERROR
    std::shared_ptr<const TlsContext> get(const TlsOptions& options, const Log& log, std::string_view label);
    /// The same, faster where the same object is asked for again and again; warnings are logged the first time only.
    std::shared_ptr<const TlsContext> get(const std::shared_ptr<const TlsOptions>& options, const Log& log, std::string_view label);
    /// Never blocks: one made before for this object, where it needs no look at a file. Null pointer where there is none.
    std::shared_ptr<const TlsContext> at_hand(const std::shared_ptr<const TlsOptions>& options);

private:
    /// Made by the first who locks it.
    struct Made {
        std::mutex mutex;
        std::shared_ptr<const TlsContext> context;
    };
    struct Entry {
        std::shared_ptr<Made> made;
        std::uint64_t used{0};
    };
    struct Known {
        std::weak_ptr<const TlsOptions> options;
        std::string files;  // their state when the context was made
        std::shared_ptr<const TlsContext> context;
        std::uint64_t used{0};
    };
    std::shared_ptr<const TlsContext> by_contents(const TlsOptions& options, const std::string& files, const Log& log, std::string_view label);
    std::shared_ptr<const TlsContext> known(const std::shared_ptr<const TlsOptions>& options, const std::string& files);

    const std::shared_ptr<CrlCache> crls_;
    std::mutex mutex_;
    std::map<std::string, Entry> contexts_;
    std::map<const TlsOptions*, Known> known_;
    std::uint64_t clock_{0};
};

/// One on a loop who waits for a context that a thread of the blocking pool gets. Destroying it gives up; its callback is then never called.
/// @note Used on its loop's thread; may be destroyed from inside the callback.
class TlsContextQuery {
public:
    using Callback = UniqueFunction<void(Result<std::shared_ptr<const TlsContext>>)>;
    /// The callback comes on the loop's thread, never from inside this call.
    /// @throws Error SYSTEM-ERROR as BlockingPool::post_check
    TlsContextQuery(RuntimeImpl& runtime, Loop& loop, std::shared_ptr<const TlsOptions> options, std::string label, Callback callback);
    TlsContextQuery(const TlsContextQuery&) = delete;
    TlsContextQuery& operator=(const TlsContextQuery&) = delete;
    ~TlsContextQuery();

private:
    BlockingPool& pool_;
    const std::shared_ptr<Callback> callback_;  // empty once it was called
    std::shared_ptr<BlockingPool::Check> check_;
};

}  // namespace qconn::net
