// SPDX-License-Identifier: Apache-2.0
#include "net/socket.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "base/text.hpp"
#include "net/address.hpp"

namespace qconn::net {

namespace {

using std::chrono::seconds;

// What the system does not take it goes without: these are wishes. Values are checked before.
void set(int fd, int level, int option, int value) noexcept { ::setsockopt(fd, level, option, &value, sizeof value); }
void set(int fd, int level, int option, seconds value) noexcept { set(fd, level, option, static_cast<int>(value.count())); }

struct Free {
    void operator()(ifaddrs* list) const noexcept { ::freeifaddrs(list); }
};

/// The first address of an interface; of IPv6 ones that are valid beyond the link, where it has any.
std::optional<Address> address_of_interface(const std::string& name, int family) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return std::nullopt;
    const std::unique_ptr<ifaddrs, Free> owner{list};
    std::optional<Address> found;
    for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != family || name != one->ifa_name) continue;
        auto address = Address::from(one->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
        if (!address) continue;
        const bool local = family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(address->data())->sin6_addr);
        if (!local) return address;
        if (!found) found = address;
    }
    return found;
}

bool is_interface(const std::string& name) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return false;
    const std::unique_ptr<ifaddrs, Free> owner{list};
    for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
        if (name == one->ifa_name) return true;
    }
    return false;
}

/// 0, or errno.
int bind_to(int fd, int family, const SocketOptions& options) {
    Address local = *Address::literal(family == AF_INET ? "0.0.0.0" : "::");
    if (!options.local_address.empty()) {
        const auto literal = Address::literal(options.local_address);
        if (literal && literal->family() != family) return EAFNOSUPPORT;
        const auto found = literal ? literal : address_of_interface(options.local_address, family);
        if (!found) return is_interface(options.local_address) ? EAFNOSUPPORT : ENODEV;
        local = *found;
    }
    local.set_port(options.local_port);
    if (options.local_port != 0)
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);  // connections of before that are still in TIME_WAIT do not hold the port
    else
        set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);  // ports are shared out when it connects, once for each target
    return ::bind(fd, local.data(), local.size()) == 0 ? 0 : errno;
}

int bind_guarded(int fd, int family, const SocketOptions& options) noexcept {
    try {
        return bind_to(fd, family, options);
    } catch (const std::exception&) { return ENOMEM; }
}

}  // namespace

OpenedSocket open_socket(int family, int type, int protocol, const SocketOptions& options, SocketUse use) noexcept {
    UniqueFd fd{::socket(family, type | SOCK_CLOEXEC, protocol)};
    if (!fd) return {{}, errno, false};
    if (family != AF_INET && family != AF_INET6) return {std::move(fd)};
    const int one = fd.get();
    if (use == SocketUse::handshake) {
        set(one, IPPROTO_TCP, TCP_QUICKACK, 0);  // the last packet of the handshake is held back, and the reset comes instead
    } else {
        if (options.no_delay) set(one, IPPROTO_TCP, TCP_NODELAY, 1);
        if (options.keep_alive && use == SocketUse::lasting) {
            set(one, SOL_SOCKET, SO_KEEPALIVE, 1);
            if (options.keep_alive_idle.count() > 0) set(one, IPPROTO_TCP, TCP_KEEPIDLE, options.keep_alive_idle);
            if (options.keep_alive_interval.count() > 0) set(one, IPPROTO_TCP, TCP_KEEPINTVL, options.keep_alive_interval);
            if (options.keep_alive_probes > 0) set(one, IPPROTO_TCP, TCP_KEEPCNT, options.keep_alive_probes);
        }
        if (options.linger) {
            const linger value{.l_onoff = 1, .l_linger = static_cast<int>(options.linger->count())};
            ::setsockopt(one, SOL_SOCKET, SO_LINGER, &value, sizeof value);
        }
        // Before it is connected: the window is agreed on then.
        if (options.send_buffer > 0) set(one, SOL_SOCKET, SO_SNDBUF, options.send_buffer);
        if (options.receive_buffer > 0) set(one, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
    }
    if (!options.local_address.empty() || options.local_port != 0) {
        const int error = bind_guarded(one, family, options);
        if (error != 0) return {{}, error, error != EAFNOSUPPORT};
    }
    return {std::move(fd)};
}

std::string socket_problem(const SocketOptions& options) {
    constexpr seconds k_max_keep_alive{32'767};  // the kernel's own limits
    constexpr int k_max_probes = 127;
    constexpr seconds k_max_linger{std::numeric_limits<int>::max() / 100};
    for (const auto& [name, value] :
         {std::pair{"keep_alive_idle", options.keep_alive_idle}, std::pair{"keep_alive_interval", options.keep_alive_interval}}) {
        if (value < seconds{0} || value > k_max_keep_alive) return std::string{name} + " is between 0 and 32767 s";
    }
    if (options.keep_alive_probes < 0 || options.keep_alive_probes > k_max_probes) return "keep_alive_probes is between 0 and 127";
    if (options.linger && (*options.linger < seconds{0} || *options.linger > k_max_linger)) return "linger is not negative, nor longer than 248 days";
    if (options.send_buffer < 0 || options.receive_buffer < 0) return "the size of a socket's buffer is not negative";
    if (options.max_send_rate < 0 || options.max_receive_rate < 0) return "a rate limit is not negative; 0 means none";
    if (const auto local = Address::literal(options.local_address)) {
        const bool v4 = local->family() == AF_INET;
        if (options.family == (v4 ? AddressFamily::only_ipv6 : AddressFamily::only_ipv4))
            return "the local address " + options.local_address + " is of the family that is not to be used";
    }
    return {};
}

std::string binding_words(const SocketOptions& options, int error) {
    const std::string& local = options.local_address;
    std::string place = local.empty() ? "port" : text::printable(text::shorten(local, 80));
    if (options.local_port != 0) place += (local.empty() ? " " : ":") + std::to_string(options.local_port);
    std::string_view advice = "; check the local address and port";
    if (error == ENODEV) advice = "; it is neither an address nor an interface of this machine";
    if (error == EADDRNOTAVAIL) advice = "; this machine does not have that address";
    if (error == EADDRINUSE) advice = "; another socket of this machine uses that port";
    if (error == EACCES) advice = "; ports below 1024 may be for root only";
    return "binding to the local " + std::string{local.empty() ? "" : "address "} + place + " failed: " + std::generic_category().message(error) +
           std::string{advice};
}

const SocketOptions& socket_defaults() noexcept {
    static const SocketOptions defaults;
    return defaults;
}

}  // namespace qconn::net
