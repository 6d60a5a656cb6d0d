// SPDX-License-Identifier: Apache-2.0
#include <qconn/amqp/amqp_value.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "unit/amqp/bytes.hpp"

using namespace qconn;
using test::amqp_refusal;

namespace {

constexpr std::string_view k_composite = R"({
  "descriptor": { "type": "symbol", "value": "nsoftware:compositeDataExample" },
  "type": "list",
  "value": [
    "Shorthand string value",
    null,
    true,
    { "type": "uuid", "value": "12345678-0000-1000-8000-00805F9B34FB" },
    {
      "type": "array",
      "value": [
        { "type": "uint", "value": 23 },
        { "type": "uint", "value": 52 },
        { "type": "uint", "value": 153325 }
      ]
    },
    {
      "type": "map",
      "value": [
        { "type": "symbol", "value": "name" },
        "Freezer temperature",
        { "type": "symbol", "value": "unit" },
        "Fahrenheit",
        { "type": "symbol", "value": "value" },
        { "type": "int", "value": -2 }
      ]
    },
    {
      "descriptor": { "type": "symbol", "value": "nsoftware:utf8Bytes" },
      "type": "binary",
      "value": "48656C6C6F2C20776F726C6421"
    }
  ]
})";

AmqpValue composite() {
    return AmqpDescribed{AmqpSymbol{"nsoftware:compositeDataExample"},
                         AmqpList{"Shorthand string value", nullptr, true, *AmqpUuid::parse("12345678-0000-1000-8000-00805F9B34FB"),
                                  AmqpArray{AmqpType::uint_, {std::uint32_t{23}, std::uint32_t{52}, std::uint32_t{153325}}},
                                  AmqpMap{{AmqpSymbol{"name"}, "Freezer temperature"}, {AmqpSymbol{"unit"}, "Fahrenheit"}, {AmqpSymbol{"value"}, -2}},
                                  AmqpDescribed{AmqpSymbol{"nsoftware:utf8Bytes"}, AmqpBinary{"Hello, world!"}}}};
}

struct Pair {
    AmqpValue value;
    std::string json;
};

/// Abbreviated.
std::vector<Pair> pairs() {
    return {
        {nullptr, "null"},
        {true, "true"},
        {"a \"b\"\n", R"("a \"b\"\n")"},
        {std::uint8_t{255}, R"({"type":"ubyte","value":255})"},
        {std::uint16_t{65535}, R"({"type":"ushort","value":65535})"},
        {std::uint32_t{4294967295}, R"({"type":"uint","value":4294967295})"},
        {std::numeric_limits<std::uint64_t>::max(), R"({"type":"ulong","value":18446744073709551615})"},
        {std::int8_t{-128}, R"({"type":"byte","value":-128})"},
        {std::int16_t{-32768}, R"({"type":"short","value":-32768})"},
        {std::numeric_limits<std::int32_t>::min(), R"({"type":"int","value":-2147483648})"},
        {std::numeric_limits<std::int64_t>::min(), R"({"type":"long","value":-9223372036854775808})"},
        {0.1F, R"({"type":"float","value":0.1})"},
        {0.1, R"({"type":"double","value":0.1})"},
        {-0.0, R"({"type":"double","value":-0})"},
        {5e-324, R"({"type":"double","value":5e-324})"},
        {std::numeric_limits<double>::quiet_NaN(), R"({"type":"double","value":"NaN"})"},
        {-std::numeric_limits<float>::infinity(), R"({"type":"float","value":"-Infinity"})"},
        {AmqpDecimal32{{0x0a, 0x1b, 0x2c, 0x3d}}, R"({"type":"decimal32","value":"0A1B2C3D"})"},
        {AmqpDecimal64{{0xff}}, R"({"type":"decimal64","value":"FF00000000000000"})"},
        {AmqpDecimal128{{0xff}}, R"({"type":"decimal128","value":"FF000000000000000000000000000000"})"},
        {U'c', R"({"type":"char","value":"c"})"},
        {char32_t{0x1f600}, "{\"type\":\"char\",\"value\":\"\U0001F600\"}"},
        {AmqpTimestamp{-5}, R"({"type":"timestamp","value":-5})"},
        {*AmqpUuid::parse("f81d4fae7dec11d0a76500a0c91e6bf6"), R"({"type":"uuid","value":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"})"},
        {AmqpBinary{"\x0a\x1b"}, R"({"type":"binary","value":"0A1B"})"},
        {AmqpSymbol{"s"}, R"({"type":"symbol","value":"s"})"},
        {AmqpList{}, R"({"type":"list","value":[]})"},
        {AmqpList{1, "two", nullptr}, R"({"type":"list","value":[{"type":"int","value":1},"two",null]})"},
        {AmqpMap{{"k", true}}, R"({"type":"map","value":["k",true]})"},
        {AmqpArray{AmqpType::string, {"a", "b"}}, R"({"type":"array","value":["a","b"]})"},
        {AmqpDescribed{AmqpSymbol{"d"}, "text"}, R"({"descriptor":{"type":"symbol","value":"d"},"value":"text"})"},
        {AmqpDescribed{std::uint64_t{5}, AmqpList{}}, R"({"descriptor":{"type":"ulong","value":5},"type":"list","value":[]})"},
        {AmqpDescribed{AmqpSymbol{"d"}, AmqpDescribed{AmqpSymbol{"e"}, 1}},
         R"({"descriptor":{"type":"symbol","value":"d"},"value":{"descriptor":{"type":"symbol","value":"e"},"type":"int","value":1}})"},
        {AmqpDescribed{AmqpSymbol{"d"}, AmqpDescribed{AmqpSymbol{"e"}, nullptr}},
         R"({"descriptor":{"type":"symbol","value":"d"},"value":{"descriptor":{"type":"symbol","value":"e"},"value":null}})"},
    };
}

std::string json_refused(std::string_view json, const AmqpLimits& limits = {}) {
    return amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::from_json(json, limits); });
}

}  // namespace

TEST_CASE("composite data of the schema's example is read", "[amqp]") {
    const AmqpValue value = AmqpValue::from_json(k_composite);

    CHECK(value == composite());
    CHECK(AmqpValue::from_json(value.to_json()) == value);
    CHECK(value.to_json({.pretty = true}) == R"({
  "descriptor": {"type": "symbol", "value": "nsoftware:compositeDataExample"},
  "type": "list",
  "value": [
    "Shorthand string value",
    null,
    true,
    {"type": "uuid", "value": "12345678-0000-1000-8000-00805f9b34fb"},
    {
      "type": "array",
      "value": [
        {"type": "uint", "value": 23},
        {"type": "uint", "value": 52},
        {"type": "uint", "value": 153325}
      ]
    },
    {
      "type": "map",
      "value": [
        {"type": "symbol", "value": "name"},
        "Freezer temperature",
        {"type": "symbol", "value": "unit"},
        "Fahrenheit",
        {"type": "symbol", "value": "value"},
        {"type": "int", "value": -2}
      ]
    },
    {
      "descriptor": {"type": "symbol", "value": "nsoftware:utf8Bytes"},
      "type": "binary",
      "value": "48656C6C6F2C20776F726C6421"
    }
  ]
})");
}

TEST_CASE("each type has its form in JSON", "[amqp]") {
    for (const Pair& pair : pairs()) {
        INFO(pair.json);
        CHECK(pair.value.to_json() == pair.json);
        CHECK(AmqpValue::from_json(pair.json) == pair.value);
    }
}

TEST_CASE("JSON that is not abbreviated, or in lines, is read as the same", "[amqp]") {
    for (const Pair& pair : pairs()) {
        INFO(pair.json);
        CHECK(AmqpValue::from_json(pair.value.to_json({.abbreviated = false})) == pair.value);
        CHECK(AmqpValue::from_json(pair.value.to_json({.pretty = true})) == pair.value);
        CHECK(AmqpValue::from_json(pair.value.to_json({.abbreviated = false, .pretty = true})) == pair.value);
    }
    CHECK(AmqpValue{}.to_json({.abbreviated = false}) == R"({"type":"null","value":null})");
    CHECK((AmqpValue{AmqpList{"x", false}}.to_json({.abbreviated = false})) ==
          R"({"type":"list","value":[{"type":"string","value":"x"},{"type":"boolean","value":false}]})");
    CHECK(AmqpValue{AmqpDescribed{AmqpSymbol{"d"}, "x"}}.to_json({.abbreviated = false}) ==
          R"({"descriptor":{"type":"symbol","value":"d"},"type":"string","value":"x"})");
    CHECK(AmqpValue{AmqpList{}}.to_json({.pretty = true}) == "{\n  \"type\": \"list\",\n  \"value\": []\n}");
}

TEST_CASE("members of an object come in any order", "[amqp]") {
    const AmqpValue described = AmqpDescribed{AmqpSymbol{"d"}, AmqpList{1}};
    const std::string descriptor = R"("descriptor":{"value":"d","type":"symbol"})";
    const std::string type = R"("type":"list")";
    const std::string value = R"("value":[{"value":1,"type":"int"}])";
    for (const auto& order : std::vector<std::vector<std::string>>{{descriptor, type, value},
                                                                   {descriptor, value, type},
                                                                   {type, descriptor, value},
                                                                   {type, value, descriptor},
                                                                   {value, type, descriptor},
                                                                   {value, descriptor, type}}) {
        const std::string json = "{" + order[0] + ", " + order[1] + " ," + order[2] + "}";
        INFO(json);
        CHECK(AmqpValue::from_json(json) == described);
        CHECK(AmqpValue::from_json(json, {.depth = 2}) == described);
        CHECK_THAT(json_refused(json, {.depth = 1}), Catch::Matchers::Contains("limit on depth"));
    }
    CHECK(AmqpValue::from_json(R"({"value":"x","descriptor":"d"})") == AmqpValue{AmqpDescribed{"d", "x"}});
    CHECK(AmqpValue::from_json(R"({"value":"x"})") == AmqpValue{"x"});
    CHECK(AmqpValue::from_json(R"({"type":"null"})") == AmqpValue{});
    CHECK(AmqpValue::from_json("\xEF\xBB\xBF \"x\" ") == AmqpValue{"x"});
}

TEST_CASE("a decimal has the length of its digits", "[amqp]") {
    CHECK(AmqpValue::from_json(R"({"type":"decimal","value":"0a1B2C3D"})") == AmqpValue{AmqpDecimal32{{0x0a, 0x1b, 0x2c, 0x3d}}});
    CHECK(AmqpValue::from_json(R"({"type":"decimal","value":"FF00000000000000"})") == AmqpValue{AmqpDecimal64{{0xff}}});
    CHECK(AmqpValue::from_json(R"({"type":"decimal","value":"FF000000000000000000000000000000"})") == AmqpValue{AmqpDecimal128{{0xff}}});
    CHECK_THAT(json_refused(R"({"type":"decimal","value":"FF"})"), Catch::Matchers::Contains("line 1, column 27: decimals have 8, 16 or 32"));
    CHECK_THAT(json_refused(R"({"type":"decimal32","value":"FF00000000000000"})"), Catch::Matchers::Contains("decimals have"));
    CHECK_THAT(json_refused(R"({"type":"decimal128","value":"FF00000000000000"})"), Catch::Matchers::Contains("decimals have"));
}

TEST_CASE("what is wrong in JSON is said with line and column", "[amqp]") {
    CHECK(json_refused("{\n  \"type\": \"Int\", \"value\": 1}") ==
          "the JSON is no AMQP value: line 2, column 11: there is no type \"Int\" (names are in lower case)");
    CHECK(json_refused(R"({"type":"ubyte","value":256})") ==
          "the JSON is no AMQP value: line 1, column 25: 256 is no ubyte, which has the integers from 0 to 255");
    CHECK_THAT(json_refused(R"({"type":"ubyte","value":-1})"), Catch::Matchers::Contains("column 25: -1 is no ubyte"));
    CHECK_THAT(json_refused(R"({"type":"long","value":9223372036854775808})"), Catch::Matchers::Contains("is no long"));
    CHECK_THAT(json_refused(R"({"type":"int","value":1.5})"), Catch::Matchers::Contains("1.5 is no int"));
    CHECK_THAT(json_refused(R"({"type":"int","value":"1"})"), Catch::Matchers::Contains("column 23: the value of this type (int) is a number"));
    CHECK_THAT(json_refused(R"({"type":"double","value":1e400})"), Catch::Matchers::Contains("too large or too small"));
    CHECK_THAT(json_refused(R"({"type":"double","value":"one"})"), Catch::Matchers::Contains("\"NaN\""));
    CHECK_THAT(json_refused(R"({"type":"boolean","value":1})"), Catch::Matchers::Contains("true or false"));
    CHECK_THAT(json_refused(R"({"type":"null","value":1})"), Catch::Matchers::Contains("the value of a null is null"));
    CHECK_THAT(json_refused(R"({"type":"string","value":1})"), Catch::Matchers::Contains("is a string"));
    CHECK_THAT(json_refused(R"({"type":"symbol","value":"ü"})"), Catch::Matchers::Contains("a symbol is ASCII"));
    CHECK_THAT(json_refused(R"({"type":"char","value":"ab"})"), Catch::Matchers::Contains("a char is one character"));
    CHECK_THAT(json_refused(R"({"type":"char","value":""})"), Catch::Matchers::Contains("a char is one character"));
    CHECK_THAT(json_refused(R"({"type":"uuid","value":"1"})"), Catch::Matchers::Contains("no UUID"));
    CHECK_THAT(json_refused(R"({"type":"binary","value":"0"})"), Catch::Matchers::Contains("even number"));
    CHECK_THAT(json_refused(R"({"type":"binary","value":"0g"})"), Catch::Matchers::Contains("hexadecimal"));
    CHECK_THAT(json_refused(R"({"type":"list","value":{}})"), Catch::Matchers::Contains("is a list"));
    CHECK_THAT(json_refused("{\"type\":\"array\",\"value\":[\n\"a\",\n null]}"),
               Catch::Matchers::Contains("line 3, column 2: this element has another type"));
    CHECK_THAT(json_refused(R"({"type":"map","value":["a"]})"), Catch::Matchers::Contains("a key without a value"));
    CHECK_THAT(json_refused("{\"type\":\"map\",\"value\":[\"a\",1,\n\"b\",2,\"a\",3]}"),
               Catch::Matchers::Contains("line 1, column 28: a number needs a type"));
    CHECK_THAT(json_refused("{\"type\":\"map\",\"value\":[\"a\",null,\n\"b\",null,\"a\",null]}"),
               Catch::Matchers::Contains("line 2, column 10: this key is there twice"));
    CHECK_THAT(json_refused(R"({"descriptor":{"descriptor":"a","value":"b"},"value":"x"})"),
               Catch::Matchers::Contains("column 15: a descriptor cannot be described itself"));
    CHECK_THAT(json_refused(R"({"descriptor":"a"})"), Catch::Matchers::Contains("without \"value\""));
    CHECK_THAT(json_refused(R"({"type":"int"})"), Catch::Matchers::Contains("without \"value\""));
    CHECK_THAT(json_refused("{}"), Catch::Matchers::Contains("without \"value\""));
    CHECK_THAT(json_refused(R"({"value":{"value":"x"}})"), Catch::Matchers::Contains("without \"type\""));
    CHECK_THAT(json_refused(R"({"typ":"int","value":1})"), Catch::Matchers::Contains("column 2: there is no member \"typ\""));
    CHECK_THAT(json_refused(R"({"type":"int","type":"int","value":1})"), Catch::Matchers::Contains("\"type\" is there twice"));
    CHECK_THAT(json_refused(R"({"value":"x","value":"x"})"), Catch::Matchers::Contains("\"value\" is there twice"));
    CHECK_THAT(json_refused(R"({"type":1})"), Catch::Matchers::Contains("\"type\" is a string"));
    CHECK_THAT(json_refused("5"), Catch::Matchers::Contains("a number needs a type"));
    CHECK_THAT(json_refused("[]"), Catch::Matchers::Contains("a list needs a type"));
    CHECK_THAT(json_refused(R"({"value":5})"), Catch::Matchers::Contains("a number needs a type"));
    CHECK_THAT(json_refused("null null"), Catch::Matchers::Contains("line 1, column 6: there is something behind the value"));
    CHECK_THAT(json_refused(""), Catch::Matchers::Contains("ends too early"));
    CHECK_THAT(json_refused("\"\xff\""), Catch::Matchers::Contains("line 1, column 2: this is not UTF-8"));
}

TEST_CASE("JSON that is cut off anywhere is refused", "[amqp]") {
    for (std::size_t n = 0; n < k_composite.size(); ++n)
        test::in_own_block(k_composite.substr(0, n),
                           [](std::string_view cut) { amqp_refusal(AmqpErrc::decode, [&] { AmqpValue::from_json(cut); }); });
}

TEST_CASE("limits hold for JSON too", "[amqp]") {
    CHECK_THAT(json_refused("\"0123456789\"", {.size = 11}), Catch::Matchers::Contains("12 bytes"));
    CHECK(AmqpValue::from_json("\"0123456789\"", {.size = 12}) == AmqpValue{"0123456789"});
    CHECK_THAT(json_refused(R"({"type":"list","value":["a","b","c"]})", {.elements = 2}), Catch::Matchers::Contains("limit on elements (2)"));
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += R"({"type":"list","value":[)";
    CHECK_THAT(json_refused(deep), Catch::Matchers::Contains("limit on depth (64)"));
    deep.clear();
    for (int i = 0; i < 100'000; ++i) deep += R"({"value":[)";
    json_refused(deep);
    deep.clear();
    for (int i = 0; i < 100'000; ++i) deep += R"({"descriptor":)";
    CHECK_THAT(json_refused(deep), Catch::Matchers::Contains("limit on depth (64)"));
    deep.clear();
    for (int i = 0; i < 100'000; ++i) deep += R"({"descriptor":"d","value":)";
    json_refused(deep);
}

TEST_CASE("texts that are not UTF-8 have no JSON", "[amqp]") {
    amqp_refusal(AmqpErrc::encode, [] { AmqpValue{std::string{"\xff"}}.to_json(); });
    amqp_refusal(AmqpErrc::encode, [] { AmqpValue{char32_t{0xd800}}.to_json(); });
}
