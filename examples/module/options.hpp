// SPDX-License-Identifier: Apache-2.0
/// What a client and a ping need to know of a connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <qconn/base/secret.hpp>
#include <qconn/net/dialogue.hpp>

#include "redis_client.hpp"

namespace redis {

struct RedisOptions {
    /// For messages: the connection's name.
    std::string label;
    std::string host;
    std::uint16_t port{6379};
    /// Empty: the server's default user.
    std::string username;
    /// Empty: no log-in.
    qconn::Secret password;
    std::int64_t database{0};
    /// Longest silence of the server.
    std::chrono::milliseconds timeout{5000};
};

/// Appends the commands that log in; none where there is no password. Returns how many replies they get.
int put_login(std::string& out, const RedisOptions& options);

std::shared_ptr<RedisClient> make_client(RedisOptions options);
/// AUTH where there is a password, and PING; `with_version` asks for the server's version too.
std::unique_ptr<qconn::Dialogue> make_ping(const RedisOptions& options, bool with_version);

}  // namespace redis
