// SPDX-License-Identifier: Apache-2.0
#include "core/command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "net/unique_fd.hpp"

namespace qconn::core {

namespace {

using net::UniqueFd;

constexpr std::chrono::milliseconds k_slice{50};
constexpr std::size_t k_block = 4096;
constexpr std::size_t k_most_errors = 4096;

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Above standard input, output and error, which the child gets others for.
UniqueFd above_standard(int fd) {
    UniqueFd given{fd};
    if (fd < 0 || fd > STDERR_FILENO) return given;
    return UniqueFd{::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
}

struct Pipe {
    UniqueFd read;
    UniqueFd write;

    bool open() {
        std::array<int, 2> ends{-1, -1};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
        read = above_standard(ends[0]);
        write = above_standard(ends[1]);
        return read && write && ::fcntl(read.get(), F_SETFL, O_NONBLOCK) == 0;
    }
};

struct Actions {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    Actions() {
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attributes);
    }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    ~Actions() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
};

int spawn(pid_t& pid, const std::vector<std::string>& words, int output, int errors) {
    Actions actions;
    int failed = posix_spawn_file_actions_addopen(&actions.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions.files, output, STDOUT_FILENO);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions.files, errors, STDERR_FILENO);
    // The library's own are closed by exec; those of the program that it is in need not be.
    if (!failed) failed = posix_spawn_file_actions_addclosefrom_np(&actions.files, STDERR_FILENO + 1);
    // Threads of the library block all signals, and programs ignore some: a command is to begin as from a shell.
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    if (!failed) failed = posix_spawnattr_setsigdefault(&actions.attributes, &all);
    if (!failed) failed = posix_spawnattr_setsigmask(&actions.attributes, &none);
    if (!failed) failed = posix_spawnattr_setflags(&actions.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (failed) return failed;
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    return posix_spawnp(&pid, arguments.front(), &actions.files, &actions.attributes, arguments.data(), environ);
}

/// The process and what it has started, until its end.
class Child {
public:
    explicit Child(pid_t pid) noexcept : pid_{pid}, ended_{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))} {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        kill();
        siginfo_t info{};
        if (!reaped_) reap(info);
    }

    /// Becomes readable at its end; -1 where the system cannot tell.
    int descriptor() const noexcept { return ended_.get(); }
    /// Whether it has ended, or cannot be waited for. It stays a zombie, so that its number still means its group.
    bool has_ended() noexcept {
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0) return info.si_pid == pid_;
        if (errno == EINTR) return false;
        reaped_ = lost_ = true;  // its number may be another's by now
        return true;
    }
    /// All processes of its group.
    void kill() noexcept {
        if (!reaped_) ::kill(-pid_, SIGKILL);
    }
    /// @returns false where its status was taken by somebody else
    bool reap(siginfo_t& info) noexcept {
        if (lost_) return false;
        int done = 0;
        do done = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED);
        while (done != 0 && errno == EINTR);
        reaped_ = true;
        return done == 0;
    }

private:
    const pid_t pid_;
    const UniqueFd ended_;
    bool reaped_{false};
    bool lost_{false};
};

/// What one pipe has brought.
class Collected {
public:
    explicit Collected(UniqueFd from, std::size_t limit) : from_{std::move(from)}, limit_{limit} { text_.reserve(k_block); }
    Collected(const Collected&) = delete;
    Collected& operator=(const Collected&) = delete;
    ~Collected() { wipe(text_); }

    int descriptor() const noexcept { return from_.get(); }
    bool is_over() const noexcept { return text_.size() > limit_; }
    const std::string& text() const noexcept { return text_; }
    /// All that is there. Stops one block beyond the limit.
    void take() {
        std::array<char, k_block> block{};
        while (from_ && !is_over()) {
            const ssize_t n = ::read(from_.get(), block.data(), block.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) break;
            if (n <= 0) {
                from_.reset();
                break;
            }
            append({block.data(), static_cast<std::size_t>(n)});
        }
        volatile char* const bytes = block.data();
        for (std::size_t i = 0; i < block.size(); ++i) bytes[i] = '\0';
    }
    /// All that is there; of it the end is kept.
    void take_end() {
        for (;;) {
            take();
            if (!is_over()) return;
            std::string rest = text_.substr(text_.size() - limit_);
            wipe(text_);
            text_ = std::move(rest);
        }
    }

private:
    /// Growing by itself would leave unwiped copies behind.
    void append(std::string_view more) {
        if (text_.capacity() - text_.size() < more.size()) {
            std::string larger;
            larger.reserve(text_.capacity() * 2 + more.size());
            larger = text_;
            wipe(text_);
            text_.swap(larger);
        }
        text_ += more;
    }

    UniqueFd from_;
    const std::size_t limit_;
    std::string text_;
};

}  // namespace

std::optional<std::vector<std::string>> split_words(std::string_view line) {
    std::vector<std::string> words;
    std::optional<std::string> word;
    char quote = '\0';
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '\0') return std::nullopt;
        if (quote == '\0' && is_blank(c)) {
            if (word) words.push_back(*std::exchange(word, std::nullopt));
            continue;
        }
        if (!word) word.emplace();
        if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        } else if (c == '\\' && quote != '\'') {
            if (++i == line.size() || line[i] == '\0') return std::nullopt;
            *word += line[i];
        } else {
            *word += c;
        }
    }
    if (quote != '\0') return std::nullopt;
    if (word) words.push_back(*std::move(word));
    return words;
}

CommandOutcome run_command(const std::vector<std::string>& words, const CommandLimits& limits) {
    using End = CommandOutcome::End;
    CommandOutcome outcome;
    Pipe output;
    Pipe errors;
    if (!output.open() || !errors.open()) {
        outcome.code = errno;
        return outcome;
    }
    pid_t pid = 0;
    outcome.code = spawn(pid, words, output.write.get(), errors.write.get());
    if (outcome.code != 0) return outcome;
    Child child{pid};
    output.write.reset();
    errors.write.reset();
    Collected printed{std::move(output.read), limits.max_output};
    Collected complaints{std::move(errors.read), k_most_errors};

    std::optional<End> stopped;
    while (!stopped && !child.has_ended()) {
        if (limits.deadline.has_passed())
            stopped = End::late;
        else if (limits.cancelled && limits.cancelled())
            stopped = End::cancelled;
        else if (printed.is_over())
            stopped = End::too_large;
        if (stopped) break;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::min<Clock::duration>(limits.deadline.remaining(), k_slice));
        std::array<pollfd, 3> waits{{{printed.descriptor(), POLLIN, 0}, {complaints.descriptor(), POLLIN, 0}, {child.descriptor(), POLLIN, 0}}};
        ::poll(waits.data(), waits.size(), static_cast<int>(left.count()));
        printed.take();
        complaints.take_end();
    }
    // Those that it has left behind may hold the pipes open for ever: what is in these by now is all that counts.
    child.kill();
    printed.take();
    complaints.take_end();
    siginfo_t info{};
    const bool known = child.reap(info);
    outcome.errors = complaints.text();
    if (stopped) {
        outcome.end = *stopped;
    } else if (!known) {
        outcome.end = End::lost;
    } else if (info.si_code != CLD_EXITED) {
        outcome.end = End::killed;
        outcome.code = info.si_status;
    } else if (printed.is_over()) {
        outcome.end = End::too_large;
    } else {
        outcome.end = End::exited;
        outcome.code = info.si_status;
        outcome.output = Secret{printed.text()};
    }
    return outcome;
}

}  // namespace qconn::core
