// SPDX-License-Identifier: Apache-2.0
#include "core/pairs.hpp"

#include <string>

#include "support/catch.hpp"

using qconn::List;
using qconn::Map;
using qconn::Timestamp;
using qconn::Value;
using qconn::core::parse_pairs;

namespace {

Value parsed(std::string_view text) {
    auto result = parse_pairs(text);
    INFO(text);
    REQUIRE_FALSE(result.problem);
    return std::move(result.value);
}

std::size_t problem_at(std::string_view text) {
    const auto result = parse_pairs(text);
    INFO(text);
    REQUIRE(result.problem);
    CHECK_FALSE(result.problem->message.empty());
    CHECK(result.value.is_null());
    return result.problem->offset;
}

}  // namespace

TEST_CASE("key=value items make a map", "[pairs]") {
    CHECK(parsed("Accept=application/json, X-Id = a b ,n=1") == Value{Map{{"Accept", "application/json"}, {"X-Id", "a b"}, {"n", 1}}});
    CHECK(parsed("a=b=c") == Value{Map{{"a", "b=c"}}});
    CHECK(parsed("a=") == Value{Map{{"a", ""}}});
    CHECK(parsed("a=1,") == Value{Map{{"a", 1}}});
    CHECK(parsed(R"("a,b" = 1)") == Value{Map{{"a,b", 1}}});
}

TEST_CASE("items without keys make a list, one its value, none null", "[pairs]") {
    CHECK(parsed("a, b") == Value{List{"a", "b"}});
    CHECK(parsed("a") == Value{"a"});
    CHECK(parsed("  ").is_null());
    CHECK(parsed("").is_null());
}

TEST_CASE("brackets group", "[pairs]") {
    CHECK(parsed("a=(1, 2), b={c=3}") == Value{Map{{"a", List{1, 2}}, {"b", Map{{"c", 3}}}}});
    CHECK(parsed("(a=1)") == Value{Map{{"a", 1}}});
    CHECK(parsed("(a)") == Value{List{"a"}});
    CHECK(parsed("()") == Value{List{}});
    CHECK(parsed("{}") == Value{Map{}});
    CHECK(parsed("((1), (2, 3))") == Value{List{List{1}, List{2, 3}}});
    CHECK(parsed("f(a, b), c") == Value{List{"f(a, b)", "c"}});
}

TEST_CASE("quoted values are strings whatever they look like", "[pairs]") {
    CHECK(parsed(R"(a="1", b="x, y=z", c="say \"hi\"\n")") == Value{Map{{"a", "1"}, {"b", "x, y=z"}, {"c", "say \"hi\"\n"}}});
}

TEST_CASE("bare words have the types that they look like", "[pairs]") {
    CHECK(parsed("true, True, false, False, yes") == Value{List{true, true, false, false, "yes"}});
    CHECK(parsed("12, -3, +4, 1.5, 1e3, 007") == Value{List{12, -3, 4, 1.5, 1000.0, "007"}});
    CHECK(parsed("9223372036854775807") == Value{9'223'372'036'854'775'807LL});
    CHECK(parsed("9223372036854775808") == Value::decimal("9223372036854775808"));
    CHECK(parsed("12.50n") == Value::decimal("12.50"));
    CHECK(parsed("1e999") == Value::decimal("1e999"));
    CHECK(parsed("-") == Value{"-"});
    CHECK(parsed("1.2.3") == Value{"1.2.3"});
    CHECK(parsed("1.") == Value{"1."});
    CHECK(parsed("nan") == Value{"nan"});
}

TEST_CASE("dates are local times", "[pairs]") {
    CHECK(parsed("1970-01-02") == Value{Timestamp{86'400, 0, 0, false}});
    CHECK(parsed("2024-02-29 10:30") == Value{Timestamp{1'709'202'600, 0, 0, false}});
    CHECK(parsed("2024-02-29 10:30:01.5") == Value{Timestamp{1'709'202'601, 500'000'000, 0, false}});
    CHECK(parsed("1969-12-31 23:59:59") == Value{Timestamp{-1, 0, 0, false}});
    CHECK(parsed("2023-02-29") == Value{"2023-02-29"});
    CHECK(parsed("2023-13-01") == Value{"2023-13-01"});
    CHECK(parsed("2023-01-01 24:00") == Value{"2023-01-01 24:00"});
    CHECK(parsed("2023-01-01x") == Value{"2023-01-01x"});
}

TEST_CASE("a prefix takes the rest literally, and no code is run", "[pairs]") {
    CHECK(parsed("%STR=a=1, (") == Value{"a=1, ("});
    CHECK(problem_at(" %EVAL=1 + 1") == 1);
}

TEST_CASE("what is wrong is said with its place", "[pairs]") {
    CHECK(problem_at("a=1, b") == 5);
    CHECK(problem_at("b, a=1") == 3);
    CHECK(problem_at("a=\"x") == 2);
    CHECK(problem_at("a=(1, 2") == 2);
    CHECK(problem_at("a=1)") == 3);
    CHECK(problem_at("a=\"x\" y") == 6);
    CHECK(problem_at("a=1, a=2") == 5);
    CHECK(problem_at("=1") == 0);
    CHECK(problem_at("a=\"\\q\"") == 3);
    CHECK(problem_at("{a}") == 1);
    CHECK(problem_at("f(a}") == 3);
    CHECK(problem_at("f(a") == 0);
}

TEST_CASE("size, depth and number of items are limited", "[pairs]") {
    CHECK(problem_at(std::string(100, '(')) > 0);
    CHECK(problem_at("x" + std::string(100, '(')) > 0);
    CHECK(problem_at(std::string(70'000, 'x')) == 64 * 1024);
    std::string many;
    for (int i = 0; i < 10'001; ++i) many += "1,";
    CHECK(problem_at(many) == 20'000);
    CHECK(parse_pairs("((1))", {.max_depth = 1}).problem);
}
