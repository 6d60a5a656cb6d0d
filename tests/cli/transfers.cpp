// SPDX-License-Identifier: Apache-2.0
// Transfers of the tool that are broken off: nothing unfinished stays at the server.
#include <signal.h>

#include <filesystem>

#include "integration/ssh/ssh_fixture.hpp"
#include "process.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"
#include "support/wait.hpp"

using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// A connection to an sshd, and a file that takes long to send and no room here.
struct Drop {
    const Server& server{shared_sshd()};
    TempDir here;
    Drop() {
        here.write("drop.yaml", "type: connection\nname: drop\ndesc: Files\nurl: sftp://" + std::string{k_ssh_user} + "@127.0.0.1:" +
                                    std::to_string(server.port()) + "\noptions:\n  keyfile: " + (server.directory() / "keys/ed25519") +
                                    "\n  use_agent: false\n  known_hosts: " + (server.directory() / "known_hosts") + "\n");
        here.write("large", "");
        std::filesystem::resize_file(here / "large", std::uintmax_t{8} << 30U);
    }
    /// Names in the home of the server, also those that are not listed.
    std::size_t names() const {
        const std::filesystem::directory_iterator all{server.directory() / "home"};
        return static_cast<std::size_t>(std::distance(begin(all), end(all)));
    }
    Launch put(std::vector<std::string> more = {}) const {
        std::vector<std::string> words{"--dir", here / "drop.yaml", "call", "drop", "put", here / "large"};
        words.insert(words.end(), more.begin(), more.end());
        return qconn_launch(std::move(words));
    }
};

}  // namespace

TEST_CASE("a signal ends a transfer, and nothing unfinished stays at the server", "[cli][sftp][integration]") {
    const auto [signal, code] = GENERATE(table<int, int>({{SIGINT, 130}, {SIGTERM, 143}}));
    const Drop drop;
    Process process{drop.put()};
    REQUIRE(wait_until([&] { return drop.names() == 1; }, 20s));
    process.signal(signal);
    const Outcome outcome = process.finish();
    INFO(outcome.err);
    CHECK(outcome.code == code);
    CHECK(drop.names() == 0);
}

TEST_CASE("a transfer that has no time left leaves nothing unfinished at the server", "[cli][sftp][integration]") {
    const Drop drop;
    Process process{drop.put({"--timeout", "1s"})};
    const Outcome outcome = process.finish();
    CHECK(outcome.code == 1);
    CHECK(has(outcome.err, "TIMEOUT"));
    CHECK(drop.names() == 0);
}

TEST_CASE("a second signal ends a transfer at once", "[cli][sftp][integration]") {
    const Drop drop;
    Process process{drop.put()};
    REQUIRE(wait_until([&] { return drop.names() == 1; }, 20s));
    // A server that does not answer keeps the first one waiting.
    signal_sessions(drop.server, SIGSTOP);
    process.signal(SIGINT);
    process.signal(SIGTERM);
    const Outcome outcome = process.finish();
    signal_sessions(drop.server, SIGCONT);
    CHECK((outcome.code == -SIGTERM || outcome.code == -SIGINT));
    signal_sessions(drop.server, SIGKILL);
    for (const auto& entry : std::filesystem::directory_iterator{drop.server.directory() / "home"}) std::filesystem::remove(entry.path());
}
