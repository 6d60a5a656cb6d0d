// SPDX-License-Identifier: Apache-2.0
#include <qconn/net/ping.hpp>

#include <qconn/net/dialogue.hpp>

namespace qconn {

std::string_view to_string(PingDepth depth) noexcept {
    switch (depth) {
        case PingDepth::standard: return "standard";
        case PingDepth::connect: return "connect";
        case PingDepth::tls: return "tls";
        case PingDepth::auth: return "auth";
        case PingDepth::full: return "full";
    }
    return "standard";
}

std::string_view to_string(Credential::Kind kind) noexcept {
    switch (kind) {
        case Credential::Kind::client_certificate: return "client certificate";
        case Credential::Kind::token: return "token";
        case Credential::Kind::host_key: return "host key";
    }
    return "client certificate";
}

Dialogue::~Dialogue() = default;

}  // namespace qconn
