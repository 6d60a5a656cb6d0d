// SPDX-License-Identifier: Apache-2.0
/// One attempt to connect a socket, without waiting.
#pragma once

#include <sys/socket.h>

#include <string_view>

#include <qconn/net/socket_options.hpp>

#include "net/socket.hpp"
#include "net/unique_fd.hpp"

namespace qconn::net {

/// What starting an attempt came to.
struct ConnectStart {
    enum class Kind { connected, pending, failed };
    Kind kind{Kind::failed};
    UniqueFd fd;
    int error{0};
    /// As in OpenedSocket.
    bool binding{false};
};

ConnectStart start_connect(const sockaddr* address, socklen_t size, const SocketOptions& options, SocketUse use) noexcept;
/// To a UNIX socket. One whose queue is full fails with EAGAIN.
ConnectStart start_connect_unix(std::string_view path) noexcept;

/// The outcome of a pending one: 0 connected, EINPROGRESS, or the error.
int connect_outcome(int fd) noexcept;

}  // namespace qconn::net
