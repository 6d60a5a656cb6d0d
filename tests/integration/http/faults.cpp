// SPDX-License-Identifier: Apache-2.0
// Peers that break off, lie, or are something else.
#include <qconn/testing/fault_proxy.hpp>

#include "http/coding.hpp"
#include "http_fixture.hpp"
#include "support/free_port.hpp"
#include "support/tcp_table.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

std::string with_length(const std::string& head, const std::string& body) {
    return "HTTP/1.1 200 OK\r\n" + head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr Form k_forms[] = {Form::blocking, Form::asynchronous};

}  // namespace

TEST_CASE("nothing listens", "[http][integration]") {
    for (const Form form : k_forms) {
        HttpClient client{options("http://127.0.0.1:1/")};
        const Error error = failure(client, form, {});
        CHECK(error.name() == "SOCKET-CONNECT-ERROR");
        CHECK(error.phase() == Phase::connect);
        CHECK(error.reason() == Reason::refused);
        CHECK(error.retryable());
        CHECK(error.message().find("127.0.0.1:1") != std::string::npos);
    }
}

TEST_CASE("a name without an address", "[http][integration]") {
    for (const Form form : k_forms) {
        HttpClient client{options("http://nobody.invalid/")};
        const Error error = failure(client, form, {}, Deadline{10s});
        CHECK(error.phase() == Phase::resolve);
        CHECK(error.name() == "SOCKET-CONNECT-ERROR");
        CHECK((error.reason() == Reason::unknown_host || error.reason() == Reason::resolver));
    }
}

TEST_CASE("a server that closes without an answer", "[http][integration]") {
    for (const Form form : k_forms) {
        HttpClient client{options(url(nginx()))};
        HttpRequest request;
        request.path = "close";
        const Error error = failure(client, form, request);
        CHECK(error.name() == "HTTP-CLIENT-RECEIVE-ERROR");
        CHECK(error.phase() == Phase::head);
        CHECK(error.reason() == Reason::closed);
    }
}

TEST_CASE("a connection that is cut in the body", "[http][integration]") {
    testing::FaultProxy proxy{nginx().port()};
    for (const Form form : k_forms) {
        HttpClient client{options("http://" + proxy.address() + "/")};
        HttpRequest request;
        request.path = "numbers.txt";
        proxy.set({.close_after = 5000});
        const Error closed = failure(client, form, request);
        CHECK(closed.phase() == Phase::body);
        CHECK(closed.reason() == Reason::closed);
        CHECK(closed.retryable());
        proxy.set({.reset_after = 5000});
        const Error reset = failure(client, form, request);
        CHECK(reset.phase() == Phase::body);
        CHECK((reset.reason() == Reason::reset || reset.reason() == Reason::closed));
        proxy.set({.reset_after = 5});
        CHECK(failure(client, form, request).phase() == Phase::head);
        proxy.set({.chunk = 1});
        request.path = "hello.txt";
        CHECK(call(client, form, request).body == "hello\n");
        proxy.clear();
    }
}

TEST_CASE("a kept connection that the server has closed is replaced, for every method", "[http][integration]") {
    for (const Form form : k_forms) {
        for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
            for (const auto after : {ScriptedServer::After::close, ScriptedServer::After::reset}) {
                INFO(method);
                // Says that it keeps the connection and does not.
                ScriptedServer server{with_length("", "ok"), after};
                HttpClient client{options(server.url())};
                HttpRequest request;
                request.method = method;
                if (request.method == "POST" || request.method == "PUT") request.body.assign(std::size_t{200} * 1024, 'x');
                for (int i = 0; i < 3; ++i) {
                    CHECK(call(client, form, request).body == "ok");
                    REQUIRE(wait_until([&] { return count_ends_towards(server.port(), TcpState::established) == 0; }));
                }
                CHECK(server.connections() == 3);
            }
        }
    }
}

TEST_CASE("a POST is not sent on a connection of which the server has taken leave in TLS", "[http][integration]") {
    Server server{"nginx", {.environment = {"NGINX_SERVER=keepalive_timeout 20ms;"}}};
    for (const Form form : k_forms) {
        HttpOptions secure = options("https://" + server.address2() + "/");
        secure.tls.ca_file = tls_file("ca.crt");
        HttpClient client{secure};
        HttpRequest request;
        request.method = "POST";
        request.path = "echo";
        request.body = "once";
        for (int i = 0; i < 3; ++i) {
            const HttpResponse response = call(client, form, request);
            CHECK(response.body.find("\nonce") != std::string::npos);
            CHECK_FALSE(response.info.connection_reused);
            REQUIRE(wait_until([&] { return count_ends_towards(server.port2(), TcpState::established) == 0; }));
        }
    }
}

TEST_CASE("a request is sent again on a new connection only if it may be carried out twice", "[http][rest][integration]") {
    const auto* method = GENERATE("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "POST", "PATCH", "REPORT");
    const auto size = GENERATE(std::size_t{0}, std::size_t{4'000'000});
    const bool marked = GENERATE(false, true);
    const auto kept = GENERATE(1, 2);
    const bool reset = GENERATE(false, true);
    const bool is_post = std::string_view{method} == "POST" || std::string_view{method} == "PATCH" || std::string_view{method} == "REPORT";
    if (!is_post && (marked || size != 0 || reset)) return;  // nothing new
    if (size != 0 && std::string_view{method} != "POST") return;
    CAPTURE(method, size, marked, kept, reset);
    for (const Form form : k_forms) {
        // Each of the first connections answers once and is cut when it is asked again.
        std::atomic<int> cuts{0};
        const auto held = std::make_shared<std::atomic<int>>(0);
        ScriptedServer server{[&, held](int connection, int request) -> std::optional<std::string> {
                                  if (connection < kept && request == 1) {
                                      ++cuts;
                                      return std::nullopt;
                                  }
                                  if (request == 0 && connection < kept) {  // all of them are open at the same time
                                      ++*held;
                                      wait_until([&] { return *held >= kept; });
                                  }
                                  return "HTTP/1.1 204 OK\r\n\r\n";
                              },
                              ScriptedServer::After::keep, reset};
        HttpClient client{options(server.url())};
        Responses outcomes;
        std::vector<std::thread> callers;
        for (int i = 0; i < kept; ++i) {
            if (form == Form::asynchronous)
                client.async_request({}, {}, outcomes.callback());
            else
                callers.emplace_back([&client, callback = outcomes.callback()]() mutable { callback(client.request({})); });
        }
        REQUIRE(outcomes.wait(static_cast<std::size_t>(kept)));
        for (std::thread& caller : callers) caller.join();
        REQUIRE(server.connections() == kept);

        HttpRequest request;
        request.method = method;
        request.body.assign(size, 'x');
        request.repeatable = marked;
        if (!is_post || marked) {
            CHECK(call(client, form, request).status == 204);
            CHECK(server.connections() == kept + 1);
        } else {
            const Error error = failure(client, form, request);
            CHECK(cuts == 1);
            CHECK(server.connections() == kept);
            CHECK(error.name() == "HTTP-CLIENT-RECEIVE-ERROR");
            CHECK(error.phase() == Phase::head);
            CHECK((error.reason() == Reason::closed || error.reason() == Reason::reset));
            CHECK_FALSE(error.retryable());
            CHECK(error.message().find("may have carried this out") != std::string_view::npos);
        }
    }
}

TEST_CASE("a POST that was sent and not answered is not worth another try by itself", "[http][rest][integration]") {
    ScriptedServer silent{""};
    ScriptedServer cutting{[](int, int) { return std::optional<std::string>{}; }};
    for (const Form form : k_forms) {
        for (const bool marked : {false, true}) {
            HttpRequest request;
            request.method = "POST";
            request.body = "x";
            request.repeatable = marked;
            request.timeout = 50ms;
            for (const std::string& url : {silent.url(), cutting.url()}) {
                HttpClient client{options(url)};
                const Error error = failure(client, form, request);
                INFO(error.what());
                CHECK(error.phase() == Phase::head);
                CHECK(error.retryable() == marked);
                CHECK((error.message().find("may have carried this out") == std::string_view::npos) == marked);
            }
            HttpClient nowhere{options("http://127.0.0.1:1/")};
            CHECK(failure(nowhere, form, request).retryable());
        }
    }
}

TEST_CASE("what is no HTTP is told in its own words", "[http][integration]") {
    for (const Form form : k_forms) {
        for (const std::string answer : {"SSH-2.0-OpenSSH_9.2\r\n", "220 mail.example ESMTP\r\n", "HTTP/1.1 abc\r\n\r\n", "\x15\x03\x01\x02\x03"}) {
            INFO(answer);
            ScriptedServer server{answer, ScriptedServer::After::close};
            HttpClient client{options(server.url())};
            const Error error = failure(client, form, {}, Deadline{5s});
            CHECK(error.name() == "HTTP-CLIENT-RECEIVE-ERROR");
            CHECK(error.reason() == Reason::bad_answer);
            CHECK(error.phase() == Phase::head);
        }
    }
}

TEST_CASE("a chunked body that is broken", "[http][integration]") {
    for (const Form form : k_forms) {
        ScriptedServer server{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", ScriptedServer::After::close};
        HttpClient client{options(server.url())};
        const Error error = failure(client, form, {}, Deadline{5s});
        CHECK(error.phase() == Phase::body);
        CHECK((error.reason() == Reason::bad_answer || error.reason() == Reason::closed));
    }
}

TEST_CASE("every coding is decoded, and a bomb is stopped", "[http][integration]") {
    const std::string text(100'000, 'a');
    const std::string zeros(std::size_t{64} * 1024 * 1024, '\0');
    for (const std::string coding : {"gzip", "deflate", "br", "zstd", "bzip2"}) {
        for (const Form form : k_forms) {
            INFO(coding);
            ScriptedServer good{with_length("Content-Encoding: " + coding + "\r\n", http::encode(coding, text))};
            HttpClient client{options(good.url())};
            CHECK(call(client, form, {}).body == text);
        }
        ScriptedServer bomb{with_length("Content-Encoding: " + coding + "\r\n", http::encode(coding, zeros))};
        HttpClient client{options(bomb.url())};
        const Error error = failure(client, Form::blocking, {});
        INFO(coding);
        CHECK(error.name() == "HTTP-CLIENT-LIMIT-ERROR");
        CHECK(error.reason() == Reason::limit);
        CHECK(error.message().find("max_expansion") != std::string::npos);
    }
}

TEST_CASE("a body that is not of its coding is an error with the answer attached", "[http][integration]") {
    for (const Form form : k_forms) {
        for (const std::string& answer :
             {with_length("Content-Encoding: gzip\r\n", "this is plain"), with_length("Content-Encoding: lzma\r\n", "whatever"),
              with_length("Content-Encoding: gzip\r\n", http::encode("gzip", "cut short").substr(0, 20))}) {
            ScriptedServer server{answer};
            HttpClient client{options(server.url())};
            const Error error = failure(client, form, {});
            CHECK(error.name() == "HTTP-CLIENT-CODING-ERROR");
            REQUIRE(error.detail<HttpErrorDetail>() != nullptr);
            CHECK(error.detail<HttpErrorDetail>()->response.status == 200);
        }
        ScriptedServer empty{with_length("Content-Encoding: gzip\r\n", "")};
        HttpClient client{options(empty.url())};
        CHECK(call(client, form, {}).body.empty());
    }
}

TEST_CASE("a head without end is refused", "[http][integration]") {
    for (const Form form : k_forms) {
        ScriptedServer one_line{"HTTP/1.1 200 OK\r\nX: " + std::string(400'000, 'x') + "\r\n\r\n"};
        HttpClient first{options(one_line.url())};
        CHECK(failure(first, form, {}, Deadline{10s}).name() == "HTTP-CLIENT-LIMIT-ERROR");
        std::string lines = "HTTP/1.1 200 OK\r\n";
        for (int i = 0; i < 20'000; ++i) lines += "X-" + std::to_string(i) + ": yyyyyyyyyy\r\n";
        ScriptedServer many{lines + "\r\n"};
        HttpClient second{options(many.url())};
        CHECK(failure(second, form, {}, Deadline{10s}).name() == "HTTP-CLIENT-LIMIT-ERROR");
    }
}

TEST_CASE("interim answers are passed over", "[http][integration]") {
    ScriptedServer server{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + with_length("X: 1\r\n", "ok")};
    HttpClient client{options(server.url())};
    const HttpResponse response = client.get("");
    CHECK(response.status == 200);
    CHECK(response.headers.find("Link") == nullptr);
    CHECK(response.body == "ok");
}

TEST_CASE("a head that comes byte by byte is not silent", "[http][integration]") {
    for (const Form form : k_forms) {
        ScriptedServer server{"HTTP/1.1 204 OK\r\nX-Long: 01234567890123456789\r\n\r\n"};
        HttpOptions impatient = options(server.url());
        impatient.timeout = 250ms;
        HttpClient client{impatient};
        CHECK(call(client, form, {}).status == 204);
        server.set_pace(20ms);  // the longest line takes twice as long as the silence that is allowed
        const HttpResponse response = call(client, form, {});
        CHECK(response.status == 204);
        CHECK(response.info.connection_reused);
    }
}

TEST_CASE("the server is killed and comes back", "[http][integration]") {
    Server server{"nginx"};
    HttpClient client{options("http://" + server.address() + "/")};
    CHECK(client.get("hello.txt").status == 200);
    server.kill();
    const Error error = failure(client, Form::blocking, [] {
        HttpRequest r;
        r.path = "hello.txt";
        return r;
    }());
    CHECK(error.reason() == Reason::refused);
    server.start();
    CHECK(client.get("hello.txt").status == 200);
    server.freeze();
    CHECK(failure(client, Form::blocking, {}, Deadline{200ms}).phase() == Phase::head);
    server.thaw();
    CHECK(client.get("hello.txt").status == 200);
}
