// SPDX-License-Identifier: Apache-2.0
// Handshakes that go wrong, and redirects.
#include "integration/websocket/fixture.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

Error refusal_of(const WebSocketOptions& options, std::chrono::milliseconds limit = k_limit) {
    WebSocketClient client{options};
    const Error error = error_of([&] { client.connect(limit); });
    CHECK_FALSE(client.is_open());
    CHECK(error.connection() == "feed");
    CHECK_FALSE(has(error.what(), k_password));
    return error;
}

}  // namespace

TEST_CASE("a refused handshake tells the status and what the server said", "[websocket][integration]") {
    const Error missing = refusal_of(to(python_server(), "/refuse/404"));
    CHECK(missing.name() == "WEBSOCKET-ERROR");
    CHECK(missing.reason() == Reason::not_found);
    CHECK(has(missing.message(), "404 Not Found: \"refused\""));
    REQUIRE(missing.detail<WebSocketErrorDetail>() != nullptr);
    CHECK(missing.detail<WebSocketErrorDetail>()->status == 404);
    CHECK(missing.detail<WebSocketErrorDetail>()->body == "refused\n");

    WebSocketOptions wrong = to(python_server(), "/auth");
    CHECK(has(refusal_of(wrong).message(), "it wants credentials"));
    wrong.username = k_user;
    wrong.password = Secret{"nonsense-17"};
    const Error denied = refusal_of(wrong);
    CHECK(denied.phase() == Phase::auth);
    CHECK(denied.reason() == Reason::denied);
    CHECK_FALSE(has(denied.what(), "nonsense-17"));

    CHECK(refusal_of(to(python_server(), "/refuse/503")).retryable());
}

TEST_CASE("an answer that is no handshake is refused, and says what is wrong with it", "[websocket][integration]") {
    struct Case {
        const char* kind;
        const char* words;
    };
    const Case cases[] = {{"no-upgrade", "no \"Upgrade: websocket\""},
                          {"other-upgrade", "no \"Upgrade: websocket\""},
                          {"no-connection", "no \"Connection: Upgrade\""},
                          {"bad-accept", "Sec-WebSocket-Accept"},
                          {"two-accepts", "Sec-WebSocket-Accept"},
                          {"subprotocol", "\"nobody.asked\", which was not offered"},
                          {"extension", "\"x-webkit-deflate-frame\", which was not offered"},
                          {"deflate-twice", "twice"},
                          {"deflate-odd", "\"window=7\" is not known"},
                          {"deflate-wide", "no value from 8 to 15"},
                          {"garbage", "not HTTP/1.x"},
                          {"ssh", "SSH-2.0-OpenSSH_9.2"},
                          {"huge", "longer than 65536 bytes"},
                          {"ok", "it is a web server, but no WebSocket is at this path"},
                          {"unauthorized", "who? you?"}};
    for (const Case& one : cases) {
        const Error error = refusal_of(to(raw_server(), std::string{"/hs/"} + one.kind));
        INFO(one.kind << ": " << error.what());
        CHECK(has(error.message(), one.words));
    }
}

TEST_CASE("what is unusual and allowed in a handshake is taken", "[websocket][integration]") {
    for (const char* kind : {"good", "lax", "continue"}) {
        INFO(kind);
        WebSocketClient client{to(raw_server(), std::string{"/hs/"} + kind)};
        client.send("hello", k_limit);
        CHECK(client.receive(k_limit).data == "hello");
    }
    WebSocketClient early{to(raw_server(), "/hs/early")};
    CHECK(early.receive(k_limit).data == "early bird");
}

TEST_CASE("a subprotocol that the server does not have is an error, unless that is allowed", "[websocket][integration]") {
    WebSocketOptions options = to(python_server());
    options.subprotocols = {"three"};
    CHECK(refusal_of(options).name() == "WEBSOCKET-SUBPROTOCOL-ERROR");

    options.require_subprotocol = false;
    WebSocketClient client{options};
    CHECK(client.connect(k_limit).subprotocol == "");
}

TEST_CASE("a server that does not answer the handshake ends with the connect time-out", "[websocket][integration]") {
    WebSocketOptions options = to(raw_server(), "/hs/silent");
    options.connect_timeout = 300ms;
    const Error silent = refusal_of(options);
    CHECK(silent.name() == "TIMEOUT");
    CHECK(silent.phase() == Phase::protocol);
    CHECK(has(silent.message(), "did not send the answer to the WebSocket handshake in time"));

    options.url = to(raw_server(), "/hs/stalled-head").url;
    CHECK(has(refusal_of(options).message(), "did not end the answer"));
    // What is there of a refusal says more than that time was over.
    options.url = to(raw_server(), "/hs/stalled").url;
    CHECK(has(refusal_of(options).message(), "503 Service Unavailable: \"over\""));

    options.connect_timeout = 20s;
    options.url = to(raw_server(), "/hs/silent").url;
    CHECK(refusal_of(options, 200ms).name() == "TIMEOUT");
}

TEST_CASE("a server that is not there is refused in phase connect", "[websocket][integration]") {
    WebSocketOptions options = to(raw_server());
    options.url = "ws://127.0.0.1:" + std::to_string(free_port());
    const Error error = refusal_of(options);
    CHECK(error.phase() == Phase::connect);
    CHECK(error.reason() == Reason::refused);
    CHECK(has(error.message(), "opening the WebSocket ws://127.0.0.1:"));
}

TEST_CASE("certificates are checked as everywhere", "[websocket][integration]") {
    WebSocketOptions options = to(python_server(), "/", true);
    options.tls.ca_file.clear();
    CHECK(refusal_of(options).reason() == Reason::certificate_untrusted);

    Server expired{"websocket", {.environment = {"WS_CERT=expired"}}};
    CHECK(refusal_of(to(expired, "/", true)).reason() == Reason::certificate_expired);
    Server wrong{"websocket", {.environment = {"WS_CERT=wrong"}}};
    CHECK(refusal_of(to(wrong, "/", true)).reason() == Reason::certificate_name);

    // No TLS at the other end.
    WebSocketOptions plain = to(python_server(), "/", true);
    plain.url = "wss://" + python_server().address();
    CHECK(refusal_of(plain).phase() == Phase::tls);
}

TEST_CASE("redirects are followed, and credentials stay with the origin that they are for", "[websocket][integration]") {
    for (const char* code : {"301", "302", "303", "307", "308"}) {
        INFO(code);
        WebSocketOptions options = to(python_server(), std::string{"/redirect/"} + code + "//auth");
        options.token = Secret{k_password};
        WebSocketClient client{options};
        const WebSocketInfo info = client.connect(k_limit);
        CHECK(info.redirects == 1);
        CHECK(has(info.url, "/auth"));
    }
    // The same server by another name is another origin.
    WebSocketOptions elsewhere = to(python_server());
    elsewhere.url = "ws://localhost:" + std::to_string(python_server().port()) + "/redirect/302/ws://" + python_server().address() + "/headers";
    elsewhere.token = Secret{k_password};
    elsewhere.headers = {{"X-Api-Key", "k3y-17"}, {"X-Plain", "stays"}};
    WebSocketClient client{elsewhere};
    const std::string headers = client.receive(k_limit).data;
    CHECK(has(headers, "stays"));
    CHECK_FALSE(has(headers, "k3y-17"));
    CHECK_FALSE(has(headers, k_password));
}

TEST_CASE("redirects that lead nowhere are errors", "[websocket][integration]") {
    WebSocketOptions options = to(raw_server(), "/hs/loop");
    const Error loop = refusal_of(options);
    CHECK(loop.name() == "WEBSOCKET-REDIRECT-ERROR");
    CHECK(loop.phase() == Phase::redirect);
    CHECK(refusal_of(to(raw_server(), "/hs/nowhere")).name() == "WEBSOCKET-REDIRECT-ERROR");
    CHECK(refusal_of(to(raw_server(), "/hs/mailto")).name() == "WEBSOCKET-REDIRECT-ERROR");
    options = to(python_server(), "/redirect/302//");
    options.max_redirects = 0;
    CHECK(refusal_of(options).name() == "WEBSOCKET-REDIRECT-ERROR");

    // Never from TLS to none.
    options = to(python_server(), "/redirect/302/ws://" + python_server().address() + "/", true);
    const Error down = refusal_of(options);
    CHECK(down.name() == "WEBSOCKET-REDIRECT-ERROR");
    CHECK(has(down.message(), "has no TLS"));
}

TEST_CASE("a server that repeats what it was sent does not have the secrets shown", "[websocket][integration]") {
    WebSocketOptions options = to(raw_server(), "/hs/echo-secrets");
    options.username = k_user;
    options.password = Secret{k_password};
    const Error error = refusal_of(options);
    CHECK(error.reason() == Reason::permission);
    const std::string body = error.detail<WebSocketErrorDetail>()->body;
    CHECK(has(body, "Authorization: Basic <masked>"));
}
