// SPDX-License-Identifier: Apache-2.0
#include <qconn/net/runtime.hpp>

#include <openssl/ssl.h>
#include <pthread.h>

#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>

#include "net/blocking_pool.hpp"
#include "net/loop_impl.hpp"
#include "net/resolver.hpp"
#include "net/runtime_impl.hpp"
#include "net/threads.hpp"
#include "net/tls_contexts.hpp"

namespace qconn::net {

namespace {

/// How long the last user of a runtime waits for threads that are still in somebody's callback.
constexpr std::chrono::seconds k_stop_limit{10};

}  // namespace

struct RuntimeImpl::Core {
    explicit Core(const RuntimeOptions& o) : options{o} {}

    const RuntimeOptions options;
    const unsigned forks{fork_generation()};
    std::mutex mutex;  // guards the making of what follows
    std::atomic<bool> has_loops{false};
    std::vector<std::shared_ptr<LoopImpl>> loops;
    std::vector<Worker> threads;
    std::atomic<std::size_t> next{0};
    std::shared_ptr<BlockingPool> pool;
    std::atomic<BlockingPool*> pool_ready{nullptr};
    std::unique_ptr<Resolver> resolver;
    std::atomic<Resolver*> resolver_ready{nullptr};
    const std::shared_ptr<TlsContexts> contexts{std::make_shared<TlsContexts>()};

    void start_loops(const std::shared_ptr<RuntimeImpl>& owner) {
        const std::scoped_lock lock{mutex};
        if (has_loops.load(std::memory_order_relaxed)) return;
        const std::size_t count = std::max<std::size_t>(options.io_threads, 1);
        try {
            while (loops.size() < count) loops.push_back(std::make_shared<LoopImpl>(owner, options.log));
            while (threads.size() < count) {
                threads.emplace_back("qconn-io", [loop = loops[threads.size()], this_core = static_cast<const void*>(this)] {
                    set_thread_owner(this_core);
                    loop->run();
                });
            }
        } catch (const std::system_error& e) {
            // What has been made stays for the next attempt.
            throw make_error(Errc::system,
                             std::string{"starting the I/O threads failed: "} + e.what() + "; the limit on threads or descriptors is too low")
                .with_reason(Reason::local)
                .with_retryable(true);
        }
        has_loops.store(true, std::memory_order_release);
    }

    /// Waits where `wait` says so.
    void stop(bool wait) {
        const Deadline limit = wait ? Deadline{k_stop_limit} : Deadline{Clock::now()};
        bool all = true;
        if (pool) all = pool->stop(limit);
        resolver.reset();
        for (std::size_t i = 0; i < threads.size(); ++i) loops[i]->stop();
        for (auto& thread : threads) all = thread.join(limit) && all;
        if (!all && wait) {
            options.log.write({.level = LogLevel::warning,
                               .connection = {},
                               .event = "runtime-busy",
                               .text =
                                   "the last user of a runtime has gone, but a callback or a blocking call on one of its threads has not returned; "
                                   "that thread is left to itself",
                               .fields = {}});
        }
    }
};

RuntimeImpl::RuntimeImpl(const RuntimeOptions& options) : core_{std::make_shared<Core>(options)} {}

RuntimeImpl::~RuntimeImpl() {
    if (core_->forks != fork_generation()) {
        // Its threads are in the parent, its locks in whatever state they were: nothing of it can be undone here.
        new std::shared_ptr<Core>(std::move(core_));
        return;
    }
    if (process_exits()) {
        core_->stop(false);
    } else if (thread_owner() == core_.get()) {
        try {
            Worker{"qconn-cleanup", [core = core_] { core->stop(true); }}.detach();
        } catch (const std::system_error&) { core_->stop(false); }
    } else {
        core_->stop(true);
    }
}

void RuntimeImpl::check_fork() const {
    if (core_->forks == fork_generation()) return;
    throw make_error(Errc::fork,
                     "this process was forked after its qconn runtime had started, and the threads stayed in the parent; make registries and clients "
                     "in the child, after the fork, or start the child with exec");
}

Loop& RuntimeImpl::loop() { return loop(core_->next.fetch_add(1, std::memory_order_relaxed)); }

Loop& RuntimeImpl::loop(std::size_t number) {
    check_fork();
    if (!core_->has_loops.load(std::memory_order_acquire)) core_->start_loops(shared_from_this());
    return *core_->loops[number % core_->loops.size()];
}

Resolver& RuntimeImpl::resolver() {
    check_fork();
    if (auto* ready = core_->resolver_ready.load(std::memory_order_acquire)) return *ready;
    const std::scoped_lock lock{core_->mutex};
    if (!core_->resolver) core_->resolver = std::make_unique<Resolver>(core_->options.resolver_threads);
    core_->resolver_ready.store(core_->resolver.get(), std::memory_order_release);
    return *core_->resolver;
}

BlockingPool& RuntimeImpl::blocking_pool() {
    check_fork();
    if (auto* ready = core_->pool_ready.load(std::memory_order_acquire)) return *ready;
    const std::scoped_lock lock{core_->mutex};
    if (!core_->pool) core_->pool = std::make_shared<BlockingPool>("qconn-block", core_->options.blocking_threads, core_->options.log, core_.get());
    core_->pool_ready.store(core_->pool.get(), std::memory_order_release);
    return *core_->pool;
}

void RuntimeImpl::post_blocking(UniqueFunction<void()> work) { blocking_pool().post(std::move(work)); }

bool RuntimeImpl::on_io_thread() const noexcept {
    if (!core_->has_loops.load(std::memory_order_acquire)) return false;
    for (const auto& loop : core_->loops) {
        if (loop->on_thread()) return true;
    }
    return false;
}

const Log& RuntimeImpl::log() const noexcept { return core_->options.log; }

const RuntimeOptions& RuntimeImpl::options() const noexcept { return core_->options; }

std::shared_ptr<const TlsContext> RuntimeImpl::tls_context(const TlsOptions& options, std::string_view label) {
    return core_->contexts->get(options, core_->options.log, label);
}

std::shared_ptr<TlsContexts> RuntimeImpl::tls_contexts() const noexcept { return core_->contexts; }

namespace {

/// The default runtime of the process: known here, owned by its users. Locked over a fork, so that the child finds it in order.
struct Default {
    std::mutex mutex;
    std::weak_ptr<RuntimeImpl> impl;
    unsigned forks{fork_generation()};

    Default() {
        pthread_atfork([] { instance().mutex.lock(); }, [] { instance().mutex.unlock(); }, [] { instance().mutex.unlock(); });
    }
    static Default& instance() {
        static auto* const one = new Default;  // never destroyed: users in static storage may outlive everything here
        return *one;
    }

    std::shared_ptr<RuntimeImpl> get() {
        const std::scoped_lock lock{mutex};
        auto shared = impl.lock();
        if (!shared || forks != fork_generation()) {
            shared = std::make_shared<RuntimeImpl>(RuntimeOptions{});
            impl = shared;
            forks = fork_generation();
        }
        return shared;
    }
};

/// Once for the process, before any thread of ours uses these libraries.
void set_up_libraries() {
    static const bool done = [] {
        // No OPENSSL_cleanup at exit: threads that are left to themselves may still be in it.
        OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, nullptr);
        return true;
    }();
    static_cast<void>(done);
}

}  // namespace

}  // namespace qconn::net

namespace qconn {

Runtime::Runtime() {
    net::set_up_libraries();
    impl_ = net::Default::instance().get();
}
Runtime::Runtime(const RuntimeOptions& options) {
    net::set_up_libraries();
    impl_ = std::make_shared<net::RuntimeImpl>(options);
}
Runtime::Runtime(const Runtime&) noexcept = default;
Runtime::Runtime(Runtime&&) noexcept = default;
Runtime& Runtime::operator=(const Runtime&) noexcept = default;
Runtime& Runtime::operator=(Runtime&&) noexcept = default;
Runtime::~Runtime() = default;

net::RuntimeImpl& Runtime::impl() const {
    impl_->check_fork();
    return *impl_;
}

void Runtime::post(std::function<void()> work) const { impl().loop().post(std::move(work)); }

void Runtime::post_blocking(std::function<void()> work) const { impl().post_blocking(std::move(work)); }

bool Runtime::on_io_thread() const noexcept { return impl_->on_io_thread(); }

const Log& Runtime::log() const noexcept { return impl_->log(); }

}  // namespace qconn
