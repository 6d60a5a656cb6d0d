// SPDX-License-Identifier: Apache-2.0
// Handlers that a thread of the program's own calls (AmqpOptions::events).
#include <atomic>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

#include <qconn/base/call_queue.hpp>

#include "integration/amqp/fixture.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

AmqpOptions pumped_by(const std::shared_ptr<CallQueue>& events) {
    AmqpOptions options = to(rhea());
    options.events = events;
    return options;
}

/// Pumps until it holds.
template <class Condition>
bool pump_until(CallQueue& events, Condition holds) {
    const Deadline limit = soon();
    while (!holds() && !limit.has_passed()) events.run(Deadline{std::chrono::milliseconds{20}});
    return holds();
}

}  // namespace

TEST_CASE("handlers are called by who pumps the queue, in order, and by nobody else", "[amqp][integration]") {
    const auto events = std::make_shared<CallQueue>();
    std::set<std::thread::id> threads;
    std::string told;
    const auto note = [&](const std::string& what) {
        threads.insert(std::this_thread::get_id());
        told += what + ' ';
    };
    AmqpClient client{pumped_by(events)};
    AmqpHandlers handlers;
    handlers.on_connect = [&](const AmqpInfo& info) { note(info.container_id.empty() ? "nobody" : "connected"); };
    handlers.on_disconnect = [&](const Error* error, bool) { note(error == nullptr ? "closed" : "lost"); };
    client.set_handlers(std::move(handlers));
    AmqpSenderOptions sending = sending_to("pumped");
    sending.on_outcome = [&](std::uint64_t number, const AmqpOutcome& outcome, const Error*) { note(std::to_string(number) + outcome.shown()); };
    AmqpSender sender = client.open_sender(std::move(sending), soon());
    REQUIRE(sender.try_send(AmqpMessage::of_text("one"), 1));
    sender.flush(soon());
    AmqpReceiverOptions receiving = receiving_from("pumped");
    receiving.on_message = [&](AmqpDelivery& delivery) { note(std::string{delivery.text()} + '/' + std::string{delivery.message().text()}); };
    const AmqpReceiver receiver = client.open_receiver(std::move(receiving), soon());
    REQUIRE(wait_until([&] { return receiver.info().messages == 1; }));

    CHECK(told.empty());
    REQUIRE(pump_until(*events, [&] { return told.find("one/one") != std::string::npos; }));
    client.close(soon());
    events->run_pending();

    CHECK(told == "connected 1accepted one/one closed ");
    CHECK(threads == std::set{std::this_thread::get_id()});
}

TEST_CASE("a pumped handler answers as any other: by an outcome, later, and by throwing", "[amqp][integration]") {
    const auto events = std::make_shared<CallQueue>();
    AmqpClient client{pumped_by(events)};
    AmqpSender sender = client.open_sender(sending_to("pumped-answers"), soon());
    AmqpReceiverOptions options = receiving_from("pumped-answers");
    std::function<void(AmqpOutcome)> later;
    options.on_message = [&](AmqpDelivery& delivery) {
        if (delivery.text() == "bad") delivery.reject(amqp_condition::k_not_allowed, "not in this colour");
        if (delivery.text() == "later") later = delivery.answer_later();
        if (delivery.text() == "throw") throw std::runtime_error{"cannot"};
    };
    const AmqpReceiver receiver = client.open_receiver(std::move(options), soon());
    for (const char* const text : {"good", "bad", "throw", "later"}) sender.send(AmqpMessage::of_text(text), soon());

    REQUIRE(pump_until(*events, [&] { return static_cast<bool>(later); }));
    CHECK(wait_until([&] { return receiver.info().unsettled == 1; }));
    later(AmqpOutcome::accepted());
    CHECK(wait_until([&] { return receiver.info().unsettled == 0; }));
    const auto rhea_says = [](std::string_view words) { return rhea().log().find(words) != std::string::npos; };
    CHECK(wait_until([&] { return rhea_says("not in this colour") && rhea_says("the receiver could not handle it"); }));
}

TEST_CASE("who does not pump holds up the peer, and nothing grows", "[amqp][integration]") {
    const auto events = std::make_shared<CallQueue>();
    AmqpClient client{pumped_by(events)};
    AmqpSender sender = client.open_sender(sending_to("slow-pump"), soon());
    for (int i = 0; i < 50; ++i) sender.send(AmqpMessage::of_text("x"), soon());
    AmqpReceiverOptions options = receiving_from("slow-pump");
    options.credit = 5;
    options.threshold = 2;
    int count = 0;
    options.on_message = [&](AmqpDelivery&) { ++count; };
    const AmqpReceiver receiver = client.open_receiver(std::move(options), soon());

    REQUIRE(wait_until([&] { return events->waiting() == 5; }));
    client.ping(soon());  // a turn of both ends
    CHECK(events->waiting() == 5);
    CHECK(pump_until(*events, [&] { return count == 50; }));
}

TEST_CASE("when a pumped client has gone none of its handlers is called", "[amqp][integration]") {
    const auto events = std::make_shared<CallQueue>();
    bool called = false;
    {
        AmqpClient client{pumped_by(events)};
        AmqpHandlers handlers;
        handlers.on_connect = [&](const AmqpInfo&) { called = true; };
        client.set_handlers(std::move(handlers));
        client.connect(soon());
        REQUIRE(events->waiting() == 1);
    }
    events->run_pending();
    CHECK_FALSE(called);

    std::optional<AmqpClient> client{std::in_place, pumped_by(events)};
    AmqpHandlers handlers;
    handlers.on_connect = [&](const AmqpInfo&) {
        called = true;
        client.reset();  // from its own handler
    };
    client->set_handlers(std::move(handlers));
    client->connect(soon());
    CHECK(pump_until(*events, [&] { return called; }));
    CHECK_FALSE(client);
}

TEST_CASE("a pumped client may go while its handler waits for a call of its own", "[amqp][integration]") {
    const auto events = std::make_shared<CallQueue>();
    std::optional<AmqpClient> client{std::in_place, pumped_by(events)};
    client->set("call_timeout", 0);  // for ever
    AmqpSender silent = client->open_sender(sending_to("silent"), soon());
    AmqpSender sender = client->open_sender(sending_to("pumped-end"), soon());
    sender.send(AmqpMessage::of_text("x"), soon());
    std::atomic<bool> inside{false};
    std::string told;
    AmqpReceiverOptions options = receiving_from("pumped-end");
    options.on_message = [&](AmqpDelivery&) {
        inside = true;
        told = error_of([&] { silent.send(AmqpMessage::of_text("never settled")); }).name();
    };
    const AmqpReceiver receiver = client->open_receiver(std::move(options), soon());
    std::thread runner{[&] { pump_until(*events, [&] { return inside.load(); }); }};
    REQUIRE(wait_until([&] { return inside.load(); }));

    client.reset();

    runner.join();
    CHECK_FALSE(told.empty());
    CHECK(told != "NO-ERROR");
}
