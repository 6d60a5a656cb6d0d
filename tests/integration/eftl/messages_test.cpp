// SPDX-License-Identifier: Apache-2.0
// What is sent and what it comes to: publish, request and reply, maps.
#include <atomic>
#include <cmath>
#include <string>
#include <thread>

#include "integration/eftl/eftl_fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

std::string name_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) { return std::string{error.name()}; }
    return "nothing";
}

}  // namespace

TEST_CASE("a message of every type comes as it was sent, plain and under TLS", "[eftl][integration]") {
    EftlBus bus;
    for (const bool tls : {false, true}) {
        CAPTURE(tls);
        EftlClient client{bus.options(tls)};
        EftlMessage inner;
        inner.set_string("deep", "ü").set_long("n", -1);
        EftlMessage message;
        message.set_string("type", "all").set_long("big", 9007199254740993).set_double("whole", 2).set_double("infinite", INFINITY);
        message.set_datetime("when", EftlTime{-1ms}).set_opaque("bytes", std::string_view{"\0\xFF\x01", 3}).set_message("inner", inner);
        message.set_string_array("s", {"a", ""}).set_long_array("l", {INT64_MAX, INT64_MIN}).set_double_array("d", {0, -0.5});
        message.set_datetime_array("t", {EftlTime{0ms}}).set_message_array("m", {inner, inner}).set_long_array("none", {});
        EftlSubscription what;
        what.matcher.equals("type", "all");
        const std::string id = client.subscribe(what, soon());

        client.publish(message, soon());
        const EftlMessage came = client.receive(id, soon());

        CHECK(came == message);
        CHECK(came.field_names() == message.field_names());
        CHECK(came.store_message_id() > 0);
        CHECK(came.receipt().subscription == id);
        client.disconnect(soon());
    }
    CHECK(bus.breaches() == "");
}

TEST_CASE("many messages are in flight at a time, bounded, and all are answered in order", "[eftl][integration]") {
    EftlBus bus;
    EftlOptions options = bus.options();
    options.max_in_flight = 500;
    EftlClient client{options};
    std::atomic<int> good{0};
    std::atomic<int> bad{0};
    for (int i = 0; i < 5000; ++i) {
        while (client.in_flight() >= options.max_in_flight) client.wait_for_room(soon());
        client.async_publish(numbered("flight", i), soon(), [&](const Result<void>& result) { result ? ++good : ++bad; });
        REQUIRE(client.in_flight() <= options.max_in_flight);
    }
    client.flush(soon());
    CHECK(good == 5000);
    CHECK(bad == 0);
    CHECK(bus.get("messages?dest=&count=1")["count"].is_integer());
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("what is too much at a time is refused, and there is room again later", "[eftl][integration]") {
    EftlBus bus;
    bus.fault({{"fault", "delay_acks"}, {"ms", 100}});
    EftlOptions options = bus.options();
    options.max_in_flight = 2;
    EftlClient client{options};
    client.connect(soon());
    Outcomes<void> outcomes;
    for (int i = 0; i < 3; ++i) client.async_publish(numbered("busy", i), soon(), outcomes.callback());
    REQUIRE(outcomes.wait(3));
    CHECK(outcomes.results()[0].error().name() == "EFTL-BUSY");
    CHECK(outcomes.results()[0].error().retryable());
    client.publish(numbered("busy", 4), soon());
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("a message that the server does not take is not sent, by its size in bytes", "[eftl][integration]") {
    EftlBus bus;
    bus.config({{"max_size", 1000}});
    EftlClient client{bus.options()};
    EftlMessage message;
    message.set_string("text", std::string(900, 'x'));
    client.publish(message, soon());
    std::string umlauts;
    for (int i = 0; i < 490; ++i) umlauts += "ü";
    message.set_string("text", umlauts);
    CHECK(name_of([&] { client.publish(message, soon()); }) == "EFTL-MESSAGE-TOO-LARGE");
    client.publish(numbered("after", 1), soon());
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("what is not allowed is an error with the server's number", "[eftl][integration]") {
    EftlBus bus;
    bus.config({{"denied", Map{{"publish", List{"secret"}}, {"request", List{"secret"}}, {"map", List{"closed"}}, {"subscribe", List{"secret"}}}}});
    EftlClient client{bus.options()};
    EftlMessage message;
    message.set_string("_dest", "secret");
    const auto code_of = [](const std::function<void()>& work) {
        try {
            work();
        } catch (const Error& error) {
            const auto* detail = error.detail<EftlErrorDetail>();
            return std::string{error.name()} + ' ' + (detail != nullptr ? std::to_string(detail->code) : "") + ' ' +
                   std::string{to_string(error.reason())};
        }
        return std::string{"nothing"};
    };
    CHECK(code_of([&] { client.publish(message, soon()); }) == "EFTL-PUBLISH-ERROR 12 permission");
    CHECK(code_of([&] { client.request(message, soon()); }) == "EFTL-REQUEST-ERROR 40 permission");
    CHECK(code_of([&] { client.map("closed").set("k", message, soon()); }) == "EFTL-MAP-ERROR 14 permission");
    EftlSubscription what;
    what.matcher.destination("secret");
    CHECK(code_of([&] { client.subscribe(what, soon()); }) == "EFTL-SUBSCRIBE-ERROR 13 permission");
    CHECK(client.subscriptions().empty());
    client.publish(numbered("fine", 1), soon());
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("a request is replied to by another client", "[eftl][integration]") {
    EftlBus bus;
    EftlClient asks{bus.options()};
    EftlClient answers{bus.options()};
    EftlSubscription what;
    what.matcher.equals("type", "question");
    what.on_message = [&](const EftlMessage& question) {
        EftlMessage reply;
        reply.set_long("twice", *question.get_long("n") * 2);
        answers.async_reply(question, reply, soon(), nullptr);
    };
    answers.subscribe(what, soon());
    for (int i = 1; i <= 20; ++i) CHECK(asks.request(numbered("question", i), soon()).get_long("twice") == 2 * i);
    CHECK(name_of([&] { answers.reply(EftlMessage{}, EftlMessage{}, soon()); }) == "EFTL-REPLY-ERROR");
    answers.disconnect(soon());
    asks.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("a request that nobody answers ends with its deadline, and the connection goes on", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    client.connect(soon());
    const auto begin = Clock::now();
    try {
        client.request(numbered("nobody", 1), Deadline{100ms});
        FAIL("there was a reply");
    } catch (const Error& error) {
        CHECK(error.name() == "EFTL-REQUEST-TIMEOUT");
        CHECK(error.detail<EftlErrorDetail>()->code == 99);
    }
    CHECK(Clock::now() - begin < 5s);
    client.publish(numbered("after", 1), soon());
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("keys of maps are set, read, removed, and the map with them", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    EftlMap map = client.map("prices");
    CHECK_FALSE(map.get("A", soon()));
    map.set("A", numbered("price", 5), soon());
    CHECK(map.get("A", soon())->get_long("n") == 5);
    map.set("A", numbered("price", 6), soon());
    CHECK(map.get("A", soon())->get_long("n") == 6);
    map.remove("A", soon());
    CHECK_FALSE(map.get("A", soon()));
    map.set("B", numbered("price", 7), soon());
    client.destroy_map("prices");
    CHECK_FALSE(map.get("B", soon()));
    client.disconnect(soon());
    CHECK(name_of([&] { map.get("B", soon()); }) == "EFTL-NOT-CONNECTED");
    CHECK(bus.breaches() == "");
}

TEST_CASE("a server of protocol 0 publishes and subscribes, and refuses the rest here", "[eftl][integration]") {
    EftlBus bus;
    bus.config({{"protocol", 0}});
    EftlClient client{bus.options()};
    EftlSubscription what;
    what.matcher.equals("type", "old");
    const std::string id = client.subscribe(what, soon());
    client.publish(numbered("old", 1), soon());
    CHECK(client.receive(id, soon()).get_long("n") == 1);
    CHECK(client.session().protocol == 0);
    CHECK(name_of([&] { client.request(numbered("old", 1), soon()); }) == "EFTL-UNSUPPORTED");
    CHECK(name_of([&] { client.close_subscription(id); }) == "EFTL-UNSUPPORTED");
    CHECK(name_of([&] { client.stop_subscription(id); }) == "EFTL-UNSUPPORTED");
    client.map("m").set("k", numbered("x", 1), soon());
    client.unsubscribe(id);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("without quality of service a publish is over when it was sent", "[eftl][integration]") {
    EftlBus bus;
    bus.config({{"qos", false}});
    EftlClient client{bus.options()};
    EftlSubscription what;
    what.matcher.equals("type", "quick");
    const std::string id = client.subscribe(what, soon());
    for (int i = 1; i <= 100; ++i) client.publish(numbered("quick", i), soon());
    for (int i = 1; i <= 100; ++i) CHECK(client.receive(id, soon()).get_long("n") == i);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("several threads publish at a time", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    client.connect(soon());
    std::vector<std::thread> threads;
    std::atomic<int> failed{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 100; ++i) {
                try {
                    client.publish(numbered("thread" + std::to_string(t), i), soon());
                } catch (const Error&) { ++failed; }
            }
        });
    }
    for (auto& one : threads) one.join();
    CHECK(failed == 0);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}
