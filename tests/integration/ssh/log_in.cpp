// SPDX-License-Identifier: Apache-2.0
// Every way to log in, and what is said where none helps.
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "integration/ssh/ssh_fixture.hpp"
#include "support/catch.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_enough = 20s;

std::string whoami(SshOptions options) { return SshClient{std::move(options)}.run("whoami", k_enough).output; }
Error refusal(SshOptions options) {
    return error_of([&] { SshClient{std::move(options)}.run("true", k_enough); });
}
const std::string k_me = std::string{k_ssh_user} + "\n";

/// An ssh-agent of the test's own, in its environment.
class Agent {
public:
    explicit Agent(const std::string& key) {
        socket_ = directory_ / "agent";
        pid_ = std::stoi(output("ssh-agent -s -a " + socket_ + " | sed -n 's/.*SSH_AGENT_PID=\\([0-9]*\\).*/\\1/p'"));
        ::setenv("SSH_AUTH_SOCK", socket_.c_str(), 1);
        if (!key.empty()) output("ssh-add -q " + key + " 2>&1");
    }
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;
    ~Agent() {
        ::unsetenv("SSH_AUTH_SOCK");
        ::kill(pid_, SIGTERM);
    }
    pid_t pid() const { return pid_; }

private:
    static std::string output(const std::string& command) {
        std::string text;
        FILE* pipe = ::popen(command.c_str(), "r");
        REQUIRE(pipe != nullptr);
        for (int c = 0; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
        ::pclose(pipe);
        return text;
    }
    TempDir directory_;
    std::string socket_;
    pid_t pid_{0};
};

}  // namespace

TEST_CASE("a password logs in", "[ssh][integration]") {
    const Server& server = shared_sshd();
    SshClient client{options_for(server)};
    CHECK(client.run("whoami", k_enough).output == k_me);
    const SshSessionInfo info = client.connect(k_enough);
    CHECK(info.login == "password");
    CHECK(info.user == k_ssh_user);
    CHECK(info.banner.starts_with("SSH-2.0-OpenSSH_"));
    CHECK(info.host_key_type == "ssh-ed25519");
    CHECK(info.fingerprint.starts_with("SHA256:"));
    CHECK(info.cipher_out == "aes128-gcm@openssh.com");
    CHECK_FALSE(info.key_exchange.empty());
    CHECK(info.transport.starts_with("libssh "));
}

TEST_CASE("every type and form of key logs in", "[ssh][integration]") {
    const Server& server = shared_sshd();
    for (const char* key : {"rsa", "rsa_pem", "rsa_pkcs8", "ecdsa", "ecdsa_pem", "ecdsa_pkcs8", "ed25519", "ed25519_pkcs8"}) {
        CAPTURE(key);
        CHECK(whoami(options_with_key(server, key)) == k_me);
        const std::string guarded = std::string{key} + "_enc";
        CHECK(whoami(options_with_key(server, guarded, k_key_phrase)) == k_me);
        // The password is the pass-phrase where there is no other.
        SshOptions by_password = options_with_key(server, guarded);
        by_password.password = Secret{k_key_phrase};
        CHECK(whoami(by_password) == k_me);
    }
}

TEST_CASE("a key is taken as text", "[ssh][integration]") {
    const Server& server = shared_sshd();
    SshOptions options = options_with_key(server, "ed25519");
    options.key = Secret{read_file(options.key_file)};
    options.key_file.clear();
    SshClient client{options};
    CHECK(client.run("whoami", k_enough).output == k_me);
    CHECK(client.connect(k_enough).login == "publickey (key of the options)");
}

TEST_CASE("a key of the agent logs in", "[ssh][integration]") {
    const Server& server = shared_sshd();
    const Agent agent{server.directory() / "keys/ecdsa"};
    SshOptions options = options_for(server);
    options.password = {};
    options.use_agent = true;
    SshClient client{options};
    CHECK(client.run("whoami", k_enough).output == k_me);
    CHECK(client.connect(k_enough).login == "publickey (agent)");
}

TEST_CASE("an agent that hangs holds up nobody else, and ends with the time of the log-in", "[ssh][integration]") {
    const Server& server = shared_sshd();
    const Agent agent{server.directory() / "keys/ecdsa"};
    ::kill(agent.pid(), SIGSTOP);
    const Runtime runtime;
    SshOptions options = options_for(server);
    options.use_agent = true;
    options.login_timeout = 1500ms;
    SshClient stuck{options, runtime};
    SshClient other{options_for(server), runtime};

    const auto begun = Clock::now();
    const Error error = error_of([&] { stuck.run("true", k_enough); });
    CHECK(other.run("whoami", k_enough).output == k_me);
    ::kill(agent.pid(), SIGCONT);

    CHECK(error.name() == "TIMEOUT");
    CHECK(error.phase() == Phase::auth);
    CHECK(Clock::now() - begun < 10s);
}

TEST_CASE("an agent that is not there is told by its path, and none is no agent", "[ssh][integration]") {
    const Server& server = shared_sshd();
    SshOptions options = options_for(server);
    options.use_agent = true;
    options.password = {};
    ::setenv("SSH_AUTH_SOCK", "/nonexist", 1);
    const std::string words = refusal(options).what();
    ::setenv("SSH_AUTH_SOCK", "", 1);
    const std::string without = refusal(options).what();
    ::unsetenv("SSH_AUTH_SOCK");
    CHECK(has(words, "publickey (agent): the agent cannot be reached at /nonexist (SSH_AUTH_SOCK): No such file or directory"));
    CHECK(has(words, "there is neither a key nor a password"));
    CHECK_FALSE(has(without, "agent"));
}

TEST_CASE("an agent without the right key is passed by", "[ssh][integration]") {
    const Server& server = shared_sshd();
    const Agent agent{server.directory() / "keys/stranger"};
    SshOptions options = options_for(server);
    options.use_agent = true;
    CHECK(whoami(options) == k_me);
    options.password = {};
    const Error error = refusal(options);
    CHECK(error.name() == "SSH2CLIENT-AUTH-ERROR");
    CHECK(std::string{error.message()}.find("publickey (agent): it has no key that the server takes") != std::string::npos);
}

TEST_CASE("keyboard-interactive answers with the password", "[ssh][integration]") {
    const Server server{"sshd", sshd_options({"SSHD_PAM=yes"})};
    SshClient client{options_for(server)};
    CHECK(client.run("whoami", k_enough).output == k_me);
    CHECK(client.connect(k_enough).login == "keyboard-interactive");

    SshOptions wrong = options_for(server);
    wrong.password = Secret{"wrong"};
    const Error error = refusal(wrong);
    CHECK(error.name() == "SSH2CLIENT-AUTH-ERROR");
    CHECK(error.reason() == Reason::denied);

    SshOptions switched_off = options_for(server);
    switched_off.keyboard_interactive = false;
    CHECK(refusal(switched_off).name() == "SSH2CLIENT-AUTH-ERROR");
}

TEST_CASE("a server that wants a key and a password gets both", "[ssh][integration]") {
    const Server server{"sshd", sshd_options({"SSHD_OPTIONS=AuthenticationMethods publickey,password"})};
    SshOptions options = options_with_key(server, "ed25519");
    options.password = Secret{k_password};
    SshClient client{options};
    CHECK(client.run("whoami", k_enough).output == k_me);
    CHECK(client.connect(k_enough).login.ends_with(" and password"));
    const Error error = refusal(options_with_key(server, "ed25519"));
    CHECK(error.name() == "SSH2CLIENT-AUTH-ERROR");
    CHECK(std::string{error.message()}.find("taken, but the server wants more") != std::string::npos);
}

TEST_CASE("a wrong password is refused, with what the server takes and what was tried", "[ssh][integration]") {
    SshOptions options = options_for(shared_sshd());
    options.password = Secret{"not-the-passw0rd"};
    const Error error = refusal(options);
    CHECK(error.name() == "SSH2CLIENT-AUTH-ERROR");
    CHECK(error.code() == SshErrc::auth);
    CHECK(error.phase() == Phase::auth);
    CHECK(error.reason() == Reason::denied);
    CHECK(error.connection() == "drop");
    const auto* detail = error.detail<SshAuthDetail>();
    REQUIRE(detail != nullptr);
    CHECK(detail->offered == std::vector<std::string>{"publickey", "password"});
    CHECK(detail->tried == std::vector<std::string>{"password: refused"});
    CHECK(std::string{error.what()}.find("passw0rd") == std::string::npos);
}

TEST_CASE("a key that the server does not know is refused", "[ssh][integration]") {
    const Error error = refusal(options_with_key(shared_sshd(), "stranger"));
    CHECK(error.name() == "SSH2CLIENT-AUTH-ERROR");
    CHECK(error.reason() == Reason::denied);
    CHECK(std::string{error.message()}.find("keys/stranger): refused") != std::string::npos);
}

TEST_CASE("without anything to log in with the error says what is missing", "[ssh][integration]") {
    SshOptions options = options_for(shared_sshd());
    options.password = {};
    const Error error = refusal(options);
    CHECK(error.name() == "SSH2CLIENT-AUTH-ERROR");
    CHECK(error.reason() == Reason::missing);
    CHECK(std::string{error.message()}.find("set the option keyfile") != std::string::npos);
}

TEST_CASE("a key file that cannot be used is told as what it is", "[ssh][integration]") {
    const Server& server = shared_sshd();
    const TempDir directory;
    const auto said = [&](const SshOptions& options, std::string_view words) {
        const Error error = refusal(options);
        CAPTURE(error.what());
        CHECK(error.name() == "SSH-KEY-ERROR");
        CHECK(error.phase() == Phase::auth);
        CHECK(std::string{error.message()}.find(words) != std::string::npos);
        CHECK(std::string{error.message()}.find("wr0ng") == std::string::npos);
        return error.reason();
    };
    for (const char* key : {"rsa_enc", "rsa_pem_enc", "rsa_pkcs8_enc", "ecdsa_enc", "ed25519_enc", "ed25519_pkcs8_enc"}) {
        CAPTURE(key);
        CHECK(said(options_with_key(server, key), "has a pass-phrase, and none is given; set the option keyfile_password") == Reason::missing);
        CHECK(said(options_with_key(server, key, "wr0ng"), "its pass-phrase is another one than keyfile_password") == Reason::denied);
    }
    CHECK(said(options_with_key(server, "gone"), "cannot be read") == Reason::not_found);
    CHECK(said(options_with_key(server, "rsa.pub"), "it is a public key") == Reason::bad_value);
    SshOptions other = options_for(server);
    other.key_file = directory.write("text", "no key at all\n");
    CHECK(said(other, "no private key") == Reason::bad_value);
    other.key_file = directory.write("broken", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
    CHECK(said(other, "") != Reason::none);
    other.key_file = directory.path();
    CHECK(said(other, "cannot be read") != Reason::none);
}

TEST_CASE("a server with an RSA key only is logged in to", "[ssh][integration]") {
    const Server server{"sshd", sshd_options({"SSHD_HOST_KEYS=rsa"})};
    SshClient client{options_with_key(server, "rsa")};
    CHECK(client.run("whoami", k_enough).output == k_me);
    CHECK(client.connect(k_enough).host_key_type == "ssh-rsa");
}

TEST_CASE("algorithms are those that the options name, and none in common is told", "[ssh][integration]") {
    SshOptions options = options_for(shared_sshd());
    options.algorithms.ciphers = {"aes256-ctr"};
    options.algorithms.macs = {"hmac-sha2-512-etm@openssh.com"};
    options.algorithms.key_exchanges = {"ecdh-sha2-nistp256"};
    SshClient client{options};
    const SshSessionInfo info = client.connect(k_enough);
    CHECK(info.cipher_in == "aes256-ctr");
    CHECK(info.mac_out == "hmac-sha2-512-etm@openssh.com");
    CHECK(info.key_exchange == "ecdh-sha2-nistp256");

    options.algorithms.ciphers = {"3des-cbc"};  // not what OpenSSH offers
    const Error error = refusal(options);
    CHECK(error.name() == "SSH-HANDSHAKE-ERROR");
    CHECK(error.reason() == Reason::handshake);
    options.algorithms.ciphers = {"rot13"};
    CHECK(refusal(options).name() == "SSH-OPTION-ERROR");
}
