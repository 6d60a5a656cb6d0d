// SPDX-License-Identifier: Apache-2.0
#include "auth/auth_error.hpp"

#include <array>
#include <utility>

namespace qconn {

namespace {

struct Named {
    std::string_view name;
    std::string_view words;
};
// In the order of AuthErrc, which begins with 1.
constexpr std::array<Named, 4> k_codes{{
    {"OAUTH2-ERROR", "the options of OAuth 2 are incomplete or wrong"},
    {"REST-LOGIN-ERROR", "the token server gave no token"},
    {"REST-TOKEN-ERROR", "there is no token, and none can be had"},
    {"AWSRESTCLIENT-ERROR", "the request cannot be signed"},
}};

const Named* find_code(int value) noexcept {
    const auto index = static_cast<std::size_t>(value) - 1;
    return index < k_codes.size() ? &k_codes[index] : nullptr;
}

class AuthCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "qconn.auth"; }
    std::string message(int value) const override {
        const Named* code = find_code(value);
        return std::string{code != nullptr ? code->words : "unknown"};
    }
};

}  // namespace

const std::error_category& auth_category() noexcept {
    static const AuthCategory category;
    return category;
}

std::error_code make_error_code(AuthErrc code) noexcept { return {static_cast<int>(code), auth_category()}; }

namespace auth {

Error make_auth_error(AuthErrc code, std::string message, Reason reason) {
    const Named* named = find_code(static_cast<int>(code));
    Error error{code, named != nullptr ? named->name : k_codes[0].name, std::move(message)};
    error.with_phase(Phase::auth).with_reason(reason);
    return error;
}

}  // namespace auth
}  // namespace qconn
