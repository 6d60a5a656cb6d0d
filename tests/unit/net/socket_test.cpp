// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/socket.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::net;
using namespace std::chrono_literals;

namespace {

std::vector<Address> addresses(std::initializer_list<const char*> texts) {
    std::vector<Address> all;
    for (const char* text : texts) all.push_back(*Address::literal(text));
    return all;
}

}  // namespace

TEST_CASE("addresses are tried in the order of the family that is wanted", "[net][socket]") {
    const auto given = addresses({"::1", "::2", "10.0.0.1", "10.0.0.2"});

    CHECK(chosen(given, AddressFamily::any) == addresses({"::1", "10.0.0.1", "::2", "10.0.0.2"}));
    CHECK(chosen(given, AddressFamily::prefer_ipv4) == addresses({"10.0.0.1", "10.0.0.2", "::1", "::2"}));
    CHECK(chosen(given, AddressFamily::prefer_ipv6) == given);
    CHECK(chosen(given, AddressFamily::only_ipv4) == addresses({"10.0.0.1", "10.0.0.2"}));
    CHECK(chosen(given, AddressFamily::only_ipv6) == addresses({"::1", "::2"}));
    CHECK(chosen(addresses({"::1"}), AddressFamily::only_ipv4).empty());
    CHECK(chosen(addresses({"::1"}), AddressFamily::prefer_ipv4) == addresses({"::1"}));
}

TEST_CASE("socket options that no system takes are refused before", "[net][socket]") {
    CHECK(socket_problem({}).empty());
    const auto problem = [](auto set) {
        SocketOptions options;
        set(options);
        return socket_problem(options);
    };
    CHECK_FALSE(problem([](SocketOptions& o) { o.keep_alive_idle = -1s; }).empty());
    CHECK_FALSE(problem([](SocketOptions& o) { o.keep_alive_interval = 32768s; }).empty());
    CHECK_FALSE(problem([](SocketOptions& o) { o.keep_alive_probes = 128; }).empty());
    CHECK_FALSE(problem([](SocketOptions& o) { o.linger = -1s; }).empty());
    CHECK_FALSE(problem([](SocketOptions& o) { o.send_buffer = -1; }).empty());
    CHECK_FALSE(problem([](SocketOptions& o) { o.max_receive_rate = -1; }).empty());
    CHECK(problem([](SocketOptions& o) { o.linger = 0s; }).empty());
    CHECK(problem([](SocketOptions& o) { o.local_address = "eth0"; }).empty());
    const auto mixed = problem([](SocketOptions& o) {
        o.local_address = "127.0.0.1";
        o.family = AddressFamily::only_ipv6;
    });
    CHECK(mixed.find("127.0.0.1") != std::string::npos);
}

TEST_CASE("a local address that cannot be had is named with what to do", "[net][socket]") {
    SocketOptions options;
    options.local_address = "eth7";
    CHECK(binding_words(options, ENODEV).find("address eth7 failed") != std::string::npos);
    CHECK(binding_words(options, ENODEV).find("interface of this machine") != std::string::npos);
    options.local_port = 99;
    CHECK(binding_words(options, EADDRINUSE).find("eth7:99") != std::string::npos);
    options.local_address.clear();
    CHECK(binding_words(options, EACCES).find("local port 99 failed") != std::string::npos);
}

TEST_CASE("a ping's own socket is not watched for an idle peer, one that is to last is", "[net][socket]") {
    const auto option = [](SocketUse use, int level, int name) {
        const OpenedSocket opened = open_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP, {}, use);
        REQUIRE(opened.fd);
        int value = -1;
        socklen_t size = sizeof value;
        REQUIRE(::getsockopt(opened.fd.get(), level, name, &value, &size) == 0);
        return value != 0;
    };
    CHECK(option(SocketUse::lasting, SOL_SOCKET, SO_KEEPALIVE));
    CHECK_FALSE(option(SocketUse::exchange, SOL_SOCKET, SO_KEEPALIVE));
    CHECK(option(SocketUse::lasting, IPPROTO_TCP, TCP_NODELAY));
    CHECK(option(SocketUse::exchange, IPPROTO_TCP, TCP_NODELAY));  // it says more than one thing, perhaps
}
