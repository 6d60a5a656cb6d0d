// SPDX-License-Identifier: Apache-2.0
/// Sockets that listen.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/address.hpp"
#include "net/unique_fd.hpp"

namespace qconn::admin {

struct Listening {
    net::UniqueFd fd;  ///< non-blocking, does not pass to child processes
    net::Address address;
    std::uint16_t port{0};
};

/// @param host  an address literal, or "localhost"
/// @throws Error LISTEN-ERROR
Listening listen_on(std::string_view host, std::uint16_t port);

}  // namespace qconn::admin
