// SPDX-License-Identifier: Apache-2.0
// What the result of a call says of having failed, though the call came to its end.
#include <string>
#include <string_view>

#include <qconn/core/scheme.hpp>

#include "support/catch.hpp"

using namespace qconn;

namespace {

std::string failure(std::string_view scheme, std::string_view operation, const Value& result) {
    const Scheme* const found = builtin_catalogue().find(scheme);
    REQUIRE(found != nullptr);
    for (const OperationSpec& one : found->operations) {
        if (one.name == operation) return one.failure ? one.failure(result) : "";
    }
    FAIL("no such operation");
    return {};
}

}  // namespace

TEST_CASE("a tree that was carried in part has failed", "[schemes][file]") {
    const Value one = Map{{"path", "a/b.txt"}, {"error", "FILE-ERROR: it is locked"}};
    for (const char* operation : {"get_tree", "put_tree"}) {
        CHECK(failure("file", operation, Map{{"files", 3}}).empty());
        CHECK(failure("file", operation, Map{{"files", 3}, {"failures", List{one}}}) == "one was not carried: a/b.txt: FILE-ERROR: it is locked");
        CHECK(failure("ftp", operation, Map{{"failures", List{one, one}}}) == "2 were not carried; the first: a/b.txt: FILE-ERROR: it is locked");
    }
    CHECK(failure("file", "list", List{}).empty());
}

TEST_CASE("a message that not everybody gets has failed", "[schemes][smtp]") {
    const auto recipient = [](const char* address, bool accepted) { return Map{{"address", address}, {"accepted", accepted}}; };
    CHECK(failure("smtp", "send", Map{{"recipients", List{recipient("a@x", true)}}}).empty());
    CHECK(failure("smtp", "send", Map{{"recipients", List{recipient("a@x", true), recipient("b@x", false), recipient("c@x", false)}}}) ==
          "refused: b@x, c@x");
}

#ifndef QCONN_WITHOUT_SSH
TEST_CASE("a command that did not end with 0 has failed", "[schemes][ssh]") {
    CHECK(failure("ssh", "run", Map{{"status", 0}}).empty());
    CHECK(failure("ssh", "run", Map{{"status", 3}}) == "the command ended with status 3");
    CHECK(failure("ssh", "run", Map{{"signal", "KILL"}}) == "the signal KILL ended the command");
    CHECK(failure("ssh", "run", Map{{"output", ""}}) == "the server did not tell how the command ended");
}
#endif
