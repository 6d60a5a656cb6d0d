// SPDX-License-Identifier: Apache-2.0
/// Socket addresses as values.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/net/socket_options.hpp>

namespace qconn::net {

/// An IPv4 or IPv6 address and port. A value type.
class Address {
public:
    Address() noexcept : v6_{} {}
    /// Nothing for other families.
    static std::optional<Address> from(const sockaddr* address, std::size_t size) noexcept;
    /// From "127.0.0.1", "::1" or "fe80::1%eth0"; nothing where it is no literal.
    static std::optional<Address> literal(std::string_view text);

    int family() const noexcept { return v6_.sin6_family; }
    const sockaddr* data() const noexcept { return &any_; }
    socklen_t size() const noexcept { return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }
    void set_port(std::uint16_t port) noexcept;
    /// "127.0.0.1:443", "[::1]:443".
    std::string to_string() const;

    friend bool operator==(const Address& a, const Address& b) noexcept;

private:
    union {
        sockaddr any_;
        sockaddr_in v4_;
        sockaddr_in6 v6_;
    };
};

using AddressList = std::shared_ptr<const std::vector<Address>>;

/// The order to try them in: families take turns, beginning with the first address's, each family in the order given (RFC 8305 section 4).
std::vector<Address> interleaved(const std::vector<Address>& addresses);

/// Those of the family that is wanted, in the order to try them in.
std::vector<Address> chosen(const std::vector<Address>& addresses, AddressFamily family);

/// "host:port", with brackets around an IPv6 address.
std::string authority(std::string_view host, std::uint16_t port);

}  // namespace qconn::net
