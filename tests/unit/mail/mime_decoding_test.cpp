// SPDX-License-Identifier: Apache-2.0
#include "mail/mime_decoding.hpp"

#include <string>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::mail;

namespace {

std::string base64_of(std::string_view text) {
    DecodingProblems ignored;
    return decode_base64(text, ignored);
}
std::string printable_of(std::string_view text) {
    DecodingProblems ignored;
    return decode_quoted_printable(text, false, ignored);
}

}  // namespace

TEST_CASE("base64 of any length comes back, wherever its lines are broken", "[mail]") {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        for (const std::size_t width : {std::size_t{1}, std::size_t{3}, std::size_t{76}, std::size_t{1000}}) {
            const std::string whole = base64::encode(bytes);
            std::string lines;
            for (std::size_t at = 0; at < whole.size(); at += width) lines += whole.substr(at, width) + "\r\n";
            DecodingProblems problems;
            REQUIRE(decode_base64(lines, problems) == bytes);
            REQUIRE(problems.strange == npos);
            REQUIRE(problems.length == npos);
            REQUIRE(problems.trailing == npos);
        }
        bytes += static_cast<char>(i * 7);
    }
}

TEST_CASE("what is wrong with base64 is told, and what can be read is read", "[mail]") {
    DecodingProblems garbage;
    CHECK(decode_base64("SGVs!bG8*", garbage) == "Hello");
    CHECK(garbage.strange == 4);
    DecodingProblems cut;
    CHECK(decode_base64("SGVsbG8", cut) == "Hello");
    CHECK(cut.length == 7);
    DecodingProblems footer;
    CHECK(decode_base64("SGVsbG8=\r\n\r\n____\r\nList", footer) == "Hello");
    CHECK(footer.trailing == 12);
    CHECK(base64_of("=").empty());
    CHECK(base64_of("").empty());
    CHECK(base64_of("A").empty());
    CHECK(base64_of("SGVsbG8g=d29ybGQ=") == "Hello world");
}

TEST_CASE("quoted-printable is decoded, and what is none stays", "[mail]") {
    CHECK(printable_of("Gr=FC=df") == "Gr\xFC\xDF");
    CHECK(printable_of("one=\r\ntwo") == "onetwo");
    CHECK(printable_of("one= \t\r\ntwo") == "onetwo");
    CHECK(printable_of("one=\ntwo") == "onetwo");
    CHECK(printable_of("100=% =4 =") == "100=% =4 ");
    CHECK(printable_of("kept \r\n") == "kept \r\n");
    DecodingProblems problems;
    CHECK(decode_quoted_printable("ab=zz", false, problems) == "ab=zz");
    CHECK(problems.strange == 2);
}

TEST_CASE("uuencode is decoded", "[mail]") {
    DecodingProblems problems;
    CHECK(decode_uuencode("noise\nbegin 644 hello.txt\n-2&5L;&\\@=V]R;&0A\"@``\n`\nend\n", problems) == "Hello world!\n");
    CHECK(problems.length == npos);
    DecodingProblems cut;
    CHECK(decode_uuencode("begin 644 x\n-2&5L", cut).substr(0, 3) == "Hel");
    CHECK(cut.length != npos);
    CHECK(cut.strange != npos);
}

TEST_CASE("encoded words are decoded wherever they stand, and what only looks like one stays", "[mail]") {
    CHECK(decode_words("=?utf-8?B?R3LDvMOfZQ==?=") == "Grüße");
    CHECK(decode_words("=?iso-8859-1?Q?Gr=FC=DFe_aus?= =?iso-8859-1?q?_K=F6ln?=") == "Grüße aus Köln");
    CHECK(decode_words("a =?utf-8?q?b?= c") == "a b c");
    CHECK(decode_words("=?utf-8*de?q?b?=") == "b");
    CHECK(decode_words("=?utf-8?B?4oI=?= =?utf-8?B?rA==?=") == "€");
    CHECK(decode_words("=?x?y?") == "=?x?y?");
    CHECK(decode_words("=?utf-8?q?never ends") == "=?utf-8?q?never ends");
    CHECK(decode_words("=?=?utf-8?q?x?=") == "=?x");
    CHECK(decode_words("=?utf-8?q?=3D=3F?= =?z") == "=? =?z");
}

TEST_CASE("many beginnings of encoded words cost no more than their length", "[mail]") {
    std::string many;
    while (many.size() < 1'000'000) many += "=?a?q?x";
    CHECK((decode_words(many) == many));
    many += "?=";
    CHECK(decode_words(many).size() < many.size());
}
