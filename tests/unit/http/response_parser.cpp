// SPDX-License-Identifier: Apache-2.0
#include "http/response_parser.hpp"

#include "support/catch.hpp"

using qconn::http::ResponseParser;
using State = qconn::http::ResponseParser::State;

namespace {

struct Example {
    std::string text;
    int status;
    std::uint64_t body;
    bool keeps;
    bool by_close{false};
};

const std::vector<Example>& examples() {
    static const std::vector<Example> all{
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 5, true},
        {"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, 2, true},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, 0, true},
        {"HTTP/1.1 304\r\nContent-Length: 77\r\n\r\n", 304, 0, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n", 200, 13, true},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500, 0, true},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, 1, false},
        {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", 200, 1, true},
        {"HTTP/1.1 200 OK\r\nConnection: a, close\r\nContent-Length: 1\r\n\r\nx", 200, 1, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, 1, false},
        {"HTTP/1.1 200 OK\r\nX: a\r\n  folded\r\nContent-Length: 1\r\n\r\nx", 200, 1, true},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, 13, false, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nuntil the end", 200, 13, false, true},
    };
    return all;
}

}  // namespace

TEST_CASE("an answer reads the same however it is cut into two pieces", "[http][parser]") {
    for (const Example& example : examples()) {
        for (std::size_t cut = 0; cut <= example.text.size(); ++cut) {
            INFO(example.text << " cut at " << cut);
            ResponseParser parser{false};
            const std::string_view text{example.text};
            std::size_t used = parser.feed(text.substr(0, cut));
            used += parser.feed(text.substr(used));
            if (example.by_close) parser.end_of_input();

            REQUIRE(parser.state() == State::done);
            CHECK(used == text.size());
            CHECK(parser.status() == example.status);
            CHECK(parser.body_bytes() == example.body);
            CHECK(parser.keeps_connection() == example.keeps);
        }
    }
}

TEST_CASE("an answer reads the same byte by byte", "[http][parser]") {
    for (const Example& example : examples()) {
        INFO(example.text);
        ResponseParser parser{false};
        for (const char c : example.text) CHECK(parser.feed({&c, 1}) == 1);
        if (example.by_close) parser.end_of_input();
        CHECK(parser.state() == State::done);
        CHECK(parser.body_bytes() == example.body);
    }
}

TEST_CASE("an answer that is cut off fails as cut at every byte", "[http][parser]") {
    for (const Example& example : examples()) {
        if (example.by_close) continue;
        for (std::size_t length = 0; length < example.text.size(); ++length) {
            INFO(example.text << " cut at " << length);
            ResponseParser parser{false};
            parser.feed(std::string_view{example.text}.substr(0, length));
            parser.end_of_input();
            REQUIRE(parser.state() == State::failed);
            CHECK(parser.was_cut());
            CHECK_FALSE(parser.problem().empty());
        }
    }
}

TEST_CASE("what follows the answer is left alone", "[http][parser]") {
    ResponseParser parser{false};
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    CHECK(parser.feed(answer + "HTTP/1.1 ") == answer.size());
    CHECK(parser.state() == State::done);
}

TEST_CASE("the answer to HEAD has no body", "[http][parser]") {
    ResponseParser parser{true};
    parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    CHECK(parser.state() == State::done);
    CHECK(parser.keeps_connection());
}

TEST_CASE("what is no HTTP is told at once, in its own words", "[http][parser]") {
    const std::vector<std::string> wrong{
        "SSH-2.0-OpenSSH_9.2\r\n",
        "220 mail.example ESMTP\r\n",
        "H",  // fine so far, see below
        "HTTP/2 200\r\n",
        "HTTP/1.1 2000 OK\r\n",
        "HTTP/1.1 099 Low\r\n",
        "HTTP/1.1  200 OK\r\n",
        "HTTP/1.1 200 OK\r\nNo colon\r\n",
        "HTTP/1.1 200 OK\r\nBad name : x\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    };
    for (const std::string& text : wrong) {
        INFO(text);
        ResponseParser parser{false};
        parser.feed(text);
        CHECK((parser.state() == State::failed) == (text != "H"));
        CHECK_FALSE(parser.was_cut());
    }
    ResponseParser tls{false};
    tls.feed(std::string_view{"\x15\x03\x01\x00\x02\x02\x46", 7});
    CHECK(tls.problem().find("https") != std::string::npos);
}

TEST_CASE("a head is limited, and so are interim answers", "[http][parser]") {
    ResponseParser long_line{false, {1000, 16}};
    long_line.feed("HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'x'));
    CHECK(long_line.state() == State::failed);

    ResponseParser many{false, {1'000'000, 3}};
    for (int i = 0; i < 4; ++i) many.feed("HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(many.state() == State::failed);
    CHECK(many.problem().find("interim") != std::string::npos);
}

TEST_CASE("any number of chunks may come", "[http][parser]") {
    ResponseParser parser{false, {200, 1}};
    parser.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 10'000; ++i) parser.feed("1\r\nx\r\n");
    parser.feed("0\r\n\r\n");
    CHECK(parser.state() == State::done);
    CHECK(parser.body_bytes() == 10'000);
}
