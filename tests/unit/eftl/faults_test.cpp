// SPDX-License-Identifier: Apache-2.0
// What other eFTL libraries are known to get wrong. Each case is one of them, and that we do not have it; what the other test files show already is
// not repeated here.
#include <cmath>
#include <string>

#include <qconn/eftl/eftl_error.hpp>

#include "support/catch.hpp"
#include "unit/eftl/engine_fixture.hpp"

using namespace qconn;
using namespace qconn::eftl;
using namespace qconn::test;

TEST_CASE("answers out of order leave nothing behind", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    for (int i = 1; i <= 100; ++i) bench.publish(i);
    for (int i = 100; i >= 1; --i) bench.received(R"({"op":9,"seq":)" + std::to_string(i) + "}");
    CHECK(bench.engine.in_flight() == 0);
    CHECK(bench.took().size() == 100);
}

TEST_CASE("a dead link is seen although nothing is sent", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    CHECK(bench.engine.next_deadline() == bench.now + 60s);
}

TEST_CASE("silence is watched for again after each reconnection", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    for (int i = 0; i < 3; ++i) {
        bench.now = bench.engine.next_deadline();
        bench.engine.tick(bench.now);
        bench.now = bench.engine.next_deadline();
        bench.engine.tick(bench.now);
        CHECK(bench.engine.state() == EftlState::reconnecting);
        bench.now = bench.engine.next_deadline();
        bench.engine.tick(bench.now);
        bench.engine.link_up(bench.now);
        bench.engine.received(EngineBench::k_welcome_resumed, bench.now);
        CHECK(bench.engine.state() == EftlState::connected);
    }
}

TEST_CASE("no reconnection follows a disconnection that was asked for", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    bench.engine.disconnect(Clock::time_point::max(), [] {});
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    CHECK(bench.engine.next_deadline() == Clock::time_point::max());
    bench.now += 1h;
    bench.engine.tick(bench.now);
    CHECK(bench.engine.state() == EftlState::disconnected);
}

TEST_CASE("the end is told when attempts have run out, and once", "[eftl][faults]") {
    EngineOptions options;
    options.attempts = 1;
    EngineBench bench{options};
    bench.connected();
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    bench.now = bench.engine.next_deadline();
    bench.engine.tick(bench.now);
    bench.host.take();
    bench.engine.link_down(1006, "no route", nullptr, bench.now);
    bench.engine.link_down(1006, "no route", nullptr, bench.now);
    CHECK(bench.host.take() == Lines{"state disconnected", "on_disconnect 1006 no route"});
}

TEST_CASE("short outages do not end a session: there are 256 attempts", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    for (int i = 0; i < 255; ++i) {
        bench.now = bench.engine.next_deadline();
        bench.engine.tick(bench.now);
        bench.engine.link_down(1006, {}, nullptr, bench.now);
        REQUIRE(bench.engine.state() == EftlState::reconnecting);
    }
    bench.now = bench.engine.next_deadline();
    bench.engine.tick(bench.now);
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    CHECK(bench.engine.state() == EftlState::disconnected);
}

TEST_CASE("the first wait is never the longest one", "[eftl][faults]") {
    for (double random = 0; random < 1; random += 0.01) CHECK(reconnect_delay(0, 30s, random) < 1500ms);
}

TEST_CASE("a subscription can be answered while it is being made", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    std::string id;
    bench.engine.subscribe(bench.engine.next_id(), {}, true, bench.now, bench.now + 1s, [&](const Result<std::string>& r) { id = *r; });
    bench.received(R"({"op":4,"id":"1"})");
    CHECK(id == "1");
}

TEST_CASE("who sets no deadline is answered as late as the server likes", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    bench.publish(1);
    bench.submit(Kind::map_get, map_get_frame("m", "k"));
    for (int i = 0; i < 200; ++i) {
        bench.now += 20s;
        bench.engine.received(R"({"op":0})", bench.now);
        bench.engine.tick(bench.now);
    }
    CHECK(bench.took().empty());
    bench.received(R"({"op":9,"seq":1})");
    bench.received(R"({"op":26,"seq":2})");
    CHECK(bench.took() == Lines{"1 ok", "2 ok"});
}

TEST_CASE("each request has one entry in one list of deadlines", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    for (int i = 0; i < 10'000; ++i) bench.submit(Kind::request, request_frame({}), bench.now + 1s + std::chrono::milliseconds{i});
    CHECK(bench.engine.timers() == 10'000);
    bench.now += 1h;
    bench.engine.received(R"({"op":0})", bench.now);
    bench.engine.tick(bench.now);
    CHECK(bench.engine.timers() == 0);
    CHECK(bench.took().size() == 10'000);
}

TEST_CASE("an exception of a bad frame does not escape", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    for (const char* text : {"", "{", "[[[[", "\"", "{\"op\":7,\"to\":\"1\",\"body\":[}", "{\"op\":\"x\"}"}) CHECK_NOTHROW(bench.received(text));
}

TEST_CASE("long texts are written whole", "[eftl][faults]") {
    EftlMessage message;
    message.set_string("a", std::string(5'000'000, 'x'));
    CHECK(EftlMessage::from_json(message.to_json()) == message);
    Login login;
    const std::string user(5'000, 'u');
    login.user = user;
    CHECK(login_frame(login).find(user) != std::string::npos);
}

TEST_CASE("special doubles in arrays are good JSON", "[eftl][faults]") {
    EftlMessage message;
    message.set_double_array("a", {INFINITY, NAN});
    CHECK(message.to_json() == R"({"a":[{"_d_":"Infinity"},{"_d_":"NaN"}]})");
    CHECK(std::isinf(EftlMessage::from_json(R"({"a":[{"_d_":"+Inf"}]})").get_double_array("a").at(0)));
}

TEST_CASE("an event without a number is not dropped", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    EftlSubscription none;
    none.ack = EftlAck::none;
    bench.subscribed(none);
    bench.received(R"({"op":7,"to":"1","body":{"a":1}})");
    CHECK(bench.host.take() == Lines{R"(message 1 {"a":1})"});
}

TEST_CASE("the server is told of the acknowledge mode", "[eftl][faults]") {
    EftlSubscription by_hand;
    by_hand.ack = EftlAck::client;
    CHECK(subscribe_frame("1", by_hand, false) == R"({"op":3,"id":"1","ack":"client"})");
    by_hand.ack = EftlAck::none;
    CHECK(subscribe_frame("1", by_hand, false) == R"({"op":3,"id":"1","ack":"none"})");
}

TEST_CASE("frames of a subscription that is gone are not acknowledged", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.engine.unsubscribe("1", false);
    bench.host.take();
    bench.received(R"({"op":7,"to":"1","seq":1,"body":{}})");
    CHECK(bench.host.take().empty());
}

TEST_CASE("id and token are those of the last welcome, not of the first", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    bench.back(R"({"op":2,"client_id":"C2","id_token":"T9","timeout":60,"heartbeat":20,"_qos":"true","protocol":1})");
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    bench.now = bench.engine.next_deadline();
    bench.engine.tick(bench.now);
    bench.host.take();
    bench.engine.link_up(bench.now);
    CHECK(bench.host.take().at(0).find(R"("client_id":"C2","id_token":"T9")") != std::string::npos);
}

TEST_CASE("an array of events is read", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.received(R"([{"op":7,"to":"1","seq":1,"body":{}},{"op":7,"to":"1","seq":2,"body":{}}])");
    CHECK(bench.host.messages.size() == 2);
}

TEST_CASE("a missing opaque field is not an empty one", "[eftl][faults]") {
    CHECK_FALSE(EftlMessage{}.get_opaque("a"));
    CHECK(EftlMessage{}.set_opaque("a", "").get_opaque("a").has_value());
}

TEST_CASE("no internal members are among the names of fields", "[eftl][faults]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.received(R"({"op":7,"to":"1","seq":1,"sid":2,"reply_to":"x","body":{"a":1}})");
    CHECK(bench.host.messages.at(0).field_names() == Lines{"a"});
}
