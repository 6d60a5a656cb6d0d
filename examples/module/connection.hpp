// SPDX-License-Identifier: Apache-2.0
/// A blocking TCP connection whose every wait has an end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>

#include "resp.hpp"

namespace redis {

/// @note One thread at a time.
class Connection {
public:
    /// Names are looked up by the system's resolver, which knows no deadline.
    /// @throws qconn::Error REDIS-ERROR (phases resolve and connect)
    Connection(const std::string& host, std::uint16_t port, qconn::Deadline deadline);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    /// Sends a command and waits for its reply, an error reply included.
    /// @throws qconn::Error REDIS-ERROR; this connection is of no use any more then
    Reply exchange(std::string_view command, qconn::Deadline deadline);

private:
    int fd_{-1};
    std::string input_;
};

}  // namespace redis
