// SPDX-License-Identifier: Apache-2.0
// Requests, headers, codings and errors against nginx and httpbin.
#include <set>
#include <thread>

#include "http_fixture.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("a request is answered", "[http][integration]") {
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        HttpClient client{options(url(nginx(), "/hello.txt"))};

        const HttpResponse response = call(client, form, {});

        CHECK(response.status == 200);
        CHECK(response.reason == "OK");
        CHECK(response.body == "hello\n");
        CHECK(response.headers.get("content-type") == "text/plain");
        CHECK(response.info.version == "HTTP/1.1");
        CHECK(response.info.remote_address == nginx().address());
        CHECK(response.info.url == url(nginx(), "/hello.txt"));
        CHECK_FALSE(response.info.connection_reused);
        CHECK(response.info.total > 0ns);
    }
}

TEST_CASE("a call tells how it went: phases, bytes, addresses, protocol", "[http][integration]") {
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        for (const bool tls : {false, true}) {
            HttpClient client{tls ? tls_options("/") : options(url(nginx()))};
            const HttpResponse first = call(client, form, {.path = "chunked"});
            const HttpCallInfo& info = first.info;
            CHECK(info.remote_address == (tls ? nginx().address2() : nginx().address()));
            CHECK(info.tls_info.has_value() == tls);
            CHECK(info.connect > 0ns);
            CHECK((info.tls > 0ns) == tls);
            CHECK(info.first_byte > 0ns);
            CHECK(info.receive >= 500ms);  // it takes its time for the chunks
            CHECK(info.resolve + info.connect + info.tls + info.receive <= info.total);
            CHECK(info.bytes_received == first.body.size());
            CHECK(info.bytes_sent == 0);
            CHECK(info.redirects + info.retries == 0);

            const HttpResponse second = call(client, form, {.method = "PUT", .path = "told.txt", .body = "12345", .has_body = true});
            CHECK(second.info.connection_reused);
            CHECK(second.info.tls == 0ns);
            CHECK(second.info.bytes_sent == 5);
            const HttpResponse zipped = call(client, form, {.path = "gzip/numbers.txt"});
            CHECK(zipped.info.bytes_received < zipped.body.size());
        }
    }
}

TEST_CASE("connections are kept, one for each request under way", "[http][integration]") {
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        HttpClient client{options(url(nginx()))};
        const std::string mark = "/hello.txt?keep" + std::to_string(static_cast<int>(form));
        for (int i = 0; i < 5; ++i) {
            HttpRequest request;
            request.path = mark;
            CHECK(call(client, form, request).info.connection_reused == (i > 0));
        }
        CHECK(connections_in_log(nginx(), mark).size() == 1);
    }
}

TEST_CASE("threads share a client, each with a connection of its own", "[http][integration]") {
    HttpClient client{options(url(nginx()))};
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20; ++i) good += client.get("hello.txt?threads").status == 200 ? 1 : 0;
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(good == 80);
    CHECK(connections_in_log(nginx(), "/hello.txt?threads").size() <= 4);
}

TEST_CASE("many asynchronous requests run beside each other", "[http][integration]") {
    HttpClient client{options(url(nginx()))};
    Responses outcomes;
    for (int i = 0; i < 100; ++i) {
        HttpRequest request;
        request.path = "numbers.txt";
        client.async_request(request, Deadline{20s}, outcomes.callback());
    }
    REQUIRE(outcomes.wait(100));
    for (const auto& result : outcomes.results()) {
        REQUIRE(result);
        CHECK(result->body.size() == 108894);
    }
}

TEST_CASE("every method reaches the server with its body", "[http][integration]") {
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        HttpClient client{options(url(httpbin(), "/anything"))};
        for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"}) {
            INFO(method);
            HttpRequest request;
            request.method = method;
            request.path = "x";
            request.body = std::string_view{method} == "GET" || std::string_view{method} == "OPTIONS" ? "" : "some data";
            request.headers = {{"Content-Type", "text/plain"}, {"X-Mine", "yes"}, {"X-Empty", ""}};
            const bool knows = std::string_view{method} != "OPTIONS" && std::string_view{method} != "PURGE";
            if (!knows) {
                HttpOptions lenient = options(url(httpbin(), "/anything"));
                lenient.error_passthru = true;
                HttpClient other{lenient};
                CHECK(call(other, form, request).info.method == method);
                continue;
            }
            const HttpResponse response = call(client, form, request);
            CHECK(response.body.find("\"method\":\"" + std::string{method} + "\"") != std::string::npos);
            CHECK(response.body.find("\"X-Mine\":\"yes\"") != std::string::npos);
            CHECK(response.body.find("\"data\":\"" + request.body + "\"") != std::string::npos);
        }
    }
}

TEST_CASE("one client changes between methods without leftovers", "[http][integration]") {
    HttpClient client{options(url(httpbin(), "/anything"))};

    CHECK(client.head("").body.empty());
    CHECK(client.get("").body.find("\"method\":\"GET\"") != std::string::npos);
    CHECK(client.post("", "abc", "text/plain").body.find("\"data\":\"abc\"") != std::string::npos);
    const HttpResponse get = client.get("");
    CHECK(get.body.find("\"method\":\"GET\"") != std::string::npos);
    CHECK(get.body.find("Content-Length") == std::string::npos);
    CHECK(get.body.find("Content-Type") == std::string::npos);
    CHECK(client.del("").body.find("\"method\":\"DELETE\"") != std::string::npos);
    CHECK(client.head("").status == 200);
    const HttpResponse put = client.put("", "", "");
    CHECK(put.body.find("\"Content-Length\":\"0\"") != std::string::npos);
    CHECK(put.body.find("urlencoded") == std::string::npos);
}

TEST_CASE("large bodies go both ways", "[http][integration]") {
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        HttpClient client{options(url(nginx()))};
        HttpRequest put;
        put.method = "PUT";
        put.path = "upload.bin";
        put.body.assign(std::size_t{8} * 1024 * 1024, 'x');
        CHECK(call(client, form, put).status / 100 == 2);
        HttpRequest get;
        get.path = "upload.bin";
        CHECK(call(client, form, get).body == put.body);
    }
}

TEST_CASE("codings are decoded", "[http][integration]") {
    HttpClient plain{options(url(nginx()))};
    const std::string expected = plain.get("numbers.txt").body;
    const HttpResponse zipped = plain.get("gzip/numbers.txt");
    CHECK(zipped.headers.get("Content-Encoding") == "gzip");
    CHECK(zipped.body == expected);

    HttpClient client{options(url(httpbin()))};
    CHECK(client.get("gzip").body.find("\"gzipped\":true") != std::string::npos);
    CHECK(client.get("deflate").body.find("\"deflated\":true") != std::string::npos);
    CHECK(client.get("brotli").body.find("\"brotli\":true") != std::string::npos);

    HttpOptions raw = options(url(httpbin()));
    raw.accept_codings.clear();
    HttpClient undecoded{raw};
    CHECK(undecoded.get("headers").body.find("Accept-Encoding") == std::string::npos);
    CHECK(undecoded.get("gzip").body.substr(0, 2) == "\x1f\x8b");
}

TEST_CASE("statuses from 400 on are errors with the answer attached", "[http][integration]") {
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        HttpClient client{options(url(nginx()))};
        for (const int status : {400, 401, 403, 404, 409, 429, 500, 502, 503, 504}) {
            INFO(status);
            HttpRequest request;
            request.path = "status/" + std::to_string(status);
            const Error error = failure(client, form, request);
            CHECK(error.name() == "HTTP-CLIENT-RECEIVE-ERROR");
            CHECK(error.code() == HttpErrc::receive);
            CHECK(error.connection() == "shop");
            CHECK(error.message().find(std::to_string(status)) != std::string::npos);
            REQUIRE(error.detail<HttpErrorDetail>() != nullptr);
            CHECK(error.detail<HttpErrorDetail>()->response.body == "{\"status\":" + std::to_string(status) + "}");
            CHECK(error.retryable() == (status == 429 || status >= 500));
            if (status == 401) CHECK(error.reason() == Reason::denied);
            if (status == 503) CHECK(error.reason() == Reason::status);

            HttpOptions lenient = options(url(nginx()));
            lenient.error_passthru = true;
            HttpClient passthru{lenient};
            CHECK(call(passthru, form, request).status == status);
        }
        HttpRequest empty;
        empty.path = "status/204";
        CHECK(call(client, form, empty).body.empty());
    }
}

TEST_CASE("basic authorization and tokens are sent", "[http][integration]") {
    HttpOptions right = options("http://" + std::string{k_user} + ":" + std::string{k_password} + "@" + nginx().address() + "/auth");
    CHECK(HttpClient{right}.get("hello.txt").body == "hello\n");

    HttpOptions separate = options(url(nginx(), "/auth"));
    separate.username = k_user;
    separate.password = Secret{k_password};
    CHECK(HttpClient{separate}.get("hello.txt").body == "hello\n");

    separate.password = Secret{"s3cret-and-wrong"};
    HttpClient wrong{separate};
    const Error error = failure(wrong, Form::blocking, [] {
        HttpRequest r;
        r.path = "hello.txt";
        return r;
    }());
    CHECK(error.phase() == Phase::auth);
    CHECK(error.reason() == Reason::denied);
    CHECK(std::string{error.what()}.find("s3cret") == std::string::npos);

    HttpOptions token = options(url(httpbin()));
    token.token = Secret{"abc.def"};
    CHECK(HttpClient{token}.get("headers").body.find("Bearer abc.def") != std::string::npos);
    CHECK(HttpClient{options(url(httpbin()))}.get("headers").body.find("Authorization") == std::string::npos);
}

TEST_CASE("bodies above the threshold are sent coded", "[http][integration]") {
    for (const std::string coding : {"gzip", "deflate", "br", "zstd", "bzip2"}) {
        INFO(coding);
        HttpOptions sending = options(url(httpbin(), "/anything"));
        sending.send_coding = coding;
        HttpClient client{sending};
        const HttpResponse small = client.post("", std::string(1024, 'x'), "text/plain");
        CHECK(small.body.find("Content-Encoding") == std::string::npos);
        const HttpResponse large = client.post("", std::string(1025, 'x'), "text/plain");
        CHECK(large.body.find("\"Content-Encoding\":\"" + coding + "\"") != std::string::npos);
        CHECK(large.body.find("\"Content-Length\":\"1025\"") == std::string::npos);
    }
}

TEST_CASE("HTTP 1.0 and 2 are spoken when asked for", "[http][integration]") {
    HttpOptions old = options(url(nginx()));
    old.http_version = "1.0";
    HttpClient v10{old};
    CHECK(v10.get("hello.txt?v10").status == 200);
    CHECK(v10.get("hello.txt?v10").info.connection_reused);
    CHECK(wait_until([] { return log_of(nginx(), "/hello.txt?v10").find("HTTP/1.0") != std::string::npos; }));

    for (const Form form : {Form::blocking, Form::asynchronous}) {
        HttpOptions two = tls_options("/");
        two.http_version = "2";
        HttpClient v2{two};
        HttpRequest request;
        request.path = "hello.txt?v2";
        const HttpResponse response = call(v2, form, request);
        CHECK(response.info.version == "HTTP/2");
        CHECK(response.body == "hello\n");
        REQUIRE(response.info.tls_info);
        CHECK(response.info.tls_info->alpn == "h2");
    }
}

TEST_CASE("chunked and slow answers arrive whole", "[http][integration]") {
    HttpClient client{options(url(nginx()))};
    CHECK(client.get("chunked").body == "one\ntwo\nthree\nfour\nfive\n");
}

TEST_CASE("an answer beyond the limits is refused", "[http][integration]") {
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        HttpOptions small = options(url(nginx()));
        small.max_body = 1000;
        HttpClient client{small};
        HttpRequest request;
        request.path = "numbers.txt";
        const Error body = failure(client, form, request);
        CHECK(body.name() == "HTTP-CLIENT-LIMIT-ERROR");
        CHECK(body.reason() == Reason::limit);
        CHECK(body.phase() == Phase::body);
        request.path = "gzip/numbers.txt";
        CHECK(failure(client, form, request).reason() == Reason::limit);

        HttpOptions narrow = options(url(nginx()));
        narrow.max_head = 50;
        HttpClient heads{narrow};
        request.path = "hello.txt";
        const Error head = failure(heads, form, request);
        CHECK(head.name() == "HTTP-CLIENT-LIMIT-ERROR");
        CHECK(head.phase() == Phase::head);
    }
}

TEST_CASE("a UNIX socket is reached by its path", "[http][integration]") {
    const TempDir directory;
    ScriptedServer server{directory / "s", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"};
    std::string path = percent_encode(directory / "s");
    HttpClient client{options("http://socket=" + path + "/base")};

    CHECK(client.get("x").body == "hi");
    CHECK(server.received().find("GET /base/x HTTP/1.1\r\n") == 0);
    CHECK(server.received().find("Host: localhost\r\n") != std::string::npos);

    HttpClient absent{options("http://socket=" + path + "-absent/")};
    const Error error = failure(absent, Form::blocking, {});
    CHECK(error.phase() == Phase::connect);
    CHECK(error.reason() == Reason::refused);
}
