// SPDX-License-Identifier: Apache-2.0
/// What programs see of the module: an interface, so that they need this header and nothing to link.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>

namespace redis {

/// A client of one Redis server, version 2.6 and later. Connects with the first call, and anew after a failed one.
/// All calls throw qconn::Error REDIS-ERROR: phases connect, auth and protocol; the server's own words are in the message.
/// @note Thread-safe; calls on one client are serialised.
class RedisClient : public qconn::Client {
public:
    /// Absent where there is no such key.
    virtual std::optional<std::string> get(std::string_view key, qconn::Deadline deadline = {}) = 0;
    virtual void set(std::string_view key, std::string_view value, qconn::Deadline deadline = {}) = 0;
};

}  // namespace redis
