// SPDX-License-Identifier: Apache-2.0
/// Opening TCP sockets as SocketOptions say: for our own dialer and for libcurl.
#pragma once

#include <cstdint>
#include <string>

#include <qconn/net/socket_options.hpp>

#include "net/unique_fd.hpp"

namespace qconn::net {

/// A socket ready to connect, or why not.
struct OpenedSocket {
    UniqueFd fd;
    /// errno where there is none.
    int error{0};
    /// It was taking the local address or port that failed, for another reason than that the address is of the other family.
    bool binding{false};
};

/// What a connection is wanted for, as far as its socket can spare what it does not need.
enum class SocketUse : std::uint8_t {
    lasting,    ///< whatever comes
    exchange,   ///< a ping that ends within its deadline: nobody will ever have to find out whether an idle peer is still there
    handshake,  ///< nothing will be sent: the handshake need not be completed before the connection is reset
};

/// A socket that does not pass to child processes, set up and bound; blocking unless `type` has SOCK_NONBLOCK.
OpenedSocket open_socket(int family, int type, int protocol, const SocketOptions& options, SocketUse use = SocketUse::lasting) noexcept;

/// What is wrong with the options before any system has seen them; empty: nothing.
std::string socket_problem(const SocketOptions& options);

/// "binding to eth0:99 failed: …; …", for a failure with `binding`.
std::string binding_words(const SocketOptions& options, int error);

/// A null pointer stands for these.
const SocketOptions& socket_defaults() noexcept;

}  // namespace qconn::net
