// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>

#include <qconn/net/endpoint.hpp>
#include <qconn/net/ping.hpp>

#include "net/proxy_connect.hpp"
#include "support/catch.hpp"
#include "support/proxy_talk.hpp"

using namespace qconn;
using namespace qconn::net;
using qconn::test::talk;

namespace {

const Proxy k_open{.host = "proxy.example", .port = 3128, .username = {}, .password = {}};
const Proxy k_closed{.host = "proxy.example", .port = 3128, .username = "joe", .password = Secret{"canary-7"}};

const std::string k_challenge =
    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256\r\n";

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

TEST_CASE("headers for a proxy are sent with CONNECT", "[net][proxy]") {
    Proxy proxy = k_open;
    proxy.headers = {{"X-Key", "canary-8"}, {"X-Empty", ""}};
    std::string out;
    ProxyConnect{proxy, "target.example", 443}.begin(out);
    CHECK(out == "CONNECT target.example:443 HTTP/1.1\r\nHost: target.example:443\r\nX-Key: canary-8\r\nX-Empty: \r\n\r\n");

    for (const auto& [name, value] : {std::pair{"", "x"}, std::pair{"a b", "x"}, std::pair{"A", "canary-8\r\nB: c"}}) {
        proxy.headers = {{name, value}};
        out.clear();
        const auto step = ProxyConnect{proxy, "target.example", 443}.begin(out);
        CHECK(reason_of(step) == Reason::bad_value);
        CHECK(std::string{step.error->what()}.find("canary-8") == std::string::npos);
        CHECK(out.empty());
    }
}

TEST_CASE("a digest proxy is shown no password, and asked again on the same connection where it goes on", "[net][proxy][digest]") {
    const auto auth = GENERATE(Proxy::Auth::digest, Proxy::Auth::any);
    const auto size = GENERATE(1U, 7U, 1000U);
    Proxy proxy = k_closed;
    proxy.auth = auth;
    ProxyConnect dialogue{proxy, "target.example", 443};

    const auto done = talk(dialogue, k_challenge + "Content-Length: 4\r\n\r\nbodyHTTP/1.1 200 OK\r\n\r\ntunnel", size);

    CHECK(done.step.want == Dialogue::Want::done);
    CHECK(done.rest == "tunnel");
    CHECK(done.sent.find("Basic") == std::string::npos);
    CHECK(done.sent.find("canary-7") == std::string::npos);
    const auto second = done.sent.find("CONNECT", 1);
    REQUIRE(second != std::string::npos);
    CHECK(done.sent.find("Authorization") > second);
    CHECK(done.sent.find("Digest username=\"joe\", realm=\"r\", nonce=\"n1\", uri=\"target.example:443\", response=", second) != std::string::npos);
    // The digest is the one of its own nonce.
    const auto digest = best_digest(parse_challenges("Digest realm=\"r\", nonce=\"n1\", qop=auth, algorithm=SHA-256"));
    const auto nonce = done.sent.substr(done.sent.find("cnonce=") + 8, 32);
    CHECK(done.sent.find(*digest_credentials(*digest, "joe", "canary-7", {"CONNECT", "target.example:443", nonce, 1})) != std::string::npos);
}

TEST_CASE("a digest proxy that closes after its challenge is asked again on a new connection, once", "[net][proxy][digest]") {
    Proxy proxy = k_closed;
    proxy.auth = Proxy::Auth::digest;
    const auto head = GENERATE(as<std::string>{}, "Content-Length: 4\r\nConnection: close\r\n\r\n", "\r\n", "Transfer-Encoding: chunked\r\n\r\n",
                               "Content-Length: 99999999\r\n\r\n", "Content-Length: 4\r\n\r\n", "Content-Length: 4\r\n\r\nbody");
    ProxyConnect dialogue{proxy, "target.example", 443};

    CHECK(talk(dialogue, k_challenge + head).step.want == Dialogue::Want::failed);
    REQUIRE(dialogue.wants_new_connection());
    const auto again = talk(dialogue, k_challenge + head);
    CHECK(again.sent.find("Digest ") != std::string::npos);
    CHECK(reason_of(again.step) == Reason::denied);
    CHECK(std::string{again.step.error->what()}.find("refuses the user name or the password") != std::string::npos);
    CHECK_FALSE(dialogue.wants_new_connection());
}

TEST_CASE("a new connection on which the proxy says nothing is the last one", "[net][proxy][digest]") {
    Proxy proxy = k_closed;
    proxy.auth = Proxy::Auth::digest;
    ProxyConnect dialogue{proxy, "target.example", 443};
    talk(dialogue, k_challenge + "\r\n");
    REQUIRE(dialogue.wants_new_connection());

    CHECK(reason_of(talk(dialogue, "").step) == Reason::closed);
    CHECK_FALSE(dialogue.wants_new_connection());
}

TEST_CASE("a nonce that is stale is replaced once", "[net][proxy][digest]") {
    Proxy proxy = k_closed;
    proxy.auth = Proxy::Auth::digest;
    const std::string end = "Content-Length: 0\r\n\r\n";
    const std::string stale = "HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n2\", qop=\"auth\", stale=true\r\n" + end;
    ProxyConnect good{proxy, "target.example", 443};
    const auto done = talk(good, k_challenge + end + stale + "HTTP/1.1 200 OK\r\n\r\n");
    CHECK(done.step.want == Dialogue::Want::done);
    CHECK(done.sent.find("nonce=\"n2\"") != std::string::npos);

    ProxyConnect loop{proxy, "target.example", 443};
    const auto refused = talk(loop, k_challenge + end + stale + stale + stale);
    CHECK(reason_of(refused.step) == Reason::denied);
}

TEST_CASE("basic is only used for a challenge where it may be", "[net][proxy][digest]") {
    const std::string challenge = "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n\r\n";
    Proxy proxy = k_closed;
    proxy.auth = Proxy::Auth::any;
    ProxyConnect any{proxy, "target.example", 443};
    CHECK(talk(any, challenge + "HTTP/1.1 200 OK\r\n\r\n").sent.find("Basic am9lOmNhbmFyeS03") != std::string::npos);
    ProxyConnect wrong{proxy, "target.example", 443};
    CHECK(reason_of(talk(wrong, challenge + challenge).step) == Reason::denied);

    proxy.auth = Proxy::Auth::digest;
    ProxyConnect digest{proxy, "target.example", 443};
    const auto refused = talk(digest, challenge);
    CHECK(refused.sent.find("Basic") == std::string::npos);
    CHECK(reason_of(refused.step) == Reason::denied);
    CHECK(std::string{refused.step.error->what()}.find("log-in by basic") != std::string::npos);
}

TEST_CASE("a challenge that cannot be answered is told", "[net][proxy][digest]") {
    Proxy proxy = k_closed;
    proxy.auth = Proxy::Auth::any;
    const auto challenge = GENERATE(as<std::string>{}, "Negotiate", "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256", "NTLM, Bearer");
    ProxyConnect dialogue{proxy, "target.example", 443};

    const auto refused = talk(dialogue, "HTTP/1.1 407 No\r\nProxy-Authenticate: " + challenge + "\r\nContent-Length: 0\r\n\r\n");

    CHECK(reason_of(refused.step) == Reason::denied);
    CHECK(std::string{refused.step.error->what()}.find("none of the kinds of log-in") != std::string::npos);
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
             "log-in by digest"},
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
    const auto* text =
        GENERATE("socks6://joe:canary-7@p:1080", "ftp://joe:canary-7@p", "http://joe:canary-7@p:99999", "http://", "http://joe:canary-7@socket=%2Fx");
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
