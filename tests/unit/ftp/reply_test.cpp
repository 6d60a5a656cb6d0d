// SPDX-License-Identifier: Apache-2.0
#include "ftp/reply.hpp"
#include "net/reply.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::ftp;
using net::ReplyParser;

namespace {

/// All replies in a text that comes in pieces of that size.
std::vector<FtpReply> replies(std::string_view text, std::size_t piece) {
    std::vector<FtpReply> all;
    ReplyParser parser;
    std::string kept;
    while (!text.empty() || !kept.empty()) {
        kept += text.substr(0, piece);
        text.remove_prefix(std::min(piece, text.size()));
        kept.erase(0, parser.feed(kept));
        if (auto one = parser.take()) all.push_back(std::move(*one));
        if (!parser.problem().empty() || (text.empty() && !kept.empty() && all.size() > 100)) break;
    }
    return all;
}

std::string problem_of(std::string_view text) {
    ReplyParser parser;
    parser.feed(text);
    return parser.problem();
}

}  // namespace

TEST_CASE("replies of one line and of several are told apart, in whatever pieces they come", "[ftp]") {
    const std::string text = "220 ready\r\n211-Features:\r\n MDTM\r\n 211 not the end\r\n211-more\r\n211 End\r\n226\r\n150-\n150 x\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        const auto all = replies(text, piece);
        REQUIRE(all.size() == 4);
        CHECK(all[0].code == 220);
        CHECK(all[0].lines == std::vector<std::string>{"ready"});
        CHECK(all[1].code == 211);
        CHECK(all[1].lines == std::vector<std::string>{"Features:", " MDTM", " 211 not the end", "more", "End"});
        CHECK(all[2].code == 226);
        CHECK(all[2].text().empty());
        CHECK(all[3].code == 150);
    }
}

TEST_CASE("an empty line between replies is nothing", "[ftp]") { CHECK(replies("\r\n200 a\r\n\r\n200 b\r\n", 3).size() == 2); }

TEST_CASE("what is no reply of an FTP server is told with what came", "[ftp]") {
    CHECK(problem_of("SSH-2.0-OpenSSH_9.2\r\n").find("SSH-2.0-OpenSSH_9.2") != std::string::npos);
    CHECK_FALSE(problem_of("2200 no\r\n").empty());
    CHECK_FALSE(problem_of("720 no\r\n").empty());
    CHECK(problem_of("220 yes\r\n").empty());
}

TEST_CASE("a reply without end meets a limit", "[ftp]") {
    CHECK_FALSE(problem_of("220 " + std::string(ReplyParser::k_max_line, 'x')).empty());
    ReplyParser parser;
    parser.feed("211-x\r\n");
    for (int i = 0; i < 300 && parser.problem().empty(); ++i) parser.feed(std::string(1000, 'y') + "\r\n");
    CHECK_FALSE(parser.problem().empty());
}

TEST_CASE("the port is found in replies to EPSV", "[ftp]") {
    CHECK(epsv_port("Entering Extended Passive Mode (|||6446|)") == 6446);
    CHECK(epsv_port("(!!!65535!)") == 65535);
    CHECK(epsv_port("mode (|1|127.0.0.1|21|)") == 21);
    CHECK_FALSE(epsv_port("(|||65536|)"));
    CHECK_FALSE(epsv_port("(|||0|)"));
    CHECK_FALSE(epsv_port("(|||12"));
    CHECK_FALSE(epsv_port("(123456)"));
    CHECK_FALSE(epsv_port(""));
}

TEST_CASE("the port is found in replies to PASV, with brackets or without", "[ftp]") {
    CHECK(pasv_port("Entering Passive Mode (127,0,0,1,200,13)") == 200 * 256 + 13);
    CHECK(pasv_port("Entering Passive Mode. 10,0,0,1,0,21") == 21);
    CHECK(pasv_port("227 of 4 then 1,2,3,4,5,6.") == 5 * 256 + 6);
    CHECK_FALSE(pasv_port("(127,0,0,1,200)"));
    CHECK_FALSE(pasv_port("(127,0,0,1,256,1)"));
    CHECK_FALSE(pasv_port("(127,0,0,1,0,0)"));
}

TEST_CASE("a path in quotes is read with what is doubled in it", "[ftp]") {
    CHECK(quoted_path("\"/in\" is the current directory") == "/in");
    CHECK(quoted_path("\"/a \"\"b\"\"\" created") == "/a \"b\"");
    CHECK(quoted_path("\"\"") == "");
    CHECK_FALSE(quoted_path("/in"));
    CHECK_FALSE(quoted_path("\"/in"));
}
