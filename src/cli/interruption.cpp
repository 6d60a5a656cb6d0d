// SPDX-License-Identifier: Apache-2.0
#include "cli/interruption.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>
#include <utility>

namespace qconn::cli {
namespace {

int event_descriptor() {
    const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return fd;
}

/// As if nobody had blocked it.
void die_of(int number) noexcept {
    std::signal(number, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    std::raise(number);
}

}  // namespace

Interruption::Gentle::Gentle(Interruption& interruption, std::function<void()> stop) : interruption_{interruption} {
    const std::scoped_lock lock{interruption_.mutex_};
    interruption_.stop_ = std::move(stop);
}

Interruption::Gentle::~Gentle() {
    const std::scoped_lock lock{interruption_.mutex_};
    interruption_.stop_ = nullptr;
}

Interruption::Interruption() : signals_{{SIGINT, SIGTERM}}, over_{event_descriptor()}, thread_{[this] { watch(); }} {}

Interruption::~Interruption() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(over_.get(), &one, sizeof one);
    thread_.join();
}

int Interruption::signal() const {
    const std::scoped_lock lock{mutex_};
    return signal_;
}

int Interruption::exit_code() const {
    constexpr int k_of_signals = 128;
    const int number = signal();
    return number == 0 ? 0 : k_of_signals + number;
}

void Interruption::watch() {
    for (;;) {
        std::array<pollfd, 2> fds{{{over_.get(), POLLIN, 0}, {signals_.descriptor(), POLLIN, 0}}};
        if (::poll(fds.data(), fds.size(), -1) < 0) continue;
        if (const int number = signals_.take(); number != 0) take(number);
        if (fds[0].revents != 0) return;
    }
}

void Interruption::take(int number) {
    const std::scoped_lock lock{mutex_};
    if (!stop_ || signal_ != 0) return die_of(number);
    signal_ = number;
    stop_();
}

}  // namespace qconn::cli
