// SPDX-License-Identifier: Apache-2.0
#include <qconn/testing/fault_proxy.hpp>

#include "integration/net/proxy_suite.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"
#include "support/wait.hpp"

namespace qconn::test {

namespace {

using namespace std::chrono_literals;
using Kind = Proxy::Kind;
using Auth = Proxy::Auth;

constexpr const char* k_canary = "canary-7";

ErrandOutcome run(const StartErrand& start, const Errand& errand) {
    ErrandOutcome outcome = Running{start, errand}.wait();
    CHECK(outcome.message.find(k_canary) == std::string::npos);
    CHECK(outcome.message.find(k_password) == std::string::npos);
    return outcome;
}

std::shared_ptr<const TlsOptions> trusting() {
    TlsOptions options;
    options.ca_file = tls_file("ca.crt");
    return std::make_shared<const TlsOptions>(std::move(options));
}

Proxy at(std::uint16_t port, Kind kind) {
    Proxy proxy;
    proxy.kind = kind;
    proxy.host = "127.0.0.1";
    proxy.port = port;
    if (kind == Kind::https) proxy.tls = trusting();
    return proxy;
}

Proxy at(const Server& server, Kind kind) { return at(kind == Kind::https ? server.port2() : server.port(), kind); }

Proxy with_login(Proxy proxy, Auth auth = Auth::basic, std::string_view password = k_password) {
    proxy.username = k_user;
    proxy.password = Secret{password};
    proxy.auth = auth;
    return proxy;
}

Errand to(const Server& target, Proxy proxy, bool tls) {
    const std::string host = proxy.looks_up() ? "localhost" : "127.0.0.1";
    return {std::move(proxy), host, tls ? target.port2() : target.port(), tls};
}

void check_way(const StartErrand& start, const Server& target, const Proxy& proxy) {
    for (const bool tls : {false, true}) {
        const ErrandOutcome outcome = run(start, to(target, proxy, tls));
        INFO("kind " << static_cast<int>(proxy.kind) << ", auth " << static_cast<int>(proxy.auth) << ", TLS " << tls << ": " << outcome.message);
        CHECK(outcome.ok);
    }
}

void check_failure(const ErrandOutcome& outcome, Phase phase, Reason reason, std::string_view words = {}) {
    INFO(outcome.message);
    CHECK_FALSE(outcome.ok);
    CHECK(outcome.phase == phase);
    CHECK(outcome.reason == reason);
    CHECK(outcome.message.find(words) != std::string::npos);
}

}  // namespace

void check_proxies_that_work(const StartErrand& start) {
    Server nginx{"nginx"};

    SECTION("MicroSocks, with a log-in") {
        Server server{"microsocks"};
        for (const Kind kind : {Kind::socks5, Kind::socks5h}) check_way(start, nginx, with_login(at(server, kind)));
    }
    SECTION("Dante") {
        Server server{"danted"};
        for (const Kind kind : {Kind::socks4, Kind::socks5, Kind::socks5h}) check_way(start, nginx, at(server, kind));
    }
    SECTION("ssh -D") {
        Server server{"sshsocks"};
        for (const Kind kind : {Kind::socks4, Kind::socks4a, Kind::socks5, Kind::socks5h}) check_way(start, nginx, at(server, kind));
    }
    SECTION("Squid, by basic, also under TLS") {
        Server server{"squid"};
        for (const Kind kind : {Kind::http, Kind::https}) {
            for (const Auth auth : {Auth::basic, Auth::any}) check_way(start, nginx, with_login(at(server, kind), auth));
        }
    }
    SECTION("Squid, by digest, also under TLS") {
        Server server{"squid", {.environment = {"PROXY_AUTH=digest"}}};
        for (const Kind kind : {Kind::http, Kind::https}) {
            for (const Auth auth : {Auth::digest, Auth::any}) check_way(start, nginx, with_login(at(server, kind), auth));
        }
    }
    SECTION("Tinyproxy") {
        Server server{"tinyproxy"};
        for (const Auth auth : {Auth::basic, Auth::any}) check_way(start, nginx, with_login(at(server, Kind::http), auth));
    }
    SECTION("a name goes to the proxy where that looks it up, an address where not") {
        Server server{"microsocks", {.environment = {"SOCKS_AUTH=0"}}};
        const std::string port = ":" + std::to_string(nginx.port());
        CHECK(run(start, {at(server, Kind::socks5h), "localhost", nginx.port()}).ok);
        CHECK(server.log().find("connected to localhost" + port) != std::string::npos);
        CHECK(server.log().find("connected to 127.0.0.1" + port) == std::string::npos);
        run(start, {at(server, Kind::socks5), "localhost", nginx.port()});
        CHECK((server.log().find("connected to 127.0.0.1" + port) != std::string::npos || server.log().find("::1") != std::string::npos));
    }
    SECTION("an exception is reached without the proxy") {
        Proxy absent = at(free_port(), GENERATE(Kind::http, Kind::socks5h));
        absent.except = {"10.0.0.0/8", "127.0.0.0/8"};
        CHECK(run(start, {absent, "127.0.0.1", nginx.port()}).ok);
        CHECK_FALSE(run(start, {absent, "localhost", nginx.port()}).ok);
    }
}

void check_proxies_that_refuse(const StartErrand& start) {
    Server nginx{"nginx"};
    const auto target = [&](Proxy proxy) { return to(nginx, std::move(proxy), true); };
    const std::uint16_t closed = free_port();

    SECTION("SOCKS5: no log-in, a wrong one") {
        Server server{"microsocks"};
        check_failure(run(start, target(at(server, Kind::socks5h))), Phase::proxy, Reason::denied, "wants a user name");
        const auto wrong = run(start, target(with_login(at(server, Kind::socks5h), Auth::basic, k_canary)));
        check_failure(wrong, Phase::proxy, Reason::denied, "refuses the user name or the password");
    }
    SECTION("Squid: no log-in, a wrong one, one of another kind") {
        const auto [name, auth] = GENERATE(table<std::string, Auth>({{"basic", Auth::basic}, {"digest", Auth::digest}}));
        Server server{"squid", {.environment = {"PROXY_AUTH=" + name}}};
        const Kind kind = GENERATE(Kind::http, Kind::https);
        check_failure(run(start, target(at(server, kind))), Phase::proxy, Reason::denied, "wants a user name");
        for (const Auth shown : {auth, Auth::any}) {
            const auto wrong = run(start, target(with_login(at(server, kind), shown, k_canary)));
            check_failure(wrong, Phase::proxy, Reason::denied, "refuses the user name or the password");
        }
        const Auth other = auth == Auth::basic ? Auth::digest : Auth::basic;
        check_failure(run(start, target(with_login(at(server, kind), other))), Phase::proxy, Reason::denied, "none of the kinds of log-in");
    }
    SECTION("Tinyproxy, which says 401 to a wrong password") {
        Server server{"tinyproxy"};
        check_failure(run(start, target(at(server, Kind::http))), Phase::proxy, Reason::denied);
        check_failure(run(start, target(with_login(at(server, Kind::http), Auth::basic, k_canary))), Phase::proxy, Reason::denied);
    }
    SECTION("a target that refuses is told from a proxy that does") {
        Server server{"danted"};
        const auto at_target = [&](Kind kind) { return Errand{at(server, kind), "127.0.0.1", closed, true}; };
        check_failure(run(start, at_target(Kind::socks5)), Phase::proxy, Reason::refused, "the target refused");
        check_failure(run(start, at_target(Kind::socks4)), Phase::proxy, Reason::status);
        server.kill();
        check_failure(run(start, at_target(Kind::socks5)), Phase::connect, Reason::refused, "the proxy");
    }
    SECTION("a target that an HTTP proxy cannot reach") {
        Server server{"squid", {.environment = {"PROXY_AUTH=none"}}};
        check_failure(run(start, {at(server, Kind::http), "127.0.0.1", closed, true}), Phase::proxy, Reason::unreachable, "could not reach");
    }
    SECTION("a target that the rules of the proxy forbid") {
        Server server{"danted", {.environment = {"SOCKS_BLOCKED=" + std::to_string(nginx.port2())}}};
        check_failure(run(start, target(at(server, Kind::socks5))), Phase::proxy, Reason::permission, "rules");
    }
    SECTION("names that have no address, here and there") {
        Server server{"microsocks", {.environment = {"SOCKS_AUTH=0"}}};
        check_failure(run(start, {at(server, Kind::socks5), "no-such-host.invalid", 80}), Phase::resolve, Reason::unknown_host, "no-such-host");
        const auto there = run(start, {at(server, Kind::socks5h), "no-such-host.invalid", 80});
        INFO(there.message);
        CHECK(there.phase == Phase::proxy);
        auto unknown = at(80, Kind::socks5);
        unknown.host = "no-such-proxy.invalid";
        check_failure(run(start, {unknown, "127.0.0.1", 80}), Phase::resolve, Reason::unknown_host, "no-such-proxy");
    }
    SECTION("SOCKS4 does not lead to IPv6") {
        Server server{"danted"};
        check_failure(run(start, {at(server, Kind::socks4), "::1", 80}), Phase::resolve, Reason::unknown_host);
    }
    SECTION("the certificate of a proxy is checked by its own options") {
        Server server{"squid", {.environment = {"PROXY_AUTH=none"}}};
        Proxy proxy = at(server, Kind::https);
        CHECK(run(start, target(proxy)).ok);
        proxy.tls = nullptr;
        check_failure(run(start, target(proxy)), Phase::proxy, Reason::certificate_untrusted, "CN=localhost");
        check_failure(run(start, to(nginx, proxy, false)), Phase::proxy, Reason::certificate_untrusted);
        TlsOptions other = *trusting();
        other.server_name = "other.invalid";
        proxy.tls = std::make_shared<const TlsOptions>(other);
        check_failure(run(start, target(proxy)), Phase::proxy, Reason::certificate_name, "other.invalid");
    }
}

void check_proxies_that_break(const StartErrand& start) {
    const Kind kind = GENERATE(Kind::http, Kind::https, Kind::socks4, Kind::socks4a, Kind::socks5, Kind::socks5h);
    const auto errand = [kind](std::uint16_t port, std::chrono::milliseconds limit) {
        return Errand{at(port, kind), "127.0.0.1", 443, true, Deadline{limit}};
    };
    INFO("kind " << static_cast<int>(kind));
    run(start, errand(free_port(), 60s));  // so that TLS contexts are at hand: making them takes as long as the machine is busy

    SECTION("one that says nothing") {
        SilentServer silent;
        check_failure(run(start, errand(silent.port(), 1s)), Phase::proxy, Reason::timeout);
    }
    SECTION("one that cannot be reached") {
        BlackHole hole;
        check_failure(run(start, errand(hole.port(), 1s)), Phase::connect, Reason::timeout);
    }
    SECTION("one that is not there") {
        check_failure(run(start, errand(free_port(), 20s)), Phase::connect, Reason::refused, "nothing listens there");
    }
    SECTION("cancelled while it says nothing") {
        SilentServer silent;
        testing::FaultProxy door{silent.port()};
        Running running{start, errand(door.port(), 60s)};
        REQUIRE(wait_until([&] { return door.connections() == 1; }));
        running.cancel();
        check_failure(running.wait(), Phase::proxy, Reason::cancelled);
        CHECK(wait_until([&] { return sockets_to(door.port()).empty(); }));
    }
    SECTION("one that closes or resets instead of an answer, or within it") {
        Server real{kind == Kind::http || kind == Kind::https ? "squid" : "sshsocks", {.environment = {"PROXY_AUTH=none"}}};
        testing::FaultProxy fault{at(real, kind).port};
        for (const bool closes : {true, false}) {
            for (const std::size_t bytes : {0, 1, 3}) {
                testing::Faults faults;
                (closes ? faults.close_after : faults.reset_after) = bytes;
                fault.set(faults);
                INFO((closes ? "closes" : "resets") << " after " << bytes);
                const auto outcome = run(start, errand(fault.port(), 20s));
                INFO(outcome.message);
                CHECK_FALSE(outcome.ok);
                CHECK(outcome.phase == Phase::proxy);
                CHECK((outcome.reason == Reason::closed || outcome.reason == Reason::reset || outcome.reason == Reason::handshake));
            }
        }
    }
    SECTION("one that speaks another protocol") {
        Server nginx{"nginx"};
        const bool talks_http = kind == Kind::http || kind == Kind::https;
        Server socks{"microsocks"};
        // A SOCKS server closes on what it does not know.
        const auto outcome = run(start, errand(talks_http ? socks.port() : nginx.port(), 20s));
        INFO(outcome.message);
        CHECK(outcome.phase == Phase::proxy);
        CHECK(outcome.reason != Reason::timeout);
    }
}

}  // namespace qconn::test
