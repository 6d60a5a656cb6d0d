// SPDX-License-Identifier: Apache-2.0
// Pings and calls through HTTP proxies.
#include <string>

#include <qconn/http/http_client.hpp>

#include "net/ping_run.hpp"
#include "support/define.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

PingResult ping(const Checked& checked, PingDepth depth = PingDepth::standard) {
    INFO(checked.text());
    REQUIRE(checked.valid);
    return net::run_ping_blocking(Runtime{}, checked.ping(depth), checked.definition.name, 10s, true);
}

std::string proxy(const Server& server, std::string_view password = k_password) {
    return "proxy: http://" + std::string{k_user} + ':' + std::string{password} + '@' + server.address();
}

}  // namespace

TEST_CASE("a proxy is passed with its password and named where it refuses", "[schemes][integration]") {
    const auto name = GENERATE(as<std::string>{}, "squid", "tinyproxy");
    Server nginx{"nginx"};
    Server server{name};
    const std::string trust = "\nssl_ca_file: " + tls_file("ca.crt");
    const auto secure = define("https://" + nginx.address2() + "/hello.txt", proxy(server) + trust);
    const auto plain = define("http://" + nginx.address() + "/hello.txt", proxy(server));

    const PingResult up = ping(secure);
    INFO((up.error ? up.error->what() : "ok"));
    CHECK(up.ok);
    CHECK(up.tls.has_value());
    CHECK(ping(secure, PingDepth::full).ok);
    CHECK(ping(plain).ok);
    CHECK(ping(plain, PingDepth::full).ok);
    CHECK(secure.client<HttpClient>()->get("", 10s).body == "hello\n");
    CHECK(plain.client<HttpClient>()->get("", 10s).body == "hello\n");

    const PingResult denied = ping(define("https://" + nginx.address2(), proxy(server, "wrong") + trust));
    REQUIRE(denied.error);
    INFO(denied.error->what());
    CHECK(denied.error->phase() == Phase::proxy);
    CHECK(denied.error->reason() == Reason::denied);

    for (const char* scheme : {"http", "https", "rest", "rests"}) {
        CAPTURE(scheme);
        const PingResult dead_target = ping(define(std::string{scheme} + "://127.0.0.1:" + std::to_string(free_port()), proxy(server)));
        REQUIRE(dead_target.error);
        INFO(dead_target.error->what());
        CHECK(dead_target.error->phase() == Phase::proxy);
    }
    server.kill();
    for (const auto& one : {secure, plain}) {
        const PingResult dead_proxy = ping(one);
        REQUIRE(dead_proxy.error);
        CHECK(dead_proxy.error->reason() == Reason::refused);
    }
}

TEST_CASE("the standard ping of plain http through a proxy finds out how the target is", "[schemes][integration]") {
    const auto name = GENERATE(as<std::string>{}, "squid", "tinyproxy");
    Server nginx{"nginx"};
    Server server{name};
    const auto at = [&](const std::string& path) { return define("http://" + nginx.address() + path, proxy(server)); };
    CAPTURE(name);

    for (const char* path : {"/hello.txt", "/nothing-here", "/status/403", "/status/500", "/status/503", "/auth/hello.txt"}) {
        CAPTURE(path);
        const PingResult up = ping(at(path));
        INFO((up.error ? up.error->what() : "ok"));
        CHECK(up.ok);
    }
    for (const char* password : {"wrong", ""}) {
        CAPTURE(password);
        const std::string login = *password == '\0' ? "" : std::string{k_user} + ':' + password + '@';
        const PingResult denied = ping(define("http://" + nginx.address() + "/hello.txt", "proxy: http://" + login + server.address()));
        REQUIRE(denied.error);
        INFO(denied.error->what());
        CHECK(denied.error->phase() == Phase::proxy);
        CHECK(denied.error->reason() == Reason::denied);
    }
    nginx.kill();
    const PingResult dead = ping(at("/hello.txt"));
    REQUIRE(dead.error);
    CHECK(dead.error->phase() == Phase::proxy);
    CHECK(dead.error->reason() == Reason::unreachable);
    CHECK(ping(at("/hello.txt"), PingDepth::connect).ok);  // that is the proxy
    nginx.start();
    CHECK(ping(at("/hello.txt")).ok);
}
