// SPDX-License-Identifier: Apache-2.0
// What the tool sends and receives by WebSocket and eFTL.
#include <qconn/testing/test_eftl_server.hpp>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;
using qconn::testing::TestEftlServer;

namespace {

std::string with_error(const Outcome& outcome) { return outcome.out + outcome.err; }

EftlMatcher of_type(std::string_view type) {
    EftlMatcher matcher;
    matcher.equals("type", type);
    return matcher;
}

}  // namespace

TEST_CASE("messages of eFTL are published, as fields and as JSON", "[eftl][integration]") {
    TestEftlServer server;
    const Estate estate;
    estate.add("bus", "eftl://127.0.0.1:" + std::to_string(server.port()) + "/channel");
    const Outcome fields = estate.run({"call", "bus", "publish", "type=order", "id=17"});
    INFO(with_error(fields));
    CHECK(fields.code == 0);
    CHECK(estate.run({"call", "bus", "publish", R"({"type": "order", "total": 1.5, "lines": [{"n": 1}]})"}).code == 0);
    const auto came = server.expect(2);
    CHECK(came[0].get_string("type") == "order");
    CHECK(came[0].is_field_set("id"));
    CHECK(came[1].get_double("total") == 1.5);
    CHECK(came[1].get_message_array("lines").at(0).get_long("n") == 1);

    server.set({.refuse_publish = testing::EftlRefusal{12, "not here"}});
    const Outcome refused = estate.run({"call", "bus", "publish", "type=order"});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "EFTL-PUBLISH-ERROR"));
    CHECK(has(refused.err, "12 (not here)"));
}

TEST_CASE("messages of eFTL are received, with all that a subscription has", "[eftl][integration]") {
    TestEftlServer server;
    const Estate estate;
    estate.add("bus", "eftl://127.0.0.1:" + std::to_string(server.port()) + "/channel?clientId=reader");
    const auto subscribe = [&](const std::vector<std::string>& more) {
        std::vector<std::string> words{"call", "bus", "subscribe", R"(matcher={"type":"order"})", "durable=inbox"};
        words.insert(words.end(), more.begin(), more.end());
        return estate.launch(words);
    };
    {
        Process first{subscribe({"count=2", "ack=client"})};
        REQUIRE(server.wait_until([&] { return server.subscriptions().size() == 1; }));
        CHECK(server.subscriptions()[0].what.ack == EftlAck::client);
        CHECK(server.subscriptions()[0].what.durable == "inbox");
        CHECK(server.subscriptions()[0].what.matcher == of_type("order"));
        for (int i = 1; i <= 3; ++i) server.publish(EftlMessage{}.set_string("type", "order").set_long("id", 100 + i));
        const Outcome outcome = first.finish();
        INFO(with_error(outcome));
        CHECK(outcome.code == 0);
        CHECK(has(outcome.out, "101"));
        CHECK(has(outcome.out, "102"));
        CHECK_FALSE(has(outcome.out, "103"));
        CHECK(server.acknowledged().size() == 2);
    }
    // What comes until the time is over is enough.
    const Outcome rest = Process{subscribe({"count=5", "timeout=500"})}.finish();
    INFO(with_error(rest));
    CHECK(rest.code == 0);
    CHECK(has(rest.out, "103"));

    Process newest{estate.launch({"call", "bus", "subscribe", R"(matcher={"type":"price"})", "durable=newest", "type=last-value", "key=type"})};
    REQUIRE(server.wait_until([&] { return server.subscriptions().size() == 1; }));
    CHECK(server.subscriptions()[0].what.type == EftlDurable::last_value);
    CHECK(server.subscriptions()[0].what.key == "type");
    server.publish(EftlMessage{}.set_string("type", "price").set_long("n", 7));
    CHECK(newest.finish().code == 0);
}

TEST_CASE("requests of eFTL are made and replied to, and maps are used", "[eftl][integration]") {
    TestEftlServer server;
    const Estate estate;
    estate.add("bus", "eftl://127.0.0.1:" + std::to_string(server.port()) + "/channel");
    server.answer(of_type("add"), [](const EftlMessage& request) { return EftlMessage{}.set_string("sum", request.is_request() ? "42" : ""); });
    const Outcome asked = estate.run({"call", "bus", "request", "type=add", "a=40", "b=2"});
    INFO(with_error(asked));
    CHECK(asked.code == 0);
    CHECK(has(asked.out, "42"));

    Process replies{estate.launch({"call", "bus", "reply", "answer=yes", R"(matcher={"type":"question"})"})};
    REQUIRE(server.wait_until([&] { return server.subscriptions().size() == 1; }));
    CHECK(server.request(EftlMessage{}.set_string("type", "question")).get_string("answer") == "yes");
    const Outcome replied = replies.finish();
    CHECK(replied.code == 0);
    CHECK(has(replied.out, "question"));

    CHECK(estate.run({"call", "bus", "map-set", "prices", "A-1", "text=nineteen"}).code == 0);
    CHECK(server.map_value("prices", "A-1")->get_string("text") == "nineteen");
    CHECK(has(estate.run({"call", "bus", "map-get", "prices", "A-1"}).out, "nineteen"));
    CHECK(estate.run({"call", "bus", "map-remove", "prices", "A-1"}).code == 0);
    CHECK_FALSE(server.map_value("prices", "A-1"));
    CHECK(estate.run({"call", "bus", "map-get", "prices", "A-1"}).code == 0);
}

TEST_CASE("messages of a WebSocket are sent and received", "[websocket][integration]") {
    const Server server{"websocket"};
    const Estate estate;
    estate.add("feed", "ws://" + server.address() + "/");
    const Outcome sent = estate.run({"call", "feed", "send", "hello there", "count=1"});
    INFO(with_error(sent));
    CHECK(sent.code == 0);
    CHECK(has(sent.out, "hello there"));
    estate.add("ticks", "ws://" + server.address() + "/tick");
    const Outcome received = estate.run({"call", "ticks", "receive", "count=3"});
    INFO(with_error(received));
    CHECK(received.code == 0);
    CHECK(has(received.out, "0"));
    CHECK(has(received.out, "2"));
    const Outcome pinged = estate.run({"call", "feed", "ping"});
    INFO(with_error(pinged));
    CHECK(pinged.code == 0);
}
