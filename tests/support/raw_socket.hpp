// SPDX-License-Identifier: Apache-2.0
/// A TCP client without any library, for tests of the fixtures.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace qconn::test {

struct RawSocket {
    explicit RawSocket(std::uint16_t port) : fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    RawSocket(const RawSocket&) = delete;
    RawSocket& operator=(const RawSocket&) = delete;
    ~RawSocket() { ::close(fd); }
    /// The system's error; ETIMEDOUT where none came in time, 0: it is connected.
    int connect_error(std::chrono::milliseconds limit) const {
        pollfd wait{fd, POLLOUT, 0};
        if (::poll(&wait, 1, static_cast<int>(limit.count())) != 1) return ETIMEDOUT;
        int error = 0;
        socklen_t size = sizeof error;
        return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
    }
    bool connected(std::chrono::milliseconds limit) const { return connect_error(limit) == 0; }
    void say(const std::string& text) const { ::send(fd, text.data(), text.size(), MSG_NOSIGNAL); }
    /// What comes within the time; stops after `enough` bytes, and where the peer closes ("EOF" is appended) or breaks off ("RST").
    std::string hear(std::chrono::milliseconds limit, std::size_t enough = 12) const {
        std::string answer;
        pollfd wait{fd, POLLIN, 0};
        while (answer.size() < enough && ::poll(&wait, 1, static_cast<int>(limit.count())) == 1) {
            char block[4096];
            const auto n = ::recv(fd, block, sizeof block, 0);
            if (n < 0) return answer + "RST";
            if (n == 0) return answer + "EOF";
            answer.append(block, static_cast<std::size_t>(n));
        }
        return answer;
    }
    std::string ask(const std::string& text, std::chrono::milliseconds limit, std::size_t enough = 12) const {
        if (!connected(limit)) return "not connected";
        say(text);
        return hear(limit, enough);
    }
    int fd;
};

}  // namespace qconn::test
