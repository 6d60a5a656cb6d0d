// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_exceptions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/text.hpp"
#include "net/address.hpp"

namespace qconn::net {

namespace {

template <class Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string_view without_brackets(std::string_view host) {
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
    return host;
}

struct Pattern {
    std::string_view host;  // or the network, without its length
    std::optional<unsigned> bits;
    std::optional<std::uint16_t> port;
};

std::optional<Pattern> read(std::string_view text) {
    text = text::trim(text);
    Pattern pattern;
    if (const auto slash = text.find('/'); slash != text.npos) {
        pattern.host = without_brackets(text.substr(0, slash));
        pattern.bits = number<unsigned>(text.substr(slash + 1));
        const auto network = Address::literal(pattern.host);
        if (!network || !pattern.bits || *pattern.bits > (network->family() == AF_INET ? 32U : 128U)) return std::nullopt;
        return pattern;
    }
    // More than one colon without brackets is an IPv6 address.
    const auto colon = text.rfind(':');
    const bool has_port = colon != text.npos && (text.front() == '[' ? colon > 0 && text[colon - 1] == ']' : text.find(':') == colon);
    if (has_port) {
        pattern.port = number<std::uint16_t>(text.substr(colon + 1));
        if (!pattern.port) return std::nullopt;
        text = text.substr(0, colon);
    }
    pattern.host = without_brackets(text);
    if (pattern.host.size() > 1 && pattern.host.front() == '*') pattern.host.remove_prefix(1);
    if (pattern.host.size() > 1 && pattern.host.front() == '.') pattern.host.remove_prefix(1);
    if (pattern.host.size() > 1 && pattern.host.back() == '.') pattern.host.remove_suffix(1);
    if (pattern.host.empty() || pattern.host.find_first_of(" \t,/") != pattern.host.npos) return std::nullopt;
    return pattern;
}

/// The bytes of the address itself.
std::array<unsigned char, 16> bytes_of(const Address& address) {
    std::array<unsigned char, 16> bytes{};
    if (address.family() == AF_INET)
        std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr, 4);
    else
        std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr, 16);
    return bytes;
}

bool is_in(const Address& address, const Address& network, unsigned bits) {
    if (address.family() != network.family()) return false;
    const auto a = bytes_of(address);
    const auto b = bytes_of(network);
    const unsigned whole = bits / 8;
    if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
    const unsigned rest = bits % 8;
    return rest == 0 || (a[whole] >> (8 - rest)) == (b[whole] >> (8 - rest));
}

}  // namespace

bool is_excepted(std::string_view text, std::string_view host, std::uint16_t port) {
    const auto pattern = read(text);
    if (!pattern || (pattern->port && *pattern->port != port)) return false;
    if (pattern->host == "*") return true;
    if (const auto address = Address::literal(host)) {
        const auto other = Address::literal(pattern->host);
        const unsigned all = address->family() == AF_INET ? 32 : 128;
        return other && is_in(*address, *other, pattern->bits.value_or(all));
    }
    if (pattern->bits) return false;
    if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
    const std::string_view name = pattern->host;
    if (host.size() == name.size()) return text::iequals(host, name);
    return host.size() > name.size() && host[host.size() - name.size() - 1] == '.' && text::iequals(host.substr(host.size() - name.size()), name);
}

std::string exception_problem(std::string_view pattern) {
    if (read(pattern)) return {};
    return '"' + text::printable(text::shorten(pattern, 80)) +
           "\" is no name, address, network such as 10.0.0.0/8, or one of the first two with a port";
}

}  // namespace qconn::net
