// SPDX-License-Identifier: Apache-2.0
/// Sockets and threads of servers that live in the process of a test.
#pragma once

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace qconn::testing {

/// A descriptor; closed with this.
class Fd {
public:
    explicit Fd(int fd = -1) noexcept : fd_{fd} {}
    Fd(Fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_;
};

[[noreturn]] inline void fail(const char* what) {
    throw std::system_error{errno, std::generic_category(), std::string{"a server for tests: "} + what};
}

inline Fd tcp_socket() {
    Fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd) fail("a socket");
    return fd;
}

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline bool bind_to(const Fd& fd, std::uint16_t port) {
    const sockaddr_in address = loopback(port);
    return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

inline std::uint16_t port_of(const Fd& fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("its port");
    return ntohs(address.sin_port);
}

/// A socket that has a port, also while it does not listen: bound by number, as the system takes back a port that it chose itself.
inline Fd bound_socket() {
    for (int tries = 0; tries < 50; ++tries) {
        Fd chosen = tcp_socket();
        if (!bind_to(chosen, 0)) fail("a free port");
        const std::uint16_t port = port_of(chosen);
        chosen = Fd{};
        Fd fd = tcp_socket();
        const int on = 1;
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind_to(fd, port)) return fd;
    }
    fail("a free port");
}

inline void reset_on_close(const Fd& fd) {
    const linger now{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/// Signals are for the threads of the program.
template <class Work>
std::thread thread_without_signals(Work work) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread{std::move(work)};
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

}  // namespace qconn::testing
