// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/client.hpp>

#include <atomic>
#include <cstddef>

namespace qconn {

namespace {

/// Beyond a log-in: by then there is somebody who speaks.
bool says_that_it_answered(const Error& error) noexcept {
    switch (error.reason()) {
        case Reason::status:
        case Reason::permission:
        case Reason::not_found:
        case Reason::exists: return error.phase() >= Phase::protocol;
        default: return false;
    }
}

bool says_that_it_did_not(const Error& error) noexcept {
    if (error.phase() < Phase::resolve) return false;
    switch (error.reason()) {
        case Reason::refused:
        case Reason::timeout:
        case Reason::reset:
        case Reason::closed:
        case Reason::unreachable:
        case Reason::unknown_host:
        case Reason::resolver:
        case Reason::certificate_expired:
        case Reason::certificate_untrusted:
        case Reason::certificate_name:
        case Reason::certificate_pin:
        case Reason::certificate_revoked:
        case Reason::handshake:
        case Reason::denied:
        case Reason::bad_answer: return true;
        default: return false;
    }
}

}  // namespace

/// How many operations are under way. Outlives the client with the last of them.
struct ClientCalls {
    /// And one more until somebody waits for their end.
    std::atomic<std::size_t> count{1};
    /// Set before that one goes.
    UniqueFunction<void()> idle;
    /// Null until there is one; then it stays.
    std::atomic<const Client::UseObserver*> observer{nullptr};

    ~ClientCalls() { delete observer.load(std::memory_order_acquire); }
    /// @returns whether it was the last
    bool leave() noexcept { return count.fetch_sub(1, std::memory_order_acq_rel) == 1; }
    void used(const Error* failure, const Transfer& transfer) const noexcept {
        const Client::UseObserver* const observe = observer.load(std::memory_order_acquire);
        if (!observe) return;
        if (!failure || says_that_it_answered(*failure)) return (*observe)(nullptr, transfer);
        if (says_that_it_did_not(*failure)) (*observe)(failure, transfer);
    }
};

Client::Client() : calls_{std::make_shared<ClientCalls>()} {}
Client::~Client() = default;

bool Client::when_idle(UniqueFunction<void()> idle) {
    const auto calls = calls_;  // the last operation may end at once, and the client with it
    calls->idle = std::move(idle);
    return !calls->leave();
}

void Client::observe_uses(UseObserver observer) {
    auto own = std::make_unique<const UseObserver>(std::move(observer));
    const UseObserver* none = nullptr;
    if (calls_->observer.compare_exchange_strong(none, own.get(), std::memory_order_acq_rel)) (void)own.release();
}

void Client::Hold::used(const Error* failure, const Transfer& transfer) const noexcept {
    if (calls_) calls_->used(failure, transfer);
}

Client::Hold Client::hold() const noexcept {
    calls_->count.fetch_add(1, std::memory_order_relaxed);
    return Hold{calls_};
}

Client::Hold::~Hold() {
    if (calls_ && calls_->leave()) calls_->idle();
}

}  // namespace qconn
