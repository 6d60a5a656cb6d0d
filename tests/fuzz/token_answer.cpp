// SPDX-License-Identifier: Apache-2.0
// Answers of token servers: the first byte says the status and the type, the rest is the body. What is taken for a token can be sent, and its end is
// a time.
#include <array>
#include <cstdint>
#include <string_view>

#include "auth/token_answer.hpp"
#include "fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace qconn;
    if (size == 0) return 0;
    static constexpr std::array<int, 4> k_statuses{200, 400, 401, 503};
    static constexpr std::array<const char*, 4> k_types{"application/json", "application/x-www-form-urlencoded", "text/plain", ""};
    const std::string_view body{reinterpret_cast<const char*>(data) + 1, size - 1};
    const TokenAnswer answer{k_statuses[data[0] % 4U], k_types[data[0] / 4U % 4U], Secret{body}};
    const Clock::time_point now{std::chrono::hours{1}};

    const auth::TokenOutcome outcome = auth::read_token_answer(answer, now);

    if (!outcome.token) {
        QCONN_REQUIRE(outcome.error.size() < 2000 && outcome.problem.size() < 2000);
        return 0;
    }
    QCONN_REQUIRE(answer.status == 200 && outcome.error.empty() && !outcome.refused);
    for (const std::string_view word : {outcome.token->access.reveal(), std::string_view{outcome.token->type}}) {
        QCONN_REQUIRE(!word.empty());
        for (const char c : word) QCONN_REQUIRE(c > ' ' && c < '\x7f');
    }
    QCONN_REQUIRE(outcome.token->expires.has_value() == outcome.token->lifetime.has_value());
    if (outcome.token->expires) QCONN_REQUIRE(*outcome.token->expires >= now && *outcome.token->expires - now == *outcome.token->lifetime);
    return 0;
}
