// SPDX-License-Identifier: Apache-2.0
#include "telnet/output.hpp"

#include <string>

#include "support/catch.hpp"

using namespace qconn::telnet;

namespace {

std::string output_of(std::string_view text, std::optional<std::string> command = {}, std::size_t piece = 1'000'000) {
    std::string out;
    Output output{std::move(command), "host> ", [&out](std::string_view one) { out += one; }};
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) output.add(text.substr(0, piece));
    output.finish();
    return out;
}

}  // namespace

TEST_CASE("a line as it is seen after carriage returns and backspaces", "[telnet]") {
    CHECK(shown_line("plain") == "plain");
    CHECK(shown_line("plain\r") == "plain");
    CHECK(shown_line("10%\r20%\r100%") == "100%");
    CHECK(shown_line("longer\rabc") == "abcger");
    CHECK(shown_line("ab\bc") == "ac");
    CHECK(shown_line(" --More-- \b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\bnext") == "next");
    CHECK(shown_line("\b\b\b   \b\b\b  two") == "  two");
    CHECK(shown_line("\xC3\xBC\bx") == "x");  // a character is one place
    CHECK(shown_line("\b\r\b").empty());
    CHECK(shown_line("").empty());
}

TEST_CASE("the echo of a command is known, also where a terminal folds it", "[telnet]") {
    CHECK(is_echo("show version", "show version"));
    CHECK(is_echo("show ver \rsion\r", "show version"));
    CHECK_FALSE(is_echo("show version 2", "show version"));
    CHECK_FALSE(is_echo("show", "show version"));
    CHECK(is_echo("", ""));
}

TEST_CASE("the echo is taken off once, and only where it is one", "[telnet]") {
    CHECK(output_of("date\nFriday\ndate\n", "date") == "Friday\ndate\n");
    CHECK(output_of("Friday\ndate\n", "date") == "Friday\ndate\n");
    CHECK(output_of("date\n") == "date\n");
    CHECK(output_of("\nx\n", "") == "x\n");
    CHECK(output_of("\nx\n") == "\nx\n");
    CHECK(output_of("\rhost> date\nFriday\n", "date") == "Friday\n");  // the window was resized
    CHECK(output_of("no end", "date") == "no end");
    CHECK(output_of("date", "date") == "date");
    CHECK(output_of("a\r\nb\r\n") == "a\nb\n");
}

TEST_CASE("the same output in pieces of any size, and long lines go through", "[telnet]") {
    const std::string text = "echo\n1%\r50%\r100%\nab\bc\n\nlast";
    for (std::size_t piece = 1; piece < text.size(); ++piece) CHECK(output_of(text, "echo", piece) == "100%\nac\n\nlast");
    const std::string line(200'000, 'x');
    CHECK(output_of(line + "\ny\n", "z", 1'000) == line + "\ny\n");
}
