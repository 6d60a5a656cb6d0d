// SPDX-License-Identifier: Apache-2.0
#include "ftp/ftp_error.hpp"

#include <string>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::ftp;

TEST_CASE("a refusal tells what was tried, on what, the server's words and what to do", "[ftp]") {
    const Job job{"in", "files.example:21", "reading", "a.txt"};
    const Error error = refusal(job, "RETR", {550, {"a.txt: No such file or directory"}}, Reason::permission);
    CHECK(std::string{error.what()} ==
          "FTP-ERROR: reading \"a.txt\" at files.example:21 failed: the server answered RETR with \"550 a.txt: No such file or directory\"; check "
          "the path");
    CHECK(error.reason() == Reason::not_found);
    CHECK(error.connection() == "in");
    CHECK_FALSE(error.retryable());
    const auto* detail = error.detail<FtpErrorDetail>();
    REQUIRE(detail != nullptr);
    CHECK(detail->reply.code == 550);
    CHECK(detail->command == "RETR");
    CHECK(detail->path == "a.txt");
}

TEST_CASE("the reason is what the server's words say, its code where they say nothing", "[ftp]") {
    struct Sample {
        int code;
        const char* text;
        Reason reason;
    };
    const Sample samples[] = {
        {550, "x: Permission denied", Reason::permission},
        {550, "x: File exists", Reason::exists},
        {550, "x: Directory not empty", Reason::exists},
        {550, "Disk quota exceeded", Reason::disk_full},
        {550, "Failed to open file.", Reason::cancelled},
        {552, "Exceeded storage allocation", Reason::disk_full},
        {426, "Failure writing to local file.", Reason::disk_full},
        {451, "No space left on device", Reason::disk_full},
        {530, "Login incorrect.", Reason::denied},
        {421, "Too many users", Reason::limit},
        {502, "Not implemented", Reason::unsupported},
        {553, "Could not create file.", Reason::permission},
        {426, "Connection closed", Reason::reset},
        {451, "Local error", Reason::status},
    };
    for (const Sample& one : samples) {
        INFO(one.code << ' ' << one.text);
        CHECK(reason_of({one.code, {one.text}}, Reason::cancelled) == one.reason);
    }
}

TEST_CASE("refusals for the time being can be tried again", "[ftp]") {
    CHECK(refusal({}, "STOR", {452, {"No space"}}).retryable());
    CHECK(refusal({}, "STOR", {450, {"busy"}}).retryable());
    CHECK_FALSE(refusal({}, "STOR", {553, {"no"}}).retryable());
}
