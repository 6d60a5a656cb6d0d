// SPDX-License-Identifier: Apache-2.0
// Servers that misbehave.
#include <atomic>
#include <string>

#include "integration/eftl/eftl_fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;

TEST_CASE("heartbeats are answered, and their absence is seen", "[eftl][integration]") {
    EftlBus bus;
    bus.config({{"heartbeat", 0.1}, {"timeout", 1}, {"heartbeat_extra", true}});
    EftlClient client{bus.options()};
    client.connect(soon());
    CHECK_FALSE(wait_until([&] { return client.session().link != 1; }, 400ms));
    bus.fault({{"fault", "silent"}, {"on", "now"}});
    CHECK(wait_until([&] { return client.session().link == 2; }));
    bus.fault({{"fault", "half_open"}, {"on", "now"}});
    CHECK(wait_until([&] { return client.session().link == 3; }));
    client.publish(numbered("x", 1), soon());
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("answers in whatever order and frames in whatever pieces come to the same", "[eftl][integration]") {
    EftlBus bus;
    bus.fault({{"fault", "reorder_acks"}, {"size", 7}, {"times", 0}});
    bus.fault({{"fault", "fragments"}, {"size", 3}, {"times", 0}});
    EftlClient client{bus.options()};
    EftlSubscription what;
    what.matcher.equals("type", "pieces");
    const std::string id = client.subscribe(what, soon());
    Outcomes<void> outcomes;
    for (int i = 1; i <= 70; ++i) client.async_publish(numbered("pieces", i), soon(), outcomes.callback());
    REQUIRE(outcomes.wait(70));
    for (const auto& one : outcomes.results()) CHECK(one.has_value());
    for (int i = 1; i <= 70; ++i) CHECK(client.receive(id, soon()).get_long("n") == i);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("events in arrays, unknown frames and pings change nothing", "[eftl][integration]") {
    EftlBus bus;
    bus.fault({{"fault", "batch"}, {"size", 10}});
    EftlClient client{bus.options()};
    EftlSubscription what;
    what.matcher.equals("type", "batch");
    const std::string id = client.subscribe(what, soon());
    bus.fault({{"fault", "unknown_op"}, {"on", "now"}});
    bus.fault({{"fault", "ping"}, {"on", "now"}, {"text", "are you there"}});
    bus.inject("batch", 95);
    for (int i = 1; i <= 95; ++i) CHECK(client.receive(id, soon()).get_long("n") == i);
    CHECK(client.session().link == 1);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("what is no JSON breaks the link, is told, and nothing is lost by it", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    std::atomic<int> errors{0};
    EftlHandlers handlers;
    handlers.on_error = [&](int code, const std::string&) { errors += code == 1002 ? 1 : 0; };
    client.set_handlers(handlers);
    client.connect(soon());
    bus.fault({{"fault", "garbage"}, {"on", "now"}});
    CHECK(wait_until([&] { return errors == 1; }));
    client.publish(numbered("x", 1), soon());
    CHECK(client.session().link == 2);
    client.disconnect(soon());
}

TEST_CASE("errors that the server tells by itself go to their handler", "[eftl][integration]") {
    EftlBus bus;
    EftlClient client{bus.options()};
    std::atomic<int> code{0};
    EftlHandlers handlers;
    handlers.on_error = [&](int c, const std::string&) { code = c; };
    client.set_handlers(handlers);
    client.connect(soon());
    bus.fault({{"fault", "frame"}, {"on", "now"}, {"text", R"({"op":10,"err":20,"reason":"bad subscription id"})"}});
    CHECK(wait_until([&] { return code == 20; }));
    CHECK(client.is_connected());
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("repeats after a reconnection are acknowledged and not delivered", "[eftl][integration]") {
    EftlBus bus;
    bus.fault({{"fault", "repeat"}, {"count", 5}, {"times", 0}});
    EftlClient client{bus.options()};
    std::atomic<int> count{0};
    EftlSubscription what;
    what.matcher.equals("type", "repeat");
    what.on_message = [&](const EftlMessage&) { ++count; };
    client.subscribe(what, soon());
    bus.inject("repeat", 10);
    REQUIRE(wait_until([&] { return count == 10; }));
    client.publish(numbered("other", 1), soon());
    bus.fault({{"fault", "drop"}, {"on", "now"}, {"how", "fin"}});
    REQUIRE(wait_until([&] { return client.session().link == 2; }));
    bus.inject("repeat", 1);
    CHECK(wait_until([&] { return count == 11; }));
    client.publish(numbered("other", 2), soon());
    CHECK(count == 11);
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}

TEST_CASE("a server that names no subprotocol is taken, one that does not know the handshake is not", "[eftl][integration]") {
    EftlBus bus;
    bus.fault({{"fault", "subprotocol"}, {"value", nullptr}});
    EftlClient client{bus.options()};
    client.connect(soon());
    client.disconnect(soon());
    bus.fault({{"fault", "bad_accept"}});
    CHECK_THROWS_AS(client.reconnect(soon()), Error);
    CHECK(bus.breaches() == "");
}

TEST_CASE("a slow server keeps its messages, and a call its deadline", "[eftl][integration]") {
    EftlBus bus;
    bus.fault({{"fault", "slow"}, {"delay_ms", 300}});
    EftlClient client{bus.options()};
    client.connect(soon());
    const auto begin = Clock::now();
    CHECK_THROWS_AS(client.publish(numbered("x", 1), Deadline{100ms}), Error);
    CHECK(Clock::now() - begin < 2s);
    client.publish(numbered("x", 2), soon());
    bus.fault({{"fault", "none"}});
    client.disconnect(soon());
    CHECK(bus.breaches() == "");
}
