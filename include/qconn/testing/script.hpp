// SPDX-License-Identifier: Apache-2.0
/// A remote end that lives in a test and does what a script says.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/value.hpp>

namespace qconn::testing {

/// What one ping or call comes to. A value type; made by the functions below.
struct Answer {
    /// Reason::none: it is a success.
    Reason reason{Reason::none};
    Phase phase{Phase::none};
    /// Of a failure: the sentence in the error.
    std::string text{};
    /// How long it takes; in a TestMonitor of its time, else of the clock's.
    std::chrono::milliseconds latency{0};
    /// What a call gives.
    Value value{};

    bool is_ok() const noexcept { return reason == Reason::none; }
    /// The same, but after that time.
    Answer after(std::chrono::milliseconds time) const {
        Answer later = *this;
        later.latency = time;
        return later;
    }
};

/// A success; of a call with that value.
QCONN_API Answer ok(Value value = {});
/// A failure as those of real connections are.
QCONN_API Answer failed(Phase phase, Reason reason, std::string text = {});
/// Phase connect: nothing listens there.
QCONN_API Answer refused();
/// Phase protocol: it said at once that nothing came in time. For silence that lasts: RemoteEnd::hang, or an answer after longer than the timeout.
QCONN_API Answer timed_out();
/// Phase auth: the log-in was refused.
QCONN_API Answer denied();
/// Trouble of this machine, from which nothing follows about the remote end.
QCONN_API Answer inconclusive();
/// The Error that goes with a failure.
QCONN_API Error to_error(const Answer& answer, const std::string& connection);

/// What pings and calls of one connection meet. A script is a list of answers, one for each ping or call; the last one repeats. At first all is ok.
/// @note Thread-safe. A handle; copies mean the same end.
class QCONN_API RemoteEnd {
public:
    RemoteEnd();

    /// From now on, also while a monitor pings it.
    void pings(std::vector<Answer> script);
    void calls(std::vector<Answer> script);
    /// Both.
    void set(const Answer& always);
    /// Pings and calls that come from now on, and those that wait in their latency, do not end before let_go(), but by their own time-out.
    void hang();
    void let_go();
    bool hangs() const;

    /// How many were begun.
    std::size_t ping_count() const;
    std::size_t call_count() const;

    /// What the next ping or call meets; counts it.
    Answer next_ping() const;
    Answer next_call() const;
    /// Waits on the clock for the end of its latency and for let_go(), as long as the deadline allows and nobody has given it up.
    /// @param given_up  asked after each wake(); empty: never
    /// @throws Error TIMEOUT, CANCELLED
    void wait(const Answer& answer, const std::string& connection, Deadline deadline, const std::function<bool()>& given_up = {}) const;
    void wake() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace qconn::testing
