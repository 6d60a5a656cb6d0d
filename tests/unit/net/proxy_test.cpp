// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>

#include <qconn/net/endpoint.hpp>
#include <qconn/net/ping.hpp>

#include "net/proxy_connect.hpp"
#include "support/catch.hpp"

using namespace qconn;
using qconn::net::ProxyConnect;

namespace {

const Proxy k_open{.host = "proxy.example", .port = 3128, .username = {}, .password = {}};
const Proxy k_closed{.host = "proxy.example", .port = 3128, .username = "joe", .password = Secret{"canary-7"}};

/// Feeds an answer in pieces of `size`, as a stream would.
Dialogue::Step converse(const Proxy& proxy, std::string_view answer, std::size_t size, std::string* rest = nullptr) {
    ProxyConnect dialogue{proxy, "target.example", 443};
    std::string out;
    REQUIRE(dialogue.begin(out).want == Dialogue::Want::read);
    std::string input;
    Dialogue::Step step;
    for (std::size_t at = 0; at < answer.size(); at += size) {
        input += answer.substr(at, size);
        step = dialogue.feed(input, false, out);
        input.erase(0, step.used);
        if (step.want != Dialogue::Want::read) {
            if (rest != nullptr) *rest = input;
            return step;
        }
    }
    return dialogue.feed(input, true, out);
}

Reason reason_of(const Dialogue::Step& step) {
    REQUIRE(step.want == Dialogue::Want::failed);
    REQUIRE(step.error);
    CHECK(step.error->phase() == Phase::proxy);
    CHECK(step.error->name() == "PROXY-ERROR");
    CHECK(std::string{step.error->what()}.find("canary-7") == std::string::npos);
    return step.error->reason();
}

}  // namespace

TEST_CASE("a proxy is asked for the target by name and port", "[net][proxy]") {
    std::string out;
    ProxyConnect{k_open, "target.example", 443}.begin(out);
    CHECK(out == "CONNECT target.example:443 HTTP/1.1\r\nHost: target.example:443\r\n\r\n");

    out.clear();
    ProxyConnect{k_closed, "::1", 80}.begin(out);
    CHECK(out == "CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\nProxy-Authorization: Basic am9lOmNhbmFyeS03\r\n\r\n");
}

TEST_CASE("a target that would break the request is refused", "[net][proxy]") {
    std::string out;
    ProxyConnect dialogue{k_open, "a\r\nX: y", 80};
    CHECK(reason_of(dialogue.begin(out)) == Reason::bad_value);
    CHECK(out.empty());
}

TEST_CASE("what follows the proxy's answer is left for the tunnel, however it arrives", "[net][proxy]") {
    const std::string head = GENERATE("HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\nVia: 1.1 x\r\n\r\n", "HTTP/1.1 200\n\n",
                                      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nX: 1\r\n\r\n");
    const auto size = GENERATE(1U, 2U, 3U, 7U, 1000U);

    std::string rest;
    const auto step = converse(k_open, head + "SSH-2.0-x", size, &rest);

    CHECK(step.want == Dialogue::Want::done);
    CHECK(std::string{"SSH-2.0-x"}.substr(0, rest.size()) == rest);
}

TEST_CASE("interim answers of a proxy may come in one piece with the final one", "[net][proxy]") {
    ProxyConnect dialogue{k_open, "target.example", 443};
    std::string out;
    const std::string heads = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    const auto step = dialogue.feed(heads + "tunnel", false, out);
    CHECK(step.want == Dialogue::Want::done);
    CHECK(step.used == heads.size());
    CHECK(dialogue.evidence() == "HTTP/1.1 200 OK");

    CHECK(reason_of(ProxyConnect{k_open, "target.example", 443}.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n\r\n", false, out)) ==
          Reason::permission);
}

TEST_CASE("interim answers of a proxy have an end", "[net][proxy]") {
    std::string heads;
    for (int i = 0; i < ProxyConnect::k_max_interims; ++i) heads += "HTTP/1.1 100 Continue\r\n\r\n";
    const auto size = GENERATE(std::size_t{7}, std::size_t{100'000});
    CHECK(converse(k_open, heads + "HTTP/1.1 200 OK\r\n\r\n", size).want == Dialogue::Want::done);
    CHECK(reason_of(converse(k_open, heads + heads, size)) == Reason::limit);
}

TEST_CASE("an answer that ends at any byte is incomplete", "[net][proxy]") {
    const std::string head = "HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n";
    for (std::size_t length = 0; length < head.size(); ++length) {
        INFO(length);
        CHECK(reason_of(converse(k_open, head.substr(0, length), 5)) == Reason::closed);
    }
    CHECK(converse(k_open, head, 5).want == Dialogue::Want::done);
}

TEST_CASE("a proxy's refusals tell who is at fault", "[net][proxy]") {
    struct Case {
        const Proxy& proxy;
        std::string answer;
        Reason reason;
        std::string words;
    };
    const auto c = GENERATE(
        Case{k_open, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n", Reason::denied,
             "wants a user name"},
        Case{k_closed, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Digest realm=\"x\"\r\n\r\n", Reason::denied,
             "asks for Digest"},
        Case{k_closed, "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n", Reason::denied, "refuses the user name or the password"},
        Case{k_closed, "HTTP/1.0 401 Unauthorized\r\n\r\n", Reason::denied, "401"},
        Case{k_open, "HTTP/1.0 401 Unauthorized\r\n\r\n", Reason::status, "401"},
        Case{k_open, "HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n", Reason::permission, "ERR_ACCESS_DENIED"},
        Case{k_open, "HTTP/1.1 503 Service Unavailable\r\n\r\n", Reason::unreachable, "503"},
        Case{k_open, "HTTP/1.1 504 Gateway Timeout\r\n\r\n", Reason::timeout, "504"},
        Case{k_open, "HTTP/1.1 500 Oops\r\n\r\n", Reason::status, "500"}, Case{k_open, "SSH-2.0-OpenSSH\r\n", Reason::bad_answer, "SSH-2.0"},
        Case{k_open, "220 mail.example ESMTP\r\n", Reason::bad_answer, "220 mail"}, Case{k_open, "HTTP/2 200\r\n\r\n", Reason::bad_answer, "HTTP/2"},
        Case{k_open, "HTTP/1.1 2x0 OK\r\n\r\n", Reason::bad_answer, "2x0"});

    const auto step = converse(c.proxy, c.answer, 1000);

    CHECK(reason_of(step) == c.reason);
    CHECK(std::string{step.error->message()}.find(c.words) != std::string::npos);
    CHECK(std::string{step.error->message()}.find("proxy.example:3128") != std::string::npos);
}

TEST_CASE("an endless answer of a proxy meets a limit", "[net][proxy]") {
    std::string answer = "HTTP/1.1 200 OK\r\n";
    while (answer.size() < ProxyConnect::k_max_head + 100) answer += "X: 1\r\n";

    CHECK(reason_of(converse(k_open, answer, 4096)) == Reason::limit);
    CHECK(reason_of(converse(k_open, "HTTP/" + std::string(ProxyConnect::k_max_head + 1, '1'), 4096)) == Reason::limit);
}

TEST_CASE("proxies are read from URLs", "[net][proxy]") {
    const auto full = Proxy::parse("http://joe:p@ss@proxy.example:3128");
    CHECK(full.host == "proxy.example");
    CHECK(full.port == 3128);
    CHECK(full.username == "joe");
    CHECK(full.password == Secret{"p@ss"});

    const auto bare = Proxy::parse("proxy.example");
    CHECK(bare.host == "proxy.example");
    CHECK(bare.port == 80);
    CHECK(Proxy::parse("proxy.example:8080").port == 8080);
    CHECK(Proxy::parse("http://[::1]:8080").host == "::1");
}

TEST_CASE("a proxy URL that cannot be used is an error without its password", "[net][proxy]") {
    const auto* text = GENERATE("socks5://joe:canary-7@p:1080", "https://joe:canary-7@p", "http://joe:canary-7@p:99999", "http://",
                                "http://joe:canary-7@socket=%2Fx");
    std::optional<Error> error;
    try {
        Proxy::parse(text);
    } catch (const Error& e) { error = e; }
    REQUIRE(error);
    CHECK(error->name() == "PROXY-ERROR");
    CHECK(error->reason() == Reason::bad_value);
    CHECK(std::string{error->what()}.find("canary-7") == std::string::npos);
}

TEST_CASE("ping depths have names", "[net][ping]") {
    CHECK(to_string(PingDepth::standard) == "standard");
    CHECK(to_string(PingDepth::connect) == "connect");
    CHECK(to_string(PingDepth::tls) == "tls");
    CHECK(to_string(PingDepth::auth) == "auth");
    CHECK(to_string(PingDepth::full) == "full");
}
