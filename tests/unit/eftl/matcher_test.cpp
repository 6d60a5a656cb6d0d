// SPDX-License-Identifier: Apache-2.0
#include <qconn/eftl/eftl_error.hpp>
#include <qconn/eftl/eftl_message.hpp>

#include <string>

#include "support/catch.hpp"

using namespace qconn;

namespace {

std::string problem(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        CHECK(error.code() == make_error_code(EftlErrc::matcher));
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("conditions become the JSON that servers take", "[eftl]") {
    EftlMatcher matcher;
    CHECK(matcher.to_json().empty());
    matcher.destination("QUEUE:in").equals("type", "order").equals("count", 3).present("id").absent("error");
    CHECK(matcher.to_json() == R"({"_dest":"QUEUE:in","type":"order","count":3,"id":true,"error":false})");
    CHECK(EftlMatcher::parse(matcher.to_json()) == matcher);
    CHECK(EftlMatcher::parse("{}").to_json().empty());
}

TEST_CASE("a matcher that no server takes cannot be made", "[eftl]") {
    CHECK(problem([] { EftlMatcher{}.equals("", "x"); }).find("no field") != std::string::npos);
    CHECK(problem([] { EftlMatcher{}.equals("a", "x").present("a"); }).find("two conditions") != std::string::npos);
    CHECK(problem([] { EftlMatcher{}.equals("a", std::string(257, 'x')); }).find("256") != std::string::npos);
    CHECK(problem([] { EftlMatcher{}.equals("a", "\xFF"); }).find("UTF-8") != std::string::npos);
    std::string umlauts;
    for (int i = 0; i < 256; ++i) umlauts += "ü";
    CHECK(EftlMatcher{}.equals("a", umlauts).has_text_for("a"));
    for (const char* text :
         {"", "[]", "1", R"({"a":1.5})", R"({"a":{}})", R"({"a":null})", R"({"a":[1]})", R"({"a":1,"a":2})", R"({"a":18446744073709551615})"}) {
        INFO(text);
        CHECK_FALSE(problem([&] { EftlMatcher::parse(text); }).empty());
    }
}

TEST_CASE("a matcher tells which messages it lets through", "[eftl]") {
    const EftlMatcher matcher = EftlMatcher::parse(R"({"type":"order","count":3,"id":true,"error":false})");
    EftlMessage message;
    message.set_string("type", "order").set_long("count", 3).set_double("id", 1);
    CHECK(matcher.matches(message));
    message.set_string("error", "");
    CHECK_FALSE(matcher.matches(message));
    message.clear_field("error");
    message.set_string("count", "3");
    CHECK_FALSE(matcher.matches(message));
    CHECK(EftlMatcher{}.matches(EftlMessage{}));
}
