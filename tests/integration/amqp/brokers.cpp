// SPDX-License-Identifier: Apache-2.0
// Qpid Proton and RabbitMQ.
#include "integration/amqp/fixture.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("with Proton: sent, received, rejected, fetched", "[amqp][integration]") {
    AmqpClient client{to(proton())};
    AmqpSender sender = client.open_sender(sending_to("queue"), soon());
    for (int i = 0; i < 100; ++i) sender.send(AmqpMessage::of_text(std::to_string(i)), soon());
    AmqpReceiverOptions options = receiving_from("queue");
    options.mode = AmqpReceiverOptions::Mode::fetch;
    AmqpReceiver receiver = client.open_receiver(std::move(options), soon());
    for (int i = 0; i < 100; ++i) CHECK(receiver.fetch(soon()).message.text() == std::to_string(i));
    CHECK(error_of([&] { receiver.fetch(Deadline{100ms}); }).name() == "AMQP-RECEIVE-ERROR");
    AmqpSender bad = client.open_sender(sending_to("reject"), soon());
    CHECK(error_of([&] { bad.send(AmqpMessage::of_text("x"), soon()); }).name() == "AMQP-DELIVERY-ERROR");
    CHECK(error_of([&] { client.open_sender(sending_to("refused"), soon()); }).reason() == Reason::not_found);
}

TEST_CASE("with Proton: a value of every type comes as it is, and goes back so", "[amqp][integration]") {
    AmqpClient client{to(proton())};
    AmqpReceiver receiver = client.open_receiver(receiving_from("types"), soon());
    const AmqpReceived received = receiver.receive(soon());
    const auto* const value = std::get_if<AmqpValue>(&received.message.body);
    REQUIRE(value != nullptr);
    const AmqpMap* const map = value->get_if<AmqpMap>();
    REQUIRE(map != nullptr);
    std::set<AmqpType> types;
    for (const auto& [key, one] : *map) types.insert(one.type());
    CHECK(types.size() >= 23);
    CAPTURE(value->to_json());
    CHECK(AmqpValue::from_json(value->to_json()).to_json() == value->to_json());

    AmqpSender sender = client.open_sender(sending_to("back"), soon());
    sender.send(AmqpMessage::of_value(*value), soon());
    AmqpReceiver back = client.open_receiver(receiving_from("back"), soon());
    const AmqpReceived again = back.receive(soon());
    REQUIRE(std::get_if<AmqpValue>(&again.message.body) != nullptr);
    CHECK(std::get<AmqpValue>(again.message.body) == *value);
}

TEST_CASE("with Proton: mutual TLS, and EXTERNAL", "[amqp][integration]") {
    Server mutual{"proton", {.environment = {"AMQP_CLIENT_CERT=1", "AMQP_SASL=external"}}};
    AmqpOptions options = to(mutual, true);
    options.tls.certificate_file = tls_file("client.crt");
    options.tls.key_file = tls_file("client.key");
    AmqpClient client{options};
    AmqpSender sender = client.open_sender(sending_to("q"), soon());
    sender.send(AmqpMessage::of_text("x"), soon());
}

TEST_CASE("with RabbitMQ: logging in, queues, outcomes, large messages", "[amqp][integration]") {
    AmqpOptions options = to(rabbitmq());
    options.username = k_user;
    options.password = Secret{k_password};
    AmqpClient client{options};
    const AmqpInfo info = client.connect(Deadline{30s});
    CHECK(AmqpValue{info.properties}.find("product")->text() == "RabbitMQ");
    AmqpSender sender = client.open_sender(sending_to("/queue/orders"), soon());
    for (int i = 0; i < 50; ++i) sender.send(AmqpMessage::of_text(std::to_string(i)), soon());
    std::string large(std::size_t{5} * 1024 * 1024, 'x');
    sender.send(AmqpMessage::of_bytes(large), Deadline{60s});
    {
        AmqpReceiver receiver = client.open_receiver(receiving_from("/queue/orders"), soon());
        for (int i = 0; i < 50; ++i) CHECK(receiver.receive(soon()).message.text() == std::to_string(i));
        CHECK(receiver.receive(Deadline{60s}).message.text() == large);
        receiver.close(soon());
    }
    AmqpReceiverOptions fetching = receiving_from("/queue/orders");
    fetching.mode = AmqpReceiverOptions::Mode::fetch;
    fetching.auto_accept = false;
    AmqpReceiver receiver = client.open_receiver(std::move(fetching), soon());
    CHECK(error_of([&] { receiver.fetch(Deadline{200ms}); }).name() == "AMQP-RECEIVE-ERROR");
    sender.send(AmqpMessage::of_text("again"), soon());
    const AmqpReceived first = receiver.fetch(soon());
    first.answer(AmqpOutcome::released());
    const AmqpReceived second = receiver.fetch(soon());
    CHECK(second.message.text() == "again");
    second.answer(AmqpOutcome::accepted());
    // It has no coordinator, and says so by ending the session.
    const Error refused = error_of([&] { client.begin_transaction({}, soon()); });
    CHECK(refused.message().find("no transaction was begun") != std::string_view::npos);
    client.close(soon());
}

TEST_CASE("with RabbitMQ: a wrong password, TLS, a certificate for a log-in, a queue that is not there", "[amqp][integration]") {
    AmqpOptions options = to(rabbitmq());
    options.username = k_user;
    options.password = Secret{std::string_view{"wrong"}};
    {
        AmqpClient client{options};
        const Error error = error_of([&] { client.connect(Deadline{30s}); });
        CHECK(error.phase() == Phase::auth);
    }
    options = to(rabbitmq(), true);
    options.tls.certificate_file = tls_file("client.crt");
    options.tls.key_file = tls_file("client.key");
    options.sasl = AmqpSasl::external;
    AmqpClient client{options};
    CHECK(client.connect(Deadline{30s}).tls.has_value());
    const Error missing = error_of([&] { client.open_receiver(receiving_from("/amq/queue/nowhere"), soon()); });
    CAPTURE(missing.what());
    CHECK(missing.reason() == Reason::not_found);
}
