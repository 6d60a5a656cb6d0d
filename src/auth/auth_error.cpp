// SPDX-License-Identifier: Apache-2.0
#include "auth/auth_error.hpp"

#include <array>
#include <utility>

#include "base/code_category.hpp"

namespace qconn {

namespace {

// In the order of AuthErrc, which begins with 1.
constexpr std::array<CodeWords, 4> k_codes{{
    {"OAUTH2-ERROR", "the options of OAuth 2 are incomplete or wrong"},
    {"REST-LOGIN-ERROR", "the token server gave no token"},
    {"REST-TOKEN-ERROR", "there is no token, and none can be had"},
    {"AWSRESTCLIENT-ERROR", "the request cannot be signed"},
}};

}  // namespace

const std::error_category& auth_category() noexcept {
    static const CodeCategory category{"qconn.auth", k_codes};
    return category;
}

std::error_code make_error_code(AuthErrc code) noexcept { return {static_cast<int>(code), auth_category()}; }

namespace auth {

Error make_auth_error(AuthErrc code, std::string message, Reason reason) {
    Error error{code, code_name(k_codes, code), std::move(message)};
    error.with_phase(Phase::auth).with_reason(reason);
    return error;
}

}  // namespace auth
}  // namespace qconn
