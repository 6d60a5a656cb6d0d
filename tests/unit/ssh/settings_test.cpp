// SPDX-License-Identifier: Apache-2.0
#include "ssh/settings.hpp"

#include <functional>
#include <string>

#include <qconn/ssh/ssh_client.hpp>

#include "support/catch.hpp"

using namespace qconn;

namespace {

SshOptions good() {
    SshOptions options;
    options.host = "files.example";
    return options;
}

}  // namespace

TEST_CASE("options that cannot be used are refused before anything is sent", "[ssh]") {
    const std::vector<std::function<void(SshOptions&)>> faults{[](SshOptions& o) { o.host.clear(); },
                                                               [](SshOptions& o) { o.port = 0; },
                                                               [](SshOptions& o) { o.user = "a\nb"; },
                                                               [](SshOptions& o) { o.algorithms.ciphers = {"a,b"}; },
                                                               [](SshOptions& o) { o.algorithms.host_keys = {""}; },
                                                               [](SshOptions& o) { o.fingerprints = {"00:11"}; },
                                                               [](SshOptions& o) { o.keep_alive = std::chrono::milliseconds{-1}; }};
    CHECK(ssh::make_settings(good()) != nullptr);
    for (const auto& fault : faults) {
        SshOptions options = good();
        fault(options);
        CHECK_THROWS_AS(SshClient{options}, Error);
    }
}

TEST_CASE("a server is named with user and port", "[ssh]") {
    SshOptions options = good();
    options.user = "edi";
    CHECK(ssh::make_settings(options)->peer == "edi@files.example:22");
    options.host = "::1";
    options.port = 2222;
    CHECK(ssh::make_settings(options)->peer == "edi@[::1]:2222");
    CHECK(ssh::make_settings(good())->own_user);
}

TEST_CASE("keys of the user's own folder are for that user only", "[ssh]") {
    SshOptions options = good();
    CHECK(ssh::key_sources(*ssh::make_settings(options)).size() == 3);
    options.user = "somebody-else";
    CHECK(ssh::key_sources(*ssh::make_settings(options)).empty());
    options.key_file = "/keys/edi";
    const auto sources = ssh::key_sources(*ssh::make_settings(options));
    REQUIRE(sources.size() == 1);
    CHECK(sources.front().named);
}

TEST_CASE("a word for a shell is quoted", "[ssh]") {
    CHECK(ssh_quote("plain") == "'plain'");
    CHECK(ssh_quote("it's") == "'it'\\''s'");
    CHECK(ssh_quote("") == "''");
}
