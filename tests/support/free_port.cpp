// SPDX-License-Identifier: Apache-2.0
#include "support/free_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>

namespace qconn::test {
namespace {

// An abstract UNIX socket of that name is the claim: one process can bind it, and the system lets go of it when that one ends. It is kept open
// on purpose and never closed.
bool claim(std::uint16_t port) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw std::runtime_error{std::string{"socket: "} + std::strerror(errno)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "qconn-test-port-" + std::to_string(port);
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return true;
    ::close(fd);
    return false;
}

bool nothing_listens(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw std::runtime_error{std::string{"socket: "} + std::strerror(errno)};
    const int on = 1;  // as servers do: connections in TIME_WAIT do not matter
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return free;
}

}  // namespace

std::uint16_t free_port() {
    static thread_local std::mt19937 random{std::random_device{}()};
    std::uniform_int_distribution<int> ports{12'000, 31'999};
    for (int i = 0; i < 2'000; ++i) {
        const auto port = static_cast<std::uint16_t>(ports(random));
        if (claim(port) && nothing_listens(port)) return port;
    }
    throw std::runtime_error{"no free port between 12000 and 31999"};
}

int listen_on(std::uint16_t& port, int backlog) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const int on = 1;
    if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, backlog) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error{std::string{"cannot listen on 127.0.0.1: "} + std::strerror(errno)};
    }
    port = ntohs(address.sin_port);
    return fd;
}

}  // namespace qconn::test
