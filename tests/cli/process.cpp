// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "support/wait.hpp"

namespace qconn::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
    std::array<int, 2> fds{-1, -1};
    Pipe() {
        if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    }
};

[[noreturn]] void become(const Launch& launch) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!launch.directory.empty() && ::chdir(launch.directory.c_str()) != 0) ::_exit(126);
    for (const std::string& one : launch.environment) ::putenv(const_cast<char*>(one.c_str()));
    std::vector<char*> argv{const_cast<char*>(launch.program.c_str())};
    for (const std::string& argument : launch.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(launch.program.c_str(), argv.data());
    ::_exit(127);
}

}  // namespace

Process::Process(const Launch& launch) {
    if (launch.terminal) {
        winsize size{40, 120, 0, 0};
        pid_ = ::forkpty(&out_fd_, nullptr, nullptr, &size);
        if (pid_ < 0) throw std::runtime_error("forkpty");
        if (pid_ == 0) become(launch);
        return;
    }
    const Pipe out;
    const Pipe err;
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
        const int null = ::open("/dev/null", O_RDONLY);
        ::dup2(null, STDIN_FILENO);
        ::dup2(out.fds[1], STDOUT_FILENO);
        ::dup2(err.fds[1], STDERR_FILENO);
        become(launch);
    }
    ::close(out.fds[1]);
    ::close(err.fds[1]);
    out_fd_ = out.fds[0];
    err_fd_ = err.fds[0];
}

Process::~Process() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    if (out_fd_ >= 0) ::close(out_fd_);
    if (err_fd_ >= 0) ::close(err_fd_);
}

bool Process::read_some(Clock::time_point end) {
    while (out_fd_ >= 0 || err_fd_ >= 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        if (left <= 0) return false;
        std::array<pollfd, 2> fds{{{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}}};
        if (::poll(fds.data(), fds.size(), static_cast<int>(left)) <= 0) return false;
        bool read_out = false;
        for (std::size_t i = 0; i < fds.size(); ++i) {
            if (fds[i].revents == 0) continue;
            std::array<char, 65536> block{};
            const auto n = ::read(fds[i].fd, block.data(), block.size());
            int& fd = i == 0 ? out_fd_ : err_fd_;
            if (n <= 0) {  // a terminal whose child has gone says EIO
                ::close(fd);
                fd = -1;
            } else {
                (i == 0 ? out_ : err_).append(block.data(), static_cast<std::size_t>(n));
            }
            read_out = read_out || i == 0;
        }
        if (read_out) return true;
    }
    return false;
}

std::optional<std::string> Process::line(std::chrono::milliseconds limit) {
    const auto end = Clock::now() + limit;
    for (;;) {
        if (const auto at = out_.find('\n'); at != std::string::npos) {
            std::string line = out_.substr(0, at);
            out_.erase(0, at + 1);
            return line;
        }
        if (!read_some(end)) return std::nullopt;
    }
}

bool Process::wait_for(std::string_view text, std::chrono::milliseconds limit) {
    const auto end = Clock::now() + limit;
    while (out_.find(text) == std::string::npos) {
        if (!read_some(end)) return out_.find(text) != std::string::npos;
    }
    return true;
}

void Process::signal(int number) const { ::kill(pid_, number); }

void Process::type(std::string_view keys) const {
    if (::write(out_fd_, keys.data(), keys.size()) < 0) throw std::runtime_error("typing");
}

void Process::resize(unsigned short rows, unsigned short columns) const {
    const winsize size{rows, columns, 0, 0};
    if (::ioctl(out_fd_, TIOCSWINSZ, &size) != 0) throw std::runtime_error("resizing");
}

bool Process::in_line_mode() const {
    termios modes{};
    if (::tcgetattr(out_fd_, &modes) != 0) throw std::runtime_error("asking for the modes of the terminal");
    return (modes.c_lflag & ICANON) != 0 && (modes.c_lflag & ECHO) != 0;
}

std::size_t Process::unread() const {
    int bytes = 0;
    return ::ioctl(out_fd_, FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool Process::ends_unread(std::chrono::milliseconds limit) {
    siginfo_t info{};
    return wait_until([&] { return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_; },
                      limit);
}

void Process::close_output() {
    ::close(out_fd_);
    out_fd_ = -1;
}

Outcome Process::finish(std::chrono::milliseconds limit) {
    const auto end = Clock::now() + limit;
    while (read_some(end)) {}
    int status = 0;
    pid_t waited = 0;
    while ((waited = ::waitpid(pid_, &status, WNOHANG)) == 0 && Clock::now() < end) ::usleep(1000);
    if (waited == 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, &status, 0);
    }
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), std::move(out_), std::move(err_)};
}

Launch qconn_launch(std::vector<std::string> arguments, std::vector<std::string> environment, std::string directory) {
    return {QCONN_TOOL, std::move(arguments), std::move(environment), std::move(directory)};
}

Outcome run_qconn(const std::vector<std::string>& arguments, const std::vector<std::string>& environment, const std::string& directory) {
    return Process{qconn_launch(arguments, environment, directory)}.finish();
}

}  // namespace qconn::test
