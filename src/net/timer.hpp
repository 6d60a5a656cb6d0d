// SPDX-License-Identifier: Apache-2.0
/// A timer on a Loop, without Asio in the header.
#pragma once

#include <memory>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>

namespace qconn::net {

class Loop;

/// Calls back once at an instant. Once cancelled, armed anew or destroyed the former callback is never called.
/// @note Used and destroyed on its loop's thread.
class Timer {
public:
    explicit Timer(Loop& loop);
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer();

    /// A deadline of never cancels.
    void arm(Deadline when, UniqueFunction<void()> callback);
    void cancel() noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace qconn::net
