// SPDX-License-Identifier: Apache-2.0
/// Readiness of a descriptor on a Loop, without Asio in the header.
#pragma once

#include <cstdint>
#include <memory>

#include <qconn/base/operation.hpp>

namespace qconn::net {

class Loop;

enum class Ready : std::uint8_t { read, write };

/// Tells when a descriptor can be read or written, or has an error. It does not own the descriptor and must go before that is closed.
/// @note Used and destroyed on its loop's thread.
class FdWatch {
public:
    FdWatch(Loop& loop, int fd);
    FdWatch(const FdWatch&) = delete;
    FdWatch& operator=(const FdWatch&) = delete;
    ~FdWatch();

    /// Calls back once, when it is ready (or broken: the next read or write tells), never from inside this call. Replaces an earlier wait for the
    /// same side. Once cancelled, replaced or destroyed the former callback is never called.
    /// @throws Error SYSTEM-ERROR (reason local) where the system cannot watch it
    void wait(Ready side, UniqueFunction<void()> callback);
    void cancel(Ready side) noexcept;
    void cancel() noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace qconn::net
