// SPDX-License-Identifier: Apache-2.0
// Metrics over HTTP, read by our own client, by clients that misbehave, and judged by promtool.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <qconn/admin/metrics_server.hpp>
#include <qconn/http/http_client.hpp>
#include <qconn/monitor/metrics.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"
#include "unit/monitor/remote.hpp"

namespace {

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

struct Scene {
    Scene() {
        for (const char* name : {"shop", "depot", "idle"}) registry.add(remote(name));
        monitor.emplace(registry, MonitorOptions{0ms, 20s});
        monitor->ping("shop");
        world->set_up("depot", false);
        monitor->ping("depot");
        monitor->ping("depot");
    }

    std::shared_ptr<World> world{std::make_shared<World>()};
    Catalogue catalogue{remote_catalogue(world)};
    Runtime runtime{RuntimeOptions{}};
    Registry registry{[this] {
        RegistryOptions options;
        options.catalogue = &catalogue;
        options.runtime = runtime;
        return options;
    }()};
    std::optional<Monitor> monitor;

    ServerOptions options() const {
        ServerOptions options;
        options.runtime = runtime;
        return options;
    }
};

HttpClient client_of(const MetricsServer& server) {
    HttpOptions options;
    options.url = "http://127.0.0.1:" + std::to_string(server.port());
    options.error_passthru = true;
    return HttpClient{options};
}

/// A client that says what a test wants it to.
class Raw {
public:
    explicit Raw(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
    Raw(const Raw&) = delete;
    Raw& operator=(const Raw&) = delete;
    ~Raw() { ::close(fd_); }

    Raw& say(std::string_view text) {
        CHECK(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
        return *this;
    }
    /// All that comes until the server closes.
    std::string hear() const {
        std::string all;
        for (;;) {
            pollfd ready{fd_, POLLIN, 0};
            if (::poll(&ready, 1, 60'000) <= 0) return all + "<silence>";
            char block[4096];
            const ssize_t size = ::recv(fd_, block, sizeof block, 0);
            if (size <= 0) return all;
            all.append(block, static_cast<std::size_t>(size));
        }
    }

private:
    int fd_;
};

}  // namespace

TEST_CASE("a scrape has every metric of every connection", "[admin][metrics][integration]") {
    Scene scene;
    const Interface orders = scene.monitor->add_interface({InterfaceKind::service, "orders", {}, {}});
    const MetricsServer server{*scene.monitor, scene.options()};
    CHECK(server.url() == "http://127.0.0.1:" + std::to_string(server.port()) + "/metrics");
    HttpClient client = client_of(server);
    const HttpResponse answer = client.get("/metrics");
    CHECK(answer.status == 200);
    CHECK(answer.headers.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    for (const char* line :
         {"qconn_connection_up{connection=\"shop\"} 1\n", "qconn_connection_up{connection=\"depot\"} 0\n",
          "qconn_connection_state{connection=\"depot\",state=\"down\"} 1\n", "qconn_connection_state{connection=\"depot\",state=\"up\"} 0\n",
          "qconn_connection_state{connection=\"idle\",state=\"unknown\"} 1\n", "qconn_connection_failures{connection=\"depot\"} 2\n",
          "qconn_connection_pings_total{connection=\"depot\"} 2\n", "qconn_connection_latency_seconds{connection=\"shop\"} ",
          "qconn_connection_last_check_age_seconds{connection=\"depot\"} ", "qconn_alerts 1\n",
          "qconn_alert_active{connection=\"depot\",type=\"USER-CONNECTION-UNAVAILABLE\"} 1\n", "qconn_interfaces{state=\"running\"} 1\n",
          "qconn_interfaces{state=\"blocked\"} 0\n", "qconn_pings_total{outcome=\"ok\"} 1\n", "qconn_pings_total{outcome=\"failed\"} 2\n",
          "qconn_pings_total{outcome=\"inconclusive\"} 0\n", "qconn_events_skipped_total 0\n", "qconn_listener_exceptions_total 0\n"}) {
        CAPTURE(line);
        CHECK(has(answer.body, std::string{"\n"} + line));
    }
    CHECK_FALSE(has(answer.body, "latency_seconds{connection=\"depot\"}"));
    CHECK_FALSE(has(answer.body, "age_seconds{connection=\"idle\"}"));
}

TEST_CASE("promtool takes the metrics", "[admin][metrics][integration]") {
    Scene scene;
    scene.registry.add(remote("odd \"name\" \\ one"));
    REQUIRE(wait_until([&] { return scene.monitor->statuses().size() == 4; }));
    const TempDir directory;
    Registry empty{RegistryOptions{.catalogue = nullptr, .runtime = scene.runtime}};
    for (const std::string& text : {metrics_text(*scene.monitor), metrics_text(Monitor{empty})}) {
        const std::string file = directory.write("metrics", text);
        const std::string told = directory / "told";
        const int code = std::system(("promtool check metrics <'" + file + "' >'" + told + "' 2>&1").c_str());
        INFO(directory.read("told"));
        CHECK(code == 0);
        CHECK(directory.read("told").empty());
    }
}

TEST_CASE("other paths, methods and heads are answered as HTTP has it", "[admin][integration]") {
    Scene scene;
    const MetricsServer server{*scene.monitor, scene.options()};
    HttpClient client = client_of(server);
    CHECK(client.get("/").status == 404);
    CHECK(client.get("/metrics?name[]=up").status == 200);
    const HttpResponse put = client.request({.method = "DELETE", .path = "/metrics"});
    CHECK(put.status == 405);
    CHECK(put.headers.get("Allow") == "GET, HEAD");
    CHECK(client.post("/metrics", "x", "text/plain").status == 413);
    const HttpResponse head = client.head("/metrics");
    CHECK(head.status == 200);
    CHECK(head.body.empty());
    CHECK(std::stoul(std::string{head.headers.get("Content-Length")}) > 1000);
    client.get("/metrics");
    CHECK(client.get("/metrics").info.connection_reused);
}

TEST_CASE("what is no request, too large a head, and silence end a connection", "[admin][integration]") {
    Scene scene;
    ServerOptions options = scene.options();
    options.idle = 300ms;
    const MetricsServer server{*scene.monitor, options};
    CHECK(has(Raw{server.port()}.say("how are you?\r\n\r\n").hear(), "HTTP/1.1 400 "));
    CHECK(has(Raw{server.port()}.say("GET /metrics HTTP/1.1\r\nX: " + std::string(9000, 'x')).hear(), "HTTP/1.1 431 "));
    CHECK(Raw{server.port()}.hear().empty());
    CHECK(Raw{server.port()}.say("GET /metrics HTT").hear().empty());
    const std::string old = Raw{server.port()}.say("GET /metrics HTTP/1.0\r\n\r\n").hear();
    CHECK(old.starts_with("HTTP/1.0 200 "));
    CHECK(has(old, "qconn_alerts 1\n"));
    const std::string two = Raw{server.port()}.say("GET /a HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n").hear();
    CHECK(two.starts_with("HTTP/1.1 404 "));
    CHECK(has(two, "HTTP/1.1 200 "));
}

TEST_CASE("more connections than allowed are closed as they come", "[admin][integration]") {
    Scene scene;
    ServerOptions options = scene.options();
    options.max_connections = 2;
    const MetricsServer server{*scene.monitor, options};
    const Raw first{server.port()};
    std::optional<Raw> second{std::in_place, server.port()};
    CHECK(Raw{server.port()}.hear().empty());
    second.reset();
    CHECK(wait_until([&] { return has(Raw{server.port()}.say("GET /metrics HTTP/1.0\r\n\r\n").hear(), " 200 "); }));
}

TEST_CASE("a port that is taken is said, and free again after the server", "[admin][integration]") {
    Scene scene;
    ServerOptions options = scene.options();
    {
        const MetricsServer server{*scene.monitor, options};
        options.port = server.port();
        try {
            const MetricsServer other{*scene.monitor, options};
            FAIL("two servers on one port");
        } catch (const Error& error) {
            CHECK(error.name() == "LISTEN-ERROR");
            CHECK(error.code() == std::errc::address_in_use);
            CHECK(has(error.what(), "127.0.0.1:" + std::to_string(options.port)));
            CHECK(has(error.what(), "another program listens there"));
        }
    }
    CHECK_NOTHROW(MetricsServer{*scene.monitor, options});
    options.host = "nowhere.example";
    CHECK_THROWS_AS((MetricsServer{*scene.monitor, options}), Error);
    options.host = "::1";
    options.port = 0;
    CHECK(MetricsServer{*scene.monitor, options}.url().starts_with("http://[::1]:"));
}

TEST_CASE("a server may go in the middle of scrapes", "[admin][integration]") {
    Scene scene;
    for (int i = 0; i < 20; ++i) {
        std::optional<MetricsServer> server{std::in_place, *scene.monitor, scene.options()};
        std::atomic<int> answers{0};
        std::atomic<bool> stop{false};
        std::vector<std::thread> scrapers;
        for (int n = 0; n < 3; ++n)
            scrapers.emplace_back([&, port = server->port()] {
                HttpOptions options;
                options.url = "http://127.0.0.1:" + std::to_string(port);
                HttpClient client{options};
                while (!stop) {
                    try {
                        client.get("/metrics");
                        ++answers;
                    } catch (const Error&) {}
                }
            });
        CHECK(wait_until([&] { return answers > 3; }, 60s));
        server.reset();
        stop = true;
        for (std::thread& one : scrapers) one.join();
    }
}
