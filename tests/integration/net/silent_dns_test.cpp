// SPDX-License-Identifier: Apache-2.0
// A name service that never answers. The test runs itself again in network and mount namespaces of its own, where /etc/resolv.conf names a socket
// that nobody reads from.
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <future>

#include "integration/net/pinging.hpp"
#include "net/dial.hpp"
#include "net/resolver.hpp"
#include "net/stream.hpp"
#include "net/unique_fd.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* k_inside = "QCONN_TEST_IN_NAMESPACE";

void must(bool good, const char* what) {
    if (!good) throw std::runtime_error{std::string{what} + ": " + std::strerror(errno)};
}

/// This process now sees the loopback interface only, and a name service that says nothing.
class SilentNames {
public:
    SilentNames() {
        must(::unshare(CLONE_NEWNET | CLONE_NEWNS) == 0, "unshare");
        must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
        const net::UniqueFd any{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        ifreq loopback{};
        std::strcpy(loopback.ifr_name, "lo");
        loopback.ifr_flags = IFF_UP;
        must(::ioctl(any.get(), SIOCSIFFLAGS, &loopback) == 0, "loopback up");
        silent_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(53);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        must(::bind(silent_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
        const auto file = directory_.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:10 attempts:1\n");
        must(::mount(file.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) == 0, "resolv.conf");
    }

private:
    TempDir directory_;
    net::UniqueFd silent_;
};

NetPing to(const std::string& host, std::uint16_t port = 9) {
    return {.endpoint = endpoint(host, port), .dialogue = {}, .keep = false, .start_tls = nullptr};
}

}  // namespace

TEST_CASE("a silent name service holds up nobody", "[net][resolver][integration]") {
    if (::geteuid() != 0) {
        WARN("skipped: namespaces of one's own need root");
        return;
    }
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::setenv(k_inside, "1", 1);
        ::execl("/proc/self/exe", "silent_dns", "[.inside]", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("inside: look-ups end at their deadline or when they are cancelled", "[.inside]") {
    if (std::getenv(k_inside) == nullptr) return;
    const SilentNames names;
    SilentServer server;
    {
        const Runtime runtime{RuntimeOptions{.resolver_threads = 2}};
        REQUIRE(ping(runtime, to("127.0.0.1", server.port())).ok);
        REQUIRE(ping(runtime, to("localhost", server.port())).ok);
        auto& loop = runtime.impl().loop();

        auto start = Clock::now();
        auto result = ping(runtime, to("one.test"), Deadline{200ms});
        CHECK(Clock::now() - start < 3s);
        REQUIRE(result.error);
        INFO(text_of(result));
        CHECK(result.error->name() == "TIMEOUT");
        CHECK(result.error->phase() == Phase::resolve);
        CHECK(result.error->reason() == Reason::timeout);
        CHECK(text_of(result).find("one.test") != std::string::npos);
        CHECK(runtime.impl().resolver().hung() == 1);

        // Another name finds another thread; a name of this machine is answered meanwhile.
        std::promise<Error> promise;
        auto ended = promise.get_future();
        auto operation = net::async_dial(loop, endpoint("two.test", 9), "test", Deadline{60s}, nullptr,
                                         [&](Result<std::unique_ptr<net::Stream>> dialled) { promise.set_value(dialled.error()); });
        CHECK(ping(runtime, to("localhost", server.port())).ok);
        start = Clock::now();
        operation.cancel();
        REQUIRE(ended.wait_for(k_enough) == std::future_status::ready);
        CHECK(Clock::now() - start < 3s);
        const auto error = ended.get();
        CHECK(error.name() == "CANCELLED");
        CHECK(error.phase() == Phase::resolve);

        // As many hang as may: the next is told at once, and does not make it worse.
        CHECK(runtime.impl().resolver().hung() == 2);
        result = ping(runtime, to("three.test"), Deadline{5s});
        REQUIRE(result.error);
        CHECK(result.error->name() == "RESOLVE-ERROR");
        CHECK(result.error->reason() == Reason::resolver);
        CHECK(ping(runtime, to("127.0.0.1", server.port())).ok);
    }
    // The runtime has gone without waiting for the two that hang.
}
