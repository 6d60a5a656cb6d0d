// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "mail/body_encoding.hpp"
#include "mail/header_encoding.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::mail;

namespace {

std::string subject(std::string_view value) {
    std::string out;
    append_text_header(out, "Subject", value);
    return out;
}

std::string filename(std::string_view value) {
    std::string out;
    HeaderWriter header{out, "Content-Disposition"};
    header.word("attachment");
    append_parameter(header, "filename", value);
    header.end();
    return out;
}

std::string qp(std::string_view text) {
    std::string out;
    append_quoted_printable(out, text);
    return out;
}

std::string data(std::string_view text, std::size_t piece) {
    std::string out;
    DataWriter writer;
    while (!text.empty()) {
        writer.append(out, text.substr(0, piece));
        text.remove_prefix(std::min(piece, text.size()));
    }
    writer.finish(out);
    return out;
}

std::size_t longest_line(std::string_view text) {
    std::size_t most = 0;
    for (const auto line : text::split(text, '\n')) most = std::max(most, line.ends_with('\r') ? line.size() - 1 : line.size());
    return most;
}

}  // namespace

TEST_CASE("what is ASCII stands in a header as it is, folded at 78", "[smtp]") {
    CHECK(subject("Hello") == "Subject: Hello\r\n");
    CHECK(subject("") == "Subject: \r\n");
    CHECK(subject("two  blanks") == "Subject: two  blanks\r\n");
    const std::string longer = subject("one two three four five six seven eight nine ten eleven twelve thirteen fourteen");
    CHECK(longer == "Subject: one two three four five six seven eight nine ten eleven twelve\r\n thirteen fourteen\r\n");
    CHECK(longest_line(longer) <= 78);
}

TEST_CASE("what is not ASCII becomes encoded words that decode to the same", "[smtp]") {
    CHECK(subject("Grüße") == "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n");
    CHECK(subject("日本語") == "Subject: =?UTF-8?B?5pel5pys6Kqe?=\r\n");
    CHECK(subject("a =?x?= b") == "Subject: =?UTF-8?Q?a_=3D=3Fx=3F=3D_b?=\r\n");
    CHECK(subject(" lead") == "Subject: =?UTF-8?Q?_lead?=\r\n");
    CHECK(subject("tab\there") == "Subject: =?UTF-8?Q?tab=09here?=\r\n");
    std::string text;
    for (int i = 0; i < 60; ++i) text += i % 7 == 0 ? "€ " : "wörter ";
    const std::string folded = subject(text);
    CHECK(longest_line(folded) <= 78);
    // Each word is whole characters, so each decodes by itself.
    std::string decoded;
    for (std::string word : encoded_words(text, 60)) {
        REQUIRE(word.size() <= 75);
        REQUIRE(word.starts_with("=?UTF-8?Q?"));
        word = word.substr(10, word.size() - 12);
        std::string part;
        for (std::size_t i = 0; i < word.size(); ++i) {
            if (word[i] == '=') {
                part += static_cast<char>(text::hex_digit(word[i + 1]) * 16 + text::hex_digit(word[i + 2]));
                i += 2;
            } else {
                part += word[i] == '_' ? ' ' : word[i];
            }
        }
        CHECK(text::valid_utf8(part));
        decoded += part;
    }
    CHECK(decoded == text);
    CHECK(longest_line(subject(std::string(2000, 'x'))) <= 78);
}

TEST_CASE("names in address headers are atoms, quoted or encoded, as they need it", "[smtp]") {
    const auto to = [](std::vector<MailAddress> all) {
        std::string out;
        append_address_header(out, "To", all);
        return out;
    };
    CHECK(to({}).empty());
    CHECK(to({{"", "a@b"}}) == "To: a@b\r\n");
    CHECK(to({{"Jane Doe", "a@b"}, {"", "c@d"}}) == "To: Jane Doe <a@b>, c@d\r\n");
    CHECK(to({{"Doe, Jane \"JD\"", "a@b"}}) == "To: \"Doe, Jane \\\"JD\\\"\" <a@b>\r\n");
    CHECK(to({{"Jörg", "j@x.de"}}) == "To: =?UTF-8?Q?J=C3=B6rg?= <j@x.de>\r\n");
    std::vector<MailAddress> many;
    for (int i = 0; i < 40; ++i)
        many.push_back({i % 2 ? "Ein Empfänger, der lang heißt" : "Plain Name", "somebody" + std::to_string(i) + "@example.com"});
    CHECK(longest_line(to(many)) <= 78);
}

TEST_CASE("file names are told twice where they are not ASCII, that in RFC 2231's form first", "[smtp]") {
    CHECK(filename("report.pdf") == "Content-Disposition: attachment; filename=report.pdf\r\n");
    CHECK(filename("my \"report\".pdf") == "Content-Disposition: attachment; filename=\"my \\\"report\\\".pdf\"\r\n");
    CHECK(filename("Größe.txt") == "Content-Disposition: attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt;\r\n filename=Gr__e.txt\r\n");
    const std::string longer = filename(std::string(10, 'a') + "äöüäöüäöüäöüäöüäöü.txt");
    INFO(longer);
    CHECK(longer.find("filename*0*=UTF-8''aaaaaaaaaa%C3%A4") != std::string::npos);
    CHECK(longer.find("filename*1*=%C3") != std::string::npos);
    CHECK(longest_line(longer) <= 78);
}

TEST_CASE("a text goes as it is, quoted-printable or in base64, whichever is shortest", "[smtp]") {
    CHECK(encoding_for("plain\r\ntext\n") == TransferEncoding::seven_bit);
    CHECK(encoding_for("") == TransferEncoding::seven_bit);
    CHECK(encoding_for(std::string(998, 'x')) == TransferEncoding::seven_bit);
    CHECK(encoding_for(std::string(999, 'x')) == TransferEncoding::quoted_printable);
    CHECK(encoding_for("Ein paar Grüße in einem Satz, der sonst ASCII ist") == TransferEncoding::quoted_printable);
    CHECK(encoding_for("日本語の文章はこちら") == TransferEncoding::base64);
    CHECK(encoding_for(std::string_view{"a\0b", 3}) != TransferEncoding::seven_bit);
}

TEST_CASE("quoted-printable keeps lines short and blanks at their ends", "[smtp]") {
    CHECK(qp("a=b\nü \nx\t\n") == "a=3Db\r\n=C3=BC=20\r\nx=09\r\n");
    CHECK(qp("no end") == "no end");
    const std::string line(76, 'x');
    CHECK(qp(line + "\n") == line + "\r\n");
    CHECK(qp(line + "x\n") == std::string(75, 'x') + "=\r\nxx\r\n");
    std::string umlauts;
    for (int i = 0; i < 100; ++i) umlauts += "ü";
    CHECK(longest_line(qp(umlauts)) <= 76);
}

TEST_CASE("base64 has lines of 76, and its size is known before", "[smtp]") {
    for (const std::size_t size : {0U, 1U, 2U, 3U, 56U, 57U, 58U, 114U, 1000U}) {
        std::string bytes(size, '\0');
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 37);
        std::string out;
        append_base64_lines(out, bytes);
        CHECK(out.size() == base64_lines_size(size));
        CHECK(longest_line(out) <= 76);
        CHECK(base64::decode(out) == bytes);
    }
}

TEST_CASE("dots are doubled at the beginning of lines, and lines end as they must, in pieces of any size", "[smtp]") {
    const std::string text = ".\n..x\r\na\rb\r\n.\r\nend.\n.last";
    const std::string expected = "..\r\n...x\r\na\r\nb\r\n..\r\nend.\r\n..last\r\n.\r\n";
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, text.size()})
        CHECK(data(text, piece) == expected);
    CHECK(data("", 1) == ".\r\n");
    CHECK(data("x\r\n", 1) == "x\r\n.\r\n");
    // No piece of a message is the end of one for a server that takes bare LF or CR for line ends.
    for (const char* smuggled : {"a\n.\nMAIL FROM:<x@y>\n", "a\r.\rMAIL FROM:<x@y>\r", "a\n.\r\nMAIL", "a\r\n.\nMAIL", "a\r\r\n.\r\nb"}) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{100}}) {
            const std::string out = data(smuggled, piece);
            CHECK(out.find("\r\n.\r\n") == out.size() - 5);
            for (std::size_t i = 0; i < out.size(); ++i) {
                if (out[i] == '\n') {
                    REQUIRE(i > 0);
                    CHECK(out[i - 1] == '\r');
                }
                if (out[i] == '\r') CHECK(out[i + 1] == '\n');
            }
        }
    }
}
