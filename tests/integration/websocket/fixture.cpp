// SPDX-License-Identifier: Apache-2.0
#include "integration/websocket/fixture.hpp"

namespace qconn::test {

Server& python_server() {
    static Server server{"websocket"};
    return server;
}
Server& npm_server() {
    static Server server{"wsjs"};
    return server;
}
Server& python_plain_server() {
    static Server server{"websocket", {.environment = {"WS_DEFLATE=off"}}};
    return server;
}
Server& npm_plain_server() {
    static Server server{"wsjs", {.environment = {"WS_DEFLATE=off"}}};
    return server;
}
Server& raw_server() {
    static Server server{"wsraw"};
    return server;
}

WebSocketOptions to(const Server& server, const std::string& path, bool tls) {
    WebSocketOptions options;
    options.label = "feed";
    options.url = (tls ? "wss://" + server.address2() : "ws://" + server.address()) + path;
    if (tls) options.tls.ca_file = tls_file("ca.crt");
    options.close_timeout = std::chrono::seconds{5};
    return options;
}

}  // namespace qconn::test
