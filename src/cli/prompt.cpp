// SPDX-License-Identifier: Apache-2.0
#include "cli/prompt.hpp"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include <qconn/base/error.hpp>

#include "cli/live.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

constexpr std::size_t k_longest = 64 * 1024;

/// Keys come one by one, unseen and without a meaning to the terminal: an interrupt then cannot leave it without its echo.
class Unseen {
public:
    Unseen() : is_terminal_{::tcgetattr(STDIN_FILENO, &before_) == 0} {
        if (!is_terminal_) return;
        termios now = before_;
        now.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
        now.c_cc[VMIN] = 1;
        now.c_cc[VTIME] = 0;
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
    }
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;
    ~Unseen() {
        if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }

private:
    termios before_{};
    bool is_terminal_;
};

/// Waits until standard input has something.
void wait_for_input(std::string_view what, const Patience& patience) {
    if (patience.until.is_never() && patience.signals == nullptr) return;
    for (;;) {
        std::array<pollfd, 2> fds{{{STDIN_FILENO, POLLIN, 0}, {patience.signals ? patience.signals->descriptor() : -1, POLLIN, 0}}};
        const int ready = ::poll(fds.data(), fds.size(), poll_time(patience.until));
        if (patience.signals && patience.signals->take() != 0) break_off();
        if (fds[0].revents != 0) return;
        if (patience.until.has_passed())
            throw Error{Errc::timeout, "TIMEOUT", "waiting for " + std::string{what} + ": nothing came in time; --timeout gives more"}
                .with_phase(Phase::auth)
                .with_reason(Reason::timeout);
        if (ready < 0 && errno != EINTR) return;  // reading says why
    }
}

/// The next byte of standard input; -1 at its end. Not buffered: what follows the line is not ours.
int next_byte(std::string_view what = {}, const Patience& patience = {}) {
    unsigned char byte = 0;
    for (;;) {
        wait_for_input(what, patience);
        const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        return got == 1 ? byte : -1;
    }
}

}  // namespace

void break_off() { throw Error{Errc::cancelled, "CANCELLED", "broken off; nothing was changed"}.with_reason(Reason::cancelled); }

bool at_terminal() noexcept { return ::isatty(STDIN_FILENO) == 1; }

Secret read_secret(std::string_view what, const Patience& patience) {
    constexpr int k_interrupt = 3;
    constexpr int k_end = 4;
    const bool terminal = at_terminal();
    std::string line;
    line.reserve(k_longest);  // growing would leave unwiped copies behind
    int byte = -1;
    {
        const Unseen unseen;  // before the question: what is typed at once must not be seen either
        if (terminal) std::fprintf(stderr, "%s: ", std::string{what}.c_str());
        while ((byte = next_byte(what, patience)) >= 0 && byte != '\n' && line.size() < k_longest) {
            if (terminal && (byte == '\r' || byte == k_interrupt || byte == k_end)) break;
            if (terminal && (byte == '\b' || byte == 0x7F)) {
                while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0U) == 0x80U) line.pop_back();
                if (!line.empty()) line.pop_back();
            } else {
                line += static_cast<char>(byte);
            }
        }
        if (terminal) std::fputs("\n", stderr);
    }
    if (!terminal && line.ends_with('\r')) line.pop_back();
    Secret secret{line};
    wipe(line);
    if (terminal && (byte == k_interrupt || byte == k_end)) throw UsageError("broken off; nothing was changed");
    if (secret.empty()) throw UsageError("no secret was given for " + std::string{what} + "; nothing was changed");
    return secret;
}

bool confirm(std::string_view question) {
    std::fprintf(stderr, "%s [y/N] ", std::string{question}.c_str());
    std::string line;
    for (int byte = next_byte(); byte >= 0 && byte != '\n' && line.size() < 10; byte = next_byte()) line += static_cast<char>(byte);
    return line == "y" || line == "yes" || line == "Y";
}

}  // namespace qconn::cli
