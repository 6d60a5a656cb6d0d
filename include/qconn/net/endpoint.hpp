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
#include <qconn/net/socket_options.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

/// A proxy on the way. A value type.
struct QCONN_API Proxy {
    enum class Kind : std::uint8_t {
        http,     ///< CONNECT, RFC 9110 section 9.3.6
        https,    ///< the same, with TLS between here and the proxy
        socks4,   ///< IPv4 only; names are looked up here
        socks4a,  ///< as socks4, but the proxy looks names up
        socks5,   ///< RFC 1928; names are looked up here
        socks5h,  ///< as socks5, but the proxy looks names up
    };
    /// How user name and password are shown to an HTTP proxy.
    enum class Auth : std::uint8_t {
        basic,   ///< at once, readable for whoever listens in
        digest,  ///< RFC 7616 (MD5, SHA-256), after the proxy has asked; the password stays here
        any,     ///< after the proxy has asked: digest where it offers that, else basic
    };
    Kind kind{Kind::http};
    std::string host;
    std::uint16_t port{80};
    /// Empty, and no password: none are sent. The user id with SOCKS4, which knows no password.
    std::string username{};
    Secret password{};
    Auth auth{Auth::basic};
    /// http, https: further header fields for the proxy, sent with CONNECT. Their values are shown nowhere.
    std::vector<std::pair<std::string, std::string>> headers{};
    /// https: how the proxy's certificate is checked. Null: as TlsOptions are by default. Compared by identity.
    std::shared_ptr<const TlsOptions> tls{};
    /// Targets that are reached without it: names, which stand for the names below them too (`example.com`; `.example.com` and `*.example.com` are
    /// the same), addresses, networks (`10.0.0.0/8`, `fd00::/8`), `*` for all; each but a network may end in a port (`[::1]:8080`).
    std::vector<std::string> except{};

    bool is_socks() const noexcept { return kind >= Kind::socks4; }
    /// Names of targets are looked up by the proxy.
    bool looks_up() const noexcept { return kind != Kind::socks4 && kind != Kind::socks5; }
    /// Whether a connection to that target goes through it: false for what `except` names.
    bool is_for(std::string_view target_host, std::uint16_t target_port) const;

    /// From a URL such as `socks5h://user:password@proxy:1080`. Without a scheme `http` is meant; without a port 80 for http, 443 for https, 1080 for
    /// SOCKS.
    /// @throws Error PROXY-ERROR where the scheme is not one that can be used, or what else is in it does not go with that
    static Proxy parse(std::string_view url);
    /// What the environment names for targets of a scheme, read as curl reads it: `http_proxy` for http, `https_proxy` for https and other schemes
    /// that end in "s", then `all_proxy`; `no_proxy` becomes `except`. Lower case wins over upper case, and `HTTP_PROXY` is never read: in a CGI
    /// program it is a header of a stranger's request. Nothing where none is named.
    /// @throws Error PROXY-ERROR as parse(), naming the variable
    /// @note Reads the environment: not beside setenv() in another thread.
    static std::optional<Proxy> from_environment(std::string_view target_scheme);

    friend bool operator==(const Proxy&, const Proxy&) = default;
};

/// A place to connect to and how to get there: addresses, proxy, TLS, socket. A value type.
struct Endpoint {
    /// Name or address; with is_socket the path of a UNIX socket.
    std::string host;
    std::uint16_t port{0};
    bool is_socket{false};
    /// Null: none. Shared, as many connections go through the same.
    std::shared_ptr<const Proxy> proxy{};
    /// Null: no TLS. Shared, as many connections use the same settings.
    std::shared_ptr<const TlsOptions> tls{};
    /// Offered in the handshake, most wanted first.
    std::vector<std::string> alpn{};
    /// Null: the defaults of SocketOptions. Shared likewise.
    std::shared_ptr<const SocketOptions> socket{};
};

}  // namespace qconn
