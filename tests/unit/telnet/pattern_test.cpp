// SPDX-License-Identifier: Apache-2.0
#include "telnet/pattern.hpp"

#include <string>

#include "support/catch.hpp"

using namespace qconn;
using telnet::Pattern;
using namespace std::chrono_literals;

namespace {

Pattern pattern(const TelnetPattern& what) {
    std::string problem;
    auto one = Pattern::compile(what, problem);
    INFO(problem);
    REQUIRE(one);
    return *one;
}
Pattern::Search search(const TelnetPattern& what, std::string_view text, std::size_t from = 0) {
    return pattern(what).search(text, from, Deadline{10s}, true);
}

}  // namespace

TEST_CASE("a pattern is found where it begins first, and groups and names are told", "[telnet]") {
    const auto found = search("(?<name>b+)(c)?", "aabbd");
    REQUIRE(found.outcome == Pattern::Outcome::found);
    CHECK(found.found.begin == 2);
    CHECK(found.found.end == 4);
    CHECK(found.match->text == "bb");
    REQUIRE(found.match->groups.size() == 2);
    CHECK(found.match->groups[0] == "bb");
    CHECK_FALSE(found.match->groups[1].has_value());
    CHECK(found.match->names.at("name") == "bb");
    CHECK(search(TelnetPattern::literal("a.b["), "xa.b[").found.begin == 1);
    CHECK(search(TelnetPattern::literal("a.b"), "xaxb").outcome == Pattern::Outcome::none);
    CHECK(search("^b$", "a\nb\nc").found.begin == 2);
    CHECK(search("(?i)LOGIN:", "Login:").outcome == Pattern::Outcome::found);
}

TEST_CASE("the beginning of a match at the end is where the next search begins", "[telnet]") {
    const auto partial = search("password:", "the pass");
    CHECK(partial.outcome == Pattern::Outcome::partial);
    CHECK(partial.from == 4);
    const auto none = search("password:", "the word");
    CHECK(none.outcome == Pattern::Outcome::none);
    CHECK(none.from == 8);
    const auto behind = search("(?<!last )login:", "last login:", 5);  // a look-behind sees what was searched before
    CHECK(behind.outcome != Pattern::Outcome::found);
    CHECK(behind.from == 11);
    CHECK(search("(?<!last )login:", "host login:", 5).outcome == Pattern::Outcome::found);
}

TEST_CASE("matches that begin late in a long text are found, and bytes that are no UTF-8 stand in no way", "[telnet]") {
    const std::string text = std::string(5'000, '\xbf') + std::string(50'000, '-') + "\xff\xfe needle";
    CHECK(search("needle", text).found.begin == text.size() - 6);
    CHECK(search(TelnetPattern::literal("needle"), text, 1'234).found.begin == text.size() - 6);
    CHECK(search("\xC3\xBC", "Gr\xC3\xBC\xC3\x9F", 1).found.begin == 2);
    CHECK(search("x", "\xC3\xBC", 1).outcome == Pattern::Outcome::none);
}

TEST_CASE("a pattern that could match in too many ways is given up", "[telnet]") {
    CHECK(search("(a+a+)+b", std::string(5'000, 'a')).outcome == Pattern::Outcome::limit);
    const auto begun = Clock::now();
    const auto slow = pattern("a*a*a*b").search(std::string(300'000, 'a'), 0, Deadline{200ms});
    CHECK(slow.outcome == Pattern::Outcome::limit);
    CHECK(Clock::now() - begun < 10s);
}

TEST_CASE("what is no pattern is said with its place", "[telnet]") {
    std::string problem;
    CHECK_FALSE(Pattern::compile("a(b", problem));
    CHECK(problem.find("at offset 3") != std::string::npos);
    CHECK_FALSE(Pattern::compile("", problem));
    CHECK_FALSE(Pattern::compile(std::string(10'000, 'x'), problem));
    CHECK_FALSE(Pattern::compile("\xff", problem));
}
