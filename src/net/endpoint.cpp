// SPDX-License-Identifier: Apache-2.0
#include <qconn/net/endpoint.hpp>

#include <algorithm>
#include <array>

#include <qconn/base/url.hpp>
#include <qconn/net/net_error.hpp>

#include "net/proxy_exceptions.hpp"

namespace qconn {

namespace {

struct Scheme {
    std::string_view name;
    Proxy::Kind kind;
    std::uint16_t port;
};
constexpr std::array k_schemes{
    Scheme{"http", Proxy::Kind::http, 80},         Scheme{"https", Proxy::Kind::https, 443},    Scheme{"socks4", Proxy::Kind::socks4, 1080},
    Scheme{"socks4a", Proxy::Kind::socks4a, 1080}, Scheme{"socks5", Proxy::Kind::socks5, 1080}, Scheme{"socks5h", Proxy::Kind::socks5h, 1080},
};

[[noreturn]] void refuse(std::string message) {
    throw Error{make_error_code(NetErrc::proxy), error_name(NetErrc::proxy), std::move(message)}.with_reason(Reason::bad_value);
}

}  // namespace

bool Proxy::is_for(std::string_view target_host, std::uint16_t target_port) const {
    return std::none_of(except.begin(), except.end(), [&](const std::string& one) { return net::is_excepted(one, target_host, target_port); });
}

Proxy Proxy::parse(std::string_view text) {
    const bool has_scheme = text.find("://") != text.npos;
    const auto parsed = Url::try_parse(has_scheme ? std::string{text} : "http://" + std::string{text});
    if (!parsed) refuse("the proxy \"" + mask_url(text) + "\" is no URL: " + std::string{parsed.error().message()});
    const Url& url = *parsed;
    const auto scheme = std::find_if(k_schemes.begin(), k_schemes.end(), [&](const Scheme& one) { return one.name == url.scheme; });
    if (scheme == k_schemes.end())
        refuse("the proxy \"" + url.masked() + "\" has the scheme \"" + url.scheme +
               "\"; proxies that can be used have http, https, socks4, socks4a, socks5 or socks5h");
    if (url.is_socket || url.host.empty()) refuse("the proxy \"" + url.masked() + "\" names no host; write " + url.scheme + "://host:port");
    Proxy proxy;
    proxy.kind = scheme->kind;
    proxy.host = url.host;
    proxy.port = url.port.value_or(scheme->port);
    proxy.username = url.username.value_or("");
    proxy.password = url.password.value_or(Secret{});
    if ((proxy.kind == Kind::socks4 || proxy.kind == Kind::socks4a) && !proxy.password.empty())
        refuse("the proxy \"" + url.masked() + "\" has a password, which SOCKS4 cannot carry; use socks5 or socks5h, or leave it out");
    return proxy;
}

}  // namespace qconn
