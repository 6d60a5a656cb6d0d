// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include "integration/net/pinging.hpp"
#include "net/stream.hpp"
#include "net/unique_fd.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// One target that is pinged again and again, as a monitor does.
class Target {
public:
    Target(const Runtime& runtime, Endpoint endpoint)
        : loop_{runtime.impl().loop()},
          plan_{NetPing{.endpoint = std::move(endpoint), .dialogue = get("/hello.txt"), .keep = true, .start_tls = nullptr}} {}
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;
    ~Target() {
        on_loop(loop_, [this] { kept_.reset(); });
    }

    PingResult ping() {
        std::promise<PingResult> promise;
        auto ended = promise.get_future();
        std::unique_ptr<net::PingRun> run;
        loop_.post([&] {
            run = net::PingRun::start(loop_, plan_, {.label = "test", .deadline = {}, .steps = true, .kept = std::move(kept_)},
                                      [&](PingResult result, std::unique_ptr<net::Stream> kept) {
                                          kept_ = std::move(kept);
                                          run.reset();
                                          promise.set_value(std::move(result));
                                      });
        });
        REQUIRE(ended.wait_for(k_enough) == std::future_status::ready);
        return ended.get();
    }
    bool has_kept() {
        return on_loop(loop_, [this] { return kept_ != nullptr; });
    }
    void watch(std::function<void()> callback) {
        on_loop(loop_, [&] { kept_->watch_idle(std::move(callback)); });
    }

private:
    net::Loop& loop_;
    PingPlan plan_;
    std::unique_ptr<net::Stream> kept_;
};

Endpoint endpoint_of(const Server& server, bool tls) {
    TlsOptions options;
    options.ca_file = tls_file("ca.crt");
    return tls ? endpoint("127.0.0.1", server.port2(), options) : endpoint("127.0.0.1", server.port());
}

}  // namespace

TEST_CASE("a kept stream serves the next ping", "[net][ping][kept][integration]") {
    const bool tls = GENERATE(false, true);
    Server server{"nginx"};
    const Runtime runtime{RuntimeOptions{}};
    Target target{runtime, endpoint_of(server, tls)};

    const auto first = target.ping();
    INFO(text_of(first));
    CHECK(first.ok);
    CHECK_FALSE(first.kept);
    REQUIRE(target.has_kept());
    const auto second = target.ping();
    CHECK(second.ok);
    CHECK(second.kept);
    CHECK(wait_until([&] { return server.directory().read("access.log").find("\"request\":2") != std::string::npos; }));
}

TEST_CASE("a kept stream that died is replaced within the same ping", "[net][ping][kept][integration]") {
    const bool tls = GENERATE(false, true);
    Server server{"nginx"};
    const Runtime runtime{RuntimeOptions{}};
    Target target{runtime, endpoint_of(server, tls)};
    REQUIRE(target.ping().ok);

    server.kill();
    server.start();
    const auto again = target.ping();

    INFO(text_of(again));
    CHECK(again.ok);
    CHECK_FALSE(again.kept);

    server.kill();
    const auto down = target.ping();
    REQUIRE(down.error);
    CHECK(down.error->reason() == Reason::refused);
    CHECK_FALSE(target.has_kept());
}

TEST_CASE("the death of a server is seen on the idle stream", "[net][kept][integration]") {
    const bool tls = GENERATE(false, true);
    Server server{"nginx"};
    const Runtime runtime{RuntimeOptions{}};
    std::atomic<int> seen{0};
    Target target{runtime, endpoint_of(server, tls)};
    REQUIRE(target.ping().ok);
    target.watch([&] { ++seen; });
    REQUIRE(target.ping().kept);  // a ping ends the watch
    target.watch([&] { ++seen; });
    CHECK(seen == 0);

    server.kill();

    CHECK(wait_until([&] { return seen == 1; }));
}

namespace {

/// Takes one connection, reads something, answers, and tells that it has.
class OneAnswer {
public:
    OneAnswer() {
        thread_ = std::thread{[this] {
            const net::UniqueFd peer{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
            char buffer[1000];
            if (::recv(peer.get(), buffer, sizeof buffer, 0) <= 0) return;
            const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            if (::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL) <= 0) return;
            answered.set_value();
            done.get_future().wait_for(k_enough);
        }};
    }
    OneAnswer(const OneAnswer&) = delete;
    OneAnswer& operator=(const OneAnswer&) = delete;
    ~OneAnswer() {
        done.set_value();
        thread_.join();
    }

    std::promise<void> answered;
    std::promise<void> done;
    std::uint16_t port() const noexcept { return port_; }

private:
    std::uint16_t port_{0};  // before listener_, which sets it
    net::UniqueFd listener_{listen_on(port_)};
    std::thread thread_;
};

}  // namespace

TEST_CASE("an answer that is there when the time is over counts", "[net][ping][integration]") {
    OneAnswer server;
    const Runtime runtime{RuntimeOptions{}};
    auto& loop = runtime.impl().loop();
    const PingPlan plan{NetPing{.endpoint = endpoint("127.0.0.1", server.port()), .dialogue = get("/"), .keep = false, .start_tls = nullptr}};
    std::promise<PingResult> promise;
    auto ended = promise.get_future();
    std::unique_ptr<net::PingRun> run;

    loop.post([&] {
        run = net::PingRun::start(loop, plan, {.label = "test", .deadline = {}, .steps = false, .kept = nullptr},
                                  [&](PingResult result, std::unique_ptr<net::Stream>) { promise.set_value(std::move(result)); });
        // In the next turn the request has been sent; the loop then stalls until the answer lies unread in the socket, and only then is the time
        // over.
        loop.post([&] {
            server.answered.get_future().wait_for(k_enough);
            run->expire();
        });
    });

    REQUIRE(ended.wait_for(k_enough) == std::future_status::ready);
    const auto result = ended.get();
    INFO(text_of(result));
    CHECK(result.ok);
    on_loop(loop, [&] { run.reset(); });
}
