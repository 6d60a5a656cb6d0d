// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <variant>

#include <qconn/amqp/amqp_client.hpp>
#include <qconn/net/ping_plan.hpp>

#include "support/define.hpp"

using namespace qconn;
using namespace std::chrono_literals;
using test::define;

namespace {

AmqpOptions options_of(std::string_view url, std::string_view lines = {}) {
    const auto checked = define(url, lines);
    INFO(checked.text());
    REQUIRE(checked.valid);
    return checked.client<AmqpClient>()->options();
}

const NetPing& net_of(const PingPlan& plan) {
    const auto* const net = std::get_if<std::shared_ptr<const NetPing>>(&plan.what);
    REQUIRE(net != nullptr);
    return **net;
}

}  // namespace

TEST_CASE("the parts of an AMQP URL: host, log-in, and everything behind the first slash as the address", "[schemes][amqp]") {
    const AmqpOptions plain = options_of("amqp://edi:se/c%20ret@bus.example/orders");
    CHECK(plain.hosts == std::vector<AmqpHost>{{"bus.example", 0}});
    CHECK_FALSE(plain.use_tls);
    CHECK(plain.username == "edi");
    CHECK(plain.password.reveal() == "se/c%20ret");
    CHECK(plain.address == "orders");
    CHECK(plain.virtual_host.empty());
    CHECK(plain.label == "test");

    const AmqpOptions secure = options_of("amqps://[::1]:5699//queue/a?b=%20c");
    CHECK(secure.use_tls);
    CHECK(secure.hosts == std::vector<AmqpHost>{{"::1", 5699}});
    CHECK(secure.address == "/queue/a?b=%20c");

    for (const char* none : {"amqp://bus.example", "amqp://bus.example/"}) CHECK(options_of(none).address.empty());
}

TEST_CASE("the defaults of the table are those of AmqpOptions", "[schemes][amqp]") {
    const AmqpOptions made = options_of("amqp://bus.example");
    const AmqpOptions plain;
    CHECK(made.connect_timeout == plain.connect_timeout);
    CHECK(made.timeout == plain.timeout);
    CHECK(made.idle_timeout == plain.idle_timeout);
    CHECK(made.max_frame_size == plain.max_frame_size);
    CHECK(made.max_message_size == plain.max_message_size);
    CHECK(made.max_unsettled_bytes == plain.max_unsettled_bytes);
    CHECK(made.max_sessions == plain.max_sessions);
    CHECK(made.max_links_per_session == plain.max_links_per_session);
    CHECK(made.incoming_window == plain.incoming_window);
    CHECK(made.outgoing_window == plain.outgoing_window);
    CHECK(made.reconnect.enabled == plain.reconnect.enabled);
    CHECK(made.reconnect.delay == plain.reconnect.delay);
    CHECK(made.reconnect.max_delay == plain.reconnect.max_delay);
    CHECK(made.reconnect.attempts == plain.reconnect.attempts);
    CHECK(made.reconnect.resend == plain.reconnect.resend);
    CHECK(made.connect_on_use == plain.connect_on_use);
    CHECK(made.generate_message_id == plain.generate_message_id);
    CHECK(made.sasl == plain.sasl);
}

TEST_CASE("every option of AMQP reaches the client", "[schemes][amqp]") {
    const AmqpOptions made =
        options_of("amqp://bus.example",
                   "hosts: 'one.example, [::1]:5673 ,three.example:1'\nvirtual_host: shop\naddresses: ' orders , invoices'\n"
                   "container_id: me\nsasl: PLAIN\nusername: edi\npassword: secret\nauthorization_id: other\n"
                   "open_timeout: 1\ncall_timeout: 2\nidle_timeout: 3000\nauto_reconnect: false\nreconnect_delay: 4\n"
                   "reconnect_max_delay: 5\nreconnect_attempts: 6\nresend_unsettled: true\nconnect_on_use: false\nmax_frame_size: 512\n"
                   "max_incoming_message_size: 7\nmax_unsettled_bytes: 8\nmax_sessions_per_connection: 9\nmax_links_per_session: 10\n"
                   "incoming_window: 11\noutgoing_window: 12\ngenerate_message_id: true\noffered_capabilities: [a, b]\n"
                   "desired_capabilities: [c]\nproperties: {department: sales, floor: 3}\ntcp_no_delay: false");
    CHECK(made.hosts == std::vector<AmqpHost>{{"one.example", 0}, {"::1", 5673}, {"three.example", 1}});
    CHECK(made.virtual_host == "shop");
    CHECK(made.address == "orders");
    CHECK(made.container_id == "me");
    CHECK(made.sasl == AmqpSasl::plain);
    CHECK(made.username == "edi");
    CHECK(made.password.reveal() == "secret");
    CHECK(made.authorization_id == "other");
    CHECK(made.connect_timeout == 1ms);
    CHECK(made.timeout == 2ms);
    CHECK(made.idle_timeout == 3s);
    CHECK_FALSE(made.reconnect.enabled);
    CHECK(made.reconnect.delay == 4ms);
    CHECK(made.reconnect.max_delay == 5ms);
    CHECK(made.reconnect.attempts == 6);
    CHECK(made.reconnect.resend == AmqpResend::resend);
    CHECK_FALSE(made.connect_on_use);
    CHECK(made.max_frame_size == 512);
    CHECK(made.max_message_size == 7);
    CHECK(made.max_unsettled_bytes == 8);
    CHECK(made.max_sessions == 9);
    CHECK(made.max_links_per_session == 10);
    CHECK(made.incoming_window == 11);
    CHECK(made.outgoing_window == 12);
    CHECK(made.generate_message_id);
    CHECK(made.offered_capabilities == std::vector<std::string>{"a", "b"});
    CHECK(made.desired_capabilities == std::vector<std::string>{"c"});
    CHECK(AmqpValue{made.properties}.find("department")->text() == "sales");
    CHECK(AmqpValue{made.properties}.find("floor")->integer() == 3);
    CHECK_FALSE(made.socket.no_delay);
}

TEST_CASE("what other libraries call the options of AMQP is understood, with a word on our name", "[schemes][amqp]") {
    const auto checked = define("amqps://edi:secret@bus.example",
                                "heartbeat: 30\nmechanism: EXTERNAL\nmax_reconnect_attempts: 3\nreconnect_delay_ms: 7\ntimeout_ms: 8\n"
                                "client_cert: /c.pem\nclient_key: /k.pem\nca_cert: /ca.pem\nverify: false\nuse_management: true");
    INFO(checked.text());
    REQUIRE(checked.valid);
    const AmqpOptions made = checked.client<AmqpClient>()->options();
    CHECK(made.idle_timeout == 30s);
    CHECK(made.sasl == AmqpSasl::external);
    CHECK(made.reconnect.attempts == 3);
    CHECK(made.reconnect.delay == 7ms);
    CHECK(made.timeout == 8ms);
    CHECK(made.tls.certificate_file == "/c.pem");
    CHECK(made.tls.key_file == "/k.pem");
    CHECK(made.tls.ca_file == "/ca.pem");
    CHECK_FALSE(made.tls.verify);
    CHECK(checked.text().find("ssl_ca_file") != std::string::npos);
    CHECK(checked.text().find("use_management") != std::string::npos);
}

TEST_CASE("the log-in of an AMQP URL wins over that of the options, and the path over the addresses", "[schemes][amqp]") {
    const auto checked = define("amqp://edi:secret@bus.example/orders", "username: other\npassword: other\naddresses: invoices");
    REQUIRE(checked.valid);
    CHECK(checked.code() == "unused-option");
    const AmqpOptions made = checked.client<AmqpClient>()->options();
    CHECK(made.username == "edi");
    CHECK(made.password.reveal() == "secret");
    CHECK(made.address == "orders");
}

TEST_CASE("definitions of AMQP that cannot work are refused where they stand", "[schemes][amqp]") {
    const std::vector<std::pair<std::string, std::string>> bad{{"hosts: 'one,,two'", "hosts"},
                                                               {"hosts: 'one:0'", "hosts"},
                                                               {"hosts: 'one:x'", "hosts"},
                                                               {"hosts: '[::1'", "hosts"},
                                                               {"hosts: '[::1]5672'", "hosts"},
                                                               {"hosts: 'amqp://one'", "hosts"},
                                                               {"hosts: ''", "hosts"},
                                                               {"addresses: 'a,,b'", "addresses"},
                                                               {"sasl: kerberos", "sasl"},
                                                               {"idle_timeout: 999", "idle_timeout"},
                                                               {"heartbeat: 5\nidle_timeout: 5000", "heartbeat"},
                                                               {"max_frame_size: 511", "max_frame_size"},
                                                               {"resend_unsettled: sometimes", "resend_unsettled"},
                                                               {"offered_capabilities: ['a b']", "offered_capabilities"}};
    for (const auto& [lines, option] : bad) {
        const auto checked = define("amqp://bus.example", lines);
        CAPTURE(lines);
        INFO(checked.text());
        CHECK_FALSE(checked.valid);
        CHECK(checked.text().find('\'' + option + '\'') != std::string::npos);
    }
    CHECK_FALSE(define("amqp:///orders").valid);
    CHECK_FALSE(define("amqp://socket=%2frun%2fbus/x").valid);
    CHECK(define("amqp://bus.example", "ssl_ca_file: /ca.pem").code() == "unused-option");
}

TEST_CASE("a ping of AMQP is a dialogue with its host, and a call where there are several", "[schemes][amqp]") {
    const auto one = define("amqps://bus.example/orders");
    for (const PingDepth depth : {PingDepth::standard, PingDepth::auth, PingDepth::full}) {
        const PingPlan plan = one.ping(depth);
        CHECK(net_of(plan).dialogue);
        CHECK(net_of(plan).endpoint.tls != nullptr);
        CHECK(net_of(plan).endpoint.port == 5671);
        CHECK_FALSE(net_of(plan).keep);
    }
    CHECK_FALSE(net_of(one.ping(PingDepth::tls)).dialogue);
    CHECK(net_of(one.ping(PingDepth::tls)).endpoint.tls != nullptr);
    CHECK(net_of(one.ping(PingDepth::connect)).endpoint.tls == nullptr);
    CHECK(net_of(define("amqp://bus.example").ping()).endpoint.port == 5672);

    const auto two = define("amqp://", "hosts: one.example:1,two.example:2");
    INFO(two.text());
    REQUIRE(two.valid);
    CHECK(std::holds_alternative<std::shared_ptr<const CallPing>>(two.ping().what));
    CHECK(net_of(two.ping(PingDepth::connect)).endpoint.host == "one.example");
}

TEST_CASE("settings of a living AMQP client have the names and values of its options", "[schemes][amqp]") {
    struct Setting {
        const char* name;
        Value given;
        Value changed;
    };
    const Setting all[]{{"call_timeout", 1'000, 2'000},      {"open_timeout", 1'000, 0},        {"connect_on_use", false, true},
                        {"auto_reconnect", false, true},     {"reconnect_delay", 10, 20},       {"reconnect_max_delay", 100, 200},
                        {"reconnect_attempts", 3, 0},        {"resend_unsettled", true, false}, {"max_unsettled_bytes", 1'000, 5'000},
                        {"generate_message_id", true, false}};
    for (const Setting& one : all) {
        CAPTURE(one.name);
        const auto checked =
            define("amqp://bus.example", one.name + std::string{": "} +
                                             (one.given.is_bool() ? one.given.as_bool() ? "true" : "false" : std::to_string(one.given.as_int64())));
        REQUIRE(checked.valid);
        const auto client = checked.client<AmqpClient>();
        CHECK(client->get(one.name) == one.given);
        client->set(one.name, one.changed);
        CHECK(client->get(one.name) == one.changed);
    }
}

TEST_CASE("what a living AMQP client cannot take is refused, and changes nothing", "[schemes][amqp]") {
    const auto client = define("amqp://bus.example").client<AmqpClient>();
    const auto refusal = [&](const char* name, const Value& value) {
        try {
            client->set(name, value);
        } catch (const Error& error) { return std::string{error.name()} + ": " + std::string{error.message()}; }
        return std::string{};
    };
    CHECK(refusal("username", "x").find("AMQP-OPTION-ERROR") == 0);
    CHECK(refusal("username", "x").find("call_timeout") != std::string::npos);
    CHECK(refusal("call_timeout", -1).find("from 0 to") != std::string::npos);
    CHECK(refusal("call_timeout", "soon").find("whole number") != std::string::npos);
    CHECK(refusal("max_unsettled_bytes", 0).find("from 1 to") != std::string::npos);
    CHECK(refusal("connect_on_use", 1).find("true or false") != std::string::npos);
    CHECK(client->get("call_timeout") == Value{60'000});
    CHECK_THROWS_AS(client->get("username"), Error);
}
