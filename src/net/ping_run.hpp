// SPDX-License-Identifier: Apache-2.0
/// Carries out a PingPlan.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/ping.hpp>
#include <qconn/net/ping_plan.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn::net {

class Loop;
class Stream;

/// One ping under way. It has no timer: whoever runs many of them calls expire() at the deadline from its own timing structure.
/// @note Used on its loop's thread. Destroying it cancels it silently.
class PingRun {
public:
    /// Called exactly once, on the loop's thread, never from inside start(), with the stream to keep where the plan wants that and the stream is good
    /// for it, else null. The PingRun may be destroyed from inside.
    using Done = UniqueFunction<void(PingResult result, std::unique_ptr<Stream> kept)>;

    struct Options {
        /// The connection for messages.
        std::string_view label;
        /// For the texts and for blocking pings, which get it; expire() is the caller's duty nevertheless.
        Deadline deadline{};
        /// Fill PingResult::steps.
        bool steps{false};
        /// A stream that an earlier run of the same plan left. One that fails before its first byte of reply is replaced by a new one within the same
        /// deadline, and that is no failure.
        std::unique_ptr<Stream> kept{};
    };

    /// @param plan  kept alive by the run
    static std::unique_ptr<PingRun> start(Loop& loop, const PingPlan& plan, Options options, Done done);

    virtual ~PingRun() = default;
    /// The time is over: reads its sockets once more, then ends with what has come, or TIMEOUT with the phase. Done is called from inside.
    virtual void expire() = 0;
    /// Ends now with CANCELLED; Done is called from inside. Descriptors are closed before it.
    virtual void cancel() = 0;
    virtual Phase phase() const noexcept = 0;

protected:
    PingRun() = default;
};

/// One ping with a deadline of its own, from any thread. The callback comes on an I/O thread.
Operation async_ping(const Runtime& runtime, PingPlan plan, std::string label, Deadline deadline, bool steps, Callback<PingResult> callback);

/// The same for a caller who waits. Failures of the ping are in the result.
/// @throws Error INVALID-ARGUMENT on an I/O thread of the runtime, FORK-ERROR
PingResult run_ping_blocking(const Runtime& runtime, const PingPlan& plan, std::string_view label, Deadline deadline, bool steps);

}  // namespace qconn::net
