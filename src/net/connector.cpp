// SPDX-License-Identifier: Apache-2.0
#include "net/connector.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "net/socket.hpp"

namespace qconn::net {

namespace {

ConnectStart begin(UniqueFd fd, const sockaddr* address, socklen_t size) noexcept {
    if (::connect(fd.get(), address, size) == 0) return {ConnectStart::Kind::connected, std::move(fd)};
    if (errno != EINPROGRESS && errno != EINTR) return {ConnectStart::Kind::failed, {}, errno};
    // To this machine and to near ones it is often done by now: one look is cheaper than having the descriptor watched.
    const int outcome = connect_outcome(fd.get());
    if (outcome == 0) return {ConnectStart::Kind::connected, std::move(fd)};
    if (outcome != EINPROGRESS) return {ConnectStart::Kind::failed, {}, outcome};
    return {ConnectStart::Kind::pending, std::move(fd)};
}

}  // namespace

ConnectStart start_connect(const sockaddr* address, socklen_t size, const SocketOptions& options, SocketUse use) noexcept {
    auto opened = open_socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP, options, use);
    if (!opened.fd) return {ConnectStart::Kind::failed, {}, opened.error, opened.binding};
    return begin(std::move(opened.fd), address, size);
}

ConnectStart start_connect_unix(std::string_view path) noexcept {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return {ConnectStart::Kind::failed, {}, path.empty() ? ENOENT : ENAMETOOLONG};
    std::memcpy(address.sun_path, path.data(), path.size());
    UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) return {ConnectStart::Kind::failed, {}, errno};
    return begin(std::move(fd), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int connect_outcome(int fd) noexcept {
    pollfd watched{.fd = fd, .events = POLLOUT, .revents = 0};
    if (::poll(&watched, 1, 0) <= 0) return EINPROGRESS;
    if (watched.revents == POLLOUT) return 0;  // an error would show
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
    return error;
}

}  // namespace qconn::net
