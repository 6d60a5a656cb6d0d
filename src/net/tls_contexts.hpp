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
#include <qconn/net/tls.hpp>

namespace qconn::net {

class TlsContext;

/// Contexts by the contents of their options and the state (size, time, inode) of the files that those name. With `decide` set, which cannot be
/// compared, by the identity of the options object. The least recently used go when there are more than k_size. @note Thread-safe
class TlsContexts {
public:
    static constexpr std::size_t k_size = 256;

    std::shared_ptr<const TlsContext> get(const TlsOptions& options, const Log& log, std::string_view label);
    std::shared_ptr<const TlsContext> get(const std::shared_ptr<const TlsOptions>& options, const Log& log, std::string_view label);

private:
    struct Entry {
        std::shared_ptr<const TlsContext> context;
        std::uint64_t used{0};
    };
    struct Known {
        std::weak_ptr<const TlsOptions> options;
        std::string files;  // their state when the context was made
        std::shared_ptr<const TlsContext> context;
        std::uint64_t used{0};
    };
    std::shared_ptr<const TlsContext> by_contents(const TlsOptions& options, const std::string& files, const Log& log, std::string_view label);

    std::mutex mutex_;
    std::map<std::string, Entry> contexts_;
    std::map<const TlsOptions*, Known> known_;
    std::uint64_t clock_{0};
};

}  // namespace qconn::net
