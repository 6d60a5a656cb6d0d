// SPDX-License-Identifier: Apache-2.0
/// Names to addresses on threads of its own, as the system's resolver can only block and cannot be interrupted.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>

#include "net/address.hpp"

namespace qconn::net {

class Loop;

/// What a look-up came to: addresses (port 0, in the system's order), or why not.
struct Resolved {
    AddressList addresses;
    /// unknown_host, resolver or local; none where there are addresses.
    Reason reason{Reason::none};
    /// The system's words.
    std::string words{};
    /// The addresses are of an earlier time: the name service does not answer.
    bool stale{false};
};

/// Asks the system (getaddrinfo), once for all who ask for the same name at the same time. Answers are kept for k_cache_time and forgotten where a
/// connection to them failed; failures are not kept. A look-up that all have given up keeps its thread, which counts as hung until it returns;
/// another is started in its place. Whoever then asks for the same name joins it. The late answer is kept like any other, so that a slow name service
/// serves the next attempt.
/// A name service that fails, or has not answered after k_patience, takes no connection down whose address is known: the last addresses are used
/// again for up to k_stale_time, as RFC 8767 has resolvers do; that there is no such name is an answer.
/// @note Thread-safe.
class Resolver {
public:
    static constexpr std::chrono::seconds k_cache_time{5};
    static constexpr std::size_t k_cache_size = 4096;
    static constexpr std::chrono::milliseconds k_patience{1800};  ///< RFC 8767 section 5
    static constexpr std::chrono::hours k_stale_time{24};

    /// What is asked: getaddrinfo, or a test's stand-in. May block.
    using Lookup = std::function<Resolved(const std::string& host)>;
    /// @param threads  at most that many work, and at most that many more hang; see BlockingPool
    /// @param patience  k_patience, or a test's
    explicit Resolver(std::size_t threads, Lookup lookup = system_lookup, std::chrono::milliseconds patience = k_patience);
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;
    /// Waits for nobody: threads end by themselves.
    ~Resolver();

    /// One who waits for an answer. Destroying it gives up; its callback is then never called. Used on its loop's thread.
    class Query {
    public:
        virtual ~Query() = default;
        /// The answer where it has come but was not delivered so far; the callback is then not called any more.
        virtual std::unique_ptr<Resolved> take() = 0;

    protected:
        Query() = default;
    };
    using Callback = UniqueFunction<void(Resolved)>;
    /// The callback comes on the loop's thread, never from inside this call.
    std::unique_ptr<Query> resolve(std::string_view host, Loop& loop, Callback callback);

    /// An answer that is at hand: an address literal, or one kept from a short time ago. Null pointer where there is none.
    AddressList at_hand(std::string_view host);
    /// A connection to the addresses of that name failed: ask anew next time. They stay for when that fails.
    void forget(std::string_view host);
    /// For tests and metrics: threads that nobody waits for.
    std::size_t hung() const;

    static Resolved system_lookup(const std::string& host);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace qconn::net
