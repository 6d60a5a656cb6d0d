// SPDX-License-Identifier: Apache-2.0
#include "eftl/engine.hpp"

#include <optional>
#include <string>

#include <qconn/eftl/eftl_error.hpp>

#include "support/catch.hpp"
#include "unit/eftl/engine_fixture.hpp"

using namespace qconn;
using namespace qconn::eftl;
using namespace qconn::test;

TEST_CASE("a log-in comes before everything, and its welcome is told after subscriptions and what was kept are sent", "[eftl]") {
    EngineBench bench;
    std::optional<EftlSession> session;
    bench.engine.connect(bench.now, [&](Result<EftlSession> result) { session = *result; });
    CHECK(bench.host.take() == Lines{"state connecting", "dial 0"});

    bench.engine.subscribe(bench.engine.next_id(), {}, true, bench.now, Clock::time_point::max(), [](const Result<std::string>&) {});
    bench.publish(1);
    CHECK(bench.host.take().empty());

    bench.engine.link_up(bench.now);
    CHECK(bench.host.take() == Lines{R"(-> {"op":1,"protocol":1,"client_type":"C","client_version":"","login_options":{"_qos":"true"}})"});
    bench.engine.received(EngineBench::k_welcome, bench.now);
    CHECK(bench.host.take() == Lines{"state connected", R"(-> {"op":3,"id":"1"})", R"(-> {"op":8,"body":{"n":1},"seq":1})", "on_connect"});
    REQUIRE(session);
    CHECK(session->client_id == "C1");
    CHECK(session->heartbeat == 20s);
    CHECK(bench.engine.client_id() == "C1");
}

TEST_CASE("the list of servers is walked without waits, and the failure names them all", "[eftl]") {
    EngineOptions options;
    options.servers = 3;
    options.shuffle = false;
    options.shown = {"ws://a", "ws://b", "ws://c"};
    EngineBench bench{options};
    std::string failure;
    bench.engine.connect(bench.now, [&](const Result<EftlSession>& result) { failure = result.error().what(); });
    const Error refused = make_error(Errc::system, "refused");
    bench.engine.link_down(1006, {}, &refused, bench.now);
    bench.engine.link_up(bench.now);
    bench.engine.link_down(4002, "bad password", nullptr, bench.now);
    bench.engine.link_down(1006, {}, &refused, bench.now);
    CHECK(bench.host.take()[1] == "dial 0");
    CHECK(failure ==
          "EFTL-CONNECT-ERROR: connecting failed: ws://a: refused; ws://b: the connection was closed with 4002 (bad password); ws://c: refused");
    CHECK(bench.engine.state() == EftlState::disconnected);
    CHECK(bench.engine.next_deadline() == Clock::time_point::max());
}

TEST_CASE("the list is shuffled once and walked in that order ever after", "[eftl]") {
    EngineOptions options;
    options.servers = 3;
    EngineBench bench{options};
    bench.random = 0;
    bench.engine.connect(bench.now, [](const Result<EftlSession>&) {});
    for (int i = 0; i < 3; ++i) bench.engine.link_down(1006, "x", nullptr, bench.now);
    const Lines first = bench.host.take();
    CHECK(first == Lines{"state connecting", "dial 1", "dial 2", "dial 0", "state disconnected", "on_disconnect 1006 x"});
    bench.engine.connect(bench.now, [](const Result<EftlSession>&) {});
    CHECK(bench.host.take() == Lines{"state connecting", "dial 1"});
}

TEST_CASE("refused credentials are an error of the log-in with the server's words", "[eftl]") {
    EngineBench bench;
    std::optional<Error> failure;
    bench.engine.connect(bench.now, [&](const Result<EftlSession>& result) { failure = result.error(); });
    bench.engine.link_up(bench.now);
    bench.engine.received(R"({"op":10,"err":12,"reason":"who are you"})", bench.now);
    bench.engine.link_down(4002, "Not authenticated", nullptr, bench.now);
    REQUIRE(failure);
    CHECK(failure->name() == "EFTL-LOGIN-ERROR");
    CHECK(failure->reason() == Reason::denied);
    CHECK(std::string{failure->what()}.find("who are you") != std::string::npos);
    CHECK(failure->detail<EftlErrorDetail>()->code == 4002);
}

TEST_CASE("a log-in that is not answered in time is the end of that server's turn", "[eftl]") {
    EngineOptions options;
    options.servers = 2;
    options.shuffle = false;
    options.login_timeout = 5s;
    EngineBench bench{options};
    bench.engine.connect(bench.now, [](const Result<EftlSession>&) {});
    bench.engine.link_up(bench.now);
    CHECK(bench.engine.next_deadline() == bench.now + 5s);
    bench.host.take();
    bench.now += 5s;
    bench.engine.tick(bench.now);
    CHECK(bench.host.take() == Lines{"drop 1000", "dial 1"});
}

TEST_CASE("delays double from about a second to the longest, and none is without chance", "[eftl]") {
    CHECK(reconnect_delay(0, 30s, 0) == 500ms);
    CHECK(reconnect_delay(0, 30s, 0.999) == 1499ms);
    CHECK(reconnect_delay(3, 30s, 0.5) == 8s);
    CHECK(reconnect_delay(5, 30s, 0.5) == 22'500ms);
    CHECK(reconnect_delay(255, 30s, 0) == 15s);
    CHECK(reconnect_delay(255, 30s, 0.999) <= 30s);
    CHECK(reconnect_delay(0, 0ms, 0.5) == 0ms);
}

TEST_CASE("a lost connection is made anew with the same session, and what was open goes again with the same numbers", "[eftl]") {
    EngineBench bench;
    bench.connected();
    const std::string id = bench.subscribed();
    bench.publish(1);
    bench.publish(2);
    bench.received(R"({"op":9,"seq":1})");
    CHECK(bench.took() == Lines{"1 ok"});
    bench.host.take();

    bench.engine.link_down(1006, {}, nullptr, bench.now);
    CHECK(bench.host.take() == Lines{"state disconnected", "state reconnecting"});
    CHECK(bench.engine.next_deadline() == bench.now + 1s);
    bench.publish(3);
    bench.now += 1s;
    bench.engine.tick(bench.now);
    bench.engine.link_up(bench.now);
    CHECK(bench.host.take() == Lines{"dial 0", R"(-> {"op":1,"protocol":1,"client_type":"C","client_version":"","client_id":"C1","id_token":"T1",)"
                                               R"("login_options":{"_qos":"true","_resume":"true"}})"});
    bench.engine.received(EngineBench::k_welcome_resumed, bench.now);
    CHECK(bench.host.take() == Lines{"state connected", R"(-> {"op":3,"id":"1"})", R"(-> {"op":8,"body":{"n":2},"seq":2})",
                                     R"(-> {"op":8,"body":{"n":3},"seq":3})", "on_recover resumed"});
    bench.received(R"({"op":4,"id":"1"})");
    CHECK(bench.host.take() == Lines{"on_subscribe 1"});
    bench.received(R"({"op":9,"seq":3})");
    bench.received(R"({"op":9,"seq":2})");
    CHECK(bench.took() == Lines{"3 ok", "2 ok"});
    CHECK(bench.engine.in_flight() == 0);
}

TEST_CASE("attempts run out after as many walks as are allowed, and what is open ends then", "[eftl]") {
    EngineOptions options;
    options.attempts = 2;
    EngineBench bench{options};
    bench.connected();
    bench.publish(1);
    bench.engine.link_down(1006, "gone", nullptr, bench.now);
    for (int i = 0; i < 2; ++i) {
        bench.now = bench.engine.next_deadline();
        bench.engine.tick(bench.now);
        bench.engine.link_down(1006, "still gone", nullptr, bench.now);
    }
    CHECK(bench.host.take() == Lines{R"(-> {"op":8,"body":{"n":1},"seq":1})", "state disconnected", "state reconnecting", "dial 0", "dial 0",
                                     "state disconnected", "on_disconnect 1006 still gone"});
    CHECK(bench.took() == Lines{"1 EFTL-DISCONNECTED"});
}

TEST_CASE("a server that restarts is reconnected to, other closes are final", "[eftl]") {
    for (const int code : {1006, 1012}) {
        EngineBench bench;
        bench.connected();
        bench.engine.link_down(code, "x", nullptr, bench.now);
        CHECK(bench.engine.state() == EftlState::reconnecting);
    }
    for (const int code : {1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1011, 4000, 4001, 4002}) {
        EngineBench bench;
        bench.connected();
        bench.publish(1);
        bench.host.take();
        bench.engine.link_down(code, "why", nullptr, bench.now);
        CHECK(bench.host.take() == Lines{"state disconnected", "on_disconnect " + std::to_string(code) + " why"});
        CHECK(bench.took() == Lines{"1 EFTL-DISCONNECTED"});
    }
}

TEST_CASE("reconnecting by hand keeps client id, subscriptions and numbers", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.publish(1);
    bench.received(R"({"op":9,"seq":1})");
    bench.engine.link_down(1001, "shutting down", nullptr, bench.now);
    bench.host.take();
    bench.engine.connect(bench.now, [](const Result<EftlSession>&) {});
    bench.engine.link_up(bench.now);
    bench.engine.received(EngineBench::k_welcome, bench.now);
    bench.publish(2);
    CHECK(bench.host.take() == Lines{"state connecting", "dial 0",
                                     R"(-> {"op":1,"protocol":1,"client_type":"C","client_version":"","client_id":"C1","id_token":"T1",)"
                                     R"("login_options":{"_qos":"true","_resume":"true"}})",
                                     "state connected", R"(-> {"op":3,"id":"1"})", "on_reconnect", R"(-> {"op":8,"body":{"n":2},"seq":2})"});
}

TEST_CASE("what a lost session leaves open is sent again or given up, as was chosen", "[eftl]") {
    EngineOptions careful;
    careful.resend = EftlResend::resumed;
    EngineBench bench{careful};
    bench.connected();
    bench.publish(1);
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    bench.publish(2);  // was never sent, so it can go
    bench.now = bench.engine.next_deadline();
    bench.engine.tick(bench.now);
    bench.engine.link_up(bench.now);
    bench.host.take();
    bench.engine.received(EngineBench::k_welcome, bench.now);
    CHECK(bench.took() == Lines{"1 EFTL-DISCONNECTED"});
    CHECK(bench.host.take() == Lines{"state connected", R"(-> {"op":8,"body":{"n":2},"seq":2})", "on_recover"});

    EngineBench bold;
    bold.connected();
    bold.publish(1);
    bold.host.take();
    bold.back(EngineBench::k_welcome);
    CHECK(bold.took().empty());
    CHECK(bold.host.take().at(5) == R"(-> {"op":8,"body":{"n":1},"seq":1})");
}

TEST_CASE("a heartbeat goes back as it came", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.received(R"({ "op" : 0, "extra":[1] })");
    CHECK(bench.host.take() == Lines{R"(-> { "op" : 0, "extra":[1] })"});
}

TEST_CASE("a server that is silent for too long is looked at once more, and then lost", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.now += 59s;
    bench.received(R"({"op":0})");
    bench.host.take();
    CHECK(bench.engine.next_deadline() == bench.now + 60s);
    bench.now += 60s;
    bench.engine.tick(bench.now);
    CHECK(bench.host.take().empty());
    bench.engine.received(R"({"op":0})", bench.now);  // it was in the socket all the time
    bench.host.take();
    bench.now += 60s;
    bench.engine.tick(bench.now);
    bench.now = bench.engine.next_deadline();
    bench.engine.tick(bench.now);
    CHECK(bench.host.take() == Lines{"drop 0", "state disconnected", "state reconnecting"});
}

TEST_CASE("where the server tells no time-out its heartbeats are counted, and without any there is no limit", "[eftl]") {
    EngineBench bench;
    bench.connected(R"({"op":2,"client_id":"C","id_token":"T","timeout":0,"heartbeat":10,"_qos":"true"})");
    CHECK(bench.engine.next_deadline() == bench.now + 30s);
    EngineBench quiet;
    quiet.connected(R"({"op":2,"client_id":"C","id_token":"T","_qos":"true"})");
    CHECK(quiet.engine.next_deadline() == Clock::time_point::max());
}

TEST_CASE("messages are acknowledged after they were delivered, all that came at a time at once", "[eftl]") {
    EngineBench bench;
    bench.connected();
    const std::string id = bench.subscribed();
    bench.engine.received(R"({"op":7,"to":"1","seq":1,"body":{"a":1}})", bench.now);
    bench.engine.received(R"({"op":7,"to":"1","seq":2,"body":{"a":2}})", bench.now);
    CHECK(bench.host.take() == Lines{R"(message 1 {"a":1})", R"(message 1 {"a":2})"});
    CHECK(bench.engine.has_acks());
    bench.engine.flush_acks();
    CHECK(bench.host.take() == Lines{R"(-> {"op":9,"seq":2,"id":"1"})"});
    CHECK_FALSE(bench.engine.has_acks());
}

TEST_CASE("a message carries where it came by", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.received(R"({"op":7,"to":"1","seq":5,"sid":9,"cnt":2,"reply_to":"r","req":3,"body":{}})");
    const EftlReceipt& receipt = bench.host.messages.at(0).receipt();
    CHECK(receipt.subscription == "1");
    CHECK(receipt.sequence == 5);
    CHECK(receipt.store_message_id == 9);
    CHECK(receipt.delivery_count == 2);
    CHECK(bench.host.messages[0].is_request());
    CHECK(receipt.request_id == 3);
}

TEST_CASE("a repeat is acknowledged again and not delivered again", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.received(R"({"op":7,"to":"1","seq":1,"body":{}})");
    bench.host.take();
    bench.back(EngineBench::k_welcome_resumed);
    bench.host.take();
    bench.received(R"([{"to":"1","seq":1,"cnt":2,"body":{}},{"to":"1","seq":2,"body":{}}])");
    CHECK(bench.host.take() == Lines{"message 1 {}", R"(-> {"op":9,"seq":2,"id":"1"})"});

    bench.back(EngineBench::k_welcome);  // a session that is lost begins to count anew
    bench.host.take();
    bench.received(R"({"op":7,"to":"1","seq":1,"body":{}})");
    CHECK(bench.host.take() == Lines{"message 1 {}", R"(-> {"op":9,"seq":1,"id":"1"})"});
}

TEST_CASE("an event without a number is delivered and not acknowledged, one of an unknown subscription is ignored", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.received(R"({"op":7,"to":"1","body":{}})");
    bench.received(R"({"op":7,"to":"1","body":{}})");
    bench.received(R"({"op":7,"to":"2","seq":1,"body":{}})");
    CHECK(bench.host.take() == Lines{"message 1 {}", "message 1 {}"});
}

TEST_CASE("what the client acknowledges is one message, or all up to it, and each only once", "[eftl]") {
    EngineBench bench;
    bench.connected();
    EftlSubscription by_hand;
    by_hand.ack = EftlAck::client;
    bench.subscribed(by_hand);
    for (int i = 1; i <= 4; ++i) bench.received(R"({"op":7,"to":"1","seq":)" + std::to_string(i) + R"(,"body":{}})");
    bench.host.take();
    const auto& messages = bench.host.messages;
    bench.engine.acknowledge(messages[1].receipt(), false);
    CHECK(bench.host.take() == Lines{R"(-> {"op":9,"seq":2})"});
    bench.engine.acknowledge(messages[1].receipt(), false);
    CHECK(bench.host.take().empty());
    bench.engine.acknowledge(messages[3].receipt(), true);
    CHECK(bench.host.take() == Lines{R"(-> {"op":9,"seq":4,"id":"1"})"});
}

TEST_CASE("an acknowledgement that a loss took along is made again when the message comes again", "[eftl]") {
    EngineBench bench;
    bench.connected();
    EftlSubscription by_hand;
    by_hand.ack = EftlAck::client;
    bench.subscribed(by_hand);
    bench.received(R"({"op":7,"to":"1","seq":1,"body":{}})");
    bench.received(R"({"op":7,"to":"1","seq":2,"body":{}})");
    const auto messages = bench.host.messages;
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    bench.engine.acknowledge(messages[0].receipt(), false);  // while there is no connection
    bench.now = bench.engine.next_deadline();
    bench.engine.tick(bench.now);
    bench.engine.link_up(bench.now);
    bench.engine.received(EngineBench::k_welcome_resumed, bench.now);
    bench.host.take();
    bench.received(R"({"op":7,"to":"1","seq":1,"cnt":2,"body":{}})");
    CHECK(bench.host.take() == Lines{R"(-> {"op":9,"seq":1})"});
    bench.received(R"({"op":7,"to":"1","seq":2,"cnt":2,"body":{}})");
    CHECK(bench.host.take().empty());  // nobody acknowledged it yet
    bench.engine.acknowledge(messages[1].receipt(), false);
    CHECK(bench.host.take() == Lines{R"(-> {"op":9,"seq":2})"});
}

TEST_CASE("nothing is acknowledged that a session now gone had sent", "[eftl]") {
    EngineBench bench;
    bench.connected();
    EftlSubscription by_hand;
    by_hand.ack = EftlAck::client;
    bench.subscribed(by_hand);
    bench.received(R"({"op":7,"to":"1","seq":1,"body":{}})");
    const EftlMessage old = bench.host.messages.at(0);
    bench.back(EngineBench::k_welcome);
    bench.received(R"({"op":7,"to":"1","seq":1,"body":{}})");
    bench.host.take();
    bench.engine.acknowledge(old.receipt(), true);
    CHECK(bench.host.take().empty());
    bench.engine.acknowledge(bench.host.messages.at(1).receipt(), true);
    CHECK(bench.host.take() == Lines{R"(-> {"op":9,"seq":1,"id":"1"})"});
}

TEST_CASE("a message that waits for its reader is acknowledged when that has it, not before", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed({}, false);
    bench.received(R"({"op":7,"to":"1","seq":1,"body":{}})");
    CHECK_FALSE(bench.engine.has_acks());
    bench.back(EngineBench::k_welcome_resumed);
    bench.host.take();
    bench.received(R"({"op":7,"to":"1","seq":1,"cnt":2,"body":{}})");
    CHECK(bench.host.take().empty());
    bench.engine.consumed(bench.host.messages.at(0).receipt());
    bench.engine.flush_acks();
    CHECK(bench.host.take() == Lines{R"(-> {"op":9,"seq":1,"id":"1"})"});
}

TEST_CASE("without quality of service nothing is acknowledged, and a publish is over when it was sent", "[eftl]") {
    EngineBench bench;
    bench.connected(R"({"op":2,"client_id":"C","id_token":"T","timeout":60,"heartbeat":20,"protocol":1})");
    bench.subscribed();
    bench.received(R"({"op":7,"to":"1","seq":1,"body":{}})");
    bench.host.take();
    bench.publish(1);
    EftlMessage message;
    bench.submit(Kind::map_set, map_set_frame("m", "k", message));
    bench.submit(Kind::map_get, map_get_frame("m", "k"));
    CHECK(bench.host.take() ==
          Lines{R"(-> {"op":8,"body":{"n":1}})", R"(-> {"op":20,"map":"m","key":"k","value":{}})", R"(-> {"op":22,"map":"m","key":"k","seq":3})"});
    CHECK(bench.took() == Lines{"1 ok", "2 ok"});
    bench.received(R"({"op":26,"seq":3})");
    CHECK(bench.took() == Lines{"3 ok"});
}

TEST_CASE("answers find their operation by its number alone, and unknown ones are ignored", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.publish(1);
    bench.publish(2);
    bench.publish(3);
    bench.received(R"({"op":9,"seq":2,"err":12,"reason":"not you"})");
    bench.received(R"({"op":9,"seq":3})");
    bench.received(R"({"op":9,"seq":3})");
    bench.received(R"({"op":9,"seq":99})");
    bench.received(R"({"op":9})");
    CHECK(bench.took() == Lines{"2 EFTL-PUBLISH-ERROR", "3 ok"});
    CHECK(bench.engine.in_flight() == 1);
}

TEST_CASE("what a server refuses is told with its number and words", "[eftl]") {
    EngineBench bench;
    bench.connected();
    std::optional<Error> error;
    bench.engine.submit(Kind::map_set, map_set_frame("m", "k", {}), bench.now, Clock::time_point::max(),
                        [&](const Result<Answer>& result) { error = result.error(); });
    bench.received(R"({"op":26,"seq":1,"err":14,"reason":"Not authorized"})");
    REQUIRE(error);
    CHECK(std::string{error->what()} == "EFTL-MAP-ERROR: setting a key of a map failed: the server answered 14 (Not authorized)");
    CHECK(error->reason() == Reason::permission);
    CHECK(error->detail<EftlErrorDetail>()->code == 14);
    CHECK(error->detail<EftlErrorDetail>()->reason == "Not authorized");
}

TEST_CASE("a request is answered, in time or not at all", "[eftl]") {
    EngineBench bench;
    bench.connected();
    EftlMessage message;
    bench.submit(Kind::request, request_frame(message), bench.now + 5s);
    bench.submit(Kind::request, request_frame(message), bench.now + 1s);
    bench.submit(Kind::request, request_frame(message));
    bench.received(R"({"op":9,"seq":1})");  // taken; the reply comes by itself
    bench.received(R"({"op":14,"seq":1,"body":{"a":1}})");
    CHECK(bench.engine.next_deadline() == bench.now + 1s);
    bench.now += 1s;
    bench.engine.tick(bench.now);
    bench.received(R"({"op":14,"seq":2,"body":{}})");
    bench.received(R"({"op":14,"seq":3})");
    CHECK(bench.took() == Lines{R"(1 ok {"a":1})", "2 EFTL-REQUEST-TIMEOUT", "3 ok {}"});
}

TEST_CASE("a server of protocol 0 gets no requests", "[eftl]") {
    EngineBench bench;
    bench.submit(Kind::request, request_frame({}));
    bench.connected(R"({"op":2,"client_id":"C","id_token":"T","timeout":60,"heartbeat":20,"_qos":"true"})");
    bench.submit(Kind::request, request_frame({}));
    EftlMessage request;
    request.receipt().reply_to = "x";
    bench.submit(Kind::reply, reply_frame(request, {}));
    CHECK(bench.host.take().empty());
    CHECK(bench.took() == Lines{"1 EFTL-NOT-CONNECTED", "2 EFTL-UNSUPPORTED", "3 EFTL-UNSUPPORTED"});
}

TEST_CASE("what is larger than the server takes is not sent, measured in bytes of UTF-8", "[eftl]") {
    EngineBench bench;
    bench.connected(R"({"op":2,"client_id":"C","id_token":"T","max_size":42,"_qos":"true","protocol":1})");
    EftlMessage message;
    message.set_string("a", "0123456789");  // a frame of 42 bytes
    bench.submit(Kind::publish, publish_frame(message));
    CHECK(bench.host.take().size() == 1);
    message.set_string("a", "012345678ü");
    bench.submit(Kind::publish, publish_frame(message));
    CHECK(bench.host.take().empty());
    CHECK(bench.took() == Lines{"2 EFTL-MESSAGE-TOO-LARGE"});
    CHECK(bench.publish(1) == 2);  // it took no number
}

TEST_CASE("a deadline ends what was sent, and a late answer finds nothing", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.publish(1, bench.now + 1s);
    bench.publish(2, bench.now);
    CHECK(bench.took() == Lines{"2 TIMEOUT"});
    bench.now += 1s;
    bench.engine.tick(bench.now);
    CHECK(bench.took() == Lines{"1 TIMEOUT"});
    bench.received(R"({"op":9,"seq":1})");
    CHECK(bench.took().empty());
    const auto seq = bench.publish(3);
    bench.engine.cancel(seq, make_error(Errc::cancelled, "by the caller"));
    CHECK(bench.took() == Lines{"3 CANCELLED"});
}

TEST_CASE("a deadline that passes while there is no connection tells why there is none", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.received("oops");
    EftlMessage message;
    message.set_long("n", 1);
    std::string words;
    bench.engine.submit(eftl::Kind::publish, eftl::publish_frame(message), bench.now, bench.now + 500ms,
                        [&](const Result<eftl::Answer>& result) { words = result.error().what(); });
    bench.now += 500ms;
    bench.engine.tick(bench.now);
    CAPTURE(words);
    CHECK(words.find("TIMEOUT") != std::string::npos);
    CHECK(words.find("there is no connection: 1006 (the server sent what is no frame") != std::string::npos);
}

TEST_CASE("deadlines of what was answered long ago take no room", "[eftl]") {
    EngineBench bench;
    bench.connected();
    for (int i = 1; i <= 20'000; ++i) {
        bench.publish(i, bench.now + 1h);
        bench.received(R"({"op":9,"seq":)" + std::to_string(i) + "}");
    }
    CHECK(bench.engine.timers() < 1000);
    CHECK(bench.took().size() == 20'000);
}

TEST_CASE("1,000 subscriptions and 10,000 messages in flight, again and again, leave nothing behind", "[eftl]") {
    EngineBench bench;
    bench.connected();
    const auto frame = [](int op, const std::string& rest) { return R"({"op":)" + std::to_string(op) + ',' + rest + '}'; };
    std::int64_t event = 0;
    for (int round = 0; round < 4; ++round) {
        std::vector<std::string> ids;
        for (int i = 0; i < 1000; ++i) {
            ids.push_back(bench.engine.next_id());
            bench.engine.subscribe(ids.back(), {}, true, bench.now, bench.now + 60s, [](const Result<std::string>&) {});
            bench.received(frame(4, R"("id":")" + ids.back() + '"'));
        }
        std::vector<std::int64_t> numbers;
        for (int i = 0; i < 10'000; ++i) numbers.push_back(bench.publish(i, bench.now + 60s));
        CHECK(bench.engine.in_flight() == 10'000);
        CHECK(bench.engine.subscriptions() == 1000);
        for (const std::string& id : ids) bench.received(frame(7, R"("to":")" + id + R"(","seq":)" + std::to_string(++event) + R"(,"body":{})"));
        for (const std::int64_t seq : numbers) bench.received(frame(9, R"("seq":)" + std::to_string(seq)));
        for (const std::string& id : ids) bench.engine.unsubscribe(id, false);
        bench.host.take();
        bench.host.messages.clear();
        CHECK(bench.took().size() == 10'000);
        CHECK(bench.engine.in_flight() == 0);
        CHECK(bench.engine.subscriptions() == 0);
        CHECK_FALSE(bench.engine.has_acks());
        CHECK(bench.engine.timers() <= 64 + 2 * 11'000 + 1);
        bench.publish(0, bench.now + 60s);
        bench.received(frame(9, R"("seq":)" + std::to_string(numbers.back() + 1)));
        CHECK(bench.engine.timers() <= 65);  // what was left of the round is gone
        bench.took();
    }
}

TEST_CASE("a subscription that the server refuses at first is forgotten, later ones only with code 22", "[eftl]") {
    EngineBench bench;
    bench.connected();
    std::optional<Error> error;
    bench.engine.subscribe(bench.engine.next_id(), {}, true, bench.now, Clock::time_point::max(),
                           [&](const Result<std::string>& result) { error = result.error(); });
    bench.received(R"({"op":6,"id":"1","err":21,"reason":"not now"})");
    REQUIRE(error);
    CHECK(error->name() == "EFTL-SUBSCRIBE-ERROR");
    CHECK(error->retryable());
    CHECK(bench.engine.subscriptions() == 0);

    bench.subscribed();
    bench.subscribed();
    bench.received(R"({"op":6,"id":"2","err":21,"reason":"stopped"})");
    bench.received(R"({"op":6,"id":"3","err":22,"reason":"bad"})");
    CHECK(bench.host.take() == Lines{"on_subscription_error 2 21 stopped", "on_subscription_error 3 22 bad gone"});
    bench.back(EngineBench::k_welcome);
    CHECK(bench.host.take().at(5) == R"(-> {"op":3,"id":"2"})");
}

TEST_CASE("a subscription that is not answered in time is closed, and its durable stays", "[eftl]") {
    EngineBench bench;
    bench.connected();
    EftlSubscription durable;
    durable.durable = "d";
    std::string name;
    bench.engine.subscribe(bench.engine.next_id(), durable, true, bench.now, bench.now + 2s,
                           [&](const Result<std::string>& result) { name = result.error().name(); });
    bench.host.take();
    bench.now += 2s;
    bench.engine.tick(bench.now);
    CHECK(name == "TIMEOUT");
    CHECK(bench.host.take() == Lines{R"(-> {"op":5,"id":"1","del":false})"});
    CHECK(bench.engine.subscriptions() == 0);
}

TEST_CASE("an ended subscription delivers nothing, and is not asked for again", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.subscribed();
    bench.engine.received(R"({"op":7,"to":"1","seq":1,"body":{}})", bench.now);
    bench.host.take();
    bench.engine.unsubscribe("1", false);
    CHECK(bench.host.take() == Lines{R"(-> {"op":9,"seq":1,"id":"1"})", R"(-> {"op":5,"id":"1"})"});
    bench.received(R"({"op":7,"to":"1","seq":2,"body":{}})");
    bench.engine.unsubscribe("2", true);
    CHECK(bench.host.take() == Lines{R"(-> {"op":5,"id":"2","del":false})"});
    bench.back(EngineBench::k_welcome_resumed);
    CHECK(bench.host.take().back() == "on_recover resumed");
    CHECK(bench.engine.next_id() == "3");
}

TEST_CASE("an end that was decided without a connection is told to a server that has kept the session", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    bench.engine.unsubscribe("1", false);
    bench.now = bench.engine.next_deadline();
    bench.engine.tick(bench.now);
    bench.engine.link_up(bench.now);
    bench.host.take();
    bench.engine.received(EngineBench::k_welcome_resumed, bench.now);
    CHECK(bench.host.take() == Lines{"state connected", R"(-> {"op":5,"id":"1"})", "on_recover resumed"});
}

TEST_CASE("a stopped subscription neither delivers nor acknowledges until the server has started it", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.received(R"({"op":7,"to":"1","seq":1,"body":{}})");
    bench.host.take();
    bench.engine.stop("1");
    bench.received(R"({"op":7,"to":"1","seq":2,"body":{}})");
    bench.engine.start("1");
    bench.received(R"({"op":7,"to":"1","seq":2,"body":{}})");
    CHECK(bench.host.take() == Lines{R"(-> {"op":28,"id":"1","seq":1})", R"(-> {"op":30,"id":"1"})"});
    bench.received(R"({"op":31,"to":"1"})");
    bench.received(R"({"op":7,"to":"1","seq":2,"body":{}})");
    CHECK(bench.host.take() == Lines{"message 1 {}", R"(-> {"op":9,"seq":2,"id":"1"})"});
}

TEST_CASE("a subscription that was never delivered to stops at 0, and is asked for as a stopped one after a loss", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.engine.stop("1");
    CHECK(bench.host.take() == Lines{R"(-> {"op":28,"id":"1","seq":0})"});
    bench.back(EngineBench::k_welcome);
    CHECK(bench.host.take().at(5) == R"(-> {"op":3,"id":"1","stopped":true})");
    bench.engine.start("1");
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    bench.now = bench.engine.next_deadline();
    bench.engine.tick(bench.now);
    bench.engine.link_up(bench.now);
    bench.engine.received(EngineBench::k_welcome, bench.now);
    bench.received(R"({"op":4,"id":"1"})");
    bench.host.take();
    bench.received(R"({"op":7,"to":"1","seq":1,"body":{}})");
    CHECK(bench.host.take().at(0) == "message 1 {}");
}

TEST_CASE("a disconnection waits for the answers, acknowledges, says good-bye, and is told once", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.publish(1);
    bench.engine.received(R"({"op":7,"to":"1","seq":4,"body":{}})", bench.now);
    bench.host.take();
    int done = 0;
    bench.engine.disconnect(bench.now + 10s, [&] { ++done; });
    CHECK(bench.host.take() == Lines{"state disconnecting"});
    bench.publish(2);
    CHECK(bench.took() == Lines{"2 EFTL-NOT-CONNECTED"});
    bench.engine.received(R"({"op":9,"seq":1})", bench.now);
    CHECK(bench.took() == Lines{"1 ok"});
    CHECK(bench.host.take() == Lines{R"(-> {"op":9,"seq":4,"id":"1"})", R"(-> {"op":11})", "close 1000"});
    bench.engine.received(R"({"op":7,"to":"1","seq":5,"body":{}})", bench.now);
    CHECK(bench.host.take().empty());
    bench.engine.link_down(1000, {}, nullptr, bench.now);
    CHECK(bench.host.take() == Lines{"state disconnected", "on_disconnect 1000 "});
    CHECK(done == 1);
    CHECK(bench.engine.next_deadline() == Clock::time_point::max());
}

TEST_CASE("a disconnection whose deadline passes ends what is open", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.publish(1);
    bench.host.take();
    bool done = false;
    bench.engine.disconnect(bench.now + 1s, [&] { done = true; });
    bench.now += 1s;
    bench.engine.tick(bench.now);
    CHECK(done);
    CHECK(bench.took() == Lines{"1 EFTL-DISCONNECTED"});
    CHECK(bench.host.take() == Lines{"state disconnecting", R"(-> {"op":11})", "leave 1000", "state disconnected", "on_disconnect 1000 "});
}

TEST_CASE("a disconnection ends an attempt to reconnect, and what it kept", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    bench.publish(1);
    bench.host.take();
    bool done = false;
    bench.engine.disconnect(Clock::time_point::max(), [&] { done = true; });
    CHECK(done);
    CHECK(bench.took() == Lines{"1 EFTL-DISCONNECTED"});
    CHECK(bench.host.take() == Lines{"state disconnecting", "drop 1000", "state disconnected", "on_disconnect 1000 "});
    CHECK(bench.engine.next_deadline() == Clock::time_point::max());
}

TEST_CASE("a connection that breaks while it is being closed is not made anew", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.publish(1);
    bool done = false;
    bench.engine.disconnect(Clock::time_point::max(), [&] { done = true; });
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    CHECK(done);
    CHECK(bench.took() == Lines{"1 EFTL-DISCONNECTED"});
    CHECK(bench.engine.state() == EftlState::disconnected);
}

TEST_CASE("connecting twice is an error, waiting for a connection that is being made is none", "[eftl]") {
    EngineBench bench;
    int welcomes = 0;
    bench.engine.connect(bench.now, [&](const Result<EftlSession>& r) { welcomes += r.has_value() ? 1 : 0; });
    bench.engine.connect(bench.now, [&](const Result<EftlSession>& r) { welcomes += r.has_value() ? 1 : 0; });
    bench.engine.link_up(bench.now);
    bench.engine.received(EngineBench::k_welcome, bench.now);
    CHECK(welcomes == 2);
    std::string name;
    bench.engine.connect(bench.now, [&](const Result<EftlSession>& r) { name = r.error().name(); });
    CHECK(name == "EFTL-ALREADY-CONNECTED");
}

TEST_CASE("an attempt that nobody waits for any more ends", "[eftl]") {
    EngineBench bench;
    std::string name;
    const auto number = bench.engine.connect(bench.now, [&](const Result<EftlSession>& r) { name = r.error().name(); });
    bench.engine.cancel_connect(number, make_error(Errc::cancelled, "by the caller"));
    CHECK(name == "CANCELLED");
    CHECK(bench.engine.state() == EftlState::disconnected);
}

TEST_CASE("errors of the server go to their handler, and the connection stands", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.received(R"({"op":10,"err":20,"reason":"bad subscription id"})");
    CHECK(bench.host.take() == Lines{"on_error 20 bad subscription id"});
    CHECK(bench.engine.state() == EftlState::connected);
}

TEST_CASE("frames of other protocols are ignored", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.received(R"({"op":77,"x":1})");
    bench.received(R"({})");
    bench.received(R"({"op":17})");
    CHECK(bench.host.take().empty());
    bench.received(R"({"op":12,"err":1012,"reason":"restart"})");  // the good-bye of old servers
    CHECK(bench.host.take() == Lines{"drop 1000", "state disconnected", "state reconnecting"});
}

TEST_CASE("what is no eFTL breaks the connection, which is then made anew", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.received("oops");
    const Lines lines = bench.host.take();
    REQUIRE(lines.size() == 4);
    CHECK(lines[0].starts_with("on_error 1002 the server sent what is no frame"));
    CHECK(lines[1] == "drop 1007");
    CHECK(lines[3] == "state reconnecting");
}

TEST_CASE("a server that lets in and then talks nonsense is waited for longer and longer, and given up with its nonsense told", "[eftl]") {
    EngineOptions options;
    options.attempts = 4;
    options.max_delay = 5s;
    EngineBench bench{options};
    bench.connected();
    bench.publish(1);
    std::vector<Clock::duration> waits;
    for (int i = 0; i < 4; ++i) {
        bench.received("oops");
        waits.push_back(bench.engine.next_deadline() - bench.now);
        bench.made_anew(EngineBench::k_welcome_resumed);
        REQUIRE(bench.engine.state() == EftlState::connected);
    }
    CHECK(waits == std::vector<Clock::duration>{1s, 2s, 4s, 3750ms});
    CHECK(bench.took().empty());
    bench.received("oops");
    CHECK(bench.took() == Lines{"1 EFTL-PROTOCOL-ERROR"});
    CHECK(bench.host.take().back().starts_with("on_disconnect 1006 the server sent what is no frame"));
}

TEST_CASE("a server that lets in and then breaks the connection is waited for longer and longer, and given up", "[eftl]") {
    EngineOptions options;
    options.attempts = 4;
    options.max_delay = 5s;
    EngineBench bench{options};
    bench.connected();
    bench.subscribed();
    bench.publish(1);
    std::vector<Clock::duration> waits;
    for (int i = 0; i < 4; ++i) {
        bench.engine.link_down(1006, "reset", nullptr, bench.now);
        waits.push_back(bench.engine.next_deadline() - bench.now);
        bench.made_anew(EngineBench::k_welcome_resumed);
        bench.received(R"({"op":4,"id":"1"})");
        REQUIRE(bench.engine.state() == EftlState::connected);
    }
    CHECK(waits == std::vector<Clock::duration>{1s, 2s, 4s, 3750ms});
    CHECK(bench.took().empty());
    bench.engine.link_down(1006, "reset", nullptr, bench.now);
    CHECK(bench.took() == Lines{"1 EFTL-DISCONNECTED"});
    CHECK(bench.host.take().back() == "on_disconnect 1006 reset");
}

TEST_CASE("a connection that was of use begins the waits anew: by a message, an answer, or by having stood", "[eftl]") {
    const std::string use = GENERATE(as<std::string>{}, R"({"op":7,"to":"1","seq":1,"body":{}})", R"({"op":9,"seq":1})", "");
    CAPTURE(use);
    EngineOptions options;
    options.attempts = 2;
    options.max_delay = 5s;
    EngineBench bench{options};
    bench.connected();
    bench.subscribed();
    bench.publish(1);
    bench.back(EngineBench::k_welcome_resumed);
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    CHECK(bench.engine.next_deadline() == bench.now + 2s);
    bench.made_anew(EngineBench::k_welcome_resumed);
    if (use.empty())
        bench.now += 5s;
    else
        bench.received(use);
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    CHECK(bench.engine.next_deadline() == bench.now + 1s);

    // The same message once more is no progress.
    if (!use.starts_with(R"({"op":7)")) return;
    bench.made_anew(EngineBench::k_welcome_resumed);
    bench.received(use);
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    CHECK(bench.engine.next_deadline() == bench.now + 2s);
}

TEST_CASE("nonsense on a connection that had stood for a while begins the waits anew", "[eftl]") {
    EngineOptions options;
    options.attempts = 1;
    options.max_delay = 5s;
    EngineBench bench{options};
    bench.connected();
    for (int i = 0; i < 5; ++i) {
        bench.now += 5s;
        bench.received("oops");
        CHECK(bench.engine.next_deadline() == bench.now + 1s);
        bench.made_anew(EngineBench::k_welcome_resumed);
    }
    CHECK(bench.engine.state() == EftlState::connected);
}

TEST_CASE("maps are removed without an answer, later where there is no connection", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.engine.tell(map_destroy_frame("m"));
    CHECK(bench.host.take() == Lines{R"(-> {"op":18,"map":"m"})"});
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    bench.engine.tell(map_destroy_frame("n"));
    bench.now = bench.engine.next_deadline();
    bench.engine.tick(bench.now);
    bench.engine.link_up(bench.now);
    bench.host.take();
    bench.engine.received(EngineBench::k_welcome_resumed, bench.now);
    CHECK(bench.host.take().at(1) == R"(-> {"op":18,"map":"n"})");
}

TEST_CASE("abandoning ends everything at once and tells nobody but who waits", "[eftl]") {
    EngineBench bench;
    bench.connected();
    bench.subscribed();
    bench.publish(1);
    bench.host.take();
    bench.engine.abandon(make_error(Errc::cancelled, "the client was destroyed"));
    CHECK(bench.host.take() == Lines{R"(-> {"op":11})", "leave 1000"});
    CHECK(bench.took() == Lines{"1 CANCELLED"});
    bench.engine.link_down(1006, {}, nullptr, bench.now);
    CHECK(bench.host.take().empty());
}
