// SPDX-License-Identifier: Apache-2.0
#include "net/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <qconn/net/net_error.hpp>

#include "net/loop_impl.hpp"
#include "net/threads.hpp"

namespace qconn::net {

namespace {

constexpr std::array<std::uint32_t, 2> k_events{EPOLLIN, EPOLLOUT};  // by Ready
constexpr std::uint32_t k_broken = EPOLLERR | EPOLLHUP;

std::uint32_t events_of(const Poller::Watched& one) noexcept {
    std::uint32_t events = 0;
    for (std::size_t side = 0; side < k_events.size(); ++side) {
        if (one.callbacks[side]) events |= k_events[side];
    }
    return events;
}

[[noreturn]] void refuse(const char* what, int error) {
    throw make_error(Errc::system, std::string{what} + " failed: " + std::strerror(error)).with_reason(Reason::local).with_retryable(true);
}

}  // namespace

Poller::Poller(const Log& log, boost::asio::io_context* context) : log_{log}, set_{::epoll_create1(EPOLL_CLOEXEC)}, forks_{fork_generation()} {
    if (!set_) refuse("making a set of descriptors to watch", errno);
    if (context == nullptr) return;
    boost::system::error_code failed;
    told_.emplace(*context);
    told_->assign(set_.get(), failed);
    if (failed) refuse("watching a set of descriptors", failed.value());
    listen();
}

Poller::~Poller() {
    if (!told_) return;
    // Both have the descriptor, and one closes it. In a child of a fork Asio must not take it out of a set that is the parent's too: it only closes.
    if (forks_ == fork_generation())
        told_->release();
    else
        static_cast<void>(set_.release());
}

void Poller::listen() {
    told_->async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& failed) {
        if (!failed) dispatch();
    });
}

void Poller::want(Watched& one) {
    const std::uint32_t events = events_of(one);
    if (one.in_set && (events & ~one.armed) == 0) return;
    if (const auto fd = static_cast<std::size_t>(one.fd); in_set_.size() <= fd) in_set_.resize(fd + 1);
    if (!arm(one, events)) refuse("watching a descriptor", errno);
}

bool Poller::arm(Watched& one, std::uint32_t events) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &one;
    if (::epoll_ctl(set_.get(), one.in_set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, one.fd, &event) != 0) return false;
    if (!one.in_set) {
        // Its number was that of another one, which was closed before its watch has gone (libcurl 7.88 tells of some ends late, of others not at
        // all): what is in the set now is not that one's to change or to take out.
        Watched*& owner = in_set_[static_cast<std::size_t>(one.fd)];
        if (owner != nullptr) owner->in_set = false;
        owner = &one;
        one.in_set = true;
    }
    one.armed = events;
    return true;
}

void Poller::forget(Watched& one) noexcept {
    if (one.place != k_nowhere) batch_[one.place].data.ptr = nullptr;
    one.place = k_nowhere;
    // Said even where its closing would do: a child of a fork may hold the descriptor too.
    if (!std::exchange(one.in_set, false)) return;
    in_set_[static_cast<std::size_t>(one.fd)] = nullptr;
    if (forks_ != fork_generation()) return;  // the set is the parent's too
    ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, one.fd, nullptr);
}

void Poller::dispatch() {
    for (int i = 0; i < k_batches; ++i) {
        const int ready = ::epoll_wait(set_.get(), batch_.data(), static_cast<int>(k_batch), 0);
        if (ready <= 0) break;
        deal_with(static_cast<std::size_t>(ready));
        if (static_cast<std::size_t>(ready) < k_batch) break;
    }
    listen();
}

void Poller::wait(Clock::time_point until) {
    constexpr int k_longest = 60'000;
    int wait = k_longest;
    if (until != Clock::time_point::max()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, k_longest));
    }
    const int ready = ::epoll_wait(set_.get(), batch_.data(), static_cast<int>(k_batch), wait);
    if (ready > 0) deal_with(static_cast<std::size_t>(ready));
}

void Poller::deal_with(std::size_t ready) {
    for (std::size_t place = 0; place < ready; ++place) static_cast<Watched*>(batch_[place].data.ptr)->place = static_cast<std::uint32_t>(place);
    for (std::size_t place = 0; place < ready; ++place) tell(place);
}

void Poller::tell(std::size_t place) {
    const std::uint32_t events = batch_[place].events;
    const bool broken = (events & k_broken) != 0;
    bool told = false;
    for (std::size_t side = 0; side < k_events.size(); ++side) {
        auto* const one = static_cast<Watched*>(batch_[place].data.ptr);  // gone, when the callback before has let go of it
        if (one == nullptr) return;
        if (!broken && (events & k_events[side]) == 0) continue;
        if (!one->callbacks[side]) continue;
        auto once = std::exchange(one->callbacks[side], nullptr);
        run_guarded(once, log_);
        told = true;
    }
    auto* const one = static_cast<Watched*>(batch_[place].data.ptr);
    if (one == nullptr) return;
    one->place = k_nowhere;
    if (!told) quieten(*one, broken);
}

void Poller::quieten(Watched& one, bool broken) noexcept {
    // That something is broken is told whether it is wanted or not.
    if (!broken && arm(one, events_of(one))) return;
    forget(one);
}

}  // namespace qconn::net
