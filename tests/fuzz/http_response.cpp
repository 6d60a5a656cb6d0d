// SPDX-License-Identifier: Apache-2.0
// An answer to a ping: never a crash, and the same outcome however it is cut into pieces.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"
#include "http/ping_dialogue.hpp"
#include "http/response_parser.hpp"

using qconn::http::ResponseParser;

namespace {

struct Outcome {
    ResponseParser::State state;
    std::size_t used;
    int status;
    std::uint64_t body;
    bool keeps;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome parse(std::string_view text, std::size_t piece, bool no_body) {
    ResponseParser parser{no_body, {4096, 4}};
    std::size_t used = 0;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const std::string_view part = text.substr(at, piece);
        const std::size_t taken = parser.feed(part);
        used += taken;
        if (taken != part.size()) break;
    }
    parser.end_of_input();
    // After a failure it does not matter how much was looked at.
    const bool failed = parser.state() == ResponseParser::State::failed;
    return {parser.state(), failed ? 0 : used, parser.status(), failed ? 0 : parser.body_bytes(), parser.keeps_connection()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    for (const bool no_body : {false, true}) {
        const Outcome whole = parse(text, size + 1, no_body);
        QCONN_REQUIRE(parse(text, 1, no_body) == whole);
        QCONN_REQUIRE(parse(text, 7, no_body) == whole);
    }
    qconn::http::HttpPingRequest request;
    request.host = "h";
    const auto dialogue = qconn::http::make_http_ping(request);
    std::string out;
    dialogue->begin(out);
    const auto step = dialogue->feed(text, true, out);
    QCONN_REQUIRE(step.used <= size);
    QCONN_REQUIRE(step.want != qconn::Dialogue::Want::read);
    QCONN_REQUIRE(step.error.has_value() == (step.want == qconn::Dialogue::Want::failed));
    return 0;
}
