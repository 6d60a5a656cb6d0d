// SPDX-License-Identifier: Apache-2.0
#include "websocket/settings.hpp"
#include "support/text.hpp"

#include "support/catch.hpp"
#include "websocket/websocket_error.hpp"

using namespace qconn;
using namespace qconn::websocket;
using namespace std::chrono_literals;
using test::has;

namespace {

WebSocketOptions with_url(const std::string& url) {
    WebSocketOptions options;
    options.url = url;
    return options;
}

/// "NAME: message" of what making the settings throws; empty: nothing.
std::string problem_of(const WebSocketOptions& options) {
    try {
        const Settings settings{options};
        return {};
    } catch (const Error& error) { return error.what(); }
}

}  // namespace

TEST_CASE("a URL leads to a place", "[websocket]") {
    struct Case {
        const char* url;
        const char* shown;
        std::uint16_t port;
    };
    const Case cases[] = {{"ws://h", "http://h/", 80},
                          {"wss://H:8443/a b?q=1", "https://h:8443/a%20b?…", 8443},
                          {"https://h/x", "https://h/x", 443},
                          {"ws://[::1]:81", "http://[::1]:81/", 81},
                          {"ws://u:p@h/", "http://h/", 80}};
    for (const Case& one : cases) {
        const Settings settings{with_url(one.url)};
        CHECK(settings.base.shown() == one.shown);
        CHECK(settings.base.port == one.port);
    }
    const Settings socket{with_url("ws://socket=%2Frun%2Fapp.sock/live")};
    CHECK(socket.endpoint_of(socket.base).is_socket);
    CHECK(socket.endpoint_of(socket.base).host == "/run/app.sock");
}

TEST_CASE("options that cannot be used are refused when they are given", "[websocket]") {
    CHECK(has(problem_of(with_url("ftp://h/")), "WEBSOCKET-URL-ERROR"));
    CHECK(has(problem_of(with_url("ws:///x")), "WEBSOCKET-URL-ERROR"));
    CHECK(has(problem_of(with_url("ws://h/x#y")), "no fragment"));
    struct Case {
        std::function<void(WebSocketOptions&)> change;
        const char* words;
    };
    const Case cases[] = {
        {[](auto& o) { o.password = Secret{"x"}; }, "no user name"},
        {[](auto& o) { o.token = Secret{"x"}, o.username = "u"; }, "exclude each other"},
        {[](auto& o) { o.token = Secret{"x\n"}; }, "line break"},
        {[](auto& o) { o.token = Secret{"x"}, o.token_type = "a b"; }, "token_type"},
        {[](auto& o) { o.headers.add("a b", "x"); }, "no header name"},
        {[](auto& o) { o.headers.add("a", "x\r\ny"); }, "line break"},
        {[](auto& o) { o.subprotocols = {"a b"}; }, "no name of a subprotocol"},
        {[](auto& o) {
             o.subprotocols = {"a", "b", "a"};
         },
         "offered twice"},
        {[](auto& o) { o.compression.level = 10; }, "level"},
        {[](auto& o) { o.compression.client_window_bits = 8; }, "from 9 to 15"},
        {[](auto& o) { o.timeout = -1ms; }, "not negative"},
        {[](auto& o) { o.max_redirects = -1; }, "not negative"},
        {[](auto& o) { o.max_message = 0; }, "at least 1"},
        {[](auto& o) { o.part_size = 10; }, "part_size"},
        {[](auto& o) { o.version = 12; }, "version"},
        {[](auto& o) { o.handlers.on_message = [](auto...) {}, o.handlers.on_part = [](auto...) {}; }, "exclude each other"},
        {[](auto& o) { o.socket.local_port = 1, o.proxy = Proxy{}; }, "proxy"},
    };
    for (const Case& one : cases) {
        WebSocketOptions options = with_url("ws://h/");
        one.change(options);
        INFO(one.words);
        CHECK(has(problem_of(options), "WEBSOCKET-OPTION-ERROR"));
        CHECK(has(problem_of(options), one.words));
    }
}

TEST_CASE("a server is asked before it is taken for gone", "[websocket]") {
    WebSocketOptions options = with_url("ws://h/");
    options.timeout = 15s;
    options.ping_interval = 20s;
    CHECK(Settings{options}.options.ping_interval == 5s);

    options.ping_interval = 0ms;
    CHECK(Settings{options}.options.ping_interval == 0ms);
}

TEST_CASE("what a server repeats of the secrets is masked", "[websocket]") {
    WebSocketOptions options = with_url("ws://edi:Passw0rd@h/");
    const Settings settings{options};
    CHECK(settings.redact("Passw0rd and ZWRpOlBhc3N3MHJk") == "<masked> and <masked>");
}

TEST_CASE("close codes that an endpoint may send are told from others", "[websocket]") {
    for (const int code : {1000, 1001, 1003, 1007, 1014, 3000, 4999}) CHECK(can_be_sent(static_cast<std::uint16_t>(code)));
    for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000}) CHECK_FALSE(can_be_sent(static_cast<std::uint16_t>(code)));
    CHECK(shown_close(1001, "back soon\n") == "1001 (going away): back soon\\n");
    CHECK(shown_close(4001, "") == "4001");
}
