// SPDX-License-Identifier: Apache-2.0
#include "support/black_hole.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "support/free_port.hpp"

namespace qconn::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

}  // namespace

BlackHole::BlackHole(std::uint16_t port) : port_{port} {
    listener_ = listen_on(port_, 0);
    const sockaddr_in address = loopback(port_);
    for (int i = 0; i < 8; ++i) {  // the first one or two still get in
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        fillers_.push_back(fd);
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        pollfd wait{fd, POLLOUT, 0};
        if (::poll(&wait, 1, 100) == 0) return;
    }
    throw std::runtime_error{"the queue of a listening socket does not fill"};
}

BlackHole::~BlackHole() {
    for (const int fd : fillers_) ::close(fd);
    ::close(listener_);
}

SilentServer::SilentServer() { listener_ = listen_on(port_, 1024); }
SilentServer::~SilentServer() { ::close(listener_); }

}  // namespace qconn::test
