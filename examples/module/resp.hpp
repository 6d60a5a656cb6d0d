// SPDX-License-Identifier: Apache-2.0
/// The wire format, RESP2 (https://redis.io/docs/reference/protocol-spec), without I/O.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>

namespace redis {

/// Longest line and longest value that are taken from a server; the latter is Redis' own limit.
inline constexpr std::size_t k_max_line = 64 * 1024;
inline constexpr std::size_t k_max_value = 512 * 1024 * 1024;

struct Reply {
    enum class Kind { text, nothing, error };
    Kind kind{Kind::text};
    std::string text;
};

/// Appends a command in wire format.
void put_command(std::string& out, std::initializer_list<std::string_view> words);

/// One reply at the front of `input`, and how much of it that took. Absent: more input is needed.
/// @throws qconn::Error REDIS-ERROR (bad_answer, limit) where it is none
struct Taken {
    Reply reply;
    std::size_t used{0};
};
std::optional<Taken> take_reply(std::string_view input);

qconn::Error failure(qconn::Phase phase, qconn::Reason reason, const std::string& what);
/// The error that an error reply stands for: refused credentials are told from other refusals.
qconn::Error failure(const Reply& reply, const std::string& what);

}  // namespace redis
