// SPDX-License-Identifier: Apache-2.0
// What the tool shows of dialogues in lines.
#include "estate.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"

using namespace qconn::test;

TEST_CASE("call --verbose shows what is said in lines on standard error, secrets masked", "[cli][secret][integration]") {
    const Server server{"proftpd"};
    const Estate estate;
    const std::string user{k_user};
    estate.add("files", "ftp://" + user + ":" + std::string{k_password} + "@" + server.address());
    CHECK(estate.run({"call", "files", "write", "note.txt", "not to be shown"}).code == 0);
    const Outcome seen = estate.run({"call", "files", "read", "note.txt", "--verbose"});
    INFO(seen.out + seen.err);
    CHECK(seen.code == 0);
    CHECK(has(seen.out, "not to be shown"));
    CHECK(has(seen.err, "* connected to 127.0.0.1:"));
    CHECK(has(seen.err, "< 220 "));
    CHECK(has(seen.err, "> PASS <masked>\n< 230 "));
    CHECK(has(seen.err, "* logged in as " + user + "\n"));
    CHECK(has(seen.err, "> RETR note.txt\n"));
    CHECK(has(seen.err, "* RETR: 15 bytes\n"));
    CHECK_FALSE(has(seen.err, k_password));
    CHECK_FALSE(has(seen.err, "not to be shown"));
    CHECK_FALSE(has(seen.err, "nothing was sent over HTTP"));

    // A password that is refused, written out and by reference.
    estate.add("written", "ftp://" + user + ":cn4ry-word@" + server.address());
    estate.add("by-name", "ftp://" + user + ":${env:QCONN_T_CANARY}@" + server.address());
    for (const char* name : {"written", "by-name"}) {
        const Outcome refused = estate.run({"call", name, "read", "note.txt", "--verbose"}, {"QCONN_T_CANARY=cn4ry-word"});
        INFO(refused.out + refused.err);
        CHECK(refused.code == 1);
        CHECK(has(refused.err, "> PASS <masked>\n< 530 "));
        CHECK_FALSE(has(refused.out + refused.err, "cn4ry"));
    }
}
