// SPDX-License-Identifier: Apache-2.0
#include "websocket/handshake.hpp"

#include <qconn/websocket/websocket_error.hpp>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::websocket;

namespace {

std::shared_ptr<const Settings> settings_of(WebSocketOptions options) {
    if (options.url.empty()) options.url = "ws://feed.example/live";
    return std::make_shared<const Settings>(std::move(options));
}

struct Talk {
    Dialogue::Step step;
    std::string sent;
    std::string rest;
};

std::string key_of(const std::string& request) {
    const std::string field = "Sec-WebSocket-Key: ";
    const std::size_t at = request.find(field) + field.size();
    return request.substr(at, request.find('\r', at) - at);
}

/// `answer` with KEY in place of what the server makes of the key, in pieces of `size` bytes, and then the end of the stream.
Talk talk_to(HandshakeDialogue& dialogue, std::string answer, std::size_t size) {
    Talk talk;
    talk.step = dialogue.begin(talk.sent);
    if (const std::size_t at = answer.find("KEY"); at != std::string::npos) answer.replace(at, 3, accept_of(key_of(talk.sent)));
    std::string input;
    for (std::size_t at = 0; at < answer.size() && talk.step.want == Dialogue::Want::read; at += size) {
        input += answer.substr(at, size);
        talk.step = dialogue.feed(input, false, talk.sent);
        input.erase(0, talk.step.used);
        if (talk.step.want != Dialogue::Want::read) talk.rest = input + (at + size < answer.size() ? answer.substr(at + size) : "");
    }
    if (talk.step.want == Dialogue::Want::read) talk.step = dialogue.feed(input, true, talk.sent);
    return talk;
}

const std::string k_switch = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n";

Error refusal_of(const WebSocketOptions& options, const std::string& answer) {
    const auto settings = settings_of(options);
    std::optional<Error> error;
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, answer.size()}) {
        HandshakeDialogue dialogue{settings, settings->base, true, false};
        const Talk talk = talk_to(dialogue, answer, size);
        REQUIRE(talk.step.want == Dialogue::Want::failed);
        if (error) CHECK(error->name() == talk.step.error->name());
        if (error) CHECK(error->reason() == talk.step.error->reason());
        error = talk.step.error;
    }
    return *error;
}

}  // namespace

TEST_CASE("the key of RFC 6455 makes the answer of RFC 6455", "[websocket]") {
    CHECK(accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(make_handshake_key().size() == 24);
    CHECK(make_handshake_key() != make_handshake_key());
}

TEST_CASE("the request has what RFC 6455 asks for, and what the options say", "[websocket]") {
    WebSocketOptions options;
    options.url = "wss://Feed.Example:8443/live?x=1";
    options.subprotocols = {"v2.example", "v1.example"};
    options.token = Secret{"t0ken"};
    options.headers = {{"Origin", "https://www.example"}, {"Upgrade", "h2c"}, {"Sec-WebSocket-Version", "7"}};
    const auto settings = settings_of(options);

    CHECK(handshake_request(*settings, settings->base, "THEKEY", true) ==
          "GET /live?x=1 HTTP/1.1\r\n"
          "Host: feed.example:8443\r\n"
          "Upgrade: websocket\r\n"
          "Connection: Upgrade\r\n"
          "Sec-WebSocket-Key: THEKEY\r\n"
          "Sec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Protocol: v2.example, v1.example\r\n"
          "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
          "User-Agent: qconn/0.1\r\n"
          "Authorization: Bearer t0ken\r\n"
          "Origin: https://www.example\r\n"
          "\r\n");
}

TEST_CASE("credentials do not go to another origin", "[websocket]") {
    WebSocketOptions options;
    options.username = "edi";
    options.password = Secret{"secret"};
    options.headers = {{"X-Api-Key", "k3y"}, {"Accept-Language", "en"}, {"Host", "own.example"}};
    const auto settings = settings_of(options);
    const http::Target other = http::parse_target("http://elsewhere.example/x");

    const std::string request = handshake_request(*settings, other, "THEKEY", false);

    CHECK(request.find("Authorization") == std::string::npos);
    CHECK(request.find("k3y") == std::string::npos);
    CHECK(request.find("Accept-Language: en\r\n") != std::string::npos);
    CHECK(request.find("Host: elsewhere.example\r\n") != std::string::npos);
}

TEST_CASE("a proper answer ends the handshake where its head ends", "[websocket]") {
    WebSocketOptions options;
    options.subprotocols = {"one", "two"};
    const auto settings = settings_of(options);
    const std::string answer = "HTTP/1.1 103 Early Hints\r\nSec-WebSocket-Protocol: three\r\n\r\n" + k_switch +
                               "Sec-WebSocket-Protocol: two\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12\r\n\r\n"
                               "\x81\x02hi";
    for (const std::size_t size : {std::size_t{1}, std::size_t{5}, answer.size()}) {
        HandshakeDialogue dialogue{settings, settings->base, true, true};
        const Talk talk = talk_to(dialogue, answer, size);
        REQUIRE(talk.step.want == Dialogue::Want::done);
        CHECK(dialogue.location() == "");
        CHECK(dialogue.agreed().subprotocol == "two");
        CHECK(dialogue.agreed().deflate == Deflate{true, 12, 15, false, false});
        CHECK(dialogue.agreed().headers.get("upgrade") == "websocket");
        CHECK(talk.rest == "\x81\x02hi");
    }
}

TEST_CASE("an answer that is no handshake is refused, and says why", "[websocket]") {
    struct Case {
        std::string answer;
        const char* words;
        Reason reason;
    };
    const std::string begin = "HTTP/1.1 101 X\r\n";
    const Case cases[] = {
        {begin + "Connection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n\r\n", "no \"Upgrade: websocket\"", Reason::bad_answer},
        {begin + "Upgrade: websocket\r\nSec-WebSocket-Accept: KEY\r\n\r\n", "no \"Connection: Upgrade\"", Reason::bad_answer},
        {begin + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "Sec-WebSocket-Accept", Reason::bad_answer},
        {begin + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: nonsense\r\n\r\n", "does not go with", Reason::bad_answer},
        {k_switch + "Sec-WebSocket-Accept: again\r\n\r\n", "Sec-WebSocket-Accept", Reason::bad_answer},
        {k_switch + "Sec-WebSocket-Protocol: three\r\n\r\n", "\"three\", which was not offered", Reason::bad_answer},
        {k_switch + "Sec-WebSocket-Extensions: x-own\r\n\r\n", "\"x-own\", which was not offered", Reason::bad_answer},
        {"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP/1.x: \"SSH-2.0-OpenSSH_9.2", Reason::bad_answer},
        {"", "closed without an answer", Reason::closed},
        {"HTTP/1.1 101 X\r\nUpgrade:", "closed within the head", Reason::closed},
    };
    for (const Case& one : cases) {
        INFO(one.answer);
        const Error error = refusal_of({}, one.answer);
        INFO(error.what());
        CHECK(std::string{error.message()}.find(one.words) != std::string::npos);
        CHECK(error.reason() == one.reason);
    }
}

TEST_CASE("a server that chooses no subprotocol is refused, unless that is allowed", "[websocket]") {
    WebSocketOptions options;
    options.subprotocols = {"one", "two"};
    const Error error = refusal_of(options, k_switch + "\r\n");
    CHECK(error.name() == "WEBSOCKET-SUBPROTOCOL-ERROR");
    CHECK(std::string{error.message()}.find("one, two") != std::string::npos);

    options.require_subprotocol = false;
    const auto settings = settings_of(options);
    HandshakeDialogue dialogue{settings, settings->base, true, false};
    CHECK(talk_to(dialogue, k_switch + "\r\n", 100).step.want == Dialogue::Want::done);
    CHECK(dialogue.agreed().subprotocol == "");
}

TEST_CASE("a refusal tells the server's words, its status and the beginning of its body", "[websocket]") {
    WebSocketOptions options;
    options.username = "edi";
    options.password = Secret{"Passw0rd"};
    const Error error = refusal_of(options, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 26\r\n\r\nPassw0rd of edi is no good");
    CHECK(error.name() == "WEBSOCKET-ERROR");
    CHECK(error.phase() == Phase::auth);
    CHECK(error.reason() == Reason::denied);
    CHECK(std::string{error.message()}.find("401 Unauthorized: \"<masked> of edi is no good\"") != std::string::npos);
    const auto* detail = error.detail<WebSocketErrorDetail>();
    REQUIRE(detail != nullptr);
    CHECK(detail->status == 401);
    CHECK(detail->body == "<masked> of edi is no good");

    CHECK(refusal_of({}, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").reason() == Reason::not_found);
    CHECK(refusal_of({}, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").retryable());
    const Error long_body = refusal_of({}, "HTTP/1.1 500 Broken\r\n\r\n" + std::string(5000, 'x'));
    CHECK(long_body.detail<WebSocketErrorDetail>()->body.size() == 512);
}

TEST_CASE("a redirect is an outcome where it may be followed, else an error that says where to", "[websocket]") {
    const auto settings = settings_of({});
    const std::string answer = "HTTP/1.1 302 Found\r\nLocation: wss://other.example/x\r\nContent-Length: 5\r\n\r\nmoved";
    HandshakeDialogue dialogue{settings, settings->base, true, true};
    CHECK(talk_to(dialogue, answer, 1000).step.want == Dialogue::Want::done);
    CHECK(dialogue.location() == "wss://other.example/x");

    const Error error = refusal_of({}, answer);
    CHECK(error.name() == "WEBSOCKET-REDIRECT-ERROR");
    CHECK(std::string{error.message()}.find("wss://other.example/x") != std::string::npos);
}

TEST_CASE("a refusal whose body does not come to an end is known from its head", "[websocket]") {
    const auto settings = settings_of({});
    HandshakeDialogue dialogue{settings, settings->base, true, false};
    std::string out;
    dialogue.begin(out);
    CHECK_FALSE(dialogue.refusal_so_far());
    CHECK(dialogue.feed("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nshort", false, out).want == Dialogue::Want::read);
    REQUIRE(dialogue.refusal_so_far());
    CHECK(std::string{dialogue.refusal_so_far()->message()}.find("503 Busy: \"short\"") != std::string::npos);
}
