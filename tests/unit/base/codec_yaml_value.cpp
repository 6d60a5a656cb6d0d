// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <random>
#include <string>

#include "base/yaml.hpp"
#include "support/catch.hpp"
#include "support/value_from_bytes.hpp"

using namespace qconn;

namespace {

struct Typed {
    Value value;
    std::string problems;
};

Typed typed(std::string_view text, yaml::Dialect dialect = yaml::Dialect::core) {
    const auto r = yaml::parse(text);
    REQUIRE(r.problems.empty());
    REQUIRE(r.documents.size() == 1);
    std::vector<yaml::Problem> problems;
    Typed out{yaml::to_value(*r.documents[0].root, &problems, dialect), {}};
    for (const auto& p : problems)
        out.problems += (out.problems.empty() ? "" : ", ") + std::to_string(p.at.line) + ":" + std::to_string(p.at.column) + " " + p.code;
    return out;
}

Value core(std::string_view text) {
    const Typed t = typed(text);
    CHECK(t.problems == "");
    return t.value;
}

Value message(std::string_view text) { return yaml::decode(text).value(); }

std::string refused(std::string_view text) {
    const auto r = yaml::decode(text);
    REQUIRE_FALSE(r);
    return r.error().what();
}

}  // namespace

TEST_CASE("plain scalars are typed by the core schema of YAML 1.2", "[yaml]") {
    CHECK(core("true") == Value{true});
    CHECK(core("False") == Value{false});
    for (const char* word :
         {"yes", "no", "on", "off", "y", "tRue", "nil", "none", "0b11", "1_000", "12:30:45", "1e", "0x", "0xZ", "-0x1", "--1", "1.2.3", "."})
        CHECK(core(word) == Value{word});
    CHECK(core("~").is_null());
    CHECK(core("Null").is_null());
    CHECK(core("[null, ]")[0].is_null());
    CHECK(core("17") == Value{17});
    CHECK(core("+17") == Value{17});
    CHECK(core("-0") == Value{0});
    CHECK(core("0x1F") == Value{31});
    CHECK(core("0o17") == Value{15});
    CHECK(core("1.0") == Value{1.0});
    CHECK(core(".5") == Value{0.5});
    CHECK(core("5.") == Value{5.0});
    CHECK(core("1e3") == Value{1000.0});
    CHECK(core("-.INF") == Value{-HUGE_VAL});
    CHECK(std::isnan(core(".nan").as_double()));
    CHECK(core("3.14159265358979323846") == Value{3.14159265358979323846});
    CHECK(core("'17'") == Value{"17"});
    CHECK(core("\"true\"") == Value{"true"});
    CHECK(core("|\n  17\n") == Value{"17\n"});
}

TEST_CASE("integers are exact to the last digit of 64 bits", "[yaml]") {
    CHECK(core("9223372036854775807").kind() == ValueKind::int64);
    CHECK(core("-9223372036854775808").as_int64() == INT64_MIN);
    CHECK(core("9223372036854775808").as_uint64() == 9223372036854775808U);
    CHECK(core("18446744073709551615").as_uint64() == UINT64_MAX);
    CHECK(core("0xFFFFFFFFFFFFFFFF").as_uint64() == UINT64_MAX);
}

TEST_CASE("numbers that mean different things to different readers, or fit nowhere, are problems", "[yaml]") {
    CHECK(typed("a: 010").problems == "1:4 octal-looking");
    CHECK(typed("-007").problems == "1:1 octal-looking");
    CHECK(typed("18446744073709551616").problems == "1:1 overflow");
    CHECK(typed("-9223372036854775809").problems == "1:1 overflow");
    CHECK(typed("0x10000000000000000").problems == "1:1 overflow");
    CHECK(typed("1e999").problems == "1:1 overflow");
    CHECK(typed("a: 010").value["a"] == Value{"010"});
    CHECK(typed("[0, 0.5, '010']").problems == "");
}

TEST_CASE("timestamps have the zone they are written with", "[yaml]") {
    CHECK(core("2010-05-05").as_timestamp() == Timestamp{1273017600, 0, 0, false});
    CHECK(core("2010-05-05T15:35:02.1+02:00").as_timestamp() == Timestamp{1273066502, 100'000'000, 120, true});
    CHECK(core("2010-05-05 15:35:02.1 +02:00").as_timestamp() == Timestamp{1273066502, 100'000'000, 120, true});
    CHECK(core("2010-05-05 15:35:02").as_timestamp() == Timestamp{1273073702, 0, 0, false});
    CHECK(core("2010-05-05t15:35:02Z").as_timestamp() == Timestamp{1273073702, 0, 0, true});
    CHECK(core("2010-05-05T15:35:02-5").as_timestamp().zone_minutes == -300);
    CHECK(core("1969-12-31T23:59:59.999999999Z").as_timestamp() == Timestamp{-1, 999'999'999, 0, true});
    for (const char* word :
         {"2010-13-01", "2010-02-30", "2010-05-05T25:00:00", "2010-05-05T15:35", "2010-05-05T15:35:02+25:00", "10-05-05", "2010-05-05x"})
        CHECK(core(word) == Value{word});
}

TEST_CASE("tags of YAML say how a scalar is read", "[yaml]") {
    CHECK(core("!!str 17") == Value{"17"});
    CHECK(core("! 17") == Value{"17"});
    CHECK(core("!!int '17'") == Value{17});
    CHECK(core("!!float 17") == Value{17.0});
    CHECK(core("!!bool 'true'") == Value{true});
    CHECK(core("!!null ''").is_null());
    CHECK(core("!!binary aGk=") == Value::binary("hi"));
    CHECK(core("!!timestamp '2010-05-05'").kind() == ValueKind::timestamp);
    CHECK(core("!own {a: 1}") == Value::tagged("!own", Map{{"a", 1}}));
    CHECK(core("!own 17") == Value::tagged("!own", 17));
    CHECK(typed("!!int x").problems == "1:1 bad-tag-value");
    CHECK(typed("!!int 1.5").problems == "1:1 bad-tag-value");
    CHECK(typed("!!bool yes").problems == "1:1 bad-tag-value");
    CHECK(typed("!!binary '!'").problems == "1:1 bad-tag-value");
    CHECK(typed("!!map []").problems == "1:1 bad-tag-value");
    CHECK(typed("!!str []").problems == "1:1 bad-tag-value");
}

TEST_CASE("keys are always text", "[yaml]") {
    CHECK(core("{1: a, true: b}") == Value{Map{{"1", "a"}, {"true", "b"}}});
    CHECK(typed("? [a]\n: b\n").problems == "1:3 key-not-text");
}

TEST_CASE("the words of the YAML of Qorus are read in message bodies only", "[yaml]") {
    CHECK(message("!number 3.5n{128}") == Value::decimal("3.5"));
    CHECK(message("3.5n") == Value::decimal("3.5"));
    CHECK(message("3.5n{256}") == Value::tagged("!number", "3.5n{256}"));
    CHECK(message("!number \"@inf@n{128}\"") == Value::tagged("!number", "@inf@n{128}"));
    CHECK(message("!duration P2Y3M4DT5H6M7S8u") == Value{Duration{27, 4, 18'367'000'008'000}});
    CHECK(message("P1D") == Value{Duration{0, 1, 0}});
    CHECK(message("PT-5S") == Value{Duration{0, 0, -5'000'000'000}});
    CHECK(message("P0D") == Value{Duration{}});
    CHECK(message("!!float \"-@inf@\"") == Value{-HUGE_VAL});
    CHECK(message("!sqlnull null") == Value::tagged("!sqlnull", {}));
    CHECK(message("sqlnull") == Value::tagged("!sqlnull", {}));
    CHECK(message("\"sqlnull\"") == Value{"sqlnull"});
    CHECK(message("007") == Value{"007"});
    CHECK(message("18446744073709551616") == Value::decimal("18446744073709551616"));
    CHECK(message("0.1234567890123456789") == Value::decimal("0.1234567890123456789"));
    CHECK(message("0.10000000000000001") == Value{0.1});
    for (const char* word : {"P1D", "3.5n", "sqlnull", "P", "PT", "P1", "P1S", "PT1D", "P1D2Y"}) CHECK(core(word) == Value{word});
    CHECK(core("!duration P1D") == Value::tagged("!duration", "P1D"));
}

TEST_CASE("a message body is one document", "[yaml]") {
    CHECK(message("").is_null());
    CHECK(message("# nothing\n").is_null());
    CHECK(message("--- {a: 1}\n...\n") == Value{Map{{"a", 1}}});
    CHECK(message("a: x #y\n") == Value{Map{{"a", "x"}}});
    CHECK(refused("--- 1\n--- 2\n").find("2 YAML documents") != std::string::npos);
}

TEST_CASE("what is wrong with a message body is said with its place", "[yaml]") {
    CHECK(refused("a: 1\nb: 'x").find("line 2, column 4") != std::string::npos);
    CHECK(refused("a: 1\na: 2").find("duplicate") == std::string::npos);
    CHECK(refused("a: 1\na: 2").find("line 2, column 1") != std::string::npos);
    CHECK(yaml::decode("a: !!int x").error().code() == Errc::parse);
    CHECK(yaml::decode(std::string(200, '[')).error().code() == Errc::limit);
    CHECK(yaml::decode("[1, 2]", {.nodes = 2}).error().name() == "LIMIT-EXCEEDED");
}

TEST_CASE("the canonical form quotes text and keeps the order of keys", "[yaml]") {
    const Value v{Map{{"b", List{1, 2.0, "x", Value{}, Map{}, List{}}}, {"a", Map{{"true", true}, {"k e", Value::binary("hi")}}}, {"e", ""}}};

    CHECK(yaml::encode(v) == "b:\n  - 1\n  - 2.0\n  - \"x\"\n  - null\n  - {}\n  - []\na:\n  \"true\": true\n  k e: !!binary \"aGk=\"\ne: \"\"\n");
    CHECK(yaml::encode(List{List{1, 2}, Map{{"a", 1}, {"b", List{3}}}}) == "- - 1\n  - 2\n- a: 1\n  b:\n    - 3\n");
    CHECK(yaml::encode(Value::tagged("!own", Map{{"a", 1}})) == "!own\na: 1\n");
    CHECK(yaml::encode(Value{Duration{27, 4, 18'367'000'008'000}}) == "!duration P2Y3M4DT5H6M7S8u\n");
    CHECK(yaml::encode(Value::decimal("3.5")) == "!number 3.5n{128}\n");
    CHECK(yaml::encode(Value{Timestamp{1273066502, 100'000'000, 120, true}}) == "2010-05-05T15:35:02.1+02:00\n");
    CHECK(yaml::encode(Value{Timestamp{1273017600, 0, 0, false}}) == "2010-05-05\n");
    CHECK(yaml::encode(HUGE_VAL) == ".inf\n");
    CHECK(yaml::encode("a\nb\x01\xC2\x85") == "\"a\\nb\\x01\\N\"\n");
}

TEST_CASE("the style of writing can be chosen", "[yaml]") {
    const Value v{Map{{"url", "rests://u@h/p?x=1#y"}, {"desc", "two\nlines\n"}, {"list", List{"a, b", "yes"}}}};
    std::string block, flow;

    yaml::append(block, v, {.block_text = true});
    yaml::append(flow, v, {.flow = true});

    CHECK(block == "url: rests://u@h/p?x=1#y\ndesc: |\n  two\n  lines\nlist:\n  - a, b\n  - \"yes\"\n");
    CHECK(flow == "{url: \"rests://u@h/p?x=1#y\", desc: \"two\\nlines\\n\", list: [\"a, b\", \"yes\"]}");
    CHECK(message(block) == v);
    CHECK(message(flow) == v);
}

TEST_CASE("text that could be taken for something else is quoted", "[yaml]") {
    for (const char* text : {"",      " a",    "a ",   "true",       "NULL", "~",       "no",  "On",           "17",   "0x1F", "010",
                             "1_000", "12:30", ".5",   "2020-01-01", "P1D",  "sqlnull", "- a", "a: b",         "a #b", "#a",   "a:",
                             "@a",    "\"a",   "a\tb", "a\nb",       "---",  "<<",      "=",   "\xEF\xBB\xBF", "*a",   "!a",   "?"}) {
        CHECK(yaml::text_scalar(text).front() == '"');
        CHECK(message(yaml::text_scalar(text)) == Value{text});
    }
    for (const char* text : {"a", "rests://user:pass@host:80/path?a=b", "a b", "\xC3\xA4", "true story", "10 ms", "a:b", "a#b"})
        CHECK(yaml::text_scalar(text) == text);
}

TEST_CASE("what YAML cannot hold is refused, not altered", "[yaml]") {
    CHECK_THROWS_AS(yaml::encode("\xFF"), Error);
    CHECK_THROWS_AS(yaml::encode(Map{{"\xFF", 1}}), Error);
    CHECK_THROWS_AS(yaml::encode(Value::decimal("abc")), Error);
    CHECK_THROWS_AS(yaml::encode(Value{Timestamp{INT64_MAX, 0, 0, true}}), Error);
    CHECK_THROWS_AS(yaml::encode(Value::tagged("!a", Value::tagged("!b", 1))), Error);
    CHECK_THROWS_AS(yaml::encode(Value::tagged("!!int", "x")), Error);
    CHECK_THROWS_AS(yaml::encode(Value::tagged("", 1)), Error);
    Value deep;
    for (int i = 0; i < 101; ++i) deep = List{std::move(deep)};
    CHECK_THROWS_AS(yaml::encode(deep), Error);
}

TEST_CASE("a key too long for one line is written so that it can be read", "[yaml]") {
    const Value v{Map{{std::string(3000, 'k'), Map{{std::string(2000, 'x') + "\n", List{1}}}}}};
    std::string flow;
    yaml::append(flow, v, {.flow = true});

    CHECK(message(yaml::encode(v)) == v);
    CHECK(message(flow) == v);
}

TEST_CASE("what is written reads back equal, in every style", "[yaml]") {
    std::mt19937 random{20260101};
    for (int i = 0; i < 3000; ++i) {
        std::string bytes(200, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        const Value v = test::ValueMaker{bytes}.value();
        for (const yaml::WriteOptions& options :
             {yaml::WriteOptions{.quote_text = true}, yaml::WriteOptions{.flow = true}, yaml::WriteOptions{.block_text = true}}) {
            std::string text;
            yaml::append(text, v, options);
            const auto back = yaml::decode(text);
            INFO(text);
            REQUIRE(back.has_value());
            REQUIRE(*back == v);
        }
    }
}
