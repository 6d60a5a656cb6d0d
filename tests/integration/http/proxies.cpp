// SPDX-License-Identifier: Apache-2.0
#include "http_fixture.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr Form k_forms[] = {Form::blocking, Form::asynchronous};

std::string with_login(const std::string& address) { return "http://" + std::string{k_user} + ":" + std::string{k_password} + "@" + address; }

HttpRequest get(const std::string& path) {
    HttpRequest request;
    request.path = path;
    return request;
}

}  // namespace

TEST_CASE("squid and tinyproxy carry plain requests and tunnels", "[http][integration]") {
    for (const char* name : {"squid", "tinyproxy"}) {
        Server proxy{name};
        for (const Form form : k_forms) {
            INFO(name);
            HttpOptions plain = options("http://u:s3cret@" + nginx().address() + "/");
            plain.proxy = Proxy::parse(with_login(proxy.address()));
            HttpClient client{plain};
            const HttpResponse response = call(client, form, get("echo"));
            CHECK(response.status == 200);
            CHECK(response.body.find("Host: " + nginx().address()) != std::string::npos);
            CHECK(response.body.find("Proxy-Authorization") == std::string::npos);

            HttpOptions secure = tls_options("/");
            secure.proxy = Proxy::parse(with_login(proxy.address()));
            HttpClient tunnelled{secure};
            const HttpResponse through = call(tunnelled, form, get("echo"));
            CHECK(through.status == 200);
            CHECK(through.body.find("Via:") == std::string::npos);
            CHECK(through.body.find("Proxy-Authorization") == std::string::npos);
            CHECK(through.info.tls_info);
            CHECK(call(tunnelled, form, get("echo")).info.connection_reused);
        }
    }
}

TEST_CASE("a proxy that refuses is named, and its password is not", "[http][integration]") {
    Server proxy{"squid"};
    for (const Form form : k_forms) {
        for (const bool secure : {false, true}) {
            for (const std::string& login : {std::string{"http://"}, std::string{"http://u:s3cretpass@"}}) {
                INFO(secure << " " << login);
                HttpOptions wrong = secure ? tls_options("/") : options(url(nginx()));
                wrong.proxy = Proxy::parse(login + proxy.address());
                HttpClient client{wrong};
                const Error error = failure(client, form, get("hello.txt"));
                CHECK(error.name() == "HTTP-CLIENT-PROXY-ERROR");
                CHECK(error.phase() == Phase::proxy);
                CHECK(error.reason() == Reason::denied);
                CHECK(std::string{error.what()}.find("s3cret") == std::string::npos);
            }
        }
    }
}

TEST_CASE("a tunnel to nowhere, and a proxy that is not there", "[http][integration]") {
    Server proxy{"squid"};
    for (const Form form : k_forms) {
        HttpOptions nowhere = options("https://127.0.0.1:1/");
        nowhere.proxy = Proxy::parse(with_login(proxy.address()));
        HttpClient client{nowhere};
        const Error error = failure(client, form, {});
        CHECK(error.name() == "HTTP-CLIENT-PROXY-ERROR");
        CHECK(error.phase() == Phase::proxy);

        HttpOptions absent = options(url(nginx()));
        absent.proxy = Proxy::parse("http://127.0.0.1:1");
        HttpClient other{absent};
        const Error refused = failure(other, form, {});
        CHECK(refused.name() == "HTTP-CLIENT-PROXY-ERROR");
        CHECK(refused.phase() == Phase::connect);
        CHECK(refused.reason() == Reason::refused);
    }
}

TEST_CASE("a proxy that talks nonsense", "[http][integration]") {
    for (const Form form : k_forms) {
        for (const std::string& answer : {std::string{"SSH-2.0-x\r\n"}, std::string{"HTTP/1.1 200 OK\r\nContent-Length: 0"}}) {
            ScriptedServer odd{answer, ScriptedServer::After::close};
            HttpOptions secure = tls_options("/");
            secure.proxy = Proxy::parse("http://127.0.0.1:" + std::to_string(odd.port()));
            HttpClient client{secure};
            CHECK(failure(client, form, {}, Deadline{5s}).phase() == Phase::proxy);
        }
    }
}

TEST_CASE("the environment names no proxy for us", "[http][integration]") {
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    HttpClient client{options(url(nginx()))};
    CHECK(client.get("hello.txt").status == 200);
    ::unsetenv("http_proxy");
}

TEST_CASE("the request to a proxy is in absolute form", "[http][integration]") {
    ScriptedServer proxy{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
    HttpOptions plain = options("http://shop.invalid/base");
    plain.proxy = Proxy::parse("127.0.0.1:" + std::to_string(proxy.port()));
    HttpClient client{plain};
    CHECK(client.get("x?y").body == "ok");
    CHECK(proxy.received().find("GET http://shop.invalid/base/x?y HTTP/1.1\r\n") == 0);
    CHECK(proxy.received().find("Host: shop.invalid\r\n") != std::string::npos);
}

TEST_CASE("headers for a proxy go to it, with CONNECT and without", "[http][integration]") {
    for (const bool secure : {false, true}) {
        ScriptedServer proxy{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
        HttpOptions options = secure ? tls_options("/") : HttpOptions{};
        if (!secure) options.url = "http://shop.invalid/";
        options.headers.set("X-Target", "t");
        options.proxy = Proxy::parse("127.0.0.1:" + std::to_string(proxy.port()));
        options.proxy->headers = {{"X-Key", "canary"}, {"X-Empty", ""}};
        HttpClient client{options};
        try {
            client.get("x", 2s);
        } catch (const Error&) {}  // behind the tunnel there is no TLS
        const std::string received = proxy.received();
        const std::string head = received.substr(0, received.find("\r\n\r\n") + 2);
        INFO(head);
        CHECK(head.find("\r\nX-Key: canary\r\n") != std::string::npos);
        CHECK(head.find("\r\nX-Empty:") != std::string::npos);
        CHECK((head.find("X-Target") == std::string::npos) == secure);
    }
}

TEST_CASE("plain requests through a digest proxy: the answer is that of the server, in both forms", "[http][integration]") {
    Server proxy{"squid", {.environment = {"PROXY_AUTH=digest"}}};
    HttpOptions plain = options(url(nginx()));
    plain.proxy = Proxy::parse(with_login(proxy.address()));
    plain.proxy->auth = Proxy::Auth::digest;
    for (const Form form : k_forms) {
        HttpClient client{plain};
        HttpRequest post;
        post.method = "POST";
        post.path = "echo";
        post.body = std::string(100'000, 'x');
        for (int i = 0; i < 2; ++i) {
            const HttpResponse response = call(client, form, post);
            CHECK(response.status == 200);
            CHECK(response.headers.find("Proxy-Authenticate") == nullptr);
            CHECK(response.body.find(post.body) != std::string::npos);
            CHECK(response.body.find("Proxy-Authorization") == std::string::npos);
        }
    }
}

TEST_CASE("a redirect to an excepted host leaves the proxy aside", "[http][integration]") {
    ScriptedServer proxy{"HTTP/1.1 302 Found\r\nLocation: " + url(nginx(), "/hello.txt") + "\r\nContent-Length: 0\r\n\r\n"};
    HttpOptions options;
    options.url = "http://shop.invalid/";
    options.proxy = Proxy::parse("127.0.0.1:" + std::to_string(proxy.port()));
    options.proxy->except = {nginx().address()};
    HttpClient client{options};
    CHECK(client.get("", 10s).body == "hello\n");
    CHECK(client.get("", 10s).body == "hello\n");
    CHECK(proxy.received().find("hello.txt") == std::string::npos);
}

TEST_CASE("proxies and sockets that cannot be are refused when the client is made", "[http][integration]") {
    const auto problem = [](auto set) -> std::string {
        HttpOptions wrong = options("http://h/");
        set(wrong);
        try {
            HttpClient client{wrong};
            return "none";
        } catch (const Error& error) { return error.what(); }
    };
    const auto header = problem([](HttpOptions& o) {
        o.proxy = Proxy::parse("p");
        o.proxy->headers = {{"X-Key", "canary-7\r\nA: b"}};
    });
    CHECK(header.find("X-Key") != std::string::npos);
    CHECK(header.find("canary-7") == std::string::npos);
    CHECK(problem([](HttpOptions& o) { o.socket.keep_alive_probes = -1; }).find("keep_alive_probes") != std::string::npos);
}
