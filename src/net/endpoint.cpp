// SPDX-License-Identifier: Apache-2.0
#include <qconn/net/endpoint.hpp>

#include <qconn/base/url.hpp>
#include <qconn/net/net_error.hpp>

namespace qconn {

namespace {

[[noreturn]] void refuse(std::string message) {
    throw Error{make_error_code(NetErrc::proxy), error_name(NetErrc::proxy), std::move(message)}.with_reason(Reason::bad_value);
}

}  // namespace

Proxy Proxy::parse(std::string_view text) {
    const bool has_scheme = text.find("://") != text.npos;
    const auto parsed = Url::try_parse(has_scheme ? std::string{text} : "http://" + std::string{text});
    if (!parsed) refuse("the proxy \"" + mask_url(text) + "\" is no URL: " + std::string{parsed.error().message()});
    const Url& url = *parsed;
    if (url.scheme != "http")
        refuse("the proxy \"" + url.masked() + "\" has the scheme \"" + url.scheme + "\"; only proxies that are reached by http:// can be used");
    if (url.is_socket || url.host.empty()) refuse("the proxy \"" + url.masked() + "\" names no host; write http://host:port");
    Proxy proxy;
    proxy.host = url.host;
    proxy.port = url.port.value_or(80);
    proxy.username = url.username.value_or("");
    proxy.password = url.password.value_or(Secret{});
    return proxy;
}

}  // namespace qconn
