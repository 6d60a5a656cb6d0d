// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <string_view>

#include "cli/output.hpp"

namespace qconn::cli {
namespace {

constexpr std::chrono::milliseconds k_first{400};
constexpr std::chrono::milliseconds k_next{200};

/// What does not fit would go on in a second line, which could not be erased.
std::size_t columns() noexcept {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79U;
}

/// Lost progress is no error.
void put(std::string_view text) noexcept { [[maybe_unused]] const auto n = ::write(STDERR_FILENO, text.data(), text.size()); }

}  // namespace

Progress::Progress(std::function<std::string()> text) : text_{std::move(text)} {
    if (::isatty(STDERR_FILENO) == 1) thread_ = std::thread{[this] { run(); }};
}

Progress::~Progress() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        ends_ = true;
    }
    wake_.notify_one();
    thread_.join();
    erase();
}

void Progress::aside(const std::function<void()>& write) {
    const std::lock_guard lock{mutex_};
    erase();
    write();
}

void Progress::erase() {
    if (shown_) put("\r\x1b[K");
    shown_ = false;
}

void Progress::run() {
    std::unique_lock lock{mutex_};
    for (auto wait = k_first; !wake_.wait_for(lock, wait, [this] { return ends_; }); wait = k_next) {
        std::string line = printable(text_());
        if (width(line) > columns()) line = line.substr(0, columns());
        put("\r" + line + "\x1b[K");
        shown_ = true;
    }
}

}  // namespace qconn::cli
