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

TEST_CASE("a definition leads through SOCKS and digest proxies, its pings as its calls", "[schemes][integration]") {
    const auto [name, environment, scheme, more] =
        GENERATE(table<std::string, std::string, std::string, std::string>({{"microsocks", "", "socks5h", ""},
                                                                            {"microsocks", "", "socks5", ""},
                                                                            {"squid", "PROXY_AUTH=digest", "http", "\nproxy_auth: digest"},
                                                                            {"squid", "PROXY_AUTH=digest", "https", "\nproxy_auth: any"},
                                                                            {"squid", "PROXY_AUTH=basic", "https", "\nproxy_auth: basic"}}));
    Server nginx{"nginx"};
    Server server{name, {.environment = {environment.empty() ? "UNUSED=1" : environment}}};
    const std::string address = scheme == "https" ? server.address2() : server.address();
    const auto text = [&, scheme = scheme, more = more](std::string_view password) {
        std::string out = "proxy: " + scheme + "://" + std::string{k_user} + ':' + std::string{password} + '@' + address + more;
        out += "\nssl_ca_file: " + tls_file("ca.crt");
        if (scheme == "https") out += "\nproxy_ssl_ca_file: " + tls_file("ca.crt");
        return out;
    };

    for (const std::string& url : {"https://" + nginx.address2() + "/hello.txt", "http://" + nginx.address() + "/hello.txt"}) {
        INFO(scheme << more << " " << url);
        const auto good = define(url, text(k_password));
        for (const PingDepth depth : {PingDepth::standard, PingDepth::connect, PingDepth::full}) {
            const PingResult result = ping(good, depth);
            INFO((result.error ? result.error->what() : "ok"));
            CHECK(result.ok);
        }
        CHECK(good.client<HttpClient>()->get("", 10s).body == "hello\n");

        const auto bad = define(url, text("canary-7"));
        const PingResult denied = ping(bad, PingDepth::full);
        REQUIRE(denied.error);
        INFO(denied.error->what());
        CHECK(denied.error->phase() == Phase::proxy);
        CHECK(denied.error->reason() == Reason::denied);
        CHECK(std::string{denied.error->what()}.find("canary-7") == std::string::npos);
        try {
            bad.client<HttpClient>()->get("", 10s);
            FAIL("nothing was refused");
        } catch (const Error& error) {
            CHECK(error.phase() == Phase::proxy);
            CHECK(error.reason() == Reason::denied);
            CHECK(std::string{error.what()}.find("canary-7") == std::string::npos);
        }
    }
}
