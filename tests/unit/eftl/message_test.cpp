// SPDX-License-Identifier: Apache-2.0
#include <qconn/eftl/eftl_message.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <qconn/eftl/eftl_error.hpp>

#include "support/catch.hpp"

using namespace qconn;

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

EftlTime at(std::int64_t ms) { return EftlTime{std::chrono::milliseconds{ms}}; }

EftlErrc errc_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        REQUIRE(error.code().category() == eftl_category());
        return static_cast<EftlErrc>(error.code().value());
    }
    FAIL("nothing was thrown");
    return EftlErrc::option;
}

}  // namespace

TEST_CASE("each type has its form on the wire, in the order in which fields were set", "[eftl]") {
    EftlMessage inner;
    inner.set_long("n", 1);
    EftlMessage message;
    message.set_string("text", "a \"b\"\n")
        .set_long("long", -5)
        .set_double("double", 1.5)
        .set_datetime("date", at(-1))
        .set_opaque("opaque", "\x01\x02\x03");
    message.set_message("message", inner)
        .set_string_array("strings", {"a", "b"})
        .set_long_array("longs", {1, 2})
        .set_double_array("doubles", {0.0, 2.5})
        .set_datetime_array("dates", {at(0), at(1500)})
        .set_message_array("messages", {inner, EftlMessage{}})
        .set_long_array("none", {});

    CHECK(message.to_json() == R"({"text":"a \"b\"\n","long":-5,"double":{"_d_":1.5},"date":{"_m_":-1},"opaque":{"_o_":"AQID"},"message":{"n":1},)"
                               R"("strings":["a","b"],"longs":[1,2],"doubles":[{"_d_":0.0},{"_d_":2.5}],"dates":[{"_m_":0},{"_m_":1500}],)"
                               R"("messages":[{"n":1},{}],"none":[]})");
}

TEST_CASE("what is read back is what was written", "[eftl]") {
    EftlMessage inner;
    inner.set_string("deep", "ü").set_opaque("empty", "");
    EftlMessage message;
    message.set_string("s", "")
        .set_long("min", INT64_MIN)
        .set_long("max", INT64_MAX)
        .set_double("d", 0.1)
        .set_double("whole", 2)
        .set_double("tiny", 5e-324);
    message.set_datetime("long ago", at(-62'135'596'800'001)).set_opaque("bytes", std::string_view{"\0\xFF", 2}).set_message("m", inner);
    message.set_datetime_array("dates", {at(0)}).set_message_array("list", {inner}).set_double_array("zero first", {0, 1});

    const EftlMessage read = EftlMessage::from_json(message.to_json());

    CHECK(read == message);
    CHECK(read.field_names() == message.field_names());
    CHECK(read.to_json() == message.to_json());
}

TEST_CASE("64 bits of a long are exact", "[eftl]") {
    const EftlMessage read = EftlMessage::from_json(R"({"a":9007199254740993,"b":9223372036854775807,"c":-9223372036854775808})");
    CHECK(read.get_long("a") == 9007199254740993);
    CHECK(read.get_long("b") == INT64_MAX);
    CHECK(read.get_long("c") == INT64_MIN);
    CHECK(read.to_json() == R"({"a":9007199254740993,"b":9223372036854775807,"c":-9223372036854775808})");
}

TEST_CASE("infinities and NaN go both ways, in the spellings of all libraries", "[eftl]") {
    EftlMessage message;
    message.set_double("n", std::nan("")).set_double("p", k_infinity).set_double("m", -k_infinity).set_double_array("all", {k_infinity, -k_infinity});
    CHECK(message.to_json() ==
          R"({"n":{"_d_":"NaN"},"p":{"_d_":"Infinity"},"m":{"_d_":"-Infinity"},"all":[{"_d_":"Infinity"},{"_d_":"-Infinity"}]})");

    const EftlMessage read =
        EftlMessage::from_json(R"({"a":[{"_d_":"+Inf"},{"_d_":"-Inf"},{"_d_":"Infinity"},{"_d_":"-Infinity"},{"_d_":"NaN"},{"_d_":2}]})");
    const auto all = read.get_double_array("a");
    REQUIRE(all.size() == 6);
    CHECK(all[0] == k_infinity);
    CHECK(all[1] == -k_infinity);
    CHECK(all[2] == k_infinity);
    CHECK(all[3] == -k_infinity);
    CHECK(std::isnan(all[4]));
    CHECK(all[5] == 2.0);
    CHECK(EftlMessage::from_json(R"({"a":{"_d_":1e400}})").get_double("a") == k_infinity);
}

TEST_CASE("a double that is whole is spelt as a double", "[eftl]") {
    CHECK(EftlMessage{}.set_double("d", 2).to_json() == R"({"d":{"_d_":2.0}})");
    CHECK(EftlMessage{}.set_double("d", 1e22).to_json() == R"({"d":{"_d_":1e+22}})");
    CHECK(EftlMessage::from_json(R"({"d":{"_d_":2}})").type("d") == EftlType::double_number);
}

TEST_CASE("a field that is not there, or has another type, is nothing", "[eftl]") {
    EftlMessage message;
    message.set_long("long", 1).set_opaque("opaque", "");
    CHECK_FALSE(message.get_string("none"));
    CHECK_FALSE(message.get_opaque("none"));
    CHECK(message.get_opaque("opaque") == "");
    CHECK_FALSE(message.get_string("long"));
    CHECK_FALSE(message.get_double("long"));
    CHECK(message.get_long_array("long").empty());
    CHECK_FALSE(message.get_message("none"));
    CHECK(message.type("none") == EftlType::unknown);
    CHECK_FALSE(message.is_field_set("none"));
}

TEST_CASE("an array has the type of its first element", "[eftl]") {
    CHECK(EftlMessage::from_json(R"({"a":[{"_d_":0},{"_d_":1.5}]})").type("a") == EftlType::double_array);
    CHECK(EftlMessage::from_json(R"({"a":[{"_m_":0}]})").type("a") == EftlType::datetime_array);
    CHECK(EftlMessage::from_json(R"({"a":[{}]})").type("a") == EftlType::message_array);
    CHECK(EftlMessage::from_json(R"({"a":[]})").type("a") == EftlType::unknown);
    CHECK(EftlMessage::from_json(R"({"a":[]})").is_field_set("a"));
    const EftlMessage mixed = EftlMessage::from_json(R"({"a":[1,{"_d_":2.5},"x",3]})");
    CHECK(mixed.get_long_array("a") == std::vector<std::int64_t>{1, 2, 3});
    CHECK(mixed.get_double_array("a").empty());
    CHECK(EftlMessage::from_json(R"({"a":[{"_d_":2.5},1]})").get_double_array("a") == std::vector<double>{2.5, 1});
}

TEST_CASE("what no library should send is read as well as can be", "[eftl]") {
    CHECK(EftlMessage::from_json(R"({"a":1.9})").get_long("a") == 1);
    CHECK(EftlMessage::from_json(R"({"a":-1.9e1})").get_long("a") == -19);
    CHECK(EftlMessage::from_json(R"({"a":1e30})").get_double("a") == 1e30);
    CHECK(EftlMessage::from_json(R"({"a":true,"b":false})").get_long("a") == 1);
    CHECK_FALSE(EftlMessage::from_json(R"({"a":null})").is_field_set("a"));
    CHECK(EftlMessage::from_json(R"({"a":1,"a":"x"})").get_string("a") == "x");
    CHECK(EftlMessage::from_json(R"({"_eftl:sequenceNumber":1,"a":1})").field_names() == std::vector<std::string>{"a"});
    CHECK(EftlMessage::from_json(R"({"a":{"_d_":"word"}})").empty());
    CHECK(EftlMessage::from_json(R"({"a":{"_m_":"12"},"b":{"_m_":1.0}})").get_datetime("a") == at(12));
    CHECK(EftlMessage::from_json(R"( { "a" : { "_o_" : "AQID" , "x" : [ 1 ] } } )").get_opaque("a") == "\x01\x02\x03");
    CHECK(EftlMessage::from_json(R"({"_d_":1})").get_long("_d_") == 1);  // the body itself is never wrapped
}

TEST_CASE("a text that is no message is refused with the place", "[eftl]") {
    for (const char* text : {"", "[]", "1", "{", R"({"a")", R"({"a":})", R"({"a":1,})", R"({"a":1} x)", R"({"a":{"_d_":Infinity}})",
                             "{\"a\":\"\xFF\"}", R"({"a":"\ud800"})", "{\"a\":\"\n\"}", R"({a:1})"}) {
        INFO(text);
        CHECK(errc_of([&] { EftlMessage::from_json(text); }) == EftlErrc::message);
    }
    try {
        EftlMessage::from_json("{\"a\":\n oops}");
        FAIL("it was read");
    } catch (const Error& error) {
        CHECK(std::string{error.what()} ==
              "EFTL-MESSAGE-ERROR: this is no message: the text is not good JSON: line 2, column 2: JSON has something else in this place");
    }
}

TEST_CASE("messages are not nested without end", "[eftl]") {
    EftlMessage message;
    for (int i = 0; i < 99; ++i) {
        EftlMessage outer;
        outer.set_message("m", message);
        message = outer;
    }
    CHECK(EftlMessage::from_json(message.to_json()) == message);
    EftlMessage outer;
    CHECK(errc_of([&] { outer.set_message("m", message); }) == EftlErrc::message);

    std::string text;
    for (int i = 0; i < 100'000; ++i) text += "{\"a\":";
    CHECK(errc_of([&] { EftlMessage::from_json(text); }) == EftlErrc::message);
    CHECK(errc_of([&] { EftlMessage::from_json("{\"a\":" + std::string(100'000, '[')); }) == EftlErrc::message);
}

TEST_CASE("names that the protocol uses itself are refused", "[eftl]") {
    EftlMessage message;
    for (const char* name : {"", "_d_", "_m_", "_o_", "_eftl:x", "\xFF"}) CHECK(errc_of([&] { message.set_long(name, 1); }) == EftlErrc::message);
    CHECK(errc_of([&] { message.set_string("a", "\xC3"); }) == EftlErrc::message);
    CHECK(errc_of([&] { message.set_string_array("a", {"\xC3"}); }) == EftlErrc::message);
    CHECK(message.empty());
    message.set_string("_dest", "QUEUE:in");
    CHECK(message.get_string("_dest") == "QUEUE:in");
}

TEST_CASE("a message and a value are made of each other", "[eftl]") {
    Timestamp noon;
    noon.seconds = 43'200;
    noon.nanoseconds = 123'456'789;
    noon.has_zone = false;
    const Value value = Map{{"text", "a"},
                            {"yes", true},
                            {"n", 7},
                            {"pi", 3.25},
                            {"when", noon},
                            {"raw", Value::binary("\x01")},
                            {"gone", nullptr},
                            {"inner", Map{{"x", 1}}},
                            {"mixed", List{1, 2.5}},
                            {"empty", List{}}};

    const EftlMessage message = EftlMessage::from_value(value);

    CHECK(message.get_long("yes") == 1);
    CHECK(message.get_datetime("when") == at(43'200'123));
    CHECK_FALSE(message.is_field_set("gone"));
    CHECK(message.get_double_array("mixed") == std::vector<double>{1, 2.5});
    CHECK(message.get_message("inner")->get_long("x") == 1);
    CHECK(EftlMessage::from_value(message.to_value()) == message);
}

TEST_CASE("a value that no message can hold is refused by the name of its field", "[eftl]") {
    const Value bad[] = {List{},
                         Map{{"f", Duration{}}},
                         Map{{"f", Value::decimal("1e999")}},
                         Map{{"f", 18446744073709551615ULL}},
                         Map{{"f", List{List{1}}}},
                         Map{{"f", List{1, "a"}}},
                         Map{{"f", List{Value::binary("x")}}},
                         Map{{"f", List{nullptr}}},
                         Map{{"", 1}}};
    for (const Value& one : bad) {
        INFO(one);
        CHECK(errc_of([&] { EftlMessage::from_value(one); }) == EftlErrc::message);
    }
    try {
        EftlMessage::from_value(Map{{"f", Duration{}}});
    } catch (const Error& error) { CHECK(std::string{error.what()}.find("the field \"f\"") != std::string::npos); }
}

TEST_CASE("fields are cleared one by one and all at once", "[eftl]") {
    EftlMessage message;
    message.set_long("a", 1).set_long("b", 2).set_long("c", 3);
    CHECK(message.clear_field("b"));
    CHECK_FALSE(message.clear_field("b"));
    CHECK(message.field_names() == std::vector<std::string>{"a", "c"});
    message.set("a", nullptr);
    CHECK(message.size() == 1);
    message.clear_all_fields();
    CHECK(message.empty());
    CHECK(message.to_json() == "{}");
}
