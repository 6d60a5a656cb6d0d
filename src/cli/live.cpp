// SPDX-License-Identifier: Apache-2.0
#include "cli/live.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "cli/output.hpp"

namespace qconn::cli {
namespace {

constexpr std::string_view k_enter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view k_leave = "\x1b[?25h\x1b[?1049l";

/// For what must not throw: the terminal's modes.
void put_raw(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto n = ::write(STDOUT_FILENO, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

int checked(int fd, const char* what) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
    return fd;
}

/// A signal is blocked, or is not, for as long as it lives.
class MaskedSignal {
public:
    MaskedSignal(int number, int how) noexcept {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, number);
        pthread_sigmask(how, &set, &before_);
    }
    MaskedSignal(const MaskedSignal&) = delete;
    MaskedSignal& operator=(const MaskedSignal&) = delete;
    ~MaskedSignal() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

}  // namespace

int poll_time(Deadline until) noexcept {
    if (until.is_never()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until.remaining()).count();
    return static_cast<int>(std::min<std::int64_t>(left, INT_MAX));
}

Descriptor::~Descriptor() { ::close(fd_); }

int Signals::open(const std::vector<int>& numbers) {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : numbers) sigaddset(&set, number);
    if (const int code = pthread_sigmask(SIG_BLOCK, &set, nullptr); code != 0)
        throw std::system_error(code, std::generic_category(), "blocking signals");
    return checked(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), "waiting for signals");
}

Signals::Signals(const std::vector<int>& numbers) : fd_{open(numbers)} {}

int Signals::take() noexcept {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

bool Signals::pending() const noexcept {
    pollfd one{fd_.get(), POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
}

Inbox::Inbox() : fd_{checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")} {}

void Inbox::put(const Event& event) {
    const std::lock_guard lock{mutex_};
    events_.push_back(event);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(fd_.get(), &one, sizeof one);  // fails only when it is set already
}

std::vector<Event> Inbox::take() {
    const std::lock_guard lock{mutex_};
    std::uint64_t count = 0;
    [[maybe_unused]] const auto n = ::read(fd_.get(), &count, sizeof count);
    return std::exchange(events_, {});
}

bool Stream::write(std::string_view text, const Signals& signals) {
    constexpr std::chrono::milliseconds k_moment{500};
    Deadline patience = hurried_ ? Deadline{k_moment} : Deadline{};  // set by a signal
    while (!text.empty()) {
        std::array<pollfd, 2> fds{{{STDOUT_FILENO, POLLOUT, 0}, {signals.descriptor(), POLLIN, 0}}};
        const nfds_t n = patience.is_never() ? 2 : 1;  // a pending signal would end every wait at once
        if (::poll(fds.data(), n, poll_time(patience)) < 0 && errno != EINTR) throw OutputError(std::string{"poll: "} + std::strerror(errno));
        if ((fds[0].revents & (POLLERR | POLLNVAL)) != 0) return false;
        if ((fds[0].revents & POLLOUT) == 0) {
            if (patience.has_passed()) return false;
            if (patience.is_never() && signals.pending()) patience = Deadline{k_moment};
            continue;
        }
        // A pipe that can be written to takes PIPE_BUF bytes without blocking.
        const auto written = ::write(STDOUT_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (written >= 0)
            text.remove_prefix(static_cast<std::size_t>(written));
        else if (errno == EPIPE || errno == EIO)
            return false;
        else if (errno != EINTR && errno != EAGAIN)
            throw OutputError(std::string{"writing to standard output failed: "} + std::strerror(errno));
    }
    return true;
}

Keyboard::Keyboard() noexcept {
    termios modes{};
    if (::tcgetpgrp(STDIN_FILENO) != ::getpgrp() || ::tcgetattr(STDIN_FILENO, &modes) != 0) return;
    before_ = modes;
    modes.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C and Ctrl-Z stay signals
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

Keyboard::~Keyboard() {
    if (!before_) return;
    const MaskedSignal not_stopped{SIGTTOU, SIG_BLOCK};  // where it has become a job in the background
    ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
}

char Keyboard::take() noexcept {
    char key = 0;
    const auto n = ::read(STDIN_FILENO, &key, 1);
    ended_ = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
    return n == 1 ? key : '\0';
}

Wake wait_for(Signals& signals, const Inbox* inbox, Keyboard* keyboard, Deadline until) {
    const bool keys = keyboard != nullptr && keyboard->there();
    std::array<pollfd, 4> fds{{{signals.descriptor(), POLLIN, 0},
                               {inbox != nullptr ? inbox->descriptor() : -1, POLLIN, 0},
                               {STDOUT_FILENO, 0, 0},
                               {keys ? STDIN_FILENO : -1, POLLIN, 0}}};
    Wake wake;
    if (::poll(fds.data(), fds.size(), poll_time(until)) <= 0) return wake;
    if (fds[0].revents != 0) wake.signal = signals.take();
    if (fds[3].revents != 0 && wake.signal == 0) wake.key = keyboard->take();
    wake.reader_gone = (fds[2].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    return wake;
}

void suspend_job() noexcept {
    ::raise(SIGTSTP);
    const MaskedSignal here{SIGTSTP, SIG_UNBLOCK};
}

TerminalSize terminal_size() noexcept {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
    return {size.ws_row, size.ws_col};
}

FullScreen::FullScreen() { put_raw(k_enter); }
FullScreen::~FullScreen() { put_raw(k_leave); }

std::string FullScreen::frame(const std::vector<std::string>& lines) {
    std::string text = "\x1b[H";
    for (const std::string& line : lines) (text += line) += "\x1b[K\r\n";
    return text += "\x1b[J";
}

}  // namespace qconn::cli
