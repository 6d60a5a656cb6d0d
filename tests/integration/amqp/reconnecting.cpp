// SPDX-License-Identifier: Apache-2.0
// Connections that break, and what becomes of messages then.
#include <atomic>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>

#include <qconn/testing/fault_proxy.hpp>

#include "integration/amqp/fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;
using testing::FaultProxy;

namespace {

AmqpOptions through(const FaultProxy& proxy) {
    AmqpOptions options;
    options.label = "bus";
    options.hosts = {{"127.0.0.1", proxy.port()}};
    options.reconnect.delay = 5ms;
    options.reconnect.max_delay = 20ms;
    return options;
}

/// QCONN_LONG=1: 200 cuts and 100,000 messages.
bool is_long() { return std::getenv("QCONN_LONG") != nullptr; }

}  // namespace

TEST_CASE("cut again and again in the middle of it, nothing that was accepted is lost and every receipt comes", "[amqp][integration]") {
    const int count = is_long() ? 100'000 : 10'000;
    const int cuts = is_long() ? 200 : 25;
    const bool resend = GENERATE(false, true);
    const std::string queue = resend ? "cuts-again" : "cuts-once";
    FaultProxy proxy{rhea().port()};
    AmqpOptions options = through(proxy);
    options.reconnect.resend = resend ? AmqpResend::resend : AmqpResend::report;
    std::vector<std::atomic<int>> told(static_cast<std::size_t>(count));
    std::atomic<int> accepted{0};
    std::atomic<int> unknown{0};
    std::atomic<int> other{0};
    AmqpClient client{options};
    AmqpSenderOptions out = sending_to(queue);
    out.on_outcome = [&](std::uint64_t number, const AmqpOutcome& outcome, const Error* error) {
        ++told[number];
        if (error == nullptr)
            outcome.is_accepted() ? ++accepted : ++other;
        else
            error->name() == "AMQP-OUTCOME-UNKNOWN" ? ++unknown : ++other;
    };
    AmqpSender sender = client.open_sender(std::move(out), soon());
    std::atomic<bool> done{false};
    std::atomic<int> made{0};
    std::thread cutter{[&] {
        std::mt19937 random{4711};
        for (int i = 0; i < cuts && !done; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10 + random() % 40});
            while (!client.is_open() && !done) std::this_thread::sleep_for(1ms);
            proxy.cut();
            ++made;
        }
    }};
    for (int i = 0; i < count; ++i) {
        const AmqpMessage message = AmqpMessage::of_text(std::to_string(i));
        while (!sender.try_send(message, static_cast<std::uint64_t>(i))) sender.flush(Deadline{60s}, 1'000'000);
        if (i % 500 == 0) sender.flush(Deadline{60s});
        // However fast the machine is, the cuts are all over the messages.
        while (i % 100 == 0 && made < i / (count / cuts)) std::this_thread::sleep_for(1ms);
    }
    sender.flush(Deadline{60s});
    done = true;
    cutter.join();
    for (const auto& one : told) REQUIRE(one == 1);
    CHECK(other == 0);
    CHECK(accepted + unknown == count);
    if (resend) CHECK(unknown == 0);
    WARN((resend ? "sent again: " : "reported: ") << count << " messages, " << client.info()->connection << " connections, " << unknown
                                                  << " unknown");
    CHECK(client.info()->connection > cuts / 4);

    // What was called accepted is there; with `report` nothing is there twice.
    AmqpClient reader{to(rhea())};
    std::map<std::string, int> came;
    AmqpReceiver receiver = reader.open_receiver(receiving_from(queue), soon());
    for (;;) {
        try {
            ++came[std::string{receiver.receive(Deadline{came.size() < static_cast<std::size_t>(accepted) ? 5s : 300ms}).message.text()}];
        } catch (const Error&) { break; }
    }
    CHECK(came.size() >= static_cast<std::size_t>(accepted));
    int twice = 0;
    for (const auto& [text, times] : came) twice += times > 1 ? 1 : 0;
    if (!resend) CHECK(twice == 0);
}

TEST_CASE("a receiver has its credit again, and loses nothing that it did not accept", "[amqp][integration]") {
    FaultProxy proxy{rhea().port()};
    std::mutex mutex;
    std::map<std::string, int> came;
    AmqpClient client{through(proxy)};
    AmqpReceiverOptions in = receiving_from("credit-again");
    in.credit = 10;
    in.threshold = 5;
    in.on_message = [&](AmqpDelivery& delivery) {
        const std::scoped_lock lock{mutex};
        ++came[std::string{delivery.text()}];
    };
    AmqpReceiver receiver = client.open_receiver(std::move(in), soon());
    AmqpClient writer{to(rhea())};
    AmqpSender sender = writer.open_sender(sending_to("credit-again"), soon());
    for (int i = 0; i < 300; ++i) {
        if (i % 60 == 30) proxy.cut();
        sender.send(AmqpMessage::of_text(std::to_string(i)), soon());
    }
    CHECK(wait_until([&] { return std::scoped_lock{mutex}, came.size() == 300; }, 20s));
    CHECK(wait_until([&] { return receiver.info().is_open && receiver.info().credit > 0; }));
}

TEST_CASE("the second host is taken where the first is not there", "[amqp][integration]") {
    const std::uint16_t nobody = free_port();
    AmqpOptions options = to(rhea());
    options.hosts.insert(options.hosts.begin(), {"127.0.0.1", nobody});
    AmqpClient client{options};
    CHECK(client.connect(soon()).port == rhea().port());
}

TEST_CASE("refused, silent and black-holed peers are told apart, each in its time", "[amqp][integration]") {
    AmqpOptions options = to(rhea());
    options.connect_timeout = 300ms;
    const auto failed = [&] {
        AmqpClient client{options};
        return error_of([&] { client.connect(soon()); });
    };
    SECTION("refused") {
        const std::uint16_t nobody = free_port();
        options.hosts = {{"127.0.0.1", nobody}};
        const Error error = failed();
        CHECK(error.phase() == Phase::connect);
        CHECK(error.reason() == Reason::refused);
    }
    SECTION("silent") {
        FaultProxy proxy{rhea().port(), {.door = testing::Door::silent}};
        options.hosts = {{"127.0.0.1", proxy.port()}};
        const Error error = failed();
        CHECK(error.reason() == Reason::timeout);
        CHECK(error.phase() == Phase::protocol);
    }
    SECTION("reset at once") {
        FaultProxy proxy{rhea().port(), {.door = testing::Door::reset}};
        options.hosts = {{"127.0.0.1", proxy.port()}};
        const Reason reason = failed().reason();
        CHECK((reason == Reason::reset || reason == Reason::closed));
    }
    SECTION("black hole") {
        const BlackHole hole;
        options.hosts = {{"127.0.0.1", hole.port()}};
        const Error error = failed();
        CHECK(error.phase() == Phase::connect);
        CHECK(error.reason() == Reason::timeout);
    }
}

TEST_CASE("a half-open connection is noticed by its silence, and made anew", "[amqp][integration]") {
    Server chatty{"rhea", {.environment = {"AMQP_IDLE_TIMEOUT=2000"}}};
    FaultProxy proxy{chatty.port()};
    AmqpOptions options = through(proxy);
    options.idle_timeout = 1s;
    Seen seen;
    AmqpClient client{options};
    AmqpHandlers handlers;
    handlers.on_disconnect = [&](const Error* error, bool again) { seen.add(std::string{error->message()} + (again ? " again" : "")); };
    client.set_handlers(std::move(handlers));
    client.open_sender(sending_to("x"), soon());
    std::this_thread::sleep_for(1500ms);
    CHECK(client.is_open());  // heartbeats go both ways
    proxy.set({.half_open = true});
    REQUIRE(seen.wait(1));
    CHECK(seen.all()[0].find("silent") != std::string::npos);
    proxy.clear();
    CHECK(wait_until([&] { return client.is_open(); }, 20s));
}

TEST_CASE("what waits while there is no connection goes out when there is one", "[amqp][integration]") {
    Server broker{"rhea"};
    AmqpOptions options = to(broker);
    AmqpClient client{options};
    AmqpSender sender = client.open_sender(sending_to("later"), soon());
    broker.kill();
    REQUIRE(wait_until([&] { return !client.is_open(); }));
    Seen seen;
    for (int i = 0; i < 3; ++i)
        sender.async_send(AmqpMessage::of_text(std::to_string(i)), soon(),
                          [&](const Result<AmqpOutcome>& result) { seen.add(result ? result->shown() : std::string{result.error().name()}); });
    broker.start();
    REQUIRE(seen.wait(3));
    CHECK(seen.all() == std::vector<std::string>{"accepted", "accepted", "accepted"});
}

TEST_CASE("RabbitMQ is killed ten times: no durable message that it has accepted is lost", "[amqp][integration]") {
    if (!is_long()) return;  // of .ci/full
    constexpr int k_count = 5'000;
    Server broker{"rabbitmq", {.environment = {}, .start_limit = std::chrono::seconds{90}}};
    AmqpOptions options = to(broker);
    options.username = k_user;
    options.password = Secret{k_password};
    options.reconnect.resend = AmqpResend::resend;
    std::vector<std::atomic<int>> told(k_count);
    std::atomic<int> accepted{0};
    AmqpClient client{options};
    AmqpSenderOptions out = sending_to("/amq/queue/durable");
    out.on_outcome = [&](std::uint64_t number, const AmqpOutcome& outcome, const Error*) {
        ++told[number];
        if (outcome.is_accepted()) ++accepted;
    };
    AmqpSender sender = client.open_sender(std::move(out), Deadline{60s});
    AmqpMessage message;
    message.header.emplace();
    message.header->durable = true;
    for (int i = 0; i < k_count; ++i) {
        message.body = AmqpValue{std::to_string(i)};
        while (!sender.try_send(message, static_cast<std::uint64_t>(i))) sender.flush(Deadline{120s}, 1'000'000);
        if (i % 500 == 250) {
            broker.kill();
            broker.start();
        }
    }
    sender.flush(Deadline{180s});
    CHECK(accepted == k_count);
    for (const auto& one : told) REQUIRE(one == 1);
    std::map<std::string, int> came;
    AmqpReceiver receiver = client.open_receiver(receiving_from("/amq/queue/durable"), Deadline{60s});
    while (came.size() < k_count) ++came[std::string{receiver.receive(Deadline{30s}).message.text()}];
    CHECK(came.size() == k_count);
}

TEST_CASE("a living client is told not to connect anew, and to do so again", "[amqp][integration]") {
    FaultProxy proxy{rhea().port()};
    AmqpClient client{through(proxy)};
    Seen seen;
    AmqpHandlers handlers;
    handlers.on_connect = [&](const AmqpInfo&) { seen.add("connected"); };
    handlers.on_disconnect = [&](const Error*, bool again) { seen.add(again ? "lost, once more" : "lost"); };
    client.set_handlers(std::move(handlers));
    const AmqpSender sender = client.open_sender(sending_to("living"), soon());

    proxy.cut();
    REQUIRE(seen.wait(3));
    client.set("auto_reconnect", false);
    proxy.cut();
    REQUIRE(seen.wait(4));

    CHECK(seen.all() == std::vector<std::string>{"connected", "lost, once more", "connected", "lost"});
    CHECK_FALSE(client.is_open());
}

TEST_CASE("what was sent before messages were to be sent again is not, for nothing of it was kept", "[amqp][integration]") {
    FaultProxy proxy{rhea().port()};
    AmqpClient client{through(proxy)};
    AmqpSender sender = client.open_sender(sending_to("silent"), soon());
    Seen seen;
    sender.async_send(AmqpMessage::of_text("x"), soon(),
                      [&](const Result<AmqpOutcome>& result) { seen.add(result ? result->shown() : std::string{result.error().name()}); });
    REQUIRE(wait_until([&] { return sender.info().unsettled == 1; }));

    client.set("resend_unsettled", true);
    proxy.cut();

    REQUIRE(seen.wait(1));
    CHECK(seen.all() == std::vector<std::string>{"AMQP-OUTCOME-UNKNOWN"});
}
