// SPDX-License-Identifier: Apache-2.0
// Whom a client believes to talk to.
#include <algorithm>
#include <string>
#include <vector>

#include <qconn/core/registry.hpp>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "integration/ssh/ssh_fixture.hpp"
#include "ssh/known_hosts.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_enough = 20s;

std::string name_of(const Server& server) { return "[127.0.0.1]:" + std::to_string(server.port()); }
std::string key_of(const Server& server, const std::string& type) {
    std::string line = server.directory().read("host_" + type + ".pub");
    return line.substr(0, line.find(' ', line.find(' ') + 1));  // without the comment
}
std::string fingerprint(const std::string& key) { return ssh::fingerprint_of(*base64::decode(key.substr(key.find(' ') + 1))); }

struct Attempt {
    TempDir directory;
    SshOptions options;
    explicit Attempt(const std::string& known) : options{options_for(shared_sshd())} { options.known_hosts = {directory.write("known", known)}; }
    Error error() const {
        return error_of([&] { SshClient{options}.run("true", k_enough); });
    }
};

}  // namespace

TEST_CASE("an unknown server is refused with its fingerprint and the line to add", "[ssh][integration]") {
    const Attempt attempt{"# nobody\n"};
    const Error error = attempt.error();
    CHECK(error.name() == "SSH-HOST-KEY-UNKNOWN");
    CHECK(error.phase() == Phase::tls);
    CHECK(error.reason() == Reason::certificate_untrusted);
    const auto* detail = error.detail<SshHostKeyDetail>();
    REQUIRE(detail != nullptr);
    CHECK(detail->type == "ssh-ed25519");
    const std::string key = key_of(shared_sshd(), "ed25519");
    CHECK(detail->fingerprint == fingerprint(key));
    CHECK(std::string{error.message()}.find(name_of(shared_sshd()) + ' ' + key + "\" to " + attempt.options.known_hosts.front()) !=
          std::string::npos);
}

TEST_CASE("a changed key is refused with both fingerprints, also where new ones are accepted", "[ssh][integration]") {
    Attempt attempt{name_of(shared_sshd()) + ' ' + [] {
        std::string key = shared_sshd().directory().read("keys/stranger.pub");
        return key.substr(0, key.find(' ', key.find(' ') + 1));
    }() + "\n"};
    for (const HostKeyPolicy policy : {HostKeyPolicy::strict, HostKeyPolicy::accept_new}) {
        attempt.options.host_key_policy = policy;
        const Error error = attempt.error();
        CHECK(error.name() == "SSH-HOST-KEY-CHANGED");
        CHECK(error.reason() == Reason::certificate_untrusted);
        const auto* detail = error.detail<SshHostKeyDetail>();
        REQUIRE(detail != nullptr);
        REQUIRE(detail->expected.size() == 1);
        CHECK(std::string{error.message()}.find(detail->fingerprint) != std::string::npos);
        CHECK(std::string{error.message()}.find(detail->expected.front()) != std::string::npos);
        CHECK(detail->places.front().ends_with("/known:1"));
    }
}

TEST_CASE("a revoked key is refused, whatever other lines say", "[ssh][integration]") {
    const std::string line = name_of(shared_sshd()) + ' ' + key_of(shared_sshd(), "ed25519") + "\n";
    const Error error = Attempt{line + "@revoked * " + key_of(shared_sshd(), "ed25519") + "\n"}.error();
    CHECK(error.name() == "SSH-HOST-KEY-REVOKED");
    CHECK(error.reason() == Reason::certificate_untrusted);
}

TEST_CASE("a server is asked for a key of the type that is known", "[ssh][integration]") {
    for (const auto& [type, name] : {std::pair{"rsa", "ssh-rsa"}, std::pair{"ecdsa", "ecdsa-sha2-nistp256"}, std::pair{"ed25519", "ssh-ed25519"}}) {
        const Attempt attempt{name_of(shared_sshd()) + ' ' + key_of(shared_sshd(), type) + "\n"};
        SshClient client{attempt.options};
        CHECK(client.connect(k_enough).host_key_type == name);
    }
}

TEST_CASE("hashed names and patterns are known servers", "[ssh][integration]") {
    const TempDir directory;
    const std::string line = name_of(shared_sshd()) + ' ' + key_of(shared_sshd(), "ed25519") + "\n";
    const std::string path = directory.write("known", line);
    REQUIRE(std::system(("ssh-keygen -q -H -f " + path + " 2>/dev/null").c_str()) == 0);
    REQUIRE(directory.read("known").starts_with("|1|"));
    SshOptions options = options_for(shared_sshd());
    options.known_hosts = {path};
    CHECK(SshClient{options}.run("true", k_enough).ok());

    const Attempt pattern{"[127.0.0.*]:* " + key_of(shared_sshd(), "ed25519") + "\n"};
    CHECK(SshClient{pattern.options}.run("true", k_enough).ok());
    const Attempt excluded{"!" + name_of(shared_sshd()) + ",* " + key_of(shared_sshd(), "ed25519") + "\n"};
    CHECK(excluded.error().name() == "SSH-HOST-KEY-UNKNOWN");
}

TEST_CASE("accept-new writes the key down, once, and believes nobody else afterwards", "[ssh][integration]") {
    const TempDir directory;
    SshOptions options = options_for(shared_sshd());
    options.known_hosts = {directory.write("known", "# a comment without an end")};
    options.host_key_policy = HostKeyPolicy::accept_new;
    CHECK(SshClient{options}.run("true", k_enough).ok());
    const std::string written = directory.read("known");
    CHECK(written == "# a comment without an end\n" + name_of(shared_sshd()) + ' ' + key_of(shared_sshd(), "ed25519") + "\n");
    CHECK(SshClient{options}.run("true", k_enough).ok());
    CHECK(directory.read("known") == written);
    options.host_key_policy = HostKeyPolicy::strict;
    CHECK(SshClient{options}.run("true", k_enough).ok());

    options.known_hosts = {directory / "made"};
    options.host_key_policy = HostKeyPolicy::accept_new;
    CHECK(SshClient{options}.run("true", k_enough).ok());
    CHECK(ssh::parse_known_hosts(directory.read("made")).entries.size() == 1);
    options.known_hosts = {directory / "no/such/place"};
    const Error error = error_of([&] { SshClient{options}.run("true", k_enough); });
    CHECK(error.name() == "SSH-KNOWN-HOSTS-ERROR");
}

TEST_CASE("a pinned fingerprint stands for any file, and no other key goes", "[ssh][integration]") {
    SshOptions options = options_for(shared_sshd());
    options.known_hosts = {"/no/such/file"};
    options.fingerprints = {"SHA256:" + std::string(43, 'A'), fingerprint(key_of(shared_sshd(), "ed25519"))};
    CHECK(SshClient{options}.run("true", k_enough).ok());
    options.fingerprints.pop_back();
    const Error error = error_of([&] { SshClient{options}.run("true", k_enough); });
    CHECK(error.name() == "SSH-HOST-KEY-PIN");
    CHECK(error.reason() == Reason::certificate_pin);
    options.fingerprints = {"MD5:00:11"};
    CHECK(error_of([&] { SshClient{options}; }).name() == "SSH-OPTION-ERROR");
}

TEST_CASE("a named file of known servers that is not there is told", "[ssh][integration]") {
    SshOptions options = options_for(shared_sshd());
    options.known_hosts = {"/no/such/file"};
    const Error error = error_of([&] { SshClient{options}.run("true", k_enough); });
    CHECK(error.name() == "SSH-KNOWN-HOSTS-ERROR");
    CHECK(error.reason() == Reason::not_found);
}

TEST_CASE("a ping tells the key that the server has shown", "[ssh][integration]") {
    const Server& server = shared_sshd();
    Definition drop;
    drop.name = "drop";
    drop.url = "ssh://" + std::string{k_ssh_user} + ':' + std::string{k_password} + "@127.0.0.1:" + std::to_string(server.port());
    drop.options = {{"known_hosts", server.directory() / "known_hosts"}, {"use_agent", false}};
    Registry registry;
    registry.add(drop);
    const PingResult result = registry.ping("drop", PingDepth::auth, Deadline{k_enough});
    REQUIRE(result.ok);
    REQUIRE(result.credentials.size() == 1);
    const Credential& key = result.credentials.front();
    CHECK(key.kind == Credential::Kind::host_key);
    CHECK(key.fingerprint == fingerprint(key_of(server, key.subject.substr(key.subject.find('-') + 1))));
    CHECK_FALSE(key.expires);
}
