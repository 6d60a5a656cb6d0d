// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/diagnostic.hpp>

#include <string>

#include "support/catch.hpp"

using qconn::Diagnostic;
using qconn::Severity;

namespace {

Diagnostic unknown_option() {
    Diagnostic d;
    d.code = "unknown-option";
    d.file = "shop.qconn.yaml";
    d.place = {7, 3, 14};
    d.message = "scheme 'rests' has no option 'conect_timeout'";
    d.hint = "did you mean 'connect_timeout'?";
    d.source_line = "  conect_timeout: 30";
    return d;
}

std::string rendered(std::string line, qconn::Place place) {
    Diagnostic d;
    d.message = "m";
    d.source_line = std::move(line);
    d.place = place;
    return qconn::render(d);
}

}  // namespace

TEST_CASE("a diagnostic is rendered with its line, a caret line and the hint", "[diagnostic]") {
    CHECK(qconn::render(unknown_option()) ==
          "shop.qconn.yaml:7:3: error: scheme 'rests' has no option 'conect_timeout' [unknown-option]\n"
          "   7 |   conect_timeout: 30\n"
          "     |   ^^^^^^^^^^^^^^\n"
          "     = hint: did you mean 'connect_timeout'?\n");
    CHECK(qconn::summary(unknown_option()) == "shop.qconn.yaml:7:3: error: scheme 'rests' has no option 'conect_timeout' [unknown-option]");
}

TEST_CASE("a diagnostic without a place has no line", "[diagnostic]") {
    Diagnostic d;
    d.severity = Severity::warning;
    d.file = "a";
    d.message = "it cannot be read";

    CHECK(qconn::render(d) == "a: warning: it cannot be read\n");
    d.file.clear();
    CHECK(qconn::summary(d) == "warning: it cannot be read");
}

TEST_CASE("the caret stands under the character, not the byte", "[diagnostic]") {
    CHECK(rendered("désc: ture", {1, 7, 4}) == "1:7: error: m\n   1 | désc: ture\n     |       ^^^^\n");
    CHECK(rendered("名前: ture", {1, 5, 4}) == "1:5: error: m\n   1 | 名前: ture\n     |       ^^^^\n");
    CHECK(rendered("e\xCC\x81: x", {1, 5, 1}) == "1:5: error: m\n   1 | e\xCC\x81: x\n     |    ^\n");
}

TEST_CASE("tabs take four columns in the line and in the caret line", "[diagnostic]") {
    CHECK(rendered("\tx:\ty", {1, 5, 1}) == "1:5: error: m\n   1 |     x:    y\n     |           ^\n");
}

TEST_CASE("the caret line never leaves the line by more than one column", "[diagnostic]") {
    CHECK(rendered("ab", {1, 3, 9}) == "1:3: error: m\n   1 | ab\n     |   ^\n");
    CHECK(rendered("ab", {1, 2, 900}) == "1:2: error: m\n   1 | ab\n     |  ^\n");
    CHECK(rendered("ab", {1, 1, 0}) == "1:1: error: m\n   1 | ab\n     | ^\n");
}

TEST_CASE("nothing in a file can act on the terminal", "[diagnostic]") {
    const std::string text = rendered(
        "a\x1B[31mb\xE2\x80\xAE"
        "c\xC2\x9B"
        "d\xFF",
        {1, 1, 1});

    CHECK(text.find('\x1B') == std::string::npos);
    CHECK(text.find("\xE2\x80\xAE") == std::string::npos);
    CHECK(text.find("\xC2\x9B") == std::string::npos);
    CHECK(text.find('\xFF') == std::string::npos);

    Diagnostic d;
    d.message = "a\nb\x1B]0;c\xC2\x9B";
    CHECK(qconn::summary(d) == "error: a\\nb\\x1b]0;c\xEF\xBF\xBD");
}

TEST_CASE("where a line is shown masked the caret follows what is shown", "[diagnostic]") {
    Diagnostic d;
    d.message = "m";
    d.place = {1, 40, 2};
    d.source_line = "{password: <masked>, timout: 3}";
    d.shown_column = 22;
    d.shown_length = 6;

    CHECK(qconn::render(d) == "1:40: error: m\n   1 | {password: <masked>, timout: 3}\n     |                      ^^^^^^\n");
}

TEST_CASE("colour is there only when asked for, and changes no text", "[diagnostic]") {
    const std::string plain = qconn::render(unknown_option());
    std::string colour = qconn::render(unknown_option(), true);
    CHECK(colour.find("\033[1;31m") != std::string::npos);

    for (std::size_t at = colour.find('\033'); at != std::string::npos; at = colour.find('\033')) colour.erase(at, colour.find('m', at) - at + 1);
    CHECK(colour == plain);
}

TEST_CASE("line numbers above 9999 widen the margin", "[diagnostic]") {
    CHECK(rendered("x", {123'456, 1, 1}) == "123456:1: error: m\n123456 | x\n       | ^\n");
}

TEST_CASE("the nearest name is found for slips of the pen", "[diagnostic]") {
    const std::vector<std::string> names{"connect_timeout", "timeout", "max_redirects", "ssl_verify_cert", "data"};

    CHECK(qconn::nearest("conect_timeout", names) == "connect_timeout");
    CHECK(qconn::nearest("conncet_timeout", names) == "connect_timeout");
    CHECK(qconn::nearest("time_out", names) == "timeout");
    CHECK(qconn::nearest("Connect-Timeout", names) == "connect_timeout");
    CHECK(qconn::nearest("ssl_verify", names).empty());
    CHECK(qconn::nearest("date", names) == "data");
    CHECK(qconn::nearest("zzz", names).empty());
    CHECK(qconn::nearest("", names).empty());
    CHECK(qconn::nearest("x", {"y"}).empty());
    CHECK(qconn::nearest(std::string(10'000, 'a'), names).empty());
}

TEST_CASE("only errors count as errors", "[diagnostic]") {
    Diagnostic d;
    d.severity = Severity::warning;
    CHECK_FALSE(qconn::has_errors({d}));
    d.severity = Severity::error;
    CHECK(qconn::has_errors({d}));
    CHECK(qconn::to_string(Severity::note) == "note");
}
