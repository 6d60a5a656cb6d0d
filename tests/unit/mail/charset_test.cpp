// SPDX-License-Identifier: Apache-2.0
#include "mail/charset.hpp"

#include <string>

#include "support/catch.hpp"

using namespace qconn::mail;

namespace {

struct Read {
    std::string text;
    CharsetOutcome outcome;
};
Read read(std::string_view bytes, std::string_view charset) {
    Read out;
    out.text = to_utf8(bytes, charset, out.outcome);
    return out;
}

}  // namespace

TEST_CASE("text of any charset becomes UTF-8", "[mail]") {
    CHECK(read("Gr\xFC\xDF", "ISO-8859-1").text == "Grüß");
    CHECK(read("\xA4", "iso-8859-15").text == "€");
    CHECK(read("\x1B$B$\"\x1B(B", "iso-2022-jp").text == "あ");
    CHECK(read("\x82\xA0", "Shift_JIS").text == "あ");
    CHECK(read("\xB0\xA1", "ks_c_5601-1987").text == "가");
    CHECK(read("\xD6\xD0", "\"gb2312\"").text == "中");
    CHECK(read("\xD0\xD2", "koi8-r").text == "пр");
    CHECK(read("plain", "us-ascii").text == "plain");
    CHECK_FALSE(read("plain", "us-ascii").outcome.guessed);
}

TEST_CASE("what a charset does not have is marked, and the rest is read", "[mail]") {
    const Read utf8 = read("a\xFFz\xC3(", "utf-8");
    CHECK(utf8.text == "a\uFFFDz\uFFFD(");
    CHECK(utf8.outcome.invalid);
    const Read japanese = read("\x82\xA0\x82", "shift_jis");
    CHECK(japanese.text == "あ\uFFFD");
    CHECK(japanese.outcome.invalid);
    CHECK(read("\x81", "windows-1252").outcome.invalid);
}

TEST_CASE("text that is not what it is declared to be is guessed, and that is said", "[mail]") {
    const Read utf8 = read("Grüße", "us-ascii");
    CHECK(utf8.text == "Grüße");
    CHECK(utf8.outcome.guessed);
    const Read windows = read("Gr\xFC\xDF \x80", "");
    CHECK(windows.text == "Grüß €");
    CHECK(windows.outcome.guessed);
    const Read quotes = read("\x93x\x94", "iso-8859-1");
    CHECK(quotes.text == "“x”");
    CHECK(quotes.outcome.guessed);
}

TEST_CASE("an unknown charset is said to be so, and names cannot reach for files", "[mail]") {
    const Read strange = read("abc\xE4", "x-no-such");
    CHECK(strange.text == "abc\uFFFD");
    CHECK(strange.outcome.unknown);
    CHECK(read("abc", "utf-16//TRANSLIT").outcome.unknown);
    CHECK(read("abc", "../../tmp/evil").outcome.unknown);
    CHECK(read("abc", "ISO-2022-CN-EXT").outcome.unknown);
    CHECK(read("abc", std::string(5000, 'x')).outcome.unknown);
}
