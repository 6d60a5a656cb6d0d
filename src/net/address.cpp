// SPDX-License-Identifier: Apache-2.0
#include "net/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace qconn::net {

std::optional<Address> Address::from(const sockaddr* address, std::size_t size) noexcept {
    Address result;
    if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in))
        std::memcpy(&result.v4_, address, sizeof(sockaddr_in));
    else if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6))
        std::memcpy(&result.v6_, address, sizeof(sockaddr_in6));
    else
        return std::nullopt;
    return result;
}

std::optional<Address> Address::literal(std::string_view text) {
    if (text.empty() || text.find('\0') != text.npos) return std::nullopt;
    const std::string zero_terminated{text};
    Address result;
    if (inet_pton(AF_INET, zero_terminated.c_str(), &result.v4_.sin_addr) == 1) {
        result.v4_.sin_family = AF_INET;
        return result;
    }
    if (text.find(':') == text.npos) return std::nullopt;
    // Not inet_pton: that knows no "%eth0".
    addrinfo hints{};
    hints.ai_family = AF_INET6;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST;
    addrinfo* found = nullptr;
    if (getaddrinfo(zero_terminated.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
    const auto address = from(found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return address;
}

void Address::set_port(std::uint16_t port) noexcept {
    if (family() == AF_INET)
        v4_.sin_port = htons(port);
    else
        v6_.sin6_port = htons(port);
}

std::string Address::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (family() == AF_INET) {
        inet_ntop(AF_INET, &v4_.sin_addr, text.data(), text.size());
        return authority(text.data(), ntohs(v4_.sin_port));
    }
    inet_ntop(AF_INET6, &v6_.sin6_addr, text.data(), text.size());
    return authority(text.data(), ntohs(v6_.sin6_port));
}

bool operator==(const Address& a, const Address& b) noexcept {
    if (a.family() != b.family()) return false;
    if (a.family() == AF_INET) return a.v4_.sin_port == b.v4_.sin_port && a.v4_.sin_addr.s_addr == b.v4_.sin_addr.s_addr;
    return a.v6_.sin6_port == b.v6_.sin6_port && a.v6_.sin6_scope_id == b.v6_.sin6_scope_id &&
           std::memcmp(&a.v6_.sin6_addr, &b.v6_.sin6_addr, sizeof(in6_addr)) == 0;
}

std::vector<Address> interleaved(const std::vector<Address>& addresses) {
    std::vector<Address> result;
    if (addresses.empty()) return result;
    result.reserve(addresses.size());
    const int first = addresses.front().family();
    std::size_t same = 0;
    std::size_t other = 0;
    const auto next = [&](std::size_t& at, bool of_first) {
        while (at < addresses.size() && (addresses[at].family() == first) != of_first) ++at;
        if (at < addresses.size()) result.push_back(addresses[at++]);
    };
    while (result.size() < addresses.size()) {
        next(same, true);
        next(other, false);
    }
    return result;
}

std::vector<Address> chosen(const std::vector<Address>& addresses, AddressFamily family) {
    if (family == AddressFamily::any) return addresses.size() > 1 ? interleaved(addresses) : addresses;
    const int wanted = family == AddressFamily::prefer_ipv4 || family == AddressFamily::only_ipv4 ? AF_INET : AF_INET6;
    auto sorted = addresses;
    const auto others = std::stable_partition(sorted.begin(), sorted.end(), [wanted](const Address& one) { return one.family() == wanted; });
    if (family == AddressFamily::only_ipv4 || family == AddressFamily::only_ipv6) sorted.erase(others, sorted.end());
    return sorted;
}

std::string authority(std::string_view host, std::uint16_t port) {
    std::string result;
    const bool brackets = host.find(':') != host.npos;
    if (brackets) result += '[';
    result += host;
    if (brackets) result += ']';
    result += ':';
    result += std::to_string(port);
    return result;
}

}  // namespace qconn::net
