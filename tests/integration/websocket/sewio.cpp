// SPDX-License-Identifier: Apache-2.0
#include <qconn/websocket/sewio_client.hpp>

#include "integration/websocket/fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

SewioWebSocketOptions sewio() {
    SewioWebSocketOptions options;
    options.websocket = to(python_server(), "/sewio");
    options.api_key = Secret{k_password};
    return options;
}

}  // namespace

TEST_CASE("feeds that are subscribed to bring news until they are unsubscribed from", "[websocket][integration]") {
    SewioWebSocketClient client{sewio()};
    client.subscribe("/feeds/17", k_limit);
    const SewioMessage answer = client.receive(k_limit);
    CHECK(answer.method == "subscribe");
    CHECK(answer.status == 200);
    const SewioMessage news = client.receive(k_limit);
    CHECK(news.resource == "/feeds/17");
    CHECK(news.body.as_map().at("id").as_string() == "17");
    client.unsubscribe("/feeds/17", k_limit);
    SewioMessage last;
    do last = client.receive(k_limit);
    while (last.method != "unsubscribe");
    CHECK(error_of([&] { client.receive(100ms); }).name() == "TIMEOUT");
}

TEST_CASE("a wrong key is the server's affair, and no key an error of ours", "[websocket][integration]") {
    SewioWebSocketOptions options = sewio();
    options.api_key = Secret{"nonsense-17"};
    SewioWebSocketClient client{options};
    client.send("get", "/feeds/", {}, k_limit);
    CHECK(client.receive(k_limit).status == 401);

    options.api_key = {};
    CHECK(error_of([&] { SewioWebSocketClient none{options}; }).name() == "SEWIOWEBSOCKETCLIENT-ERROR");
}

TEST_CASE("feeds are subscribed to anew after a reconnect, and bodies are values", "[websocket][integration]") {
    SewioWebSocketOptions options = sewio();
    options.websocket.reconnect = {true, 10ms, 50ms, 0};
    Lines answers;
    options.on_message = [&](const SewioMessage& message) {
        if (!message.method.empty()) answers.add(message.method + (message.body.is_null() ? "" : " body"));
    };
    SewioWebSocketClient client{options};
    client.subscribe("/feeds/1", k_limit);
    client.subscribe("/feeds/2", k_limit);
    client.send("put", "/x", Map{{"a", 1}}, k_limit);
    REQUIRE(answers.wait(3));
    client.send("cut", "/x", {}, k_limit);
    REQUIRE(answers.wait(6));
    const auto all = answers.all();
    CHECK(std::vector<std::string>(all.begin(), all.begin() + 3) == std::vector<std::string>{"subscribe", "subscribe", "put body"});
    CHECK(std::vector<std::string>(all.end() - 2, all.end()) == std::vector<std::string>{"subscribe", "subscribe"});
}

TEST_CASE("what is no JSON is an error of receiving, or goes to errlog", "[websocket][integration]") {
    SewioWebSocketOptions options = sewio();
    options.websocket.url = to(python_server(), "/tick").url;
    SewioWebSocketClient pulled{options};
    const Error error = error_of([&] { pulled.receive(k_limit); });  // "0" is JSON, and no object
    CHECK(error.name() == "SEWIOWEBSOCKETCLIENT-ERROR");
    CHECK(error.reason() == Reason::bad_answer);

    Lines errors;
    options.websocket.handlers.errlog = [&](std::string_view line) { errors.add(std::string{line}); };
    options.on_message = [](const SewioMessage&) {};
    SewioWebSocketClient pushed{options};
    pushed.websocket().connect(k_limit);
    REQUIRE(errors.wait(1));
    CHECK(has(errors.all()[0], "no JSON object"));
}
