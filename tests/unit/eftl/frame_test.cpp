// SPDX-License-Identifier: Apache-2.0
#include "eftl/frame.hpp"

#include <string>
#include <vector>

#include <qconn/eftl/eftl_error.hpp>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::eftl;

namespace {

std::vector<ServerFrame> all_of(std::string_view text) {
    std::vector<ServerFrame> out;
    FrameReader reader{text};
    ServerFrame frame;
    while (reader.next(frame)) out.push_back(frame);
    REQUIRE_FALSE(reader.error());
    return out;
}

std::string finished(std::string frame, std::int64_t seq) {
    finish(frame, seq);
    return frame;
}

}  // namespace

TEST_CASE("a welcome of a real 3.1 server is read, with what it does not say", "[eftl]") {
    const auto frames = all_of(R"({"op":2,"client_id":"3F0A","id_token":"abc=","timeout":600,"heartbeat":240.5,"max_size":8192,"_qos":"true"})");
    REQUIRE(frames.size() == 1);
    const ServerFrame& f = frames[0];
    CHECK(f.op == 2);
    CHECK(f.client_id == "3F0A");
    CHECK(f.id_token == "abc=");
    CHECK(f.timeout == 600);
    CHECK(f.heartbeat == 240.5);
    CHECK(f.max_size == 8192);
    CHECK(f.quality_of_service);
    CHECK(f.protocol == 0);
    CHECK_FALSE(f.resume);
    CHECK_FALSE(f.stop_supported);
}

TEST_CASE("truth is taken as text in any case and as truth", "[eftl]") {
    const ServerFrame f = all_of(R"({"op":2,"_qos":true,"_resume":"TRUE","stop_supported":"false","protocol":"1"})")[0];
    CHECK(f.quality_of_service);
    CHECK(f.resume);
    CHECK_FALSE(f.stop_supported);
    CHECK(f.protocol == 1);
}

TEST_CASE("an event is read whatever the order of its members", "[eftl]") {
    const ServerFrame f = all_of(R"({"body":{"a":9007199254740993},"new":[{}],"cnt":2,"sid":77,"reply_to":"x","req":5,"seq":12,"to":"1","op":7})")[0];
    CHECK(f.op == 7);
    CHECK(f.to == "1");
    CHECK(f.seq == 12);
    CHECK(f.store_message_id == 77);
    CHECK(f.delivery_count == 2);
    CHECK(f.reply_to == "x");
    CHECK(f.request_id == 5);
    CHECK(f.body->get_long("a") == 9007199254740993);
}

TEST_CASE("an array is a frame for each of its events", "[eftl]") {
    const auto frames = all_of(R"( [ {"to":"1","seq":1,"body":{}} , {"op":7,"to":"2","seq":2,"body":{"a":1}} ] )");
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].op == 7);
    CHECK(frames[1].to == "2");
    CHECK(all_of("[]").empty());
}

TEST_CASE("an error that is null is none", "[eftl]") {
    CHECK_FALSE(all_of(R"({"op":9,"seq":1,"err":null})")[0].err);
    CHECK(all_of(R"({"op":9,"seq":1,"err":12,"reason":"no"})")[0].err == 12);
    CHECK(all_of(R"({"op":9,"seq":1,"err":"12"})")[0].err == 12);
    CHECK_FALSE(all_of(R"({"op":26,"seq":1,"value":null})")[0].body);
    CHECK(all_of(R"({"op":26,"seq":1,"value":{"a":1}})")[0].body->get_long("a") == 1);
}

TEST_CASE("what is no frame is an error and ends the reading", "[eftl]") {
    for (const char* text :
         {"", "1", "\"a\"", "{", "[", "[1]", "[{}", "[{},]", R"({"op":})", R"({"op":7}{"op":7})", R"([{"op":7}]x)", "{\"op\":7,\"to\":\"\xFF\"}"}) {
        INFO(text);
        FrameReader reader{text};
        ServerFrame frame;
        while (reader.next(frame)) {}
        REQUIRE(reader.error());
        CHECK(reader.error()->code() == make_error_code(EftlErrc::protocol));
        CHECK_FALSE(reader.next(frame));
    }
}

TEST_CASE("frames of a client are written as the protocol has them", "[eftl]") {
    Login login;
    login.client_version = "v";
    login.user = "u";
    login.password = "p";
    login.client_id = "id";
    login.max_pending_acks = 10;
    CHECK(login_frame(login) == R"({"op":1,"protocol":1,"client_type":"C","client_version":"v","user":"u","password":"p","client_id":"id",)"
                                R"("max_pending_acks":10,"login_options":{"_qos":"true"}})");
    Login again;
    again.id_token = "t";
    again.resume = true;
    CHECK(login_frame(again) ==
          R"({"op":1,"protocol":1,"client_type":"C","client_version":"","id_token":"t","login_options":{"_qos":"true","_resume":"true"}})");

    EftlSubscription plain;
    CHECK(subscribe_frame("1", plain, false) == R"({"op":3,"id":"1"})");
    EftlSubscription last;
    last.matcher.equals("k", "v");
    last.durable = "d";
    last.type = EftlDurable::last_value;
    last.key = "k";
    last.ack = EftlAck::client;
    CHECK(subscribe_frame("2", last, true) ==
          R"({"op":3,"id":"2","stopped":true,"matcher":"{\"k\":\"v\"}","durable":"d","ack":"client","type":"last-value","key":"k"})");
    CHECK(unsubscribe_frame("2", false) == R"({"op":5,"id":"2"})");
    CHECK(unsubscribe_frame("2", true) == R"({"op":5,"id":"2","del":false})");
    CHECK(ack_frame(5, {}) == R"({"op":9,"seq":5})");
    CHECK(ack_frame(5, "2") == R"({"op":9,"seq":5,"id":"2"})");
    CHECK(stop_frame("2", 0) == R"({"op":28,"id":"2","seq":0})");
    CHECK(start_frame("2") == R"({"op":30,"id":"2"})");
    CHECK(disconnect_frame({}) == R"({"op":11})");
    CHECK(map_destroy_frame("m") == R"({"op":18,"map":"m"})");

    EftlMessage message;
    message.set_long("a", 1);
    CHECK(finished(publish_frame(message), 7) == R"({"op":8,"body":{"a":1},"seq":7})");
    CHECK(finished(request_frame(message), 8) == R"({"op":13,"body":{"a":1},"seq":8})");
    EftlMessage request;
    request.receipt().reply_to = "to \"me\"";
    request.receipt().request_id = 3;
    CHECK(finished(reply_frame(request, message), 9) == R"({"op":15,"to":"to \"me\"","req":3,"body":{"a":1},"seq":9})");
    CHECK(finished(map_set_frame("m", "k", message), 10) == R"({"op":20,"map":"m","key":"k","value":{"a":1},"seq":10})");
    CHECK(finished(map_get_frame("m", "k"), 11) == R"({"op":22,"map":"m","key":"k","seq":11})");
    CHECK(finished(map_remove_frame("m", "k"), INT64_MAX) == R"({"op":24,"map":"m","key":"k","seq":9223372036854775807})");

    std::string unconfirmed = publish_frame(message);
    strip(unconfirmed, finish(unconfirmed, 7));
    CHECK(unconfirmed == R"({"op":8,"body":{"a":1}})");
}

TEST_CASE("a last-value subscription that no server takes is refused before it is sent", "[eftl]") {
    EftlSubscription last;
    last.durable = "d";
    last.type = EftlDurable::last_value;
    CHECK_THROWS_AS(subscribe_frame("1", last, false), Error);
    last.key = "k";
    CHECK_THROWS_AS(subscribe_frame("1", last, false), Error);
    last.matcher.equals("k", 5);
    CHECK_THROWS_AS(subscribe_frame("1", last, false), Error);
    EftlSubscription shared;
    shared.type = EftlDurable::shared;
    CHECK_THROWS_AS(subscribe_frame("1", shared, false), Error);
}
