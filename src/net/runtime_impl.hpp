// SPDX-License-Identifier: Apache-2.0
/// What is behind a Runtime: event loops, the resolver, the pool for work that blocks.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <qconn/base/log.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/net/tls.hpp>

namespace boost::asio {
class io_context;
}

namespace qconn::net {

class BlockingPool;
class Poller;
class TimerQueue;
class Resolver;
class RuntimeImpl;
class TlsContext;
class TlsContexts;

/// One I/O thread and its event loop.
/// @note Thread-safe. What waits on it (Stream, Timer, FdWatch) shares its ownership, so that it may go after the runtime has ended.
class Loop : public std::enable_shared_from_this<Loop> {
public:
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    virtual ~Loop() = default;

    /// Null for one that waits by itself.
    virtual boost::asio::io_context* context() noexcept = 0;
    virtual Poller& poller() noexcept = 0;
    /// Null where Asio has them.
    virtual TimerQueue* timers() noexcept = 0;
    virtual bool on_thread() const noexcept = 0;
    /// Runs `work` on the thread, in the order of posting, never from inside this call. Work that was posted before the runtime ended still runs.
    /// What it throws is logged.
    virtual void post(UniqueFunction<void()> work) = 0;
    /// The runtime that it belongs to; held by whatever must be finished before the threads end. Null once the last handle has gone.
    virtual std::shared_ptr<RuntimeImpl> runtime() const noexcept = 0;
    virtual const Log& log() const noexcept = 0;

protected:
    Loop() = default;
};

/// Threads are started by the first use of each kind. The destructor asks them to end, runs what was posted, and waits for them unless it is called
/// on one of them (then a thread of its own does that) or while the process exits.
/// @note Thread-safe.
class RuntimeImpl : public std::enable_shared_from_this<RuntimeImpl> {
public:
    explicit RuntimeImpl(const RuntimeOptions& options);
    RuntimeImpl(const RuntimeImpl&) = delete;
    RuntimeImpl& operator=(const RuntimeImpl&) = delete;
    ~RuntimeImpl();

    /// The loops take turns.
    Loop& loop();
    /// One of the loops, always the same for one number: what belongs together stays on one thread.
    Loop& loop(std::size_t number);
    Resolver& resolver();
    /// For checks, which may hang.
    BlockingPool& blocking_pool();
    /// Runs on a thread of the pool, in the order of posting as far as threads are free. What it throws is logged. Runs in any case, also when the
    /// runtime ends before its turn.
    void post_blocking(UniqueFunction<void()> work);
    bool on_io_thread() const noexcept;
    const Log& log() const noexcept;
    const RuntimeOptions& options() const noexcept;
    /// The context for these options; the same for equal options while the files that they name stay as they are, so that many connections share one.
    /// May block. @throws Error TLS-OPTION-ERROR
    std::shared_ptr<const TlsContext> tls_context(const TlsOptions& options, std::string_view label);
    /// Where a loop asks for one without blocking. Shared, as a thread that hangs in the reading of a file may outlive the runtime.
    std::shared_ptr<TlsContexts> tls_contexts() const noexcept;
    /// @throws Error FORK-ERROR in a child of the process that made this
    void check_fork() const;

private:
    struct Core;
    std::shared_ptr<Core> core_;
};

}  // namespace qconn::net
