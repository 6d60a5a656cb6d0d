// SPDX-License-Identifier: Apache-2.0
/// Where and for how long the secrets of a registry are read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/scheme.hpp>
#include <qconn/net/runtime.hpp>

#include "core/secret_reader.hpp"
#include "net/blocking_pool.hpp"

namespace qconn::core {

/// Each provider that may block has threads of its own, and so have the source of properties and the files that URLs lead to: what hangs there takes
/// none from pings, listeners and the others.
/// @note Thread-safe.
class SecretKeeper : public std::enable_shared_from_this<SecretKeeper> {
public:
    /// @param properties, files  what definitions are resolved with besides; may be null
    /// @param overlay  the file behind `${local:…}`; empty: there is none
    SecretKeeper(const Catalogue& catalogue, Runtime runtime, std::shared_ptr<PropertySource> properties, std::shared_ptr<const FileResolver> files,
                 std::string overlay = {});
    SecretKeeper(const SecretKeeper&) = delete;
    SecretKeeper& operator=(const SecretKeeper&) = delete;
    /// Waits for nobody.
    ~SecretKeeper();

    /// A definition with its secrets, and what tells whether they have changed.
    struct Resolution {
        ResolvedDefinition definition;
        bool has_references{false};
        /// Says nothing to anybody outside this process.
        std::uint64_t fingerprint{0};
        /// For reading them anew.
        Clock::time_point due{Clock::time_point::max()};
        /// As files_of().
        std::uint64_t files{0};
    };
    /// On a thread of the provider's where one may block, and waits for it at most as long as that may take.
    /// @throws Error SECRET-ERROR; INVALID-ARGUMENT where that would be waiting on an I/O thread
    Resolution resolve(const Definition& definition, SecretLimits limits = {});

    /// Whose threads are to do what resolves this definition; null: any thread will do.
    std::shared_ptr<net::BlockingPool> pool_for(const Definition& definition) const;
    /// Whether definitions of this scheme may need such threads although they have no references. Null: no.
    bool may_read_elsewhere(const Scheme* scheme) const noexcept;
    /// How long resolving it may take.
    std::chrono::milliseconds longest(const Definition& definition) const;

    /// The files that it refers to.
    std::vector<std::string> files_in(const Definition& definition) const;
    /// Which state they are in; k_no_files where there are none, 0 where a change might not show.
    std::uint64_t files_of(const Definition& definition) const;
    static constexpr std::uint64_t k_no_files = 1;

private:
    /// What a definition waits for.
    struct Source {
        std::string_view name;  // in pools_
        std::chrono::milliseconds timeout;
    };
    std::vector<Source> blocking(const Definition& definition) const;
    Resolution resolve_here(const Definition& definition, const SecretLimits& limits);
    Resolution resolve_there(net::BlockingPool& pool, const Definition& definition, SecretLimits limits, Deadline until);

    const Catalogue catalogue_;
    const Runtime runtime_;
    const std::shared_ptr<PropertySource> properties_;
    const std::shared_ptr<const FileResolver> files_;
    const std::string overlay_;
    SecretCache cache_;
    std::map<std::string_view, std::shared_ptr<net::BlockingPool>> pools_;
};

/// All references of URL and options.
std::vector<SecretRef> references_of(const Definition& definition);

}  // namespace qconn::core
