// SPDX-License-Identifier: Apache-2.0
#include "telnet/decoder.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

using namespace qconn;
using qconn::telnet::Decoder;
using namespace std::string_view_literals;
using namespace std::string_literals;

namespace {

std::string decoded(std::string_view bytes, TelnetEncoding encoding = TelnetEncoding::utf8, bool replace = false, bool strip = true,
                    bool binary = false, std::size_t piece = 1'000'000) {
    Decoder decoder{encoding, replace, strip};
    decoder.set_binary(binary);
    std::string out;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) decoder.feed(bytes.substr(0, piece), out);
    return out;
}

}  // namespace

TEST_CASE("line ends: CR LF ends a line, CR NUL is a carriage return, NUL is nothing", "[telnet]") {
    CHECK(decoded("a\r\nb"sv) == "a\nb");
    CHECK(decoded("a\r\0b"sv) == "a\rb");
    CHECK(decoded("a\nb"sv) == "a\nb");
    CHECK(decoded("a\r\r\nb"sv) == "a\r\nb");
    CHECK(decoded("a\rb"sv) == "a\rb");
    CHECK(decoded("a\0b"sv) == "ab");
    CHECK(decoded("a\r"sv) == "a");  // what it is, the next byte tells
    CHECK(decoded("a\r\0\r\nb\0"sv, TelnetEncoding::utf8, false, true, true) == "a\r\0\r\nb\0"sv);
}

TEST_CASE("escape sequences are taken out, whatever their kind", "[telnet]") {
    CHECK(decoded("\x1b[31mred\x1b[0m"sv) == "red");
    CHECK(decoded("\x1b[?2004hready$ "sv) == "ready$ ");
    CHECK(decoded("a\x1b]0;title\x07"
                  "b"sv) == "ab");
    CHECK(decoded("a\x1b]0;title\x1b\\b"sv) == "ab");
    CHECK(decoded("a\x1b(Bb\x1b=c\x1b"
                  "7d"sv) == "abcd");
    CHECK(decoded("a\x1bP1$r\x1b\\b"sv) == "ab");
    CHECK(decoded("ring\x07"sv) == "ring");
    CHECK(decoded("\x1b[31mred"sv, TelnetEncoding::utf8, false, false) == "\x1b[31mred");
}

TEST_CASE("sequences that are broken off or never end do not swallow the text", "[telnet]") {
    CHECK(decoded("a\x1b[3\nb"sv) == "a\nb");
    CHECK(decoded("a\x1b]title\x18"
                  "b"sv) == "ab");
    CHECK(decoded("a\x1b]title\x1b[0mb"sv) == "ab");
    CHECK(decoded("\x1b]" + std::string(10'000, 'x') + "end").ends_with("xend"));
    CHECK(decoded("a\x1b\x1b[0mb"sv) == "ab");
}

TEST_CASE("bytes that are no UTF-8 are kept, or replaced each", "[telnet]") {
    CHECK(decoded("\xff\xc3(ok"sv) == "\xff\xc3(ok");
    const auto replaced = [](std::string_view bytes) { return decoded(bytes, TelnetEncoding::utf8, true); };
    const std::string r = "\xEF\xBF\xBD";
    CHECK(replaced("\xff\xc3(ok"sv) == r + r + "(ok");
    CHECK(replaced("\xE2\x82\xAC"sv) == "\xE2\x82\xAC");
    CHECK(replaced("\xE2\x82x"sv) == r + r + "x");
    CHECK(replaced("\xED\xA0\x80"sv) == r + r + r);  // a surrogate
    CHECK(replaced("\xC0\xAF"sv) == r + r);          // an overlong form
    CHECK(decoded("\xE4\xff"sv, TelnetEncoding::latin1) == "\xC3\xA4\xC3\xBF");
}

TEST_CASE("the same text in pieces of any size", "[telnet]") {
    const std::string bytes = "Gr\xC3\xBC\xC3\x9F\xff\x1b[1;31me\x1b]0;t\x07\r\n\r\0x\r\n\xE2\x82\xAC\x1b(B\r\r\n"s;
    for (const bool replace : {false, true}) {
        for (const bool binary : {false, true}) {
            const std::string whole = decoded(bytes, TelnetEncoding::utf8, replace, true, binary);
            for (std::size_t piece = 1; piece < bytes.size(); ++piece)
                CHECK(decoded(bytes, TelnetEncoding::utf8, replace, true, binary, piece) == whole);
        }
    }
}

TEST_CASE("what is sent is encoded, or is said not to be", "[telnet]") {
    std::string out;
    CHECK(telnet::encode("a\xC3\xA4\xC3\xBF", TelnetEncoding::latin1, out));
    CHECK(out == "a\xE4\xFF");
    CHECK_FALSE(telnet::encode("\xE2\x82\xAC", TelnetEncoding::latin1, out));
    CHECK_FALSE(telnet::encode("\xff", TelnetEncoding::latin1, out));
    out.clear();
    CHECK(telnet::encode("\xff", TelnetEncoding::utf8, out));
    CHECK(out == "\xff");
}
