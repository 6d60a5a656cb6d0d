// SPDX-License-Identifier: Apache-2.0
// What a client does with rhea as its broker.
#include <atomic>
#include <thread>

#include "integration/amqp/fixture.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Rises with each call: queues of one test are its own.
std::string fresh(const std::string& name) {
    static std::atomic<int> number{0};
    return name + '-' + std::to_string(++number);
}

}  // namespace

TEST_CASE("a message is sent, accepted, and received as it was", "[amqp][integration]") {
    const std::string queue = fresh("whole");
    AmqpClient client{to(rhea())};
    AmqpMessage message = AmqpMessage::of_text("Grüße");
    message.header.emplace();
    message.header->durable = true;
    message.header->priority = 7;
    message.properties.emplace();
    message.properties->message_id = "id-1";
    message.properties->subject = "greeting";
    message.properties->content_type = AmqpSymbol{"text/plain"};
    message.message_annotations = {{AmqpSymbol{"x-opt-kind"}, 5}};
    message.application_properties = {{"colour", "red"}, {"size", std::int64_t{12}}};

    AmqpSender sender = client.open_sender(sending_to(queue), soon());
    sender.send(message, soon());
    AmqpReceiver receiver = client.open_receiver(receiving_from(queue), soon());
    const AmqpReceived received = receiver.receive(soon());

    CHECK(received.message.text() == "Grüße");
    CHECK_FALSE(received.settled);
    REQUIRE(received.message.header);
    CHECK(received.message.header->durable);
    CHECK(received.message.header->priority == 7);
    REQUIRE(received.message.properties);
    CHECK(received.message.properties->message_id == AmqpValue{"id-1"});
    CHECK(received.message.properties->subject == "greeting");
    CHECK(AmqpValue{received.message.application_properties}.find("colour")->text() == "red");
    CHECK(AmqpValue{received.message.application_properties}.find("size")->integer() == 12);
    CHECK(AmqpValue{received.message.message_annotations}.find("x-opt-kind")->integer() == 5);
    client.close(soon());
    CHECK_FALSE(client.is_open());
}

TEST_CASE("each outcome that a peer has is told, with all its fields", "[amqp][integration]") {
    AmqpClient client{to(rhea())};
    const auto told = [&](const std::string& address) {
        AmqpSender sender = client.open_sender(sending_to(address), soon());
        return error_of([&] { sender.send(AmqpMessage::of_text("x"), soon()); });
    };
    const Error rejected = told("reject");
    CHECK(rejected.name() == "AMQP-DELIVERY-ERROR");
    CHECK_FALSE(rejected.retryable());
    REQUIRE(rejected.detail<AmqpErrorDetail>() != nullptr);
    CHECK_FALSE(rejected.detail<AmqpErrorDetail>()->condition.name.empty());
    CHECK(told("release").retryable());
    CHECK(std::string{told("modify").message()}.find("modified") != std::string::npos);

    AmqpSender sender = client.open_sender(sending_to("modify"), soon());
    Seen seen;
    sender.async_send(AmqpMessage::of_text("x"), soon(), [&](const Result<AmqpOutcome>& result) {
        seen.add(result ? result->shown() + (result->message_annotations().empty() ? "" : " annotated") : std::string{result.error().name()});
    });
    REQUIRE(seen.wait(1));
    CHECK(seen.all()[0] == "modified, counted as a failed attempt, not to be delivered here again annotated");
}

TEST_CASE("what a handler decides is told to the sender", "[amqp][integration]") {
    const std::string queue = fresh("decide");
    Seen seen;
    std::function<void(AmqpOutcome)> later;
    std::mutex mutex;
    AmqpClient client{to(rhea())};
    AmqpSender sender = client.open_sender(sending_to(queue), soon());
    AmqpReceiverOptions options = receiving_from(queue);
    options.on_message = [&](AmqpDelivery& delivery) {
        seen.add(std::string{delivery.text()});
        if (delivery.text() == "bad") return delivery.reject(amqp_condition::k_not_allowed, "no such colour");
        if (delivery.text() == "later") {
            const std::scoped_lock lock{mutex};
            later = delivery.answer_later();
        }
        if (delivery.text() == "throw") throw std::runtime_error{"cannot"};
    };
    AmqpReceiver receiver = client.open_receiver(std::move(options), soon());
    for (const char* const text : {"good", "bad", "later", "throw"}) sender.send(AmqpMessage::of_text(text), soon());
    REQUIRE(seen.wait(4));
    CHECK(wait_until([&] { return receiver.info().unsettled == 1; }));
    {
        const std::scoped_lock lock{mutex};
        later(AmqpOutcome::accepted());  // one that is released comes again
    }
    CHECK(wait_until([&] { return receiver.info().unsettled == 0; }));
    CHECK(wait_until([&] {
        const std::string log = rhea().log();
        return log.find("no such colour") != std::string::npos && log.find("the receiver could not handle it") != std::string::npos;
    }));
}

TEST_CASE("settled messages go without an answer, both ways", "[amqp][integration]") {
    const std::string queue = fresh("settled/one");
    AmqpClient client{to(rhea())};
    AmqpSender sender = client.open_sender(sending_to(queue), soon());
    for (int i = 0; i < 10; ++i) sender.send(AmqpMessage::of_text(std::to_string(i)), true, soon());
    AmqpReceiver receiver = client.open_receiver(receiving_from(queue), soon());
    for (int i = 0; i < 10; ++i) {
        const AmqpReceived received = receiver.receive(soon());
        CHECK(received.settled);
        CHECK(received.message.text() == std::to_string(i));
    }
    CHECK(sender.info().unsettled == 0);
}

TEST_CASE("many messages at once, in order, each with its receipt", "[amqp][integration]") {
    constexpr int k_count = 20'000;
    const std::string queue = fresh("many");
    std::atomic<int> accepted{0};
    std::atomic<int> failed{0};
    std::atomic<int> next{0};
    std::atomic<int> wrong{0};
    AmqpClient client{to(rhea())};
    AmqpSenderOptions options = sending_to(queue);
    options.on_outcome = [&](std::uint64_t, const AmqpOutcome& outcome, const Error* error) {
        error == nullptr&& outcome.is_accepted() ? ++accepted : ++failed;
    };
    AmqpSender sender = client.open_sender(std::move(options), soon());
    AmqpReceiverOptions in = receiving_from(queue);
    in.on_message = [&](AmqpDelivery& delivery) {
        if (delivery.text() != std::to_string(next.load())) ++wrong;
        ++next;
    };
    AmqpReceiver receiver = client.open_receiver(std::move(in), soon());
    for (int i = 0; i < k_count; ++i) {
        const AmqpMessage message = AmqpMessage::of_text(std::to_string(i));
        while (!sender.try_send(message, static_cast<std::uint64_t>(i))) sender.flush(soon(), 1'000'000);
    }
    sender.flush(Deadline{60s});
    CHECK(wait_until([&] { return next == k_count; }, 60s));
    CHECK(accepted == k_count);
    CHECK(failed == 0);
    CHECK(wrong == 0);
    CHECK(sender.info().messages == k_count);
    CHECK(sender.waiting() == 0);
}

TEST_CASE("a message is fetched, and where there is none that is said in time", "[amqp][integration]") {
    const std::string queue = fresh("fetch");
    AmqpClient client{to(rhea())};
    AmqpReceiverOptions options = receiving_from(queue);
    options.mode = AmqpReceiverOptions::Mode::fetch;
    AmqpReceiver receiver = client.open_receiver(std::move(options), soon());
    const Error none = error_of([&] { receiver.fetch(Deadline{100ms}); });
    CHECK(none.name() == "AMQP-RECEIVE-ERROR");
    CHECK(none.reason() == Reason::not_found);

    AmqpSender sender = client.open_sender(sending_to(queue), soon());
    sender.send(AmqpMessage::of_text("one"), soon());
    sender.send(AmqpMessage::of_text("two"), soon());
    CHECK(receiver.fetch(soon()).message.text() == "one");
    CHECK(receiver.info().waiting == 0);
    CHECK(receiver.fetch(soon()).message.text() == "two");

    // One that comes while it is waited for.
    Seen seen;
    receiver.async_fetch(soon(), [&](const Result<AmqpReceived>& result) { seen.add(result ? std::string{result->message.text()} : "error"); });
    sender.send(AmqpMessage::of_text("three"), soon());
    REQUIRE(seen.wait(1));
    CHECK(seen.all()[0] == "three");

    // A wait for ever ends by being cancelled, and takes no message along.
    Operation waiting = receiver.async_fetch({}, [&](const Result<AmqpReceived>& result) { seen.add(std::string{result.error().name()}); });
    waiting.cancel();
    REQUIRE(seen.wait(2));
    CHECK(seen.all()[1] == "CANCELLED");
    sender.send(AmqpMessage::of_text("four"), soon());
    CHECK(receiver.fetch(soon()).message.text() == "four");
}

TEST_CASE("logging in: right, wrong, by certificate, and not at all", "[amqp][integration]") {
    SECTION("PLAIN") {
        AmqpOptions options = to(rhea());
        options.username = k_user;
        options.password = Secret{k_password};
        AmqpClient client{options};
        CHECK(client.connect(soon()).container_id == "rhea");
    }
    SECTION("a wrong password") {
        AmqpOptions options = to(rhea());
        options.username = k_user;
        options.password = Secret{std::string_view{"wrong-word"}};
        AmqpClient client{options};
        const Error error = error_of([&] { client.connect(soon()); });
        CHECK(error.name() == "AMQP-AUTH-ERROR");
        CHECK(error.phase() == Phase::auth);
        CHECK_FALSE(error.retryable());
        CHECK(error.connection() == "bus");
        CHECK(std::string{error.what()}.find("wrong-word") == std::string::npos);
    }
    SECTION("TLS") {
        AmqpOptions options = to(rhea(), true);
        options.username = k_user;
        options.password = Secret{k_password};
        AmqpClient client{options};
        const AmqpInfo info = client.connect(soon());
        REQUIRE(info.tls);
        AmqpSender sender = client.open_sender(sending_to(fresh("tls")), soon());
        sender.send(AmqpMessage::of_bytes(std::string(100'000, 'b')), soon());
    }
    SECTION("an authority that is not ours") {
        AmqpOptions options = to(rhea(), true);
        options.tls.ca_file = tls_file("other-ca.crt");
        options.tls.ca_only = true;
        AmqpClient client{options};
        const Error error = error_of([&] { client.connect(soon()); });
        CHECK(error.phase() == Phase::tls);
        CHECK(error.reason() == Reason::certificate_untrusted);
    }
    SECTION("EXTERNAL") {
        Server mutual{"rhea", {.environment = {"AMQP_CLIENT_CERT=1", "AMQP_SASL=external"}}};
        AmqpOptions options = to(mutual, true);
        options.tls.certificate_file = tls_file("client.crt");
        options.tls.key_file = tls_file("client.key");
        AmqpClient client{options};
        CHECK(client.connect(soon()).container_id == "rhea");
        CHECK(mutual.log().find("qconntest") != std::string::npos);
    }
    SECTION("no SASL") {
        Server bare{"rhea", {.environment = {"AMQP_SASL=none"}}};
        AmqpOptions options = to(bare);
        options.sasl = AmqpSasl::none;
        AmqpClient client{options};
        CHECK(client.connect(soon()).container_id == "rhea");
    }
}

TEST_CASE("an error at each level is told with the peer's words", "[amqp][integration]") {
    AmqpOptions options = to(rhea());
    options.reconnect.enabled = false;
    AmqpClient client{options};
    const Error refused = error_of([&] { client.open_sender(sending_to("refused"), soon()); });
    CHECK(refused.name() == "AMQP-LINK-ERROR");
    CHECK(refused.reason() == Reason::not_found);
    CHECK(std::string{refused.message()}.find("amqp:not-found (there is no such node)") != std::string::npos);
    const Error moved = error_of([&] { client.open_receiver(receiving_from("redirect"), soon()); });
    CHECK(moved.name() == "AMQP-REDIRECT");
    REQUIRE(moved.detail<AmqpErrorDetail>() != nullptr);
    CHECK(AmqpValue{moved.detail<AmqpErrorDetail>()->condition.info}.find("network-host")->text() == "127.0.0.2");

    const auto broken = [&](const std::string& address) {
        AmqpClient one{options};
        AmqpSender sender = one.open_sender(sending_to(address), soon());
        const Error error = error_of([&] { sender.send(AmqpMessage::of_text("x"), soon()); });
        CHECK(std::string{error.message()}.find("unknown") != std::string::npos);
        return std::string{error.name()};
    };
    CHECK(broken("detach") == "AMQP-OUTCOME-UNKNOWN");
    CHECK(broken("end-session") == "AMQP-OUTCOME-UNKNOWN");
    CHECK(broken("close-connection") == "AMQP-OUTCOME-UNKNOWN");

    options.virtual_host = "forbidden.example";
    AmqpClient forbidden{options};
    // A peer refuses by an open and a close after it: either is seen first.
    const Error denied = error_of([&] {
        forbidden.connect(soon());
        forbidden.open_sender(sending_to("x"), soon());
    });
    CHECK(denied.name() == "AMQP-CONNECTION-ERROR");
    CHECK(denied.reason() == Reason::permission);
}

TEST_CASE("a large message goes in small frames, both ways", "[amqp][integration]") {
    Server small{"rhea", {.environment = {"AMQP_MAX_FRAME_SIZE=4096"}}};
    AmqpOptions options = to(small);
    options.max_frame_size = 8192;
    AmqpClient client{options};
    std::string bytes(std::size_t{5} * 1024 * 1024, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 3U);
    AmqpSender sender = client.open_sender(sending_to("big"), soon());
    sender.send(AmqpMessage::of_bytes(bytes), Deadline{60s});
    AmqpReceiver receiver = client.open_receiver(receiving_from("big"), soon());
    CHECK(receiver.receive(Deadline{60s}).message.text() == bytes);
}

TEST_CASE("links and sessions can be looked at, and end when they are told to", "[amqp][integration]") {
    AmqpClient client{to(rhea())};
    AmqpSenderOptions options = sending_to("look");
    options.name = "out";
    options.session = "one";
    AmqpSender sender = client.open_sender(options, soon());
    const AmqpReceiver receiver = client.open_receiver(receiving_from("look"), soon());
    CHECK(client.sessions().size() == 2);
    REQUIRE(client.links().size() == 2);
    CHECK(wait_until([&] { return sender.info().credit == 100; }));
    CHECK(receiver.info().credit == 1024);
    sender.send(AmqpMessage::of_text("x"), soon());
    CHECK(sender.info().delivery_count == 1);
    CHECK(error_of([&] { client.open_sender(options, soon()); }).reason() == Reason::exists);

    client.close_session("one", soon());
    CHECK(client.sessions().size() == 1);
    CHECK(error_of([&] { sender.send(AmqpMessage::of_text("x"), soon()); }).name() == "AMQP-SESSION-ERROR");
    CHECK(error_of([&] { client.close_session("one", soon()); }).reason() == Reason::not_found);
    client.ping(soon());
}

TEST_CASE("a node that the peer makes has an address", "[amqp][integration]") {
    AmqpClient client{to(rhea())};
    AmqpReceiverOptions options;
    options.source.dynamic = true;
    AmqpReceiver replies = client.open_receiver(std::move(options), soon());
    const std::string address = replies.info().address;
    REQUIRE_FALSE(address.empty());
    AmqpSender sender = client.open_sender(sending_to("echo"), soon());
    AmqpMessage question = AmqpMessage::of_text("how late is it?");
    question.properties.emplace();
    question.properties->message_id = "q1";
    question.properties->reply_to = address;
    sender.send(question, soon());
    const AmqpReceived reply = replies.receive(soon());
    REQUIRE(reply.message.properties);
    CHECK(reply.message.properties->correlation_id == AmqpValue{"q1"});
}

TEST_CASE("a request has its reply, and a time in which it comes", "[amqp][integration]") {
    AmqpClient client{to(rhea())};
    const AmqpMessage reply = client.request("echo", AmqpMessage::of_text("how late is it?"), soon());
    CHECK(reply.text() == "how late is it?");
    std::atomic<int> right{0};
    Seen seen;
    for (int i = 0; i < 50; ++i) {
        client.async_request("echo", AmqpMessage::of_text(std::to_string(i)), soon(), [&, i](const Result<AmqpMessage>& result) {
            if (result && result->text() == std::to_string(i)) ++right;
            seen.add("one");
        });
    }
    REQUIRE(seen.wait(50));
    CHECK(right == 50);
    CHECK(client.links().size() == 2);

    const Error late = error_of([&] { client.request(fresh("nobody"), AmqpMessage::of_text("x"), Deadline{200ms}); });
    CHECK(late.name() == "AMQP-REQUEST-REPLY-TIMEOUT");
    CHECK(late.connection() == "bus");
    CHECK(error_of([&] { client.request("reject", AmqpMessage::of_text("x"), soon()); }).name() == "AMQP-DELIVERY-ERROR");
    CHECK(error_of([&] { client.request("refused", AmqpMessage::of_text("x"), soon()); }).name() == "AMQP-LINK-ERROR");
    Operation cancelled = client.async_request(fresh("nobody"), AmqpMessage::of_text("x"), {},
                                               [&](const Result<AmqpMessage>& result) { seen.add(std::string{result.error().name()}); });
    cancelled.cancel();
    REQUIRE(seen.wait(51));
    CHECK(seen.all().back() == "CANCELLED");
}

TEST_CASE("more than may wait is refused at once, and waited for where that is wanted", "[amqp][integration]") {
    AmqpOptions options = to(rhea());
    options.max_unsettled_bytes = 10'000;
    AmqpClient client{options};
    AmqpSender sender = client.open_sender(sending_to("silent"), soon());
    const AmqpMessage message = AmqpMessage::of_text(std::string(1000, 'x'));
    int taken = 0;
    while (sender.try_send(message, 0) && taken < 1000) ++taken;
    CHECK(taken < 11);
    Seen seen;
    sender.async_send(message, soon(), [&](const Result<AmqpOutcome>& result) { seen.add(std::string{result.error().name()}); });
    REQUIRE(seen.wait(1));
    CHECK(seen.all()[0] == "AMQP-BUSY");
    CHECK(error_of([&] { sender.send(message, Deadline{100ms}); }).name() == "TIMEOUT");
}

TEST_CASE("a send that is cancelled, or late, says whether the message went", "[amqp][integration]") {
    AmqpClient client{to(rhea())};
    AmqpSender sender = client.open_sender(sending_to("silent"), soon());
    const Error late = error_of([&] { sender.send(AmqpMessage::of_text("x"), Deadline{200ms}); });
    CHECK(late.name() == "TIMEOUT");
    CHECK(std::string{late.message()}.find("was sent and its outcome is unknown") != std::string::npos);
    CHECK(sender.waiting() == 0);

    Seen seen;
    Operation operation =
        sender.async_send(AmqpMessage::of_text("x"), {}, [&](const Result<AmqpOutcome>& result) { seen.add(std::string{result.error().name()}); });
    operation.cancel();
    REQUIRE(seen.wait(1));
    CHECK(seen.all()[0] == "CANCELLED");
    CHECK(operation.done());
}

TEST_CASE("a client that goes ends everything, once", "[amqp][integration]") {
    Seen seen;
    {
        AmqpClient client{to(rhea())};
        AmqpSender sender = client.open_sender(sending_to("silent"), soon());
        AmqpReceiver receiver = client.open_receiver(receiving_from(fresh("nothing")), soon());
        for (int i = 0; i < 5; ++i)
            sender.async_send(AmqpMessage::of_text("x"), {},
                              [&](const Result<AmqpOutcome>& result) { seen.add(std::string{result.error().name()}); });
        receiver.async_receive({}, [&](const Result<AmqpReceived>& result) { seen.add(std::string{result.error().name()}); });
        client.async_connect({}, [&](const Result<AmqpInfo>& result) { seen.add(result ? "open" : std::string{result.error().name()}); });
    }
    REQUIRE(seen.wait(7));
    std::this_thread::sleep_for(50ms);
    CHECK(seen.size() == 7);
}

TEST_CASE("eight threads send by one link while another client comes and goes", "[amqp][integration]") {
    constexpr int k_each = 500;
    const std::string queue = fresh("threads");
    AmqpClient client{to(rhea())};
    AmqpSender sender = client.open_sender(sending_to(queue), soon());
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < k_each; ++i) {
                const AmqpMessage message = AmqpMessage::of_text(std::to_string(t) + '/' + std::to_string(i));
                if (i % 50 == 0) {
                    sender.send(message, soon());
                    ++good;
                } else {
                    sender.async_send(message, soon(), [&](const Result<AmqpOutcome>& result) {
                        if (result && result->is_accepted()) ++good;
                    });
                }
            }
        });
    }
    for (int i = 0; i < 10; ++i) {
        AmqpClient other{to(rhea())};
        other.async_connect({}, [](const Result<AmqpInfo>&) {});
        if (i % 2 == 0) other.close(soon());
    }
    for (std::thread& one : threads) one.join();
    sender.flush(soon());
    CHECK(wait_until([&] { return good == 8 * k_each; }));
}

TEST_CASE("frames can be looked at, and hold no password", "[amqp][integration]") {
    AmqpOptions options = to(rhea());
    options.username = k_user;
    options.password = Secret{k_password};
    Seen seen;
    AmqpClient client{options};
    AmqpHandlers handlers;
    handlers.on_frame = [&](bool out, std::uint16_t channel, std::string_view performative, std::string_view body, std::size_t payload) {
        seen.add(std::string{out ? "> " : "< "} + std::to_string(channel) + ' ' + std::string{performative} + ' ' + std::string{body} +
                 (payload > 0 ? " +" + std::to_string(payload) : std::string{}));
    };
    client.set_handlers(std::move(handlers));
    AmqpSender sender = client.open_sender(sending_to(fresh("frames")), soon());
    sender.send(AmqpMessage::of_text("x"), soon());
    client.close(soon());
    std::string all;
    for (const std::string& line : seen.all()) all += line + '\n';
    CAPTURE(all);
    for (const char* const part : {"> 0 sasl-init", "< 0 sasl-outcome", "> 0 open", "< 0 open", "> 0 attach", "> 0 transfer", "< 0 disposition"})
        CHECK(all.find(part) != std::string::npos);
    CHECK(all.find(std::string{k_password}) == std::string::npos);
    CHECK(all.find("506173737730") == std::string::npos);  // the same in hexadecimal digits
}
