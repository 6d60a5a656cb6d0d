// SPDX-License-Identifier: Apache-2.0
// The contract of connections, for ws, wss, sewiows and sewiowss.
#include "contract/connection_contract.hpp"

#include <qconn/websocket/sewio_client.hpp>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "contract/tls_samples.hpp"
#include "integration/websocket/fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/tcp_table.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Calls that have been begun and have not ended.
std::atomic<int>& websocket_calls() {
    static std::atomic<int> count{0};
    return count;
}
struct Counted {
    Counted() { ++websocket_calls(); }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --websocket_calls(); }
};

/// What a server answers to a message.
Use question() {
    return {.blocking =
                [](Client& client, Deadline deadline) {
                    const Counted counted;
                    auto& socket = dynamic_cast<WebSocketClient&>(client);
                    socket.send("?", deadline);
                    return socket.receive(deadline).data;
                },
            .asynchronous =
                [](Client& client, Deadline deadline, Callback<std::string> callback) {
                    auto& socket = dynamic_cast<WebSocketClient&>(client);
                    auto counted = std::make_unique<Counted>();
                    const Operation receiving = socket.async_receive(
                        deadline, [callback = std::move(callback), counted = std::move(counted)](Result<WebSocketMessage> message) mutable {
                            counted.reset();
                            callback(message ? Result<std::string>{std::move(message->data)} : Result<std::string>{message.error()});
                        });
                    socket.async_send(WebSocketKind::text, "?", deadline, {});
                    return receiving;
                }};
}

/// What the server says to a request of Sewio's.
Use sewio_request() {
    const auto text_of = [](const SewioMessage& message) { return std::string{message.body.is_string() ? message.body.as_string() : "no text"}; };
    return {.blocking =
                [text_of](Client& client, Deadline deadline) {
                    const Counted counted;
                    auto& sewio = dynamic_cast<SewioWebSocketClient&>(client);
                    sewio.send("get", "/x", {}, deadline);
                    return text_of(sewio.receive(deadline));
                },
            .asynchronous =
                [text_of](Client& client, Deadline deadline, Callback<std::string> callback) {
                    auto& sewio = dynamic_cast<SewioWebSocketClient&>(client);
                    auto counted = std::make_unique<Counted>();
                    const Operation receiving = sewio.async_receive(
                        deadline, [text_of, callback = std::move(callback), counted = std::move(counted)](Result<SewioMessage> message) mutable {
                            counted.reset();
                            callback(message ? Result<std::string>{text_of(*message)} : Result<std::string>{message.error()});
                        });
                    sewio.websocket().async_send(
                        WebSocketKind::text, R"({"headers": {"X-ApiKey": ")" + std::string{k_password} + R"("}, "method": "get", "resource": "/x"})",
                        deadline, {});
                    return receiving;
                }};
}

ConnectionContract contract_of(const std::string& scheme, const Server& expired, const SilentServer& silent) {
    const bool sewio = scheme.starts_with("sewio");
    const bool tls = scheme.ends_with("wss");
    const Server& server = python_server();
    const std::string start = scheme + "://";
    const std::string login = std::string{k_user} + ':' + std::string{k_password} + '@';
    const std::string at = tls ? server.address2() : server.address();
    const std::string dead = "127.0.0.1:" + std::to_string(free_port());
    const std::string mute = "127.0.0.1:" + std::to_string(silent.port());
    const std::string api_key = sewio ? "apikey: " + std::string{k_password} + "\n" : "";
    const std::string trust = api_key + (tls ? "ssl_ca_file: " + tls_file("ca.crt") + "\n" : "");
    const std::string says = sewio ? "/sewio/" : "/say/";
    ConnectionContract out;
    out.up = {start + login + at + "/auth" + says + "one", trust};
    out.changed = {start + at + says + "two", trust};
    out.use = sewio ? sewio_request() : question();
    out.answer = "one";
    out.changed_answer = "two";
    out.refused = Down{{start + dead, trust}, Phase::connect, Reason::refused};
    out.silent = Down{{start + mute, trust}, tls ? Phase::tls : Phase::protocol, Reason::timeout, PingDepth::full, tls ? 5s : 2s};
    out.wrong_password = Down{{start + std::string{k_user} + ":wrong@" + at + "/auth", trust}, Phase::auth, Reason::denied, PingDepth::auth};
    if (tls)
        out.bad_certificate = Down{{start + expired.address2(), trust}, Phase::tls, Reason::certificate_expired};
    else
        out.bad_certificate = Absent{"without TLS there is no certificate"};
    out.slow = SlowUse{.sample = {start + mute, api_key}, .reached = [&silent](int calls) {
                           // All share one connection: from outside only that can be seen. The calls are a moment away from where they wait.
                           if (websocket_calls() < calls || count_ends_towards(silent.port(), TcpState::established) == 0) return false;
                           std::this_thread::sleep_for(300ms);
                           return true;
                       }};
    const std::string open = start + at + says + "one";
    out.samples = {{"username", {start + at, trust + "username: edi\npassword: x"}},
                   {"password", {start + at, trust + "username: edi\npassword: x"}},
                   {"token", {open, trust + "token: " + std::string{k_password}}},
                   {"subprotocols", {open, trust + "subprotocols: [one, two]"}},
                   {"require_subprotocol", {open, trust + "subprotocols: [none]\nrequire_subprotocol: false"}},
                   {"data", {open, trust + "data: json"}}};
    out.samples.merge(tls_samples());
    const std::string canary = k_canary;
    const std::string in_places = trust + "headers: {X-Api: " + canary + "}\n";
    out.with_canary = {{start + login + at + "/auth?key=" + canary, in_places},
                       {start + "edi:" + canary + "@" + dead, in_places},
                       {start + "edi:" + canary + "@" + at + "/auth", in_places},
                       {start + at + "/auth", in_places + "token: " + canary},
                       {start + at, in_places + "proxy: http://edi:" + canary + "@" + dead}};
    return out;
}

}  // namespace

TEST_CASE("ws keeps the contract of connections", "[contract][alike][integration]") {
    Server expired{"websocket", {.environment = {"WS_CERT=expired"}}};
    const SilentServer silent;
    CHECK(to_text(broken_promises(contract_of("ws", expired, silent))) == "");
}

TEST_CASE("wss keeps the contract of connections", "[contract][integration]") {
    Server expired{"websocket", {.environment = {"WS_CERT=expired"}}};
    const SilentServer silent;
    CHECK(to_text(broken_promises(contract_of("wss", expired, silent))) == "");
}

TEST_CASE("sewiows keeps the contract of connections, and so does sewiowss where there is time", "[contract][alike][integration]") {
    Server expired{"websocket", {.environment = {"WS_CERT=expired"}}};
    const SilentServer silent;
    CHECK(to_text(broken_promises(contract_of("sewiows", expired, silent))) == "");
    // QCONN_LONG=1: the same under TLS, whose own parts wss has shown.
    if (std::getenv("QCONN_LONG") != nullptr) CHECK(to_text(broken_promises(contract_of("sewiowss", expired, silent))) == "");
}
