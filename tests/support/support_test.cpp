// SPDX-License-Identifier: Apache-2.0
// The fixtures themselves: a test that passes because its server never ran proves nothing.
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <string>

#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/free_port.hpp"
#include "support/raw_socket.hpp"
#include "support/server.hpp"
#include "support/wait.hpp"

using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

const std::string k_get = "GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("a server answers, can be frozen, thawed, killed and started again on the same port", "[support][integration]") {
    Server nginx{"nginx"};
    CHECK(RawSocket{nginx.port()}.ask(k_get, 5s).substr(0, 12) == "HTTP/1.1 200");

    nginx.freeze();
    CHECK(RawSocket{nginx.port()}.ask(k_get, 100ms).empty());
    nginx.thaw();
    CHECK(RawSocket{nginx.port()}.ask(k_get, 5s).substr(0, 12) == "HTTP/1.1 200");

    nginx.kill();
    CHECK_FALSE(RawSocket{nginx.port()}.connected(1s));
    nginx.start();
    CHECK(RawSocket{nginx.port()}.ask(k_get, 5s).substr(0, 12) == "HTTP/1.1 200");

    nginx.freeze();
    nginx.restart();
    CHECK(RawSocket{nginx.port()}.ask(k_get, 5s).substr(0, 12) == "HTTP/1.1 200");
    CHECK(nginx.directory().read("access.log").find("/hello.txt") != std::string::npos);
}

TEST_CASE("the HTTP servers and proxies start and take connections", "[support][integration]") {
    const auto name = GENERATE(as<std::string>{}, "httpbin", "squid", "tinyproxy");

    Server server{name};

    CHECK(RawSocket{server.port()}.connected(1s));
    server.stop();
    CHECK_FALSE(RawSocket{server.port()}.connected(1s));
}

TEST_CASE("a server that cannot start says why", "[support][integration]") {
    REQUIRE_THROWS_WITH((Server{"squid", {.environment = {"PROXY_AUTH=maybe"}}}), Catch::Matchers::Contains("PROXY_AUTH is basic, digest or none"));
    REQUIRE_THROWS_WITH((Server{"nginx", {.environment = {"NGINX_SERVER=nonsense;"}}}), Catch::Matchers::Contains("unknown directive \"nonsense\""));
}

TEST_CASE("a black hole answers no handshake, a silent server nothing after it", "[support][integration]") {
    const BlackHole hole;
    CHECK_FALSE(RawSocket{hole.port()}.connected(200ms));

    const SilentServer silent;
    CHECK(RawSocket{silent.port()}.connected(1s));
    CHECK(RawSocket{silent.port()}.ask(k_get, 100ms).empty());
}

TEST_CASE("free ports differ and descriptors are counted", "[support][integration]") {
    std::set<std::uint16_t> ports;
    for (int i = 0; i < 50; ++i) ports.insert(free_port());
    CHECK(ports.size() == 50);

    const auto before = open_descriptors();
    const int fd = ::dup(0);
    CHECK(open_descriptors() == before + 1);
    ::close(fd);
}

TEST_CASE("servers and directories of a killed test process are removed", "[support][integration]") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {  // a test process of its own: nothing was started in this one before
        Server server{"tinyproxy"};
        const std::string facts = std::to_string(server.pid()) + ' ' + server.directory().path();
        const auto written = ::write(ends[1], facts.data(), facts.size());
        static_cast<void>(written);
        ::pause();
        ::_exit(0);
    }
    ::close(ends[1]);
    char text[256] = {};
    REQUIRE(::read(ends[0], text, sizeof text - 1) > 0);
    ::close(ends[0]);
    const std::string facts = text;
    const pid_t server = std::stoi(facts);
    const std::string directory = facts.substr(facts.find(' ') + 1);
    REQUIRE(::kill(server, 0) == 0);

    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    // Whoever inherits orphans here may never wait for them: dead is enough.
    CHECK(wait_until([&] {
        const std::string stat = read_file("/proc/" + std::to_string(server) + "/stat");
        return stat.empty() || stat.find(") Z ") != std::string::npos;
    }));
    CHECK(wait_until([&] { return !std::filesystem::exists(directory); }));
}
