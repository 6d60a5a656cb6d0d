// SPDX-License-Identifier: Apache-2.0
// The ways to a server: proxies and sockets, as for everything else that dials.
#include <cstdlib>
#include <memory>

#include <qconn/websocket/websocket_client.hpp>

#include "integration/net/proxy_suite.hpp"
#include "integration/net/socket_suite.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

/// A handshake with a web server that has a file there: that it answers with 200 shows that it was reached.
const StartErrand k_websocket_errand = [](const Errand& errand, std::function<void(ErrandOutcome)> done) {
    WebSocketOptions options;
    options.url = (errand.tls ? "wss://" : "ws://") + errand.host + ':' + std::to_string(errand.port) + "/hello.txt";
    options.proxy = errand.proxy;
    options.socket = errand.socket;
    options.tls.ca_file = tls_file("ca.crt");
    options.connect_timeout = std::chrono::milliseconds{0};
    ErrandOutcome outcome;
    std::shared_ptr<WebSocketClient> client;
    try {
        client = std::make_shared<WebSocketClient>(std::move(options));
    } catch (const Error& error) {
        done({false, error.phase(), error.reason(), std::string{error.message()}});
        return Operation{};
    }
    return client->async_connect(errand.deadline, [client, done](Result<WebSocketInfo> result) {
        const auto* detail = result ? nullptr : result.error().detail<WebSocketErrorDetail>();
        if (result || (detail != nullptr && detail->status == 200)) return done({true, Phase::none, Reason::none, {}});
        done({false, result.error().phase(), result.error().reason(), std::string{result.error().message()}});
    });
};

}  // namespace

TEST_CASE("a WebSocket goes through every kind of proxy", "[websocket][integration]") { check_proxies_that_work(k_websocket_errand); }
// QCONN_LONG=1: what the layer below has shown by itself and by HTTP.
TEST_CASE("a WebSocket is told what a proxy refuses", "[websocket][integration]") {
    if (std::getenv("QCONN_LONG") != nullptr) check_proxies_that_refuse(k_websocket_errand);
}
TEST_CASE("a WebSocket outlives broken proxies", "[websocket][integration]") {
    if (std::getenv("QCONN_LONG") != nullptr) check_proxies_that_break(k_websocket_errand);
}
