// SPDX-License-Identifier: Apache-2.0
#include <qconn/testing/fault_proxy.hpp>

#include "net/dial.hpp"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>

#include "integration/net/pinging.hpp"
#include "net/stream.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

std::atomic<bool> no_descriptors{false};

}  // namespace

/// In the place of the system's. A limit would do, but UBSan needs descriptors to look at objects.
extern "C" int socket(int domain, int type, int protocol) noexcept {
    static const auto next = reinterpret_cast<int (*)(int, int, int)>(::dlsym(RTLD_NEXT, "socket"));
    if (!no_descriptors) return next(domain, type, protocol);
    errno = EMFILE;
    return -1;
}

namespace {

Runtime quiet() { return Runtime{RuntimeOptions{.log = Log{LogLevel::off, {}}}}; }

TlsOptions trusting() {
    TlsOptions options;
    options.ca_file = tls_file("ca.crt");
    return options;
}

NetPing to(Endpoint endpoint, std::function<std::unique_ptr<Dialogue>()> dialogue = {}) {
    return {.endpoint = std::move(endpoint), .dialogue = std::move(dialogue), .keep = false, .start_tls = nullptr};
}

/// Starts the loop and what a first TLS ping leaves behind, so that descriptors can be counted.
void warm_up(const Runtime& runtime) { ping(runtime, to(endpoint("127.0.0.1", free_port(), trusting()))); }

Endpoint through(std::uint16_t proxy_port, Endpoint endpoint) {
    endpoint.proxy = std::make_shared<const Proxy>(Proxy{.kind = Proxy::Kind::http, .host = "127.0.0.1", .port = proxy_port});
    return endpoint;
}

}  // namespace

TEST_CASE("every phase of a ping is told with its evidence", "[net][dial][integration]") {
    const auto runtime = quiet();
    Server server{"nginx"};

    const auto result = ping(runtime, to(endpoint("localhost", server.port2(), trusting()), get("/hello.txt")));

    INFO(text_of(result));
    REQUIRE(result.ok);
    REQUIRE(result.steps.size() == 4);
    CHECK(result.steps[0].phase == Phase::resolve);
    CHECK(result.steps[0].evidence.find("127.0.0.1:" + std::to_string(server.port2())) != std::string::npos);
    CHECK(result.steps[1].phase == Phase::connect);
    CHECK(result.steps[1].evidence.find("connected to 127.0.0.1:") == 0);
    CHECK(result.steps[2].phase == Phase::tls);
    INFO(result.steps[2].evidence);
    CHECK(result.steps[2].evidence.find("TLSv1.") == 0);
    CHECK(result.steps[2].evidence.find(", certificate CN=localhost") != std::string::npos);
    CHECK(result.steps[2].evidence.find("valid ") != std::string::npos);
    CHECK(result.steps[3].phase == Phase::protocol);
    CHECK(result.steps[3].evidence == "HTTP/1.1 200 OK");
    CHECK(result.time > 0s);
}

TEST_CASE("a refused connection names each address and what to do", "[net][dial][integration]") {
    const auto runtime = quiet();
    const auto port = free_port();

    const auto result = ping(runtime, to(endpoint("127.0.0.1", port)));

    REQUIRE(result.error);
    CHECK(result.error->name() == "SOCKET-CONNECT-ERROR");
    CHECK(result.error->phase() == Phase::connect);
    CHECK(result.error->reason() == Reason::refused);
    CHECK(result.error->retryable());
    CHECK(result.error->connection() == "test");
    CHECK(text_of(result).find("127.0.0.1:" + std::to_string(port) + ": Connection refused") != std::string::npos);
    CHECK_FALSE(result.inconclusive);
    CHECK(result.steps.back().phase == Phase::connect);
    CHECK_FALSE(result.steps.back().ok);
}

TEST_CASE("time-outs name the phase, come in time and leave nothing behind", "[net][dial][integration]") {
    const int which = GENERATE(0, 1, 2, 3);
    const auto runtime = quiet();
    BlackHole hole;
    SilentServer silent;
    struct Case {
        Endpoint endpoint;
        bool talks;
        Phase phase;
    };
    const Case cases[]{Case{endpoint("127.0.0.1", hole.port()), false, Phase::connect},
                       Case{endpoint("127.0.0.1", silent.port(), trusting()), false, Phase::tls},
                       Case{through(silent.port(), endpoint("127.0.0.1", 9)), false, Phase::proxy},
                       Case{endpoint("127.0.0.1", silent.port()), true, Phase::protocol}};
    const auto& c = cases[which];
    warm_up(runtime);
    const auto before = open_descriptors();
    const auto start = Clock::now();

    const auto result = ping(runtime, to(c.endpoint, c.talks ? get("/") : nullptr), Deadline{200ms});

    const auto time = Clock::now() - start;
    REQUIRE(result.error);
    INFO(text_of(result));
    CHECK(result.error->name() == "TIMEOUT");
    CHECK(result.error->reason() == Reason::timeout);
    CHECK(result.error->phase() == c.phase);
    CHECK(time >= 200ms);
    CHECK(time < 5s);
    CHECK(open_descriptors() == before);
}

TEST_CASE("cancelling ends a dial at once in every phase", "[net][dial][integration]") {
    const int which = GENERATE(0, 1, 2);
    const auto runtime = quiet();
    BlackHole hole;
    SilentServer silent;
    struct Case {
        Endpoint endpoint;
        Phase phase;
    };
    const Case cases[]{Case{endpoint("127.0.0.1", hole.port()), Phase::connect}, Case{endpoint("127.0.0.1", silent.port(), trusting()), Phase::tls},
                       Case{through(silent.port(), endpoint("127.0.0.1", 9)), Phase::proxy}};
    const auto& c = cases[which];
    warm_up(runtime);
    auto& loop = runtime.impl().loop();
    const auto before = open_descriptors();
    std::promise<Error> promise;
    auto ended = promise.get_future();
    int calls = 0;
    auto operation = net::async_dial(loop, c.endpoint, "test", Deadline{60s}, nullptr, [&](Result<std::unique_ptr<net::Stream>> result) {
        ++calls;
        promise.set_value(result.error());
    });
    REQUIRE(wait_until([&] { return open_descriptors() > before; }));
    CHECK_FALSE(operation.done());
    const auto start = Clock::now();

    operation.cancel();
    operation.cancel();

    REQUIRE(ended.wait_for(k_enough) == std::future_status::ready);
    const auto error = ended.get();
    CHECK(Clock::now() - start < 5s);
    CHECK(error.name() == "CANCELLED");
    CHECK(error.phase() == c.phase);
    CHECK(operation.done());
    on_loop(loop, [] {});
    CHECK(calls == 1);
    CHECK(open_descriptors() == before);
}

TEST_CASE("a ping can be cancelled while it waits for an answer", "[net][ping][integration]") {
    const auto runtime = quiet();
    SilentServer silent;
    warm_up(runtime);
    const auto before = open_descriptors();
    std::promise<Error> promise;
    auto ended = promise.get_future();
    auto operation = net::async_ping(runtime, PingPlan{to(endpoint("127.0.0.1", silent.port()), get("/"))}, "test", Deadline{60s}, false,
                                     [&](Result<PingResult> result) { promise.set_value(result.error()); });
    REQUIRE(wait_until([&] { return open_descriptors() > before; }));

    operation.cancel();

    REQUIRE(ended.wait_for(k_enough) == std::future_status::ready);
    CHECK(ended.get().name() == "CANCELLED");
    CHECK(open_descriptors() == before);
}

TEST_CASE("a connection that is cut or closed during the handshake", "[net][dial][tls][integration]") {
    const auto runtime = quiet();
    Server server{"nginx"};
    testing::FaultProxy fault{server.port2()};

    fault.set({.reset_after = 100});
    auto result = ping(runtime, to(endpoint("localhost", fault.port(), trusting())));
    INFO(text_of(result));
    REQUIRE(result.error);
    CHECK(result.error->phase() == Phase::tls);
    CHECK(result.error->reason() == Reason::reset);

    fault.set({.close_after = 100});
    result = ping(runtime, to(endpoint("localhost", fault.port(), trusting())));
    REQUIRE(result.error);
    CHECK(result.error->phase() == Phase::tls);
    CHECK(result.error->reason() == Reason::closed);
}

TEST_CASE("a handshake and an answer that come byte by byte are whole", "[net][dial][tls][integration]") {
    const auto runtime = quiet();
    Server server{"nginx"};
    testing::FaultProxy fault{server.port2()};
    fault.set({.chunk = 1});

    const auto result = ping(runtime, to(endpoint("localhost", fault.port(), trusting()), get("/hello.txt")));

    INFO(text_of(result));
    CHECK(result.ok);
}

TEST_CASE("an answer that breaks off is told from none", "[net][ping][integration]") {
    const auto runtime = quiet();
    Server server{"nginx"};
    testing::FaultProxy fault{server.port()};
    struct Case {
        testing::Faults faults;
        Reason reason;
        const char* words;
    };
    const auto c =
        GENERATE(Case{{.close_after = 50}, Reason::closed, "before the answer to GET was complete"},
                 Case{{.reset_after = 50}, Reason::reset, "broke"}, Case{{.close_after = 0}, Reason::closed, "before the answer to GET came"});
    fault.set(c.faults);

    const auto result = ping(runtime, to(endpoint("127.0.0.1", fault.port()), get("/hello.txt")));

    INFO(text_of(result));
    REQUIRE(result.error);
    CHECK(result.error->name() == "SOCKET-ERROR");
    CHECK(result.error->phase() == Phase::protocol);
    CHECK(result.error->reason() == c.reason);
    CHECK(text_of(result).find(c.words) != std::string::npos);
}

TEST_CASE("TLS to a server without it says so", "[net][dial][tls][integration]") {
    const auto runtime = quiet();
    Server server{"nginx"};

    const auto result = ping(runtime, to(endpoint("localhost", server.port(), trusting())));

    REQUIRE(result.error);
    CHECK(result.error->phase() == Phase::tls);
    CHECK(result.error->reason() == Reason::handshake);
    CHECK(text_of(result).find("does not speak TLS") != std::string::npos);
}

TEST_CASE("no descriptors left is this machine's fault and says nothing of the remote end", "[net][dial][integration]") {
    const auto runtime = quiet();
    SilentServer silent;

    no_descriptors = true;
    const auto result = ping(runtime, to(endpoint("127.0.0.1", silent.port())));
    no_descriptors = false;

    REQUIRE(result.error);
    INFO(text_of(result));
    CHECK(result.inconclusive);
    CHECK(result.error->reason() == Reason::local);
    CHECK(result.error->phase() == Phase::connect);
}

TEST_CASE("UNIX sockets", "[net][dial][integration]") {
    const auto runtime = quiet();
    TempDir directory;
    Endpoint there;
    there.host = directory / "sock";
    there.is_socket = true;

    auto result = ping(runtime, to(there));
    REQUIRE(result.error);
    CHECK(result.error->reason() == Reason::not_found);
    CHECK(text_of(result).find(there.host) != std::string::npos);

    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    there.host.copy(address.sun_path, sizeof address.sun_path - 1);
    const net::UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    result = ping(runtime, to(there));
    REQUIRE(result.error);
    CHECK(result.error->reason() == Reason::refused);

    REQUIRE(::listen(listener.get(), 5) == 0);
    CHECK(ping(runtime, to(there)).ok);

    there.tls = std::make_shared<const TlsOptions>();
    result = ping(runtime, to(there));
    REQUIRE(result.error);
    CHECK(result.error->name() == "TLS-OPTION-ERROR");
    CHECK(text_of(result).find("server_name") != std::string::npos);
}

TEST_CASE("TLS options that cannot be used fail the ping with the field", "[net][dial][tls][integration]") {
    const auto runtime = quiet();
    TlsOptions options;
    options.ca_file = "/nonexistent/ca.pem";

    const auto result = ping(runtime, to(endpoint("127.0.0.1", 9, options)));

    REQUIRE(result.error);
    CHECK(result.error->name() == "TLS-OPTION-ERROR");
    CHECK(text_of(result).find("`ssl_ca_file` (TlsOptions::ca_file): ") != std::string::npos);
    CHECK(text_of(result).find("/nonexistent/ca.pem") != std::string::npos);
}

TEST_CASE("a blocking ping on its own I/O thread is refused instead of waiting for itself", "[net][ping][integration]") {
    const auto runtime = quiet();

    const auto name = on_loop(runtime.impl().loop(), [&]() -> std::string {
        try {
            ping(runtime, to(endpoint("127.0.0.1", 9)));
        } catch (const Error& e) { return std::string{e.name()}; }
        return "none";
    });

    CHECK(name == "INVALID-ARGUMENT");
}

TEST_CASE("pings that run when the last handle goes still end", "[net][ping][integration]") {
    SilentServer silent;
    std::promise<bool> promise;
    auto ended = promise.get_future();
    {
        const auto runtime = quiet();
        net::async_ping(runtime, PingPlan{to(endpoint("127.0.0.1", silent.port()), get("/"))}, "test", Deadline{100ms}, false,
                        [&](Result<PingResult> result) { promise.set_value(result.has_value()); });
    }
    REQUIRE(ended.wait_for(k_enough) == std::future_status::ready);
    CHECK(ended.get());
}
