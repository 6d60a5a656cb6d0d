// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include <qconn/base/error.hpp>
#include <qconn/net/endpoint.hpp>

#include "net/proxy_environment.hpp"
#include "net/proxy_exceptions.hpp"
#include "support/catch.hpp"

using namespace qconn;

namespace {

using Variables = std::map<std::string, std::string>;

std::optional<Proxy> from(const Variables& variables, std::string_view scheme) {
    return net::proxy_from(scheme, [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found != variables.end() ? std::optional{found->second} : std::nullopt;
    });
}

bool is_for(std::vector<std::string> except, std::string_view host, std::uint16_t port = 443) {
    Proxy proxy;
    proxy.except = std::move(except);
    return proxy.is_for(host, port);
}

std::string problem_of(std::string_view url) {
    try {
        Proxy::parse(url);
        return {};
    } catch (const Error& error) {
        CHECK(error.name() == "PROXY-ERROR");
        CHECK(error.reason() == Reason::bad_value);
        return error.what();
    }
}

}  // namespace

TEST_CASE("each kind of proxy has a scheme and a port of its own", "[net][proxy]") {
    using Kind = Proxy::Kind;
    const auto [url, kind, port] = GENERATE(table<std::string, Kind, int>({{"p", Kind::http, 80},
                                                                           {"http://p", Kind::http, 80},
                                                                           {"https://p", Kind::https, 443},
                                                                           {"socks4://p", Kind::socks4, 1080},
                                                                           {"socks4a://p", Kind::socks4a, 1080},
                                                                           {"socks5://p", Kind::socks5, 1080},
                                                                           {"SOCKS5H://p:99", Kind::socks5h, 99}}));
    const Proxy proxy = Proxy::parse(url);

    CHECK(proxy.kind == kind);
    CHECK(proxy.host == "p");
    CHECK(proxy.port == port);
    CHECK(proxy.is_socks() == (kind >= Kind::socks4));
    CHECK(proxy.looks_up() == (kind != Kind::socks4 && kind != Kind::socks5));
    CHECK(proxy.is_for("any.example", 1));
}

TEST_CASE("a proxy that cannot be used is refused without its password", "[net][proxy]") {
    const auto [url, words] = GENERATE(table<std::string, std::string>({{"ftp://u:canary-7@p", "socks5h"},
                                                                        {"socks4://u:canary-7@p", "SOCKS4 cannot carry"},
                                                                        {"socks5://u:canary-7@", "names no host"},
                                                                        {"socks5://u:canary-7@p:99999", "is no URL"}}));
    const std::string problem = problem_of(url);

    INFO(problem);
    CHECK(problem.find(words) != std::string::npos);
    CHECK(problem.find("canary-7") == std::string::npos);
}

TEST_CASE("exceptions of a proxy are names with those below them, addresses, networks and ports", "[net][proxy]") {
    CHECK_FALSE(is_for({"*"}, "a.example"));
    for (const char* name : {"b.example", ".b.example", "*.b.example", "B.Example.", " b.example "}) {
        INFO(name);
        CHECK_FALSE(is_for({name}, "b.example"));
        CHECK_FALSE(is_for({"x", name}, "a.b.example"));
        CHECK_FALSE(is_for({name}, "A.B.EXAMPLE."));
        CHECK(is_for({name}, "ab.example"));
        CHECK(is_for({name}, "example"));
    }
    CHECK_FALSE(is_for({"h:81"}, "a.h", 81));
    CHECK(is_for({"h:81"}, "a.h", 80));
    CHECK_FALSE(is_for({"10.1.2.3"}, "10.1.2.3"));
    CHECK(is_for({"1.2.3"}, "10.1.2.3"));
    CHECK(is_for({"10.1.2.3"}, "h"));
    CHECK_FALSE(is_for({"10.0.0.0/8"}, "10.255.0.1"));
    CHECK(is_for({"10.0.0.0/8"}, "11.0.0.1"));
    CHECK_FALSE(is_for({"10.0.0.128/25"}, "10.0.0.129"));
    CHECK(is_for({"10.0.0.128/25"}, "10.0.0.127"));
    CHECK_FALSE(is_for({"0.0.0.0/0"}, "10.0.0.127"));
    CHECK(is_for({"0.0.0.0/0"}, "::1"));
    CHECK(is_for({"10.0.0.0/8"}, "h"));
    CHECK_FALSE(is_for({"fd00::/8"}, "fd12::1"));
    CHECK(is_for({"fd00::/8"}, "fe80::1"));
    CHECK_FALSE(is_for({"::1"}, "::1"));
    CHECK_FALSE(is_for({"[::1]"}, "0:0::1"));
    CHECK_FALSE(is_for({"[::1]:81"}, "::1", 81));
    CHECK(is_for({"[::1]:81"}, "::1", 80));
    CHECK(is_for({"", ".", "10.0.0.0/33", "h:x", "h:99999", "x/8", "/", ":", "[]"}, "h"));
}

TEST_CASE("an exception that stands for nothing is named", "[net][proxy]") {
    for (const char* good : {"*", "h", ".h", "h:1", "::1", "[::1]:80", "10.0.0.0/8", "fd00::/8"}) CHECK(net::exception_problem(good).empty());
    for (const char* bad : {"", "10.0.0.0/33", "fd00::/129", "h:x", "h:99999", "h/8", "a b"}) {
        INFO(bad);
        CHECK_FALSE(net::exception_problem(bad).empty());
    }
}

TEST_CASE("the environment names proxies as it does for curl", "[net][proxy]") {
    const auto host = [](const std::optional<Proxy>& proxy) { return proxy ? proxy->host : "none"; };
    CHECK(host(from({}, "http")) == "none");
    CHECK(host(from({{"http_proxy", "p"}}, "http")) == "p");
    CHECK(host(from({{"http_proxy", "p"}}, "https")) == "none");
    CHECK(host(from({{"HTTP_PROXY", "p"}}, "http")) == "none");
    CHECK(host(from({{"https_proxy", "p"}, {"HTTPS_PROXY", "q"}}, "https")) == "p");
    CHECK(host(from({{"HTTPS_PROXY", "q"}}, "rests")) == "q");
    CHECK(host(from({{"https_proxy", " "}, {"ALL_PROXY", "q"}}, "https")) == "q");
    CHECK(host(from({{"all_proxy", "q"}, {"http_proxy", "p"}}, "http")) == "p");

    const auto full = from({{"all_proxy", "socks5h://edi:a%40b@p:99"}, {"no_proxy", "localhost, .example.com 10.0.0.0/8,,"}}, "amqp");
    REQUIRE(full);
    CHECK(full->kind == Proxy::Kind::socks5h);
    CHECK(full->password.reveal() == "a@b");
    CHECK(full->except == std::vector<std::string>{"localhost", ".example.com", "10.0.0.0/8"});
    CHECK_FALSE(full->is_for("www.example.com", 80));
    CHECK(full->is_for("www.example.org", 80));
}

TEST_CASE("a wrong proxy in the environment is told by its variable", "[net][proxy]") {
    try {
        from({{"http_proxy", "ftp://edi:canary-7@p"}}, "http");
        FAIL();
    } catch (const Error& error) {
        CHECK(std::string{error.what()}.find("http_proxy") != std::string::npos);
        CHECK(std::string{error.what()}.find("canary-7") == std::string::npos);
    }
}
