// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_check.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "net/proxy_exceptions.hpp"
#include "net/socks5.hpp"

namespace qconn::net {

namespace {

bool is_header_name(std::string_view name) {
    static constexpr std::string_view k_others = "!#$%&'*+-.^_`|~";
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](char c) { return text::is_digit(c) || text::is_alpha(c) || k_others.find(c) != k_others.npos; });
}

}  // namespace

std::string proxy_problem(const Proxy& proxy) {
    if (proxy.host.empty() || text::has_control(proxy.host)) return "the proxy has no host name that can be used";
    if (text::has_control(proxy.username)) return "the user name for the proxy holds a control character";
    if (!proxy.is_socks() && proxy.username.find(':') != std::string::npos && proxy.auth != Proxy::Auth::digest)
        return "the user name for the proxy holds a colon, which ends the name in basic authentication";
    const bool is_socks5 = proxy.kind == Proxy::Kind::socks5 || proxy.kind == Proxy::Kind::socks5h;
    if (is_socks5 && (proxy.username.size() > Socks5::k_max_text || proxy.password.reveal().size() > Socks5::k_max_text))
        return "user name and password of a SOCKS5 proxy have at most 255 bytes each";
    if (is_socks5 && proxy.username.empty() && !proxy.password.empty()) return "a SOCKS5 proxy takes no password without a user name";
    if (proxy.is_socks() && !is_socks5 && !proxy.password.empty()) return "SOCKS4 cannot carry a password; use socks5 or socks5h, or leave it out";
    for (const auto& [name, value] : proxy.headers) {
        if (!is_header_name(name)) return "\"" + text::printable(text::shorten(name, 80)) + "\" is no name of a header for the proxy";
        if (text::has_control(value)) return "the value of the proxy's header " + name + " holds a control character";
    }
    for (const auto& one : proxy.except) {
        if (auto problem = exception_problem(one); !problem.empty()) return "the exception from the proxy " + problem;
    }
    return {};
}

}  // namespace qconn::net
