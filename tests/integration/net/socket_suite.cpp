// SPDX-License-Identifier: Apache-2.0
#include "integration/net/socket_suite.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"
#include "support/wait.hpp"

namespace qconn::test {

namespace {

using namespace std::chrono_literals;

/// A connection that stands for as long as this, to look at its socket.
class Connected {
public:
    Connected(const StartErrand& start, const SocketOptions& options)
        : running_{start, {std::nullopt, "127.0.0.1", silent_.port(), false, Deadline{60s}, options}} {
        REQUIRE(wait_until([this] {
            const auto found = sockets_to(silent_.port());
            if (found.size() == 1) fd_ = found.front();
            return found.size() == 1;
        }));
    }
    Connected(const Connected&) = delete;
    Connected& operator=(const Connected&) = delete;
    ~Connected() {
        running_.cancel();
        running_.wait();
    }

    int get(int level, int option) const {
        int value = -1;
        socklen_t size = sizeof value;
        REQUIRE(::getsockopt(fd_, level, option, &value, &size) == 0);
        return value;
    }
    linger get_linger() const {
        linger value{};
        socklen_t size = sizeof value;
        REQUIRE(::getsockopt(fd_, SOL_SOCKET, SO_LINGER, &value, &size) == 0);
        return value;
    }
    sockaddr_in local() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        return address;
    }

private:
    SilentServer silent_;
    Running running_;
    int fd_{-1};
};

}  // namespace

void check_socket_options(const StartErrand& start) {
    SocketOptions options;

    SECTION("nothing set") {
        const Connected connection{start, options};
        CHECK(connection.get(SOL_SOCKET, SO_KEEPALIVE) == 1);
        CHECK(connection.get(IPPROTO_TCP, TCP_KEEPIDLE) == 60);
        CHECK(connection.get(IPPROTO_TCP, TCP_KEEPINTVL) == 60);
        CHECK(connection.get(IPPROTO_TCP, TCP_NODELAY) == 1);
        CHECK(connection.get_linger().l_onoff == 0);
    }
    SECTION("keep_alive and its times") {
        options.keep_alive_idle = 7s;
        options.keep_alive_interval = 8s;
        options.keep_alive_probes = 3;
        const Connected connection{start, options};
        CHECK(connection.get(SOL_SOCKET, SO_KEEPALIVE) == 1);
        CHECK(connection.get(IPPROTO_TCP, TCP_KEEPIDLE) == 7);
        CHECK(connection.get(IPPROTO_TCP, TCP_KEEPINTVL) == 8);
        CHECK(connection.get(IPPROTO_TCP, TCP_KEEPCNT) == 3);
    }
    SECTION("keep_alive off, no_delay off") {
        options.keep_alive = false;
        options.no_delay = false;
        const Connected connection{start, options};
        CHECK(connection.get(SOL_SOCKET, SO_KEEPALIVE) == 0);
        CHECK(connection.get(IPPROTO_TCP, TCP_NODELAY) == 0);
    }
    SECTION("linger") {
        options.linger = 5s;
        const Connected connection{start, options};
        CHECK(connection.get_linger().l_onoff == 1);
        CHECK(connection.get_linger().l_linger == 5);
    }
    SECTION("send_buffer, receive_buffer") {
        options.send_buffer = 40'000;
        options.receive_buffer = 50'000;
        const Connected connection{start, options};
        CHECK(connection.get(SOL_SOCKET, SO_SNDBUF) == 80'000);
        CHECK(connection.get(SOL_SOCKET, SO_RCVBUF) == 100'000);
    }
    SECTION("local_address, local_port") {
        options.local_address = "127.0.0.9";
        options.local_port = GENERATE(as<std::uint16_t>{}, 0, 1);
        if (options.local_port != 0) options.local_port = free_port();
        const Connected connection{start, options};
        CHECK(ntohl(connection.local().sin_addr.s_addr) == 0x7F000009);
        if (options.local_port != 0) CHECK(ntohs(connection.local().sin_port) == options.local_port);
    }
    SECTION("local_address: the name of an interface") {
        options.local_address = "lo";
        const Connected connection{start, options};
        CHECK(ntohl(connection.local().sin_addr.s_addr) == 0x7F000001);
    }
    SECTION("a local address that is not one of this machine") {
        SilentServer silent;
        const auto [address, words] = GENERATE(
            table<std::string, std::string>({{"192.0.2.77", "does not have that address"}, {"no-such-if0", "neither an address nor an interface"}}));
        options.local_address = address;
        const auto outcome = Running{start, {std::nullopt, "127.0.0.1", silent.port(), false, Deadline{20s}, options}}.wait();
        INFO(outcome.message);
        CHECK_FALSE(outcome.ok);
        CHECK(outcome.phase == Phase::connect);
        CHECK(outcome.reason == Reason::local);
        CHECK(outcome.message.find(address) != std::string::npos);
        CHECK(outcome.message.find(words) != std::string::npos);
    }
    SECTION("a local port that is taken") {
        SilentServer taken;
        SilentServer silent;
        options.local_address = "127.0.0.1";
        options.local_port = taken.port();
        const auto outcome = Running{start, {std::nullopt, "127.0.0.1", silent.port(), false, Deadline{20s}, options}}.wait();
        INFO(outcome.message);
        CHECK(outcome.phase == Phase::connect);
        CHECK(outcome.reason == Reason::local);
        CHECK(outcome.message.find("another socket of this machine uses that port") != std::string::npos);
    }
    SECTION("family") {
        Server nginx{"nginx"};
        const auto with = [&](AddressFamily family) {
            options.family = family;
            return Running{start, {std::nullopt, "127.0.0.1", nginx.port(), false, Deadline{20s}, options}}.wait();
        };
        for (const auto family : {AddressFamily::any, AddressFamily::only_ipv4, AddressFamily::prefer_ipv4, AddressFamily::prefer_ipv6}) {
            const auto outcome = with(family);
            INFO(static_cast<int>(family) << ": " << outcome.message);
            CHECK(outcome.ok);
        }
        const auto outcome = with(AddressFamily::only_ipv6);
        INFO(outcome.message);
        CHECK_FALSE(outcome.ok);
        CHECK(outcome.phase == Phase::resolve);
    }
}

}  // namespace qconn::test
