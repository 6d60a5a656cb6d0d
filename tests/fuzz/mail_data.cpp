// SPDX-License-Identifier: Apache-2.0
// Contents on their way: no content ends a message before its end, quoted-printable and stuffed dots come back as they were, in pieces of any size.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "fuzz/require.hpp"
#include "mail/body_encoding.hpp"

using namespace qconn;
using namespace qconn::mail;

namespace {

std::string data_of(std::string_view text, std::size_t piece) {
    std::string out;
    DataWriter writer;
    while (!text.empty()) {
        const std::string part{text.substr(0, piece)};  // a block of its own, so that a step too far is seen
        writer.append(out, part);
        text.remove_prefix(part.size());
    }
    writer.finish(out);
    return out;
}

/// As a server takes it in.
std::string received(std::string_view data) {
    std::string out;
    QCONN_REQUIRE(data.ends_with(".\r\n"));
    data.remove_suffix(3);
    bool begins = true;
    for (const char c : data) {
        if (begins && c == '.') {
            begins = false;
            continue;
        }
        begins = c == '\n';
        out += c;
    }
    return out;
}

std::string from_quoted(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i];
        } else if (text.substr(i, 3) == "=\r\n") {
            i += 2;
        } else {
            QCONN_REQUIRE(i + 2 < text.size());
            out += static_cast<char>(text::hex_digit(text[i + 1]) * 16 + text::hex_digit(text[i + 2]));
            i += 2;
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    const std::string data = data_of(text, size);
    QCONN_REQUIRE(data == data_of(text, 1) && data == data_of(text, 3));
    const std::size_t end = ("\r\n" + data).find("\r\n.\r\n");
    QCONN_REQUIRE(end + 3 == data.size());
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (data[i] == '\r') QCONN_REQUIRE(data[i + 1] == '\n');
        if (data[i] == '\n') QCONN_REQUIRE(i > 0 && data[i - 1] == '\r');
    }
    std::string expected;
    append_with_crlf(expected, text);
    std::string came = received(data);
    if (!expected.empty() && !expected.ends_with("\r\n")) expected += "\r\n";
    QCONN_REQUIRE(came == expected);

    std::string quoted, plain;
    append_quoted_printable(quoted, text);
    append_with_crlf(plain, text);
    QCONN_REQUIRE(from_quoted(quoted) == plain);
    for (const std::string_view line : text::split(quoted, '\n')) QCONN_REQUIRE(line.size() <= 77);
    QCONN_REQUIRE(encoding_for(text) != TransferEncoding::seven_bit || plain.find('\0') == std::string::npos);
    return 0;
}
