// SPDX-License-Identifier: Apache-2.0
/// Where a connection goes to, and by which way.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

/// A proxy on the way. A value type.
struct Proxy {
    enum class Kind : std::uint8_t {
        http,  ///< CONNECT, RFC 9110 section 9.3.6
    };
    Kind kind{Kind::http};
    std::string host;
    std::uint16_t port{80};
    std::string username;
    Secret password;

    /// From a URL such as `http://user:password@proxy:3128`; without a scheme `http` is meant, the port then is 80.
    /// @throws Error PROXY-ERROR where the scheme is not one that can be used
    QCONN_API static Proxy parse(std::string_view url);

    friend bool operator==(const Proxy&, const Proxy&) = default;
};

/// A place to connect to and how to get there: addresses, proxy, TLS. A value type.
struct Endpoint {
    /// Name or address; with is_socket the path of a UNIX socket.
    std::string host;
    std::uint16_t port{0};
    bool is_socket{false};
    std::optional<Proxy> proxy{};
    /// Null: no TLS. Shared, as many connections use the same settings.
    std::shared_ptr<const TlsOptions> tls{};
    /// Offered in the handshake, most wanted first.
    std::vector<std::string> alpn{};
};

}  // namespace qconn
