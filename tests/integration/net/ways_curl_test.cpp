// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <vector>

#include <qconn/base/log.hpp>
#include <qconn/http/http_client.hpp>

#include "integration/net/proxy_suite.hpp"
#include "integration/net/socket_suite.hpp"
#include "net/address.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

/// HTTP clients over libcurl, kept until the end of the test.
class Clients {
public:
    StartErrand start() {
        return [this](const Errand& errand, std::function<void(ErrandOutcome)> done) {
            HttpOptions options;
            options.label = "test";
            options.url = (errand.tls ? "https://" : "http://") + net::authority(errand.host, errand.port);
            options.tls.ca_file = tls_file("ca.crt");
            options.proxy = errand.proxy;
            options.socket = errand.socket;
            options.connect_timeout = std::chrono::milliseconds{0};
            HttpRequest request;
            request.path = "hello.txt";
            clients_.push_back(std::make_unique<HttpClient>(std::move(options), runtime_));
            return clients_.back()->async_request(std::move(request), errand.deadline, [done = std::move(done)](Result<HttpResponse> result) {
                ErrandOutcome outcome;
                outcome.ok = result && result.value().body == "hello\n";
                if (!result) outcome = {false, result.error().phase(), result.error().reason(), result.error().what()};
                done(std::move(outcome));
            });
        };
    }

private:
    Runtime runtime_{RuntimeOptions{.log = Log{LogLevel::off, {}}}};
    std::vector<std::unique_ptr<HttpClient>> clients_;
};

}  // namespace

TEST_CASE("libcurl through proxies that work", "[net][proxy][integration]") {
    Clients clients;
    check_proxies_that_work(clients.start());
}

TEST_CASE("libcurl through proxies that refuse", "[net][proxy][integration]") {
    Clients clients;
    check_proxies_that_refuse(clients.start());
}

TEST_CASE("libcurl through proxies that break", "[net][proxy][integration]") {
    Clients clients;
    check_proxies_that_break(clients.start());
}

TEST_CASE("socket options over libcurl", "[net][socket][integration]") {
    Clients clients;
    check_socket_options(clients.start());
}

TEST_CASE("rates over libcurl are limited", "[net][socket][integration]") {
    using namespace std::chrono_literals;
    Server nginx{"nginx"};
    const std::string body(10'000'000, 'x');
    HttpOptions options;
    options.url = "http://" + nginx.address();
    HttpClient fast{options};
    fast.put("big.bin", body, "text/plain", 30s);
    SocketOptions& socket = options.socket;
    (GENERATE(true, false) ? socket.max_receive_rate : socket.max_send_rate) = 5'000'000;
    HttpClient slow{options};

    INFO(socket.max_receive_rate << " " << socket.max_send_rate);
    const auto begin = std::chrono::steady_clock::now();
    if (socket.max_receive_rate != 0)
        CHECK(slow.get("big.bin", 30s).body == body);
    else
        CHECK(slow.put("other.bin", body, "text/plain", 30s).status / 100 == 2);

    CHECK(std::chrono::steady_clock::now() - begin > 700ms);
}
