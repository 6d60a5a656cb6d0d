// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/value.hpp>

#include <cstdint>
#include <limits>
#include <sstream>
#include <string>

#include <qconn/base/error.hpp>

#include "support/catch.hpp"

using namespace qconn;

TEST_CASE("a value is small", "[base][value]") { CHECK(sizeof(Value) <= 24); }

TEST_CASE("an integer has one kind whatever type it came from", "[base][value]") {
    CHECK(Value{7}.kind() == ValueKind::int64);
    CHECK(Value{7U} == Value{7LL});
    CHECK(Value{std::uint64_t{7}} == Value{7});
    CHECK(Value{std::numeric_limits<std::uint64_t>::max()}.kind() == ValueKind::uint64);
    CHECK_FALSE(Value{1} == Value{1.0});
}

TEST_CASE("numbers convert where nothing is lost, and say so where they do not", "[base][value]") {
    CHECK(Value{3}.as_double() == 3.0);
    CHECK(Value{3}.as_uint64() == 3);
    CHECK(Value{std::int64_t{1} << 60}.as_double() == 1152921504606846976.0);
    CHECK_THROWS_AS(Value{-1}.as_uint64(), Error);
    CHECK_THROWS_AS(Value{(std::int64_t{1} << 60) + 1}.as_double(), Error);
    CHECK_THROWS_AS(Value{std::numeric_limits<std::int64_t>::max()}.as_double(), Error);
    CHECK_THROWS_AS(Value{std::numeric_limits<std::uint64_t>::max()}.as_int64(), Error);
    try {
        (void)Value{"x"}.as_int64();
        FAIL("a string was read as a number");
    } catch (const Error& e) {
        CHECK(e.name() == "VALUE-TYPE-ERROR");
        CHECK(e.message() == "a value of type integer was asked for, but it is of type string");
    }
}

TEST_CASE("short and long texts survive copies and moves", "[base][value]") {
    for (const std::size_t n : {0U, 1U, 15U, 16U, 17U, 300U}) {
        CAPTURE(n);
        const std::string text(n, 'x');
        const Value original{text};
        Value copy{original};
        const Value moved{std::move(copy)};
        CHECK(original.as_string() == text);
        CHECK(moved.as_string() == text);
        CHECK(copy.is_null());  // NOLINT(bugprone-use-after-move): what a moved-from value is, is part of its contract
        Value assigned{1};
        assigned = moved;
        CHECK(assigned == original);
    }
}

TEST_CASE("a value may be assigned from a part of itself", "[base][value]") {
    Value v{List{Value{List{Value{"deep inside, and long enough for the heap"}}}}};

    v = v.as_list()[0];
    CHECK(v.as_list().size() == 1);
    v = std::move(v.as_list()[0]);
    CHECK(v.as_string() == "deep inside, and long enough for the heap");
}

TEST_CASE("what is not there reads as null", "[base][value]") {
    const Value order{Map{{"lines", List{Value{Map{{"sku", "A-1"}}}}}}};

    CHECK(order["lines"][0]["sku"].as_string() == "A-1");
    CHECK(order["lines"][1]["sku"].is_null());
    CHECK(order["nothing"]["at"]["all"].is_null());
}

TEST_CASE("a map keeps the order of insertion and finds by key, large or small", "[base][value]") {
    for (const int n : {3, 16, 17, 1000}) {
        CAPTURE(n);
        Map map;
        for (int i = 0; i < n; ++i) CHECK(map.insert("key" + std::to_string(i), i));
        CHECK_FALSE(map.insert("key0", "again"));
        CHECK(map.size() == static_cast<std::size_t>(n));
        for (int i = 0; i < n; ++i) CHECK(map.at("key" + std::to_string(i)).as_int64() == i);
        CHECK(map.find("key") == nullptr);
        CHECK(map.erase("key1"));
        CHECK_FALSE(map.erase("key1"));
        CHECK(map.find("key1") == nullptr);
        CHECK((map.begin() + 1)->first == "key2");
        CHECK(map.at("key2").as_int64() == 2);
        const Map copy{map};
        CHECK(copy == map);
        map["key0"] = "changed";
        CHECK_FALSE(copy == map);
    }
}

TEST_CASE("maps compare without order", "[base][value]") {
    CHECK(Map{{"a", 1}, {"b", 2}} == Map{{"b", 2}, {"a", 1}});
    CHECK_FALSE(Map{{"a", 1}} == Map{{"a", 1}, {"b", 2}});
}

TEST_CASE("a missing key names those that there are", "[base][value]") {
    try {
        (void)Map{{"user", 1}, {"host", 2}}.at("usr");
        FAIL("a missing key was found");
    } catch (const Error& e) { CHECK(e.message() == "there is no key \"usr\"; the keys are: user, host"); }
}

TEST_CASE("a tagged value keeps its tag", "[base][value]") {
    const Value v = Value::tagged("!number", Value::decimal("3.50"));

    CHECK(v.tag() == "!number");
    CHECK(v.untagged().as_string() == "3.50");
    CHECK(v == Value{v});
    CHECK_FALSE(v == Value::tagged("!other", Value::decimal("3.50")));
}

TEST_CASE("text for people", "[base][value]") {
    CHECK(to_text(Value{Map{{"a", List{1, true, nullptr, 0.1}}, {"b\n", "x\"y"}}}) == R"({"a": [1, true, null, 0.1], "b\n": "x\"y"})");
    CHECK(to_text(Value::binary("abc")) == "<3 bytes>");
    CHECK(to_text(Value{Timestamp{0, 0, 0, true}}) == "1970-01-01T00:00:00Z");
    CHECK(to_text(Value{Timestamp{951'782'400, 120'000'000, 90, true}}) == "2000-02-29T01:30:00.12+01:30");
    CHECK(to_text(Value{Timestamp{-1, 0, 0, false}}) == "1969-12-31T23:59:59");
    std::ostringstream out;
    out << Value{7};
    CHECK(out.str() == "7");
}
