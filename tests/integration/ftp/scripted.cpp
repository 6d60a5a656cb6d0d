// SPDX-License-Identifier: Apache-2.0
// Servers that are not at hand, and data connections that do not come about.
#include <atomic>
#include <map>

#include "fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// The usual, and these besides: by the beginning of the line.
ScriptedFtp::Script script(std::map<std::string, std::string> replies) {
    return [replies = std::move(replies)](const std::string& line) {
        for (const auto& [begin, reply] : replies) {
            if (line.starts_with(begin)) return reply;
        }
        const std::string usual = usual_reply(line);
        return usual.empty() ? std::string{"502 what\r\n"} : usual;
    };
}

std::string epsv(std::uint16_t port) { return "229 (|||" + std::to_string(port) + "|)\r\n"; }

}  // namespace

TEST_CASE("a data connection that is refused, or vanishes, is an error of the transfer", "[ftp][integration]") {
    const BlackHole hole;
    ScriptedFtp server{script({{"EPSV", epsv(free_port())}, {"SIZE", "213 5\r\n"}, {"RETR", ""}, {"ABOR", "226 ok\r\n226 ok\r\n"}})};
    FtpClient client{server.options()};
    const Error error = error_of([&] { client.read("x"); });
    INFO(error.what());
    CHECK(error.name() == "FTP-TRANSFER-ERROR");
    CHECK(error.reason() == Reason::refused);

    ScriptedFtp silent{script({{"EPSV", epsv(hole.port())}, {"SIZE", "213 5\r\n"}, {"RETR", ""}})};
    FtpOptions options = silent.options();
    options.timeout = 500ms;
    FtpClient waiting{options};
    const auto begun = Clock::now();
    const Error late = error_of([&] { waiting.read("x", 3s); });
    CHECK(late.name() == "TIMEOUT");
    CHECK(Clock::now() - begun < 12s);
}

TEST_CASE("the address in a reply to PASV is not gone to, the port of it is", "[ftp][integration]") {
    DataPort data{"hello"};
    ScriptedFtp server{
        script({{"EPSV", "500 what\r\n"},
                {"PASV", "227 Entering (10,255,255,1," + std::to_string(data.port() / 256) + "," + std::to_string(data.port() % 256) + ")\r\n"},
                {"SIZE", "213 5\r\n"},
                {"RETR", "150 here\r\n226 done\r\n"}})};
    FtpClient client{server.options()};
    CHECK(client.read("x", 10s) == "hello");
}

TEST_CASE("less than the size that was told is no whole file", "[ftp][integration]") {
    DataPort data{"hel"};
    ScriptedFtp server{script({{"EPSV", data.epsv()}, {"SIZE", "213 5\r\n"}, {"RETR", "150 here\r\n226 done\r\n"}})};
    FtpClient client{server.options()};
    const Error error = error_of([&] { client.read("x", 10s); });
    CHECK(error.name() == "FTP-TRANSFER-ERROR");
    CHECK(error.retryable());
}

TEST_CASE("data that all came is no success where the server says that it is not", "[ftp][integration]") {
    DataPort data{"hello"};
    ScriptedFtp server{script({{"EPSV", data.epsv()}, {"RETR", "150 here\r\n451 the disk broke\r\n"}})};
    FtpClient client{server.options()};
    const Error error = error_of([&] { client.read("x", 10s); });
    CHECK(error.message().find("the disk broke") != std::string_view::npos);
    CHECK(error.retryable());
}

TEST_CASE("listings of Windows are read", "[ftp][integration]") {
    DataPort data{"01-31-26  11:59PM       <DIR>          docs\r\n01-31-26  12:05AM                 1024 a b.txt\r\n"};
    ScriptedFtp server{script({{"EPSV", data.epsv()}, {"LIST", "125 here\r\n226 done\r\n"}})};
    FtpClient client{server.options()};
    const auto all = client.list({}, {}, 10s);
    REQUIRE(all.size() == 2);
    CHECK(all[0].name == "a b.txt");
    CHECK(all[0].size == 1024);
    CHECK(all[1].type == FileType::directory);
}

TEST_CASE("a listing that cannot be read is an error, not a shorter list", "[ftp][integration]") {
    DataPort data{"-rw-r--r-- 1 a b 3 Jan 31 2019 good\r\nFILE0001.DAT;1  7  31-JAN-2026\r\n"};
    ScriptedFtp server{script({{"EPSV", data.epsv()}, {"LIST", "150 here\r\n226 done\r\n"}})};
    FtpClient client{server.options()};
    const Error error = error_of([&] { client.list({}, {}, 10s); });
    CHECK(error.reason() == Reason::bad_answer);
    CHECK(error.message().find("FILE0001.DAT") != std::string_view::npos);
}

TEST_CASE("where a rename replaces nothing, the old file is removed only if that is allowed", "[ftp][integration]") {
    for (const bool allowed : {false, true}) {
        DataPort data;
        std::atomic<int> renames{0};
        ScriptedFtp server{[&](const std::string& line) -> std::string {
            if (line.starts_with("EPSV")) return data.epsv();
            if (line.starts_with("STOR")) return "150 go\r\n226 done\r\n";
            if (line.starts_with("SIZE")) return "213 3\r\n";
            if (line.starts_with("RNFR")) return "350 to\r\n";
            if (line.starts_with("RNTO")) return ++renames == 1 ? "550 Cannot create a file when that file already exists.\r\n" : "250 ok\r\n";
            if (line.starts_with("DELE")) return "250 ok\r\n";
            if (line == "CWD x") return "550 no\r\n";
            return usual_reply(line);
        }};
        FtpOptions options = server.options();
        options.delete_before_rename = allowed;
        FtpClient client{options};
        if (allowed) {
            client.write("x", "new", WriteMode::replace, 10s);
            CHECK(renames == 2);
            CHECK(server.count("DELE x") == 1);
        } else {
            const Error error = error_of([&] { client.write("x", "new", WriteMode::replace, 10s); });
            CHECK(error.reason() == Reason::exists);
            CHECK(error.message().find("delete_before_rename") != std::string_view::npos);
            bool target_stays = true;
            for (const std::string& line : server.heard()) target_stays = target_stays && line != "DELE x";
            CHECK(target_stays);
        }
        CHECK(data.received() == "new");
    }
}

TEST_CASE("a server that allows one session has all calls wait for that", "[ftp][integration]") {
    std::atomic<int> users{0};
    ScriptedFtp server{[&](const std::string& line) -> std::string {
        if (line.starts_with("USER") && ++users > 1) return "421 Too many users\r\n";
        if (line.starts_with("SITE")) {
            std::this_thread::sleep_for(100ms);
            return "200 ok\r\n";
        }
        return usual_reply(line);
    }};
    FtpClient client{server.options()};
    client.connect(10s);
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { good += client.command("SITE X", 20s).code == 200 ? 1 : 0; });
    for (auto& thread : threads) thread.join();
    CHECK(good == 4);
}

TEST_CASE("what is no FTP server is told so", "[ftp][integration]") {
    const ScriptedFtp server{[](const std::string&) { return std::string{}; }, "SSH-2.0-OpenSSH_9.2\r\n"};
    const Error error = error_of([&] { FtpClient{server.options()}.connect(10s); });
    CHECK(error.name() == "FTP-CONNECT-ERROR");
    CHECK(error.reason() == Reason::bad_answer);
}

TEST_CASE("every error names the connection, the user and the server", "[ftp][integration]") {
    ScriptedFtp server{script({{"SIZE", "550 No such file\r\n"}, {"RETR", "550 No such file\r\n"}, {"SITE", ""}, {"EPSV", epsv(free_port())}})};
    FtpOptions options = server.options();
    options.username = "edi";
    options.password = Secret{std::string{"pAss-wOrd"}};
    FtpClient client{options};
    const Error errors[] = {
        error_of([&] { client.read("x", 10s); }),
        error_of([&] { client.stat("\r\n"); }),
        error_of([&] { client.command("SITE X", 100ms); }),
        error_of([&] { client.free_space(); }),
        error_of([&] {
            client.visit(
                "d", [](const FileInfo&) { return true; }, 10s);
        }),
    };
    for (const Error& error : errors) {
        INFO(error.what());
        CHECK(error.connection() == "files");
        CHECK(has(error.message(), "edi@127.0.0.1:" + std::to_string(server.port())));
        CHECK_FALSE(has(error.message(), "pAss-wOrd"));
    }
}

TEST_CASE("no user name means anonymous", "[ftp][integration]") {
    const ScriptedFtp server{usual_reply};
    FtpClient{server.options()}.connect(10s);
    CHECK(server.heard().at(0) == "USER anonymous");
    CHECK(server.heard().at(1) == "PASS qore@nohost.com");
}
