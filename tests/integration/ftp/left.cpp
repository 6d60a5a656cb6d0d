// SPDX-License-Identifier: Apache-2.0
// What a call that ends in the middle leaves behind: where the session is, where the next transfer begins, which files there are.
#include <atomic>
#include <map>
#include <mutex>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/text.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// The state of each control connection of a server, by its thread: its directory, and where REST has put the next transfer.
struct States {
    struct One {
        std::string directory;
        std::string restart{"0"};
    };
    One& mine() {
        const std::scoped_lock lock{mutex};
        return all[std::this_thread::get_id()];
    }
    std::mutex mutex;
    std::map<std::thread::id, One> all;
};

/// Answers are held back until it is opened.
class Gate {
public:
    std::string pass(std::string reply) const {
        wait_until([this] { return open_.load(); });
        return reply;
    }
    void open() { open_ = true; }

private:
    std::atomic<bool> open_{false};
};

/// Ends the call once the server has heard the line, and only then lets the server answer.
template <class T>
void cancel_at(const ScriptedFtp& server, std::string_view line, Operation operation, Outcomes<T>& outcomes, Gate& gate) {
    REQUIRE(wait_until([&] { return server.count(line) == 1; }));
    operation.cancel();
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results().front().error().reason() == Reason::cancelled);
    gate.open();
}

/// A server whose renames replace nothing, in front of a script.
ScriptedFtp::Script replacing_nothing(DataPort& data, ScriptedFtp::Script first) {
    return [&data, first = std::move(first)](const std::string& line) -> std::string {
        std::string reply = first(line);
        if (!reply.empty()) return reply;
        if (line.starts_with("EPSV")) return data.epsv();
        if (line.starts_with("STOR")) return "150 go\r\n226 done\r\n";
        if (line.starts_with("SIZE")) return "213 3\r\n";
        if (line.starts_with("MDTM")) return "213 20260131235900\r\n";
        if (line.starts_with("RNFR")) return "350 to\r\n";
        if (line.starts_with("RNTO")) return "550 Cannot create a file when that file already exists.\r\n";
        if (line == "CWD x") return "550 no\r\n";
        return usual_reply(line);
    };
}

/// In what was heard: the name that STOR had.
std::string stored(const ScriptedFtp& server) {
    for (const std::string& line : server.heard()) {
        if (line.starts_with("STOR ")) return line.substr(5);
    }
    return {};
}

FtpOptions that_removes(const ScriptedFtp& server) {
    FtpOptions options = server.options();
    options.delete_before_rename = true;
    return options;
}

}  // namespace

TEST_CASE("a call that ends before CWD is answered leaves no session in that directory", "[ftp][integration]") {
    for (const bool listing : {true, false}) {
        Gate gate;
        States states;
        std::mutex mutex;
        std::vector<std::string> removed;
        ScriptedFtp server{[&](const std::string& line) -> std::string {
            if (line == "CWD done") {
                states.mine().directory = "done/";
                return gate.pass("250 ok\r\n");
            }
            if (line == "CWD /") states.mine().directory.clear();
            if (line.starts_with("DELE ")) {
                const std::scoped_lock lock{mutex};
                removed.push_back(states.mine().directory + line.substr(5));
                return "250 ok\r\n";
            }
            if (line.starts_with("SIZE") || line.starts_with("MDTM")) return "550 what\r\n";
            return usual_reply(line);
        }};
        FtpOptions options = server.options();
        options.max_sessions = 1;
        FtpClient client{options};
        client.connect(10s);
        if (listing) {
            Outcomes<std::vector<FileInfo>> outcomes;
            cancel_at(server, "CWD done", client.async_list("done", {}, {}, outcomes.callback()), outcomes, gate);
        } else {
            Outcomes<FileInfo> outcomes;
            cancel_at(server, "CWD done", client.async_stat("done", {}, outcomes.callback()), outcomes, gate);
        }
        client.remove("x", 20s);
        CHECK(removed == std::vector<std::string>{"x"});
        CHECK(server.connections() == 1);  // it came back
    }
}

TEST_CASE("a session that does not know its way back is given up", "[ftp][integration]") {
    Gate gate;
    ScriptedFtp server{[&](const std::string& line) -> std::string {
        if (line == "CWD done") return gate.pass("250 ok\r\n");
        if (line == "PWD") return "502 what\r\n";
        if (line.starts_with("DELE ")) return "250 ok\r\n";
        return usual_reply(line);
    }};
    FtpOptions options = server.options();
    options.max_sessions = 1;
    FtpClient client{options};
    client.connect(10s);
    Outcomes<std::vector<FileInfo>> outcomes;
    cancel_at(server, "CWD done", client.async_list("done", {}, {}, outcomes.callback()), outcomes, gate);
    client.remove("x", 20s);
    CHECK(server.connections() == 2);
}

TEST_CASE("a call that ends before REST is answered does not move the beginning of the next transfer", "[ftp][integration]") {
    DataPort data{"hello"};
    Gate gate;
    States states;
    std::mutex mutex;
    std::vector<std::string> begun;
    ScriptedFtp server{[&](const std::string& line) -> std::string {
        if (line.starts_with("SIZE")) return "213 5\r\n";
        if (line.starts_with("EPSV")) return data.epsv();
        if (line.starts_with("REST ")) {
            states.mine().restart = line.substr(5);
            return line == "REST 3" ? gate.pass("350 go on\r\n") : "350 go on\r\n";
        }
        if (line.starts_with("RETR")) {
            const std::scoped_lock lock{mutex};
            begun.push_back(states.mine().restart);
            return "150 here\r\n226 done\r\n";
        }
        return usual_reply(line);
    }};
    FtpOptions options = server.options();
    options.max_sessions = 1;
    FtpClient client{options};
    client.connect(10s);
    Outcomes<std::uint64_t> outcomes;
    const std::shared_ptr<ByteSink> sink = function_sink([](std::string_view) {});
    cancel_at(server, "REST 3", client.async_get("x", sink, {.from = 3}, {}, outcomes.callback()), outcomes, gate);
    client.get("y", *sink, {}, 20s);
    CHECK(begun == std::vector<std::string>{"0"});
}

TEST_CASE("a NOOP that was refused takes no answer away from the next call", "[ftp][integration]") {
    DataPort data;
    ScriptedFtp server{[&](const std::string& line) -> std::string {
        if (line.starts_with("EPSV")) return data.epsv();
        if (line.starts_with("STOR")) return "150 go\r\n";
        if (line == "NOOP") return "502 what\r\n426 cut\r\n";
        if (line.starts_with("DELE")) return "250 ok\r\n";
        if (line.starts_with("SITE")) return "200 ok\r\n";
        return usual_reply(line);
    }};
    FtpOptions options = server.options();
    options.max_sessions = 1;
    options.noop_interval = 1ms;
    FtpClient client{options};
    const auto source = function_source([&](char* to, std::size_t most) {
        std::fill_n(to, most, 'x');
        return server.count("NOOP") == 0 ? most : 0;
    });
    CHECK(error_of([&] { client.put("x", *source, {.mode = WriteMode::in_place}, 20s); }).name() != "NO-ERROR");
    CHECK(client.command("SITE x", 10s).code == 200);
    CHECK(server.connections() == 1);
}

TEST_CASE("where a rename fails behind the removal of the old file, the new contents stay and the error names them", "[ftp][integration]") {
    DataPort data;
    ScriptedFtp server{replacing_nothing(data, [](const std::string& line) { return line == "DELE x" ? "250 ok\r\n" : ""; })};
    {
        FtpClient client{that_removes(server)};
        const Error error = error_of([&] { client.write("x", "new", WriteMode::replace, 10s); });
        INFO(error.what());
        CHECK(error.name() == "FTP-ERROR");
        CHECK(has(error.message(), "\"x\" has been removed"));
        CHECK(has(error.message(), '"' + stored(server) + '"'));
    }
    REQUIRE(wait_until([&] { return server.count("QUIT") == 1; }));
    CHECK(server.count("DELE") == 1);  // that of the old one
}

TEST_CASE("a call that ends while the old file is removed leaves the new contents, and names them", "[ftp][integration]") {
    DataPort data;
    Gate gate;
    ScriptedFtp server{replacing_nothing(data, [&](const std::string& line) { return line == "DELE x" ? gate.pass("250 ok\r\n") : ""; })};
    Outcomes<void> outcomes;
    FtpOptions options = that_removes(server);
    options.max_sessions = 1;
    FtpClient client{options};
    cancel_at(server, "DELE x", client.async_write("x", "new", WriteMode::replace, {}, outcomes.callback()), outcomes, gate);
    CHECK(has(outcomes.results().front().error().message(), '"' + stored(server) + '"'));
    client.connect(20s);  // behind all that the session had to put right
    CHECK(server.count("DELE") == 1);
}

TEST_CASE("where the old file cannot be removed, what was sent goes", "[ftp][integration]") {
    DataPort data;
    ScriptedFtp server{replacing_nothing(data, [](const std::string& line) { return line.starts_with("DELE") ? "550 Permission denied\r\n" : ""; })};
    FtpClient client{that_removes(server)};
    const Error error = error_of([&] { client.write("x", "new", WriteMode::replace, 10s); });
    CHECK(error.reason() == Reason::permission);
    CHECK(server.count("DELE " + stored(server)) == 1);
}

TEST_CASE("a file that is moved to where it is stays", "[ftp][integration]") {
    for (const char* same : {"a", "/a", "./a", "//a/"}) {
        DataPort data;
        ScriptedFtp server{replacing_nothing(data, [](const std::string& line) { return line.starts_with("DELE") ? "250 ok\r\n" : ""; })};
        FtpClient client{that_removes(server)};
        client.move("a", same, true, 10s);
        CHECK(server.count("RNFR") == 0);
        CHECK(server.count("DELE") == 0);
    }
    ScriptedFtp empty{[](const std::string& line) {
        const std::string usual = usual_reply(line);
        return usual.empty() || line == "CWD x" ? std::string{"550 no\r\n"} : usual;
    }};
    FtpClient client{empty.options()};
    CHECK(error_of([&] { client.move("x", "x", true, 10s); }).reason() == Reason::not_found);
}

TEST_CASE("a server that does not say what is there is asked until it is known, and nothing is replaced unasked", "[ftp][integration]") {
    struct Answer {
        const char* mlst;
        const char* size;
        const char* list;
        bool there;
        Reason reason;
    };
    // What MLST and SIZE are answered with, and what a listing of the directory tells; what comes of it.
    const std::vector<Answer> all{
        {"550 No such file", "550 what", "", false, Reason::none},
        {"550 Permission denied", "213 3", "", true, Reason::exists},
        {"450 busy", "213 3", "", true, Reason::exists},
        {"502 what", "213 3", "", true, Reason::exists},
        {"502 what", "550 Could not get file size.", "", false, Reason::none},
        {"550 Permission denied", "550 Permission denied", "", true, Reason::permission},
        {"450 busy", "450 busy", "", true, Reason::status},
        {"502 what", "502 what", "-rw-r--r-- 1 a b 3 Jan 31 2019 x\r\n", true, Reason::exists},
        {"502 what", "502 what", "-rw-r--r-- 1 a b 3 Jan 31 2019 y\r\n", false, Reason::none},
    };
    for (const Answer& one : all) {
        INFO(one.mlst << ", " << one.size << ", " << one.list);
        DataPort data{one.list};
        ScriptedFtp server{[&](const std::string& line) -> std::string {
            const auto end = [](const char* text) { return std::string{text} + "\r\n"; };
            if (line == "FEAT") return "211-can\r\n MLST type*;size*;\r\n211 end\r\n";
            if (line.starts_with("MLST")) return end(one.mlst);
            if (line.starts_with("SIZE")) return end(one.size);
            if (line.starts_with("MLSD")) return "502 what\r\n";
            if (line.starts_with("EPSV")) return data.epsv();
            if (line.starts_with("LIST")) return "150 here\r\n226 done\r\n";
            if (line.starts_with("RNFR")) return "350 to\r\n";
            if (line.starts_with("RNTO")) return "250 ok\r\n";
            if (line == "CWD x") return "550 no\r\n";
            return usual_reply(line);
        }};
        FtpClient client{server.options()};
        const Error error = error_of([&] { client.move("a", "x", false, 10s); });
        INFO(error.what());
        CHECK((error.name() == "NO-ERROR") != one.there);
        if (one.there) CHECK(error.reason() == one.reason);
        CHECK(server.count("RNTO") == (one.there ? 0 : 1));
    }
}

TEST_CASE("a file is not created where the server does not say whether it is there", "[ftp][integration]") {
    DataPort data;
    ScriptedFtp server{replacing_nothing(data, [](const std::string& line) -> std::string {
        if (line == "FEAT") return "211-can\r\n MLST type*;size*;\r\n211 end\r\n";
        return line.starts_with("MLST") ? "550 Permission denied\r\n" : "";
    })};
    FtpClient client{server.options()};
    CHECK(error_of([&] { client.write("x", "new", WriteMode::create, 10s); }).reason() == Reason::exists);
    CHECK(server.count("STOR") == 0);
}

TEST_CASE("a move replaces by removing only where that is allowed", "[ftp][integration]") {
    for (const bool allowed : {false, true}) {
        DataPort data;
        ScriptedFtp server{replacing_nothing(data, [](const std::string& line) { return line == "DELE x" ? "250 ok\r\n" : ""; })};
        FtpOptions options = server.options();
        options.delete_before_rename = allowed;
        FtpClient client{options};
        const Error error = error_of([&] { client.move("a", "x", true, 10s); });
        INFO(error.what());
        CHECK(error.reason() == Reason::exists);
        CHECK(server.count("DELE") == (allowed ? 1 : 0));
        CHECK(has(error.message(), allowed ? "is in \"a\"" : "delete_before_rename"));
    }
}
