// SPDX-License-Identifier: Apache-2.0
#include "integration/net/pinging.hpp"
#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

enum class Credentials { none, right, wrong };

NetPing through(const Server& proxy, Credentials credentials, Endpoint endpoint, std::string path = {}) {
    Proxy way{.kind = Proxy::Kind::http, .host = "127.0.0.1", .port = proxy.port()};
    if (credentials != Credentials::none) {
        way.username = k_user;
        way.password = Secret{credentials == Credentials::right ? k_password : "canary-7"};
    }
    endpoint.proxy = std::make_shared<const Proxy>(std::move(way));
    NetPing plan{.endpoint = std::move(endpoint), .dialogue = {}, .keep = false, .start_tls = nullptr};
    if (!path.empty()) plan.dialogue = get(std::move(path));
    return plan;
}

TlsOptions trusting() {
    TlsOptions options;
    options.ca_file = tls_file("ca.crt");
    return options;
}

void check_proxy(const std::string& name) {
    const Runtime runtime{RuntimeOptions{.log = Log{LogLevel::off, {}}}};
    Server proxy{name};
    Server server{"nginx"};

    const auto tls = ping(runtime, through(proxy, Credentials::right, endpoint("localhost", server.port2(), trusting()), "/hello.txt"));
    INFO(text_of(tls));
    REQUIRE(tls.ok);
    REQUIRE(tls.steps.size() == 4);
    CHECK(tls.steps[0].phase == Phase::connect);
    CHECK(tls.steps[1].phase == Phase::proxy);
    CHECK(tls.steps[1].evidence.find(" 200 ") != std::string::npos);
    CHECK(tls.steps[2].phase == Phase::tls);
    CHECK(tls.steps[3].phase == Phase::protocol);

    CHECK(ping(runtime, through(proxy, Credentials::right, endpoint("localhost", server.port()), "/hello.txt")).ok);
    CHECK(ping(runtime, through(proxy, Credentials::right, endpoint("localhost", server.port()))).ok);

    for (const auto credentials : {Credentials::none, Credentials::wrong}) {
        const auto before = open_descriptors();
        const auto refused = ping(runtime, through(proxy, credentials, endpoint("localhost", server.port2(), trusting())));
        INFO(text_of(refused));
        REQUIRE(refused.error);
        CHECK(refused.error->name() == "PROXY-ERROR");
        CHECK(refused.error->phase() == Phase::proxy);
        CHECK(refused.error->reason() == Reason::denied);
        CHECK(text_of(refused).find("canary-7") == std::string::npos);
        CHECK(open_descriptors() == before);
    }

    const auto no_target = ping(runtime, through(proxy, Credentials::right, endpoint("127.0.0.1", free_port())));
    INFO(text_of(no_target));
    REQUIRE(no_target.error);
    CHECK(no_target.error->phase() == Phase::proxy);
    CHECK((no_target.error->reason() == Reason::unreachable || no_target.error->reason() == Reason::status));

    proxy.stop();
    const auto no_proxy = ping(runtime, through(proxy, Credentials::right, endpoint("localhost", server.port())));
    REQUIRE(no_proxy.error);
    CHECK(no_proxy.error->phase() == Phase::connect);
    CHECK(no_proxy.error->reason() == Reason::refused);
    CHECK(text_of(no_proxy).find("the proxy \"127.0.0.1:") != std::string::npos);
}

}  // namespace

TEST_CASE("through squid", "[net][proxy][integration]") { check_proxy("squid"); }

TEST_CASE("through tinyproxy", "[net][proxy][integration]") { check_proxy("tinyproxy"); }
