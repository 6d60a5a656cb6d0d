// SPDX-License-Identifier: Apache-2.0
#include "net/loop_impl.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

#include "net/poller.hpp"

namespace qconn::net {

namespace {

thread_local const Loop* current_loop = nullptr;

void log_throw(const Log& log, std::string_view words) noexcept {
    log.write({.level = LogLevel::error, .connection = {}, .event = "callback-threw", .text = words, .fields = {}});
}

void log_current_exception(const Log& log) noexcept {
    try {
        throw;
    } catch (const std::exception& e) { log_throw(log, e.what()); } catch (...) {
        log_throw(log, "an exception that is no std::exception");
    }
}

}  // namespace

void run_guarded(UniqueFunction<void()>& work, const Log& log) noexcept {
    try {
        work();
    } catch (...) { log_current_exception(log); }
    work = nullptr;
}

LoopImpl::LoopImpl(std::weak_ptr<RuntimeImpl> owner, Log log)
    : owner_{std::move(owner)}, log_{std::move(log)}, guard_{boost::asio::make_work_guard(context_)}, poller_{std::make_unique<Poller>(*this)} {}

LoopImpl::~LoopImpl() = default;

bool LoopImpl::on_thread() const noexcept { return current_loop == this; }

void LoopImpl::post(UniqueFunction<void()> work) {
    boost::asio::post(context_, [work = std::move(work), this]() mutable { run_guarded(work, log_); });
}

void LoopImpl::run() {
    current_loop = this;
    for (bool stopped = false; !stopped;) {
        try {
            context_.run();
            stopped = true;
        } catch (...) { log_current_exception(log_); }
    }
    guard_.reset();
    context_.restart();
    while (context_.poll() > 0) context_.restart();  // run_guarded() lets nothing through
    current_loop = nullptr;
}

void LoopImpl::run_until(const bool& done) {
    const Loop* const before = std::exchange(current_loop, this);
    while (!done) {
        try {
            context_.run_one();
        } catch (...) { log_current_exception(log_); }
    }
    current_loop = before;
}

void LoopImpl::stop() {
    boost::asio::post(context_, [this] { context_.stop(); });
}

}  // namespace qconn::net
