// SPDX-License-Identifier: Apache-2.0
/// From an Endpoint to a Stream: names, addresses, proxy, TLS.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/result.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/ping.hpp>

#include "net/socket.hpp"

namespace qconn::net {

class Loop;
class Stream;

/// The phases that were passed, in order, for explain.
struct DialTrace {
    std::vector<PingStep> steps;
};

/// A dial under way. All members are called on the loop's thread.
class Dial {
public:
    virtual ~Dial() = default;
    /// Ends it now: descriptors are closed when this returns, the callback is not called any more.
    virtual void cancel() noexcept = 0;
    /// The time is over: looks at its sockets once more, then ends it; the callback is called from inside, with the stream where it has just come
    /// about, with TIMEOUT and the phase where not.
    virtual void expire() = 0;
    /// Where it stands.
    virtual Phase phase() const noexcept = 0;
};

using DialCallback = UniqueFunction<void(Result<std::unique_ptr<Stream>>)>;

/// Starts to dial without a deadline of its own: the caller calls expire(). To be called on the loop's thread; the callback comes exactly once there
/// (unless it is cancelled), never from inside this call. Destroying the returned Dial cancels it; it may be destroyed from inside the callback.
/// @param endpoint  lives as long as the dial
/// @param trace     null, or where the phases are noted; lives as long as the dial
/// @param use       what for; a handshake: the stream is only wanted for Stream::abort(), being connected was the question
std::unique_ptr<Dial> start_dial(Loop& loop, const Endpoint& endpoint, std::string_view label, DialTrace* trace, DialCallback callback,
                                 SocketUse use = SocketUse::lasting);

/// The same from any thread, with a deadline. The callback comes exactly once, on the loop's thread; after Operation::cancel with CANCELLED.
Operation async_dial(Loop& loop, Endpoint endpoint, std::string label, Deadline deadline, std::shared_ptr<DialTrace> trace, DialCallback callback);

}  // namespace qconn::net
