// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "base/form.hpp"
#include "support/catch.hpp"

using namespace qconn;

TEST_CASE("a map becomes a form", "[form]") {
    CHECK(form::encode(Map{{"a", 1}, {"b c", "x y&=+\xC3\xA4"}, {"l", List{1, true, "z"}}, {"n", Value{}}, {"e", List{}}}) ==
          "a=1&b+c=x+y%26%3D%2B%C3%A4&l=1&l=true&l=z&n=");
    CHECK(form::encode(Map{}) == "");
    CHECK(form::encode(Map{{"b", Value::binary({"\x00\xFF", 2})}}) == "b=%00%FF");
}

TEST_CASE("what is no flat map is refused by its name in Qorus", "[form]") {
    for (const Value& bad : {Value{1}, Value{List{1}}, Value{Map{{"a", Map{}}}}, Value{Map{{"a", List{Value{List{}}}}}}}) {
        try {
            form::encode(bad);
            FAIL("was taken");
        } catch (const Error& e) {
            CHECK(e.name() == "FORMURLENCODING-ERROR");
            CHECK(e.code() == Errc::serialize);
        }
    }
}

TEST_CASE("a form is read into text and lists", "[form]") {
    CHECK(form::decode("a=1&b+c=x+y%26%3d&l=1&l=2&l=3&n=&k&&=v").value() ==
          Value{Map{{"a", "1"}, {"b c", "x y&="}, {"l", List{"1", "2", "3"}}, {"n", ""}, {"k", ""}, {"", "v"}}});
    CHECK(form::decode("").value() == Value{Map{}});
}

TEST_CASE("a broken form is refused with its place", "[form]") {
    for (const char* bad : {"a=%", "a=%1", "a=%zz", "a=%FF", "%=1"}) CHECK(form::decode(bad).error().code() == Errc::parse);
    CHECK(std::string{form::decode("ok=1&a=%f").error().message()}.find("byte 5") != std::string::npos);
    CHECK(form::decode("a=1&b=2", 1).error().code() == Errc::limit);
}

TEST_CASE("a form cut at any byte is read or refused", "[form]") {
    const std::string text = "a=1&b+c=x%26%C3%A4&l=1&l=2";
    for (std::size_t n = 0; n <= text.size(); ++n) {
        const auto r = form::decode(std::string_view{text}.substr(0, n));
        CHECK((r || r.error().code() == Errc::parse));
    }
}

TEST_CASE("percent-encoding leaves the unreserved characters", "[form]") {
    CHECK(form::percent_encode("aZ09-._~ /%\xC3\xA4") == "aZ09-._~%20%2F%25%C3%A4");
}
