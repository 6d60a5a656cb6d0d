// SPDX-License-Identifier: Apache-2.0
/// What a token server's answer means (RFC 6749 section 5). A pure function.
#pragma once

#include <optional>
#include <string>

#include <qconn/auth/oauth2.hpp>

namespace qconn::auth {

/// A token, or why there is none.
struct TokenOutcome {
    std::optional<Token> token;
    /// The server's `error`, shortened and printable; empty where it names none.
    std::string error;
    /// What is wrong, in words: its `error_description`, or what the answer lacks.
    std::string problem;
    /// An answer of OAuth 2 that says no; false: the server has trouble, or what came is no answer to a request for a token.
    bool refused{false};
};

/// Answers above this size are none.
inline constexpr std::size_t k_most_answer = std::size_t{1024} * 1024;

/// @param now  when the answer came
TokenOutcome read_token_answer(const TokenAnswer& answer, Clock::time_point now);

}  // namespace qconn::auth
