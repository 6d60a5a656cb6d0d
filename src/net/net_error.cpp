// SPDX-License-Identifier: Apache-2.0
#include <qconn/net/net_error.hpp>

#include <array>

#include "base/code_category.hpp"

namespace qconn {

namespace {

// In the order of NetErrc, which begins with 1.
constexpr std::array<CodeWords, 6> k_net_codes{{
    {"RESOLVE-ERROR", "name resolution failed"},
    {"SOCKET-CONNECT-ERROR", "connecting failed"},
    {"PROXY-ERROR", "the proxy failed"},
    {"SOCKET-SSL-ERROR", "TLS failed"},
    {"SOCKET-ERROR", "the connection broke"},
    {"TLS-OPTION-ERROR", "wrong TLS option"},
}};

}  // namespace

const std::error_category& net_category() noexcept {
    static const CodeCategory category{"qconn.net", k_net_codes};
    return category;
}

std::error_code make_error_code(NetErrc code) noexcept { return {static_cast<int>(code), net_category()}; }

std::string_view error_name(NetErrc code) noexcept { return code_name(k_net_codes, code); }

}  // namespace qconn
