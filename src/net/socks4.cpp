// SPDX-License-Identifier: Apache-2.0
#include "net/socks4.hpp"

#include <utility>

#include "base/text.hpp"

namespace qconn::net {

namespace {

constexpr std::size_t k_reply = 8;
constexpr unsigned k_granted = 90;

bool has_zero(std::string_view text) { return text.find('\0') != text.npos; }

}  // namespace

Socks4::Socks4(const Proxy& proxy, ProxyTarget target) : ProxyDialogue{proxy, authority(target.host, target.port)}, to_{std::move(target)} {
    if (!to_.address) to_.address = Address::literal(to_.host);
}

Dialogue::Step Socks4::begin(std::string& out) {
    const bool by_name = !to_.address;
    if (by_name && proxy_.kind == Proxy::Kind::socks4) return fail(ProxyRefusal::bad_value, "SOCKS4 needs the address of the target, not its name");
    if (!by_name && to_.address->family() != AF_INET) return fail(ProxyRefusal::unsupported, "SOCKS4 can only lead to IPv4 addresses");
    if (by_name && (to_.host.empty() || has_zero(to_.host))) return fail(ProxyRefusal::bad_value, "that is no host name");
    if (has_zero(proxy_.username)) return fail(ProxyRefusal::bad_value, "the user name holds a zero byte");
    out += '\x04';
    out += '\x01';  // CONNECT
    out += static_cast<char>(to_.port >> 8U);
    out += static_cast<char>(to_.port & 0xFFU);
    if (by_name)
        out.append("\0\0\0\x01", 4);  // no such address: a name follows
    else
        out.append(reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(to_.address->data())->sin_addr), 4);
    out.append(proxy_.username).push_back('\0');
    if (by_name) out.append(to_.host).push_back('\0');
    return {};
}

Dialogue::Step Socks4::feed(std::string_view input, bool closed, std::string&) {
    if (!input.empty() && byte_at(input, 0) != 0)
        return fail(ProxyRefusal::bad_answer, "its answer is not SOCKS4: \"" + text::shorten(text::printable(input), 40) + '"');
    if (input.size() >= 2 && byte_at(input, 1) != k_granted)
        return fail(refusal_of_socks4(byte_at(input, 1)), "it answered with code " + std::to_string(byte_at(input, 1)));
    if (input.size() >= k_reply) return {Want::done, k_reply, std::nullopt};
    if (closed) return fail(ProxyRefusal::closed, {});
    return {};
}

}  // namespace qconn::net
