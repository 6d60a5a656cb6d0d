// SPDX-License-Identifier: Apache-2.0
// The ways to a server, and what a definition says of them: certificates, proxies, long credentials, spellings of TIBCO's text and code; what is
// logged.
#include <mutex>
#include <string>
#include <thread>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/testing/test_eftl_server.hpp>

#include "integration/eftl/eftl_fixture.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using qconn::testing::TestEftlServer;

namespace {

/// The outcome of connecting as a definition says: "", or the phase and reason of its failure.
std::string way_of(const std::string& url, Map options) {
    Definition definition;
    definition.name = "bus";
    definition.url = url;
    definition.options = std::move(options);
    Registry registry;
    registry.add(definition);
    try {
        const auto client = registry.get<EftlClient>("bus").pin();
        client->connect(soon());
        client->disconnect(soon());
    } catch (const Error& error) { return std::string{to_string(error.phase())} + ' ' + std::string{to_string(error.reason())}; }
    return {};
}

}  // namespace

TEST_CASE("trust_all and trust_store of a definition say which certificates count", "[eftl][integration]") {
    const EftlBus bus;
    const std::string url =
        "eftls://" + std::string{k_user} + ':' + std::string{k_password} + "@localhost:" + std::to_string(bus.server.port()) + "/channel";
    const std::string untrusted = std::string{to_string(Phase::tls)} + ' ' + std::string{to_string(Reason::certificate_untrusted)};
    CHECK(way_of(url, {}) == untrusted);
    CHECK(way_of(url, {{"trust_store", tls_file("ca.crt")}}) == "");
    CHECK(way_of(url, {{"trust_store", tls_file("other-ca.crt")}}) == untrusted);
    CHECK(way_of(url, {{"trust_all", true}}) == "");
    CHECK(way_of(url, {{"trust_all", false}}) == untrusted);
}

TEST_CASE("a client certificate is shown to a server that asks for one", "[eftl][integration]") {
    const EftlBus bus{{"EFTL_CLIENT_CERT=1"}};
    EftlOptions options = bus.options(true);
    CHECK_THROWS_AS(EftlClient{options}.connect(soon()), Error);
    options.tls.certificate_file = tls_file("client.crt");
    options.tls.key_file = tls_file("client.key");
    EftlClient client{options};
    client.publish(numbered("x", 1), soon());
    client.disconnect(soon());
}

TEST_CASE("an eFTL server is reached through proxies", "[eftl][integration]") {
    TestEftlServer server;
    const Server tinyproxy{"tinyproxy"};
    const Server microsocks{"microsocks"};
    const std::string login = std::string{k_user} + ':' + std::string{k_password} + '@';
    std::int64_t n = 0;
    for (const std::string& proxy : {"http://" + login + tinyproxy.address(), "socks5h://" + login + microsocks.address()}) {
        CAPTURE(proxy);
        Definition definition;
        definition.name = "bus";
        definition.url = "eftl://localhost:" + std::to_string(server.port()) + "/channel";
        definition.options = {{"proxy", proxy}};
        Registry registry;
        registry.add(definition);
        registry.get<EftlClient>("bus")->publish(numbered("x", ++n), soon());
        CHECK(server.expect(static_cast<std::size_t>(n)).back() == numbered("x", n));
    }
    CHECK(
        way_of("eftl://localhost:" + std::to_string(server.port()) + "/channel", {{"proxy", "http://" + tinyproxy.address()}}).starts_with("proxy"));
}

TEST_CASE("credentials and messages that no buffer of the system holds at once arrive whole", "[eftl][integration]") {
    const std::string user(5'000, 'u');
    const std::string password(5'000, 'p');
    TestEftlServer server{{.username = user, .password = Secret{password}}};
    EftlOptions options = server.client();
    options.socket.send_buffer = 4096;
    EftlClient client{options};
    const EftlMessage large = EftlMessage{}.set_string("text", std::string(500'000, 'x'));
    const std::string id = client.subscribe({}, soon());
    client.publish(large, soon());
    CHECK(server.expect(1).at(0) == large);
    CHECK(client.receive(id, soon()) == large);
}

TEST_CASE("spellings of TIBCO's text and of its code are both taken", "[eftl][integration]") {
    TestEftlServer server{{.username = "edi", .password = Secret{"right"}}};
    for (const char* user : {"user", "username"}) {
        for (const char* client_id : {"clientId", "client_id"}) {
            for (const char* timeout : {"welcome_timeout", "login_timeout"}) {
                CAPTURE(user, client_id, timeout);
                Definition definition;
                definition.name = "bus";
                definition.url = "eftl://";
                definition.options = {{"urls", server.url() + '?' + client_id + "=reader"}, {user, "edi"}, {"password", "right"}, {timeout, 5}};
                Registry registry;
                registry.add(definition);
                const auto client = registry.get<EftlClient>("bus").pin();
                CHECK(client->connect(soon()).client_id == "reader");
                CHECK(client->options().login_timeout == 5s);
                client->disconnect(soon());
            }
        }
    }
    // Of operations that are called by name.
    EftlClient client{server.client()};
    const Scheme* const scheme = builtin_catalogue().find("eftl");
    REQUIRE(scheme != nullptr);
    for (const OperationSpec& operation : scheme->operations) {
        if (operation.name != "subscribe") continue;
        for (const char* ack : {"ack", "ack_mode"}) {
            std::thread subscriber{[&] { operation.run(client, Map{{ack, "client"}}, soon()); }};
            CHECK(server.wait_until([&] { return server.subscriptions().size() == 1; }));
            CHECK(server.subscriptions().at(0).what.ack == EftlAck::client);
            server.publish(numbered("x", 1));
            subscriber.join();
            CHECK(server.wait_until([&] { return server.subscriptions().empty(); }));
        }
    }
}

TEST_CASE("messages for EMS have their destination, and a matcher finds them by it", "[eftl][integration]") {
    TestEftlServer server;
    EftlClient client{server.client()};
    EftlSubscription what;
    what.matcher.destination("QUEUE:orders");
    const std::string id = client.subscribe(what, soon());
    client.publish(numbered("a", 1).set_string("_dest", "TOPIC:orders"), soon());
    client.publish(numbered("a", 2).set_string("_dest", "QUEUE:orders"), soon());
    CHECK(client.receive(id, soon()).get_long("n") == 2);
}

TEST_CASE("what happens to a connection is logged, without its secrets", "[eftl][integration]") {
    std::mutex mutex;
    std::string all;
    const Runtime runtime{RuntimeOptions{.log = Log{LogLevel::debug, [&](const LogRecord& record) {
                                                        const std::scoped_lock lock{mutex};
                                                        all += std::string{record.event} + '\n' + std::string{record.text} + '\n';
                                                    }}}};
    TestEftlServer server{{.username = "edi", .password = Secret{"canary-7"}}};
    EftlClient client{server.client(), runtime};
    client.connect(soon());
    server.drop();
    REQUIRE(wait_until([&] { return client.session().link == 2; }));
    server.report(20, "bad subscription id");
    client.publish(numbered("x", 1), soon());
    client.disconnect(soon());
    const std::scoped_lock lock{mutex};
    CAPTURE(all);
    for (const char* event : {"eftl-connected", "eftl-lost", "eftl-error", "eftl-disconnected"}) CHECK(all.find(event) != std::string::npos);
    CHECK(all.find("canary-7") == std::string::npos);
}

TEST_CASE("a subprotocol that was not offered is refused, with what the server named", "[eftl][integration]") {
    EftlBus bus;
    bus.fault({{"fault", "subprotocol"}, {"value", "v2.example"}});
    EftlClient client{bus.options()};
    std::string words;
    try {
        client.connect(soon());
    } catch (const Error& error) { words = error.what(); }
    CHECK(words.starts_with("EFTL-CONNECT-ERROR"));
    CHECK(words.find("v2.example") != std::string::npos);
    CHECK(bus.breaches() == "");
}
