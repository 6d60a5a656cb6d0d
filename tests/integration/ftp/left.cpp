// SPDX-License-Identifier: Apache-2.0
// What a call that ends in the middle leaves behind: where the session is, where the next transfer begins, which files there are.
#include <atomic>
#include <map>
#include <mutex>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
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
