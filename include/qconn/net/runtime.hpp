// SPDX-License-Identifier: Apache-2.0
/// The threads that asynchronous work, name resolution and blocking libraries run on.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <qconn/base/export.hpp>
#include <qconn/base/log.hpp>

namespace qconn {

struct RuntimeOptions {
    /// Threads that wait for sockets and timers. At least 1.
    std::size_t io_threads{1};
    /// Threads for work that can only block (file systems, libraries). Started when needed; at least 1. A ping that hangs is treated as a look-up
    /// below.
    std::size_t blocking_threads{16};
    /// Threads that resolve names. Started when needed. One that hangs in the system's resolver is abandoned after its
    /// caller's deadline and replaced; at most this many hang at once, further look-ups then fail with reason `resolver` (pings: `local`).
    std::size_t resolver_threads{16};
    /// Where the records of this runtime and of everything on it go. Default: the process's default log.
    Log log{};
};

namespace net {
class RuntimeImpl;
}

/// A copyable handle of a set of threads; the threads end with the last handle (from a thread of its own where that is
/// one of them). A default-constructed handle means the process's default runtime: made at first use, released with the last user.
/// @note Thread-safe. Using one after a fork throws Error FORK-ERROR in the child.
class QCONN_API Runtime {
public:
    /// The process's default runtime.
    Runtime();
    explicit Runtime(const RuntimeOptions& options);
    Runtime(const Runtime&) noexcept;
    Runtime(Runtime&&) noexcept;
    Runtime& operator=(const Runtime&) noexcept;
    Runtime& operator=(Runtime&&) noexcept;
    ~Runtime();

    /// Runs `work` on an I/O thread, after this call has returned to its caller or beside it. It must not block.
    void post(std::function<void()> work) const;
    /// Runs `work` on a thread of the blocking pool.
    void post_blocking(std::function<void()> work) const;
    /// Whether the calling thread is one of this runtime's I/O threads; a blocking call from there would deadlock and throws.
    bool on_io_thread() const noexcept;
    const Log& log() const noexcept;

    /// For the library's own layers.
    net::RuntimeImpl& impl() const;

private:
    std::shared_ptr<net::RuntimeImpl> impl_;
};

}  // namespace qconn
