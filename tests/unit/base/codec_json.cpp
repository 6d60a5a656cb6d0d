// SPDX-License-Identifier: Apache-2.0
#include <qconn/json.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>

#include "base/json.hpp"
#include "base/xml.hpp"
#include "support/catch.hpp"
#include "support/json_reference.hpp"
#include "support/text.hpp"
#include "support/value_from_bytes.hpp"

using namespace qconn;
using test::has;

namespace {

Value parsed(std::string_view text) { return json::decode(text).value(); }

std::string refused(std::string_view text, const json::Limits& limits = {}) {
    const auto r = json::decode(text, limits);
    REQUIRE_FALSE(r);
    return std::string{r.error().name()} + ": " + std::string{r.error().message()};
}

/// The value as JSON can hold it.
Value simplified(const Value& v) {
    switch (v.kind()) {
        case ValueKind::float64: return std::isfinite(v.as_double()) ? v : Value{};
        case ValueKind::binary:
        case ValueKind::timestamp:
        case ValueKind::duration:
        case ValueKind::decimal: return {};
        case ValueKind::tagged: return simplified(v.untagged());
        case ValueKind::list: {
            List out;
            for (const Value& item : v.as_list()) out.push_back(simplified(item));
            return Value{std::move(out)};
        }
        case ValueKind::map: {
            Map out;
            for (const auto& [name, item] : v.as_map()) out.insert(name, simplified(item));
            return Value{std::move(out)};
        }
        default: return v;
    }
}

}  // namespace

TEST_CASE("JSON is read with the kinds it has", "[json]") {
    const Value v = parsed(R"( {"a": [1, -2.5, true, false, null, "x\n\u00e4\ud83d\ude00\/"], "": {}, "b": [] } )");

    CHECK(v["a"] == Value{List{1, -2.5, true, false, Value{}, "x\n\xC3\xA4\xF0\x9F\x98\x80/"}});
    CHECK(v[""] == Value{Map{}});
    CHECK(v["b"] == Value{List{}});
    CHECK(parsed("\xEF\xBB\xBF 17") == Value{17});
    CHECK(parsed("\"\"") == Value{""});
    CHECK(parsed("\"a\\u0000b\"").as_string() == std::string_view{"a\0b", 3});
}

TEST_CASE("numbers in JSON are exact", "[json]") {
    CHECK(parsed("9223372036854775807").as_int64() == INT64_MAX);
    CHECK(parsed("-9223372036854775808").as_int64() == INT64_MIN);
    CHECK(parsed("18446744073709551615").as_uint64() == UINT64_MAX);
    CHECK(parsed("18446744073709551616") == Value::decimal("18446744073709551616"));
    CHECK(parsed("-9223372036854775809") == Value::decimal("-9223372036854775809"));
    CHECK(parsed("[0.1, 1e22, 4.35, 2.2250738585072014e-308]") == Value{List{0.1, 1e22, 4.35, 2.2250738585072014e-308}});
    CHECK(parsed("3.14159265358979323846") == Value::decimal("3.14159265358979323846"));
    CHECK(parsed("1E400") == Value::decimal("1e400"));
    CHECK(parsed("1.0").kind() == ValueKind::float64);
    CHECK(parsed("-0") == Value{0});
    CHECK(parsed("123456789012345678901234567890.5") == Value::decimal("123456789012345678901234567890.5"));
}

TEST_CASE("what is wrong with JSON is said with its place", "[json]") {
    CHECK(has(refused(""), "PARSE-ERROR"));
    CHECK(has(refused("{\"a\": 1,\n \"b\" 2}"), "line 2, column 6"));
    CHECK(has(refused("[1, 2"), "ends too early"));
    CHECK(has(refused("[1] x"), "behind the value"));
    CHECK(has(refused("[1, \xFF]"), "line 1, column 5: this is not UTF-8"));
    CHECK(has(refused("[\"\xC3\xA4\", x]"), "line 1, column 7"));
    CHECK(has(refused("{\"a\": 1, \"b\": 2, \"a\": 3}"), "\"a\" is there twice"));
    for (const char* bad : {"[1,]",          "{,}", "[01]",  "[1.]",    "[.5]",  "[+1]", "['a']", "{a: 1}", "[\"\t\"]", "[\"\\x\"]", "[\"\\ud800\"]",
                            "[\"\\udc00\"]", "nul", "[NaN]", "// c\n1", "[1 2]", "\"",   "-",     "[1e]",   "tru",      "{\"a\"}",   "]"})
        CHECK(has(refused(bad), "PARSE-ERROR"));
}

TEST_CASE("of two members of one name the last can win", "[json]") {
    CHECK(json::decode(R"({"a": 1, "b": 2, "a": 3})", {.last_member_wins = true}).value() == Value{Map{{"a", 3}, {"b", 2}}});
}

TEST_CASE("limits on JSON hold exactly", "[json]") {
    CHECK(json::decode("[[1]]", {.depth = 2}));
    CHECK(has(refused("[[1]]", {.depth = 1}), "LIMIT-EXCEEDED"));
    CHECK(json::decode("[1,2]", {.values = 3}));
    CHECK(has(refused("[1,2]", {.values = 2}), "LIMIT-EXCEEDED"));
    CHECK(json::decode("12345", {.size = 5}));
    CHECK(has(refused("123456", {.size = 5}), "LIMIT-EXCEEDED"));
    CHECK(has(refused(std::string(1'000'000, '[')), "LIMIT-EXCEEDED"));
}

TEST_CASE("lists and maps of any size follow each other", "[json]") {
    std::string text = "[";
    Value expected{List{}};
    for (const int size : {0, 1, 40, 3, 0, 17, 100, 1}) {
        Map map;
        List list;
        for (int i = 0; i < size; ++i) {
            map.insert("n" + std::to_string(i), i);
            list.push_back(i);
        }
        for (Value v : {Value{std::move(map)}, Value{std::move(list)}}) {
            for (int depth = 0; depth < 20; ++depth) v = List{std::move(v)};
            text += json::encode(v) + ",";
            expected.as_list().push_back(std::move(v));
        }
    }
    text.back() = ']';

    CHECK(parsed(text) == expected);
    CHECK(xml::decode_rpc_value(xml::encode_rpc_value(expected)).value() == expected);
}

TEST_CASE("JSON cut at any byte is refused", "[json]") {
    const std::string text = R"({"a": [1, -2.5e10, true, null, "x\u00e4\ud83d\ude00"], "b": {"c": false}})";
    REQUIRE(json::decode(text));
    for (std::size_t n = 0; n < text.size(); ++n) CHECK_FALSE(json::decode(std::string_view{text}.substr(0, n)));
}

TEST_CASE("JSON is written compact or pretty", "[json]") {
    const Value v{Map{{"b", List{1, 2.0, "\"\\\n\x01/\xC3\xA4"}}, {"a", Map{}}, {"c", List{}}, {"d", Map{{"e", Value{}}}}}};

    CHECK(json::encode(v) == R"({"b":[1,2.0,"\"\\\n\u0001/)"
                             "\xC3\xA4"
                             R"("],"a":{},"c":[],"d":{"e":null}})");
    CHECK(json::encode(v, true) ==
          "{\n  \"b\": [\n    1,\n    2.0,\n    \"\\\"\\\\\\n\\u0001/\xC3\xA4\"\n  ],\n  \"a\": {},\n  \"c\": [],\n  \"d\": {\n    \"e\": null\n  "
          "}\n}");
    CHECK(json::encode(Value::decimal("+.5")) == "0.5");
    CHECK(json::encode(Value{Timestamp{0, 0, 60, true}}) == "\"1970-01-01T01:00:00+01:00\"");
    CHECK(json::encode(Value{Duration{14, 0, 1'500'000'000}}) == "\"P1Y2MT1.5S\"");
    CHECK(json::encode(Value::tagged("!x", 1)) == "1");
}

TEST_CASE("what JSON cannot hold is refused, or made text on request", "[json]") {
    CHECK_THROWS_AS(json::encode("\xFF"), Error);
    CHECK_THROWS_AS(json::encode(Value::binary("x")), Error);
    CHECK_THROWS_AS(json::encode(HUGE_VAL), Error);
    CHECK_THROWS_AS(json::encode(Value::decimal("abc")), Error);
    CHECK_THROWS_AS(json::encode(Value{Timestamp{INT64_MIN, 0, 0, true}}), Error);
    CHECK(json::encode(List{Value::binary("hi"), -HUGE_VAL, std::nan("")}, false, json::Unfit::as_text) == R"(["aGk=","-inf","nan"])");
    Value deep;
    for (int i = 0; i < 501; ++i) deep = List{std::move(deep)};
    CHECK_THROWS_AS(json::encode(deep), Error);
}

TEST_CASE("what is written as JSON reads back equal", "[json]") {
    std::mt19937 random{7};
    for (int i = 0; i < 3000; ++i) {
        std::string bytes(200, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        const Value v = simplified(test::ValueMaker{bytes}.value());
        REQUIRE(parsed(json::encode(v)) == v);
        REQUIRE(parsed(json::encode(v, true)) == v);
    }
}

TEST_CASE("strings in JSON are whole wherever a character stands", "[json]") {
    for (std::size_t before = 0; before <= 40; ++before) {
        for (const std::size_t behind : {0U, 1U, 7U, 8U, 15U, 16U, 33U}) {
            const std::string a(before, 'a'), b(behind, 'b');
            for (const std::string& c : {std::string{}, std::string{"\""}, std::string{"\\"}, std::string{"\n"}, std::string{"\x1F"},
                                         std::string{"\x7F"}, std::string{"é"}, std::string{"\"😀\\"}}) {
                const std::string text = a + c + b;
                const std::string written = json::encode(text);
                REQUIRE(written == nlohmann::json(text).dump());
                REQUIRE(parsed(written) == Value{text});
                REQUIRE(parsed("[" + written + "]") == Value{List{text}});
                REQUIRE(json::quoted(text) == written);
            }
            CHECK_THROWS_AS(json::encode(a + "\xFF" + b), Error);
            CHECK_THROWS_AS(json::encode(a + "\"\xC3\"" + b), Error);
            CHECK(has(refused("\"" + a + "\n" + b + "\""), "line 1, column " + std::to_string(before + 2)));
        }
    }
}

TEST_CASE("escapes in JSON mean what they say", "[json]") {
    for (unsigned c = 0; c < 0x10000; ++c) {
        std::array<char, 16> text{};
        std::snprintf(text.data(), text.size(), "\"\\u%04X\"", c);
        if (c >= 0xD800 && c < 0xE000)
            REQUIRE_FALSE(json::decode(text.data()));
        else
            REQUIRE(parsed(text.data()).as_string() == nlohmann::json::parse(text.data()).get<std::string>());
    }
    for (const char* pair : {"\"\\uD800\\uDC00\"", "\"\\uDBFF\\uDFFF\"", "\"\\ud83d\\ude00\""}) CHECK(test::read_as_reference(pair));
    for (const char* half : {"\"\\uD800\"", "\"\\uD800\\u0041\"", "\"\\uDC00\\uD800\"", "\"\\uD800\\uE000\"", "\"\\uD800x\"", "\"\\uD800\\n\""})
        CHECK(has(refused(half), "surrogate"));
    CHECK(has(refused("\"\\u12g4\""), "line 1, column 6: \\u needs four"));
}

TEST_CASE("numbers in JSON are those of the standard library", "[json]") {
    std::mt19937_64 random{5};
    for (int i = 0; i < 5'000; ++i) {
        double d = 0;
        const std::uint64_t bits = random();
        std::memcpy(&d, &bits, sizeof d);
        if (!std::isfinite(d)) continue;
        std::array<char, 40> text{};
        std::snprintf(text.data(), text.size(), "%.17g", d);
        const Value v = parsed(text.data());
        REQUIRE((v.is_integer() || std::signbit(v.as_double()) == std::signbit(d)));
        REQUIRE(test::read_as_reference(text.data()));
        REQUIRE(parsed(json::encode(d)) == Value{d});
        const std::string digits = std::to_string(random() >> random() % 64);
        for (const std::string& number : {digits, "-" + digits, digits + "0", digits + "." + digits, "0." + digits, digits + "e5", digits + "e-5"})
            REQUIRE(test::read_as_reference(number));
    }
    for (const char* number : {"-0",
                               "-0.0",
                               "0",
                               "1e400",
                               "-1e400",
                               "999999999999999999",
                               "1000000000000000000",
                               "9223372036854775807",
                               "9223372036854775808",
                               "-9223372036854775808",
                               "-9223372036854775809",
                               "18446744073709551615",
                               "18446744073709551616",
                               "5e-324",
                               "4.9e-324",
                               "2.4703282292062327e-324",
                               "2.2250738585072011e-308",
                               "1.7976931348623157e308",
                               "0.1000000000000000055",
                               "00",
                               "-",
                               "1.",
                               "1e",
                               "1e+",
                               "1e2147483647",
                               "1e2147483648",
                               "-e1"})
        CHECK(test::read_as_reference(number));
    CHECK(std::signbit(parsed("-0.0").as_double()));
    CHECK(has(refused("[1e2147483648]"), "line 1, column 13: the exponent"));
}

TEST_CASE("JSON that is nearly good is read as by others", "[json]") {
    const std::string good = R"({"a": [1, -2.5e10, true, null, "x\u00e4\ud83d\ude00 and more than a block"], "b": {"c": false, "": {}}, "a": [ ]})";
    const std::string_view characters = "{}[]\",:\\/bfnrtu09eE.+- \n\x01\xC3\xA4";
    std::mt19937 random{9};
    for (int i = 0; i < 8'000; ++i) {
        std::string text = good;
        for (std::size_t changes = random() % 3 + 1; changes > 0; --changes) {
            const std::size_t at = random() % text.size();
            if (const auto c = characters[random() % characters.size()]; random() % 2 == 0)
                text[at] = c;
            else
                text.insert(at, 1, c);
        }
        INFO(text);
        REQUIRE(test::read_as_reference(text));
    }
}

TEST_CASE("values go to nlohmann::json and back", "[json][bridge]") {
    const Value v{Map{{"z", List{1, UINT64_MAX, -2.5, true, Value{}}}, {"a", "x"}, {"b", Value::binary("hi")}, {"m", Map{}}, {"l", List{}}}};

    const nlohmann::json j = v;
    const nlohmann::ordered_json ordered = v;

    CHECK(j["z"][1] == UINT64_MAX);
    CHECK(j["b"].is_binary());
    CHECK(ordered.begin().key() == "z");
    CHECK(j.get<Value>() == v);
    CHECK(ordered.get<Value>() == v);
    CHECK(nlohmann::json(Value::decimal("1.5")) == "1.5");
    CHECK(nlohmann::json(Value{Timestamp{0, 0, 0, true}}) == "1970-01-01T00:00:00Z");
    CHECK(nlohmann::json(Value{Duration{0, 1, 0}}) == "P1D");
    CHECK(nlohmann::json::parse("[18446744073709551615, -1]").get<Value>() == Value{List{UINT64_MAX, -1}});
}
