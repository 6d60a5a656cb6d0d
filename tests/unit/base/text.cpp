// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <string>

#include "support/catch.hpp"

using namespace qconn;

TEST_CASE("well-formed UTF-8 is told from the rest", "[base][text]") {
    CHECK(text::valid_utf8("plain ASCII, longer than eight bytes"));
    CHECK(text::valid_utf8("é€😀 and more"));
    CHECK(text::invalid_utf8("12345678\xC3") == 8);
    for (const char* bad :
         {"\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3(", "\xE2\x82", "\xFF"}) {
        CAPTURE(bad);
        CHECK(text::invalid_utf8(bad) == 0);
    }
}

TEST_CASE("what is no UTF-8 is found at any place of a long text", "[base][text]") {
    for (std::size_t before = 0; before <= 40; ++before) {
        for (const std::size_t behind : {0U, 1U, 7U, 15U, 16U, 33U}) {
            const std::string a(before, 'a'), b(behind, 'b');
            for (const char* bad : {"\xFF", "\x80", "\xC3", "\xE2\x82", "\xED\xA0\x80", "\xC0\xAF", "\xF5\x80\x80\x80"}) {
                REQUIRE(text::invalid_utf8(a + bad + b) == before);
                REQUIRE(text::invalid_utf8("é" + a + bad + b) == before + 2);
            }
            for (const char* good : {"", "é", "€", "😀", "\x7F"}) REQUIRE(text::valid_utf8(a + good + b));
        }
    }
}

TEST_CASE("text is cut between characters", "[base][text]") {
    CHECK(text::shorten("abc", 3) == "abc");
    CHECK(text::shorten("ab€", 3) == "ab…");
    CHECK(text::shorten("abcd", 3) == "abc…");
}

TEST_CASE("text made printable stays on one line", "[base][text]") { CHECK(text::printable("a\n\t\x01\xFFé") == "a\\n\\t\\x01\\xffé"); }

TEST_CASE("splitting and trimming", "[base][text]") {
    CHECK(text::split("", ',').size() == 1);
    CHECK(text::split("a,,b", ',').size() == 3);
    CHECK(text::trim(" \ta b\r\n") == "a b");
    CHECK(text::join({"", "a"}, ",") == ",a");
    CHECK(text::iequals("Content-TYPE", "content-type"));
    CHECK_FALSE(text::iequals("a", "ab"));
    CHECK(text::to_hex(std::string{"\x00\xAB", 2}) == "00ab");
}
