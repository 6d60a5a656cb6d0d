// SPDX-License-Identifier: Apache-2.0
#include "http/ping_dialogue.hpp"

#include "support/catch.hpp"

using namespace qconn;
using http::HttpPingRequest;
using http::make_http_ping;
using Want = Dialogue::Want;

namespace {

HttpPingRequest example() {
    HttpPingRequest request;
    request.target = "/health?key=s3cret";
    request.host = "shop.example:8080";
    return request;
}

std::string wire(const HttpPingRequest& request) {
    std::string out;
    make_http_ping(request)->begin(out);
    return out;
}

/// The step that decided, after the answer came in pieces of that size and the peer stayed open.
Dialogue::Step talk(Dialogue& dialogue, std::string_view answer, std::size_t piece) {
    std::string out;
    Dialogue::Step step = dialogue.begin(out);
    std::string pending;
    for (std::size_t at = 0; at < answer.size() && step.want == Want::read; at += piece) {
        pending += answer.substr(at, piece);
        step = dialogue.feed(pending, false, out);
        pending.erase(0, step.used);
    }
    return step;
}

const std::string k_ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nup";

}  // namespace

TEST_CASE("a ping is one complete request", "[http][ping]") {
    CHECK(wire(example()) == "GET /health?key=s3cret HTTP/1.1\r\nHost: shop.example:8080\r\nUser-Agent: qconn\r\nAccept: */*\r\n\r\n");

    HttpPingRequest post = example();
    post.method = "POST";
    post.target = "/";
    post.body = "{}";
    post.headers = {{"content-type", "application/json"}, {"ACCEPT", "text/plain"}, {"Content-Length", "99"}, {"Connection", "x"}};
    post.keep = false;
    CHECK(wire(post) ==
          "POST / HTTP/1.1\r\nHost: shop.example:8080\r\ncontent-type: application/json\r\nACCEPT: text/plain\r\nUser-Agent: qconn\r\n"
          "Connection: close\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_CASE("a 2xx answer in pieces of any size ends the ping well", "[http][ping]") {
    for (std::size_t piece = 1; piece <= k_ok.size(); ++piece) {
        const auto dialogue = make_http_ping(example());
        const Dialogue::Step step = talk(*dialogue, k_ok, piece);
        INFO(piece);
        CHECK(step.want == Want::done);
        CHECK(dialogue->keeps_stream());
        CHECK(dialogue->evidence() == "HTTP/1.1 200 OK");
    }
}

TEST_CASE("a body that is to be looked at is read whole, and only where the status is no failure", "[http][ping]") {
    HttpPingRequest request = example();
    request.keep = false;
    request.max_body = 10;
    std::string seen;
    request.check = [&seen](std::string_view body) -> std::optional<http::BodyProblem> {
        seen = body;
        if (body == "up") return std::nullopt;
        return http::BodyProblem{"it is not up", Reason::status};
    };
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nu\r\n1\r\np\r\n0\r\n\r\n";
    for (const std::string& answer : {k_ok, chunked}) {
        for (std::size_t piece = 1; piece <= answer.size(); ++piece) CHECK(talk(*make_http_ping(request), answer, piece).want == Want::done);
        CHECK(seen == "up");
    }
    const Dialogue::Step down = talk(*make_http_ping(request), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndown", 5);
    REQUIRE(down.want == Want::failed);
    CHECK(down.error->reason() == Reason::status);
    CHECK(down.error->message().find("200 OK, but it is not up") != std::string_view::npos);

    // A longer body than is kept is no proof against it.
    CHECK(talk(*make_http_ping(request), "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + std::string(40, 'x'), 8).want == Want::done);
    seen.clear();
    const Dialogue::Step refused = talk(*make_http_ping(request), "HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n", 100);
    CHECK(refused.want == Want::failed);
    CHECK(seen.empty());
}

TEST_CASE("an answer cut at every byte fails as closed", "[http][ping]") {
    for (std::size_t length = 0; length < k_ok.size(); ++length) {
        const auto dialogue = make_http_ping(example());
        std::string out;
        dialogue->begin(out);
        const Dialogue::Step step = dialogue->feed(std::string_view{k_ok}.substr(0, length), true, out);
        INFO(length);
        REQUIRE(step.want == Want::failed);
        REQUIRE(step.error);
        CHECK(step.error->reason() == Reason::closed);
        CHECK(step.error->name() == "REST-PING-ERROR");
        CHECK_FALSE(dialogue->keeps_stream());
    }
}

TEST_CASE("a stream is kept only when the answer leaves it clean", "[http][ping]") {
    const auto after = make_http_ping(example());
    CHECK(talk(*after, k_ok + "more", 1000).want == Want::done);
    CHECK_FALSE(after->keeps_stream());

    const auto closing = make_http_ping(example());
    CHECK(talk(*closing, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 1000).want == Want::done);
    CHECK_FALSE(closing->keeps_stream());

    HttpPingRequest once = example();
    once.keep = false;
    const auto dropped = make_http_ping(once);
    CHECK(talk(*dropped, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx", 1000).want == Want::done);
    CHECK_FALSE(dropped->keeps_stream());
}

TEST_CASE("a body without end is not read to its end", "[http][ping]") {
    HttpPingRequest request = example();
    request.max_body = 100;
    const auto dialogue = make_http_ping(request);
    CHECK(talk(*dialogue, "HTTP/1.1 200 OK\r\n\r\n" + std::string(200, 'x'), 10).want == Want::done);
    CHECK_FALSE(dialogue->keeps_stream());
}

TEST_CASE("an answer that refuses is named by phase and reason", "[http][ping]") {
    struct Case {
        int status;
        Phase phase;
        Reason reason;
    };
    for (const Case& one :
         {Case{401, Phase::auth, Reason::denied}, Case{403, Phase::auth, Reason::permission}, Case{407, Phase::proxy, Reason::denied},
          Case{500, Phase::protocol, Reason::status}, Case{302, Phase::protocol, Reason::status}}) {
        const auto dialogue = make_http_ping(example());
        const Dialogue::Step step = talk(*dialogue, "HTTP/1.1 " + std::to_string(one.status) + " No\r\nContent-Length: 0\r\n\r\n", 9);
        INFO(one.status);
        REQUIRE(step.want == Want::failed);
        CHECK(step.error->phase() == one.phase);
        CHECK(step.error->reason() == one.reason);
        CHECK(step.error->message().find(std::to_string(one.status)) != std::string::npos);
        CHECK(step.error->message().find("s3cret") == std::string::npos);
    }
}

TEST_CASE("through a proxy every answer of the target is success, and the proxy's own refusals and failures are not", "[http][ping]") {
    struct Case {
        std::string head;
        bool login;  // the request carries credentials of the proxy
        Reason reason;
    };
    const std::string via = "Via: 1.1 proxy\r\n";
    const std::vector<Case> cases{
        {"200 OK\r\n", false, Reason::none},
        {"404 Not Found\r\n" + via, false, Reason::none},
        {"301 Moved\r\n" + via, false, Reason::none},
        {"401 Unauthorized\r\n" + via, true, Reason::none},
        {"401 Unauthorized\r\n", false, Reason::none},
        {"401 Unauthorized\r\n", true, Reason::denied},  // Tinyproxy, wrong password
        {"404 Not Found\r\n", true, Reason::none},
        {"407 Proxy Authentication Required\r\n" + via, true, Reason::denied},
        {"407 Proxy Authentication Required\r\n", false, Reason::denied},
        {"500 Internal Error\r\n" + via, false, Reason::none},
        {"500 Unable to connect\r\n", false, Reason::unreachable},  // Tinyproxy
        {"502 Bad Gateway\r\n" + via, false, Reason::none},
        {"502 Bad Gateway\r\n", false, Reason::unreachable},
        {"503 Unavailable\r\nX-Squid-Error: ERR_CONNECT_FAIL 111\r\n" + via, false, Reason::unreachable},
        {"503 Unavailable\r\nProxy-Status: p; error=connection_refused\r\n" + via, false, Reason::unreachable},
        {"503 Unavailable\r\nProxy-Status: p; received-status=503\r\n" + via, false, Reason::none},
        {"504 Gateway Timeout\r\n", false, Reason::timeout},
    };
    for (const Case& one : cases) {
        HttpPingRequest request = example();
        request.method = "HEAD";
        request.proof = http::PingProof::reached;
        if (one.login) request.headers.set("Proxy-Authorization", "Basic dTpw");
        const auto dialogue = make_http_ping(request);
        const Dialogue::Step step = talk(*dialogue, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 " + one.head + "\r\n", 7);
        INFO(one.head << one.login);
        CHECK(step.want == (one.reason == Reason::none ? Want::done : Want::failed));
        CHECK(dialogue->keeps_stream() == (one.reason == Reason::none));
        if (one.reason == Reason::none) continue;
        REQUIRE(step.error);
        CHECK(step.error->phase() == Phase::proxy);
        CHECK(to_string(step.error->reason()) == to_string(one.reason));
        CHECK(step.error->retryable() == (one.reason != Reason::denied));
    }
}

TEST_CASE("a log-in is proved by every answer that does not refuse it", "[http][ping]") {
    for (const auto& [status, good] :
         std::vector<std::pair<int, bool>>{{200, true}, {404, true}, {500, true}, {401, false}, {403, false}, {407, false}}) {
        HttpPingRequest request = example();
        request.proof = http::PingProof::login;
        request.keep = false;
        const auto dialogue = make_http_ping(request);
        INFO(status);
        CHECK((talk(*dialogue, "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n", 9).want == Want::done) == good);
    }
}

TEST_CASE("what is no HTTP is a bad answer", "[http][ping]") {
    const auto dialogue = make_http_ping(example());
    const Dialogue::Step step = talk(*dialogue, "SSH-2.0-x\r\n", 1);
    REQUIRE(step.want == Want::failed);
    CHECK(step.error->reason() == Reason::bad_answer);
}

TEST_CASE("a ping that cannot be sent is refused", "[http][ping]") {
    HttpPingRequest path = example();
    path.target = "/a b";
    CHECK_THROWS_AS(make_http_ping(path), Error);
    HttpPingRequest header = example();
    header.headers = {{"X", "a\r\nEvil: 1"}};
    CHECK_THROWS_AS(make_http_ping(header), Error);
    HttpPingRequest method = example();
    method.method = "G ET";
    CHECK_THROWS_AS(make_http_ping(method), Error);
    HttpPingRequest host = example();
    host.host = "x\r\nA: b";
    CHECK_THROWS_AS(make_http_ping(host), Error);
}
