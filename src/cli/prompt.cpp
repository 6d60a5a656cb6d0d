// SPDX-License-Identifier: Apache-2.0
#include "cli/prompt.hpp"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

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

/// The next byte of standard input; -1 at its end. Not buffered: what follows the line is not ours.
int next_byte() {
    unsigned char byte = 0;
    for (;;) {
        const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        return got == 1 ? byte : -1;
    }
}

}  // namespace

bool at_terminal() noexcept { return ::isatty(STDIN_FILENO) == 1; }

Secret read_secret(std::string_view what) {
    constexpr int k_interrupt = 3;
    constexpr int k_end = 4;
    const bool terminal = at_terminal();
    std::string line;
    line.reserve(k_longest);  // growing would leave unwiped copies behind
    int byte = -1;
    {
        const Unseen unseen;  // before the question: what is typed at once must not be seen either
        if (terminal) std::fprintf(stderr, "%s: ", std::string{what}.c_str());
        while ((byte = next_byte()) >= 0 && byte != '\n' && line.size() < k_longest) {
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
