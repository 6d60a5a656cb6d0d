// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>

using qconn::Deadline;
using qconn::Phase;
using qconn::Reason;

namespace redis {

namespace {

qconn::Error system_failure(Phase phase, const std::string& what, int code) {
    const Reason reason = code == ECONNREFUSED                          ? Reason::refused
                          : code == ECONNRESET || code == EPIPE         ? Reason::reset
                          : code == ENETUNREACH || code == EHOSTUNREACH ? Reason::unreachable
                                                                        : Reason::local;
    return failure(phase, reason, what + " failed: " + std::system_category().message(code)).with_retryable(true);
}

/// Until the socket can be read from or written to.
void await(int fd, short what, Deadline deadline, Phase phase) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::min<qconn::Clock::duration>(deadline.remaining(), std::chrono::hours{1}));
        pollfd one{fd, what, 0};
        const int ready = ::poll(&one, 1, static_cast<int>(left.count()));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) throw system_failure(phase, "waiting for the server", errno);
        if (deadline.has_passed()) throw failure(phase, Reason::timeout, "the server did not answer in time").with_retryable(true);
    }
}

/// Whether it is connected then; errno says why not.
bool connect_to(int fd, const addrinfo& address, Deadline deadline) {
    if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return true;
    if (errno != EINPROGRESS) return false;
    await(fd, POLLOUT, deadline, Phase::connect);
    int code = 0;
    socklen_t size = sizeof code;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
    errno = code;
    return code == 0;
}

/// Closes a descriptor unless it was let go.
struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

}  // namespace

Connection::Connection(const std::string& host, std::uint16_t port, Deadline deadline) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string where = host + ":" + std::to_string(port);
    if (const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); code != 0)
        throw failure(Phase::resolve, Reason::unknown_host, "looking up " + host + " failed: " + ::gai_strerror(code))
            .with_retryable(code == EAI_AGAIN);
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{found, &::freeaddrinfo};
    int code = 0;
    for (const addrinfo* one = found; one; one = one->ai_next) {
        Descriptor socket{::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        if (socket.fd >= 0 && connect_to(socket.fd, *one, deadline)) {
            std::swap(fd_, socket.fd);
            return;
        }
        code = errno;
    }
    throw system_failure(Phase::connect, "connecting to " + where, code);
}

Connection::~Connection() { ::close(fd_); }

Reply Connection::exchange(std::string_view command, Deadline deadline) {
    while (!command.empty()) {
        const auto sent = ::send(fd_, command.data(), command.size(), MSG_NOSIGNAL);
        if (sent >= 0)
            command.remove_prefix(static_cast<std::size_t>(sent));
        else if (errno == EAGAIN)
            await(fd_, POLLOUT, deadline, Phase::protocol);
        else if (errno != EINTR)
            throw system_failure(Phase::protocol, "sending to the server", errno);
    }
    for (;;) {
        if (auto taken = take_reply(input_)) {
            input_.erase(0, taken->used);
            return std::move(taken->reply);
        }
        char block[16 * 1024];
        const auto got = ::recv(fd_, block, sizeof block, 0);
        if (got > 0)
            input_.append(block, static_cast<std::size_t>(got));
        else if (got == 0)
            throw failure(Phase::protocol, Reason::closed, "the server closed the connection before it had answered").with_retryable(true);
        else if (errno == EAGAIN)
            await(fd_, POLLIN, deadline, Phase::protocol);
        else if (errno != EINTR)
            throw system_failure(Phase::protocol, "reading from the server", errno);
    }
}

}  // namespace redis
