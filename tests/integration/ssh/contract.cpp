// SPDX-License-Identifier: Apache-2.0
// The contract of connections, for ssh and sftp.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <qconn/file/file_transfer_client.hpp>

#include "contract/connection_contract.hpp"
#include "integration/ssh/ssh_fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/define.hpp"
#include "support/free_port.hpp"
#include "support/tcp_table.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Calls that have been begun and have not ended.
std::atomic<int>& in_flight() {
    static std::atomic<int> count{0};
    return count;
}
struct InFlight {
    InFlight() { ++in_flight(); }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { --in_flight(); }
};

/// What a command writes.
Use command_use(const std::string& command) {
    return {.blocking =
                [command](Client& client, Deadline deadline) {
                    const InFlight counted;
                    return dynamic_cast<SshClient&>(client).run(command, deadline).output;
                },
            .asynchronous =
                [command](Client& client, Deadline deadline, Callback<std::string> callback) {
                    SshCommand what;
                    what.command = command;
                    auto counted = std::make_unique<InFlight>();
                    auto tell = [callback = std::move(callback), counted = std::move(counted)](Result<SshResult> result) mutable {
                        counted.reset();
                        callback(result ? Result<std::string>{result->output} : Result<std::string>{result.error()});
                    };
                    return dynamic_cast<SshClient&>(client).async_run(std::move(what), deadline, std::move(tell));
                }};
}

/// What a file holds.
Use file_use(const std::string& path) {
    return {.blocking =
                [path](Client& client, Deadline deadline) {
                    const InFlight counted;
                    return dynamic_cast<FileTransferClient&>(client).read(path, deadline);
                },
            .asynchronous =
                [path](Client& client, Deadline deadline, Callback<std::string> callback) {
                    auto counted = std::make_unique<InFlight>();
                    auto tell = [callback = std::move(callback), counted = std::move(counted)](Result<std::string> result) mutable {
                        counted.reset();
                        callback(std::move(result));
                    };
                    return dynamic_cast<FileTransferClient&>(client).async_read(path, deadline, std::move(tell));
                }};
}

ConnectionContract contract_of(const std::string& scheme, const Server& server, const Server& other, const SilentServer& silent) {
    const std::string known = "known_hosts: " + server.directory() / "known_hosts" + "\nuse_agent: false\n";
    const std::string known_other = "known_hosts: " + other.directory() / "known_hosts" + "\nuse_agent: false\n";
    const std::string login = std::string{k_ssh_user} + ':' + std::string{k_password} + '@';
    const auto at = [&](const std::string& user, std::uint16_t port) { return scheme + "://" + user + "127.0.0.1:" + std::to_string(port); };
    ConnectionContract out;
    out.up = {at(login, server.port()), known};
    out.changed = {at(login, other.port()), known_other};
    out.answer = std::to_string(server.port()) + "\n";
    out.changed_answer = std::to_string(other.port()) + "\n";
    if (scheme == "sftp") {
        server.directory().write("home/port", out.answer);
        other.directory().write("home/port", out.changed_answer);
        out.use = file_use("port");
    } else {
        out.use = command_use("echo ${SSH_CONNECTION##* }");  // the server's port
    }
    out.refused = Down{{at(login, free_port()), known}, Phase::connect, Reason::refused};
    out.silent = Down{{at(login, silent.port()), known}, Phase::protocol, Reason::timeout, PingDepth::full, 2s};
    out.wrong_password = Down{{at(std::string{k_ssh_user} + ":wrong@", server.port()), known}, Phase::auth, Reason::denied, PingDepth::auth};
    // The server's key is what a certificate is elsewhere.
    out.bad_certificate = Down{{at(login, server.port()), known_other}, Phase::tls, Reason::certificate_untrusted};
    out.slow = SlowUse{.sample = {at(login, silent.port()), known}, .reached = [&silent](int calls) {
                           // All share one session: from outside only the first can be seen. The others are a moment away from where they wait.
                           if (in_flight() < calls || count_ends_towards(silent.port(), TcpState::established) == 0) return false;
                           std::this_thread::sleep_for(300ms);
                           return true;
                       }};
    const std::string key = server.directory() / "keys/ed25519";
    const std::string gate =
        "jump: ['ssh://" + std::string{k_ssh_user} + "@" + other.address() + "']\njump_password: x\nhost_key_check: accept-new\n";
    out.samples = {{"keyfile", {"", "keyfile: " + key}},
                   {"keyfile_data", {"", "keyfile_data: x"}},
                   {"known_hosts", {"", known}},
                   {"jump", {"", gate}},
                   {"jump_password", {"", gate}}};
    const std::string canary = k_canary;
    out.with_canary = {{at(login, server.port()), known + "jump: ['ssh://edi@" + other.address() + "']\njump_password: " + canary},
                       {at(login, server.port()), known + "keyfile: " + server.directory() / "keys/rsa_enc" + "\nkeyfile_password: " + canary}};
    return out;
}

struct Peers {
    Server server{"sshd", sshd_options()};
    Server other{"sshd", sshd_options()};
    SilentServer silent;
};

}  // namespace

TEST_CASE("ssh keeps the contract of connections", "[contract][integration]") {
    const Peers peers;
    CHECK(to_text(broken_promises(contract_of("ssh", peers.server, peers.other, peers.silent))) == "");
}

TEST_CASE("sftp keeps the contract of connections", "[contract][integration]") {
    const Peers peers;
    CHECK(to_text(broken_promises(contract_of("sftp", peers.server, peers.other, peers.silent))) == "");
}

TEST_CASE("a definition's jump host is logged in to with the password for it", "[ssh][integration]") {
    const Peers peers;
    const std::string login = std::string{k_ssh_user} + ':' + std::string{k_password} + '@';
    const std::string known =
        peers.server.directory().write("both", peers.server.directory().read("known_hosts") + peers.other.directory().read("known_hosts"));
    const auto options = [&](std::string_view password) {
        return "known_hosts: " + known + "\nuse_agent: false\njump: ['ssh://" + std::string{k_ssh_user} + '@' + peers.other.address() +
               "']\njump_password: '" + std::string{password} + "'\n";
    };
    const std::string address = "ssh://" + login + peers.server.address();
    const Checked right = define(address, options(k_password));
    INFO(right.text());
    REQUIRE(right.valid);
    CHECK(right.client<SshClient>()->run("echo behind", 30s).output == "behind\n");
    CHECK(peers.other.log().find("Accepted password") != std::string::npos);
    const Error error = error_of([&] { define(address, options("wrong")).client<SshClient>()->run("true", 30s); });
    CHECK(error.reason() == Reason::denied);
    CHECK(std::string{error.message()}.find("jump host") != std::string::npos);
    CHECK(std::string{error.what()}.find("wrong\"") == std::string::npos);
}
