// SPDX-License-Identifier: Apache-2.0
#include "admin/listen.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <system_error>

#include <qconn/base/error.hpp>

namespace qconn::admin {

namespace {

std::string advice(int error) {
    switch (error) {
        case EADDRINUSE: return "; another program listens there: choose another port, or 0 for a free one";
        case EACCES: return "; ports below 1024 need a privilege: choose a higher one";
        case EADDRNOTAVAIL: return "; this machine does not have that address";
        default: return "";
    }
}

[[noreturn]] void refuse(std::string_view host, std::uint16_t port, int error) {
    const std::error_code code{error, std::system_category()};
    throw Error{code, "LISTEN-ERROR", "listening on " + net::authority(host, port) + " failed: " + code.message() + advice(error)};
}

}  // namespace

Listening listen_on(std::string_view host, std::uint16_t port) {
    auto address = net::Address::literal(host == "localhost" ? "127.0.0.1" : host);
    if (!address)
        throw Error{std::make_error_code(std::errc::invalid_argument), "LISTEN-ERROR",
                    "listening on " + net::authority(host, port) + " failed: it is no address; write one of this machine, such as 127.0.0.1 or ::1"};
    address->set_port(port);
    net::UniqueFd fd{::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) refuse(host, port, errno);
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // connections of a former process that linger are in nobody's way
    if (::bind(fd.get(), address->data(), address->size()) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) refuse(host, port, errno);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) refuse(host, port, errno);
    const in_port_t number =
        bound.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(bound).sin_port : reinterpret_cast<const sockaddr_in6&>(bound).sin6_port;
    return {std::move(fd), *address, ntohs(number)};
}

}  // namespace qconn::admin
