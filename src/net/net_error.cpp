// SPDX-License-Identifier: Apache-2.0
#include <qconn/net/net_error.hpp>

#include <string>

namespace qconn {

namespace {

class NetCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "qconn.net"; }
    std::string message(int code) const override {
        switch (static_cast<NetErrc>(code)) {
            case NetErrc::resolve: return "name resolution failed";
            case NetErrc::connect: return "connecting failed";
            case NetErrc::proxy: return "the proxy failed";
            case NetErrc::ssl: return "TLS failed";
            case NetErrc::io: return "the connection broke";
            case NetErrc::tls_option: return "wrong TLS option";
        }
        return "unknown network error";
    }
};

}  // namespace

const std::error_category& net_category() noexcept {
    static const NetCategory category;
    return category;
}

std::error_code make_error_code(NetErrc code) noexcept { return {static_cast<int>(code), net_category()}; }

std::string_view error_name(NetErrc code) noexcept {
    switch (code) {
        case NetErrc::resolve: return "RESOLVE-ERROR";
        case NetErrc::connect: return "SOCKET-CONNECT-ERROR";
        case NetErrc::proxy: return "PROXY-ERROR";
        case NetErrc::ssl: return "SOCKET-SSL-ERROR";
        case NetErrc::io: return "SOCKET-ERROR";
        case NetErrc::tls_option: return "TLS-OPTION-ERROR";
    }
    return "SOCKET-ERROR";
}

}  // namespace qconn
