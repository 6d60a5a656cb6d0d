// SPDX-License-Identifier: Apache-2.0
// The scheme: from definitions to clients, pings and operations.
#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/telnet/telnet_client.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/document.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// A registry with one connection.
struct Estate {
    Estate(const std::string& url, const std::string& options = {}) {
        directory.write("box.qconn.yaml", document("box", url, options));
        report = registry.load(directory.path());
    }
    Value call(const std::string& name, Map arguments) {
        const auto client = registry.open<Client>("box");
        for (const OperationSpec& spec : registry.catalogue().find("telnet")->operations) {
            if (spec.name == name) return spec.run(*client, arguments, 30s);
        }
        throw std::runtime_error{"no such operation"};
    }
    TempDir directory;
    Registry registry;
    LoadReport report;
};

std::string url_of(const Device& server, std::string_view login) { return "telnet://" + std::string{login} + "@" + server.address(); }
const std::string k_login = "qconntest:Passw0rd-1";

}  // namespace

TEST_CASE("a definition's client logs in with the URL's user and password, and it has one user at a time", "[telnet][integration]") {
    Estate estate{url_of(device(), k_login)};
    const auto client = estate.registry.open<TelnetClient>("box");
    CHECK(client->label() == "box");
    CHECK(client->run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
    CHECK(error_of([&] { estate.registry.get<TelnetClient>("box"); }).name() == "CONNECTION-EXCLUSIVE");
}

TEST_CASE("user and password stand in options where the URL has none", "[telnet][integration]") {
    Estate estate{"telnet://" + device().address(), "username: qconntest\npassword: Passw0rd-1\non_login: [configure terminal]\n"};
    INFO(estate.report.diagnostics.size());
    const auto client = estate.registry.open<TelnetClient>("box");
    client->login(20s);
    CHECK(client->session().prompt == "switch(config)#");
}

TEST_CASE("pings: connecting, logging in, and the prompt after an empty line", "[telnet][integration]") {
    Estate estate{url_of(device(), k_login)};
    const PingResult standard = estate.registry.ping("box", PingDepth::standard, 20s, true);
    CHECK(standard.ok);
    REQUIRE_FALSE(standard.steps.empty());
    CHECK(standard.steps.back().phase == Phase::connect);
    const PingResult auth = estate.registry.ping("box", PingDepth::auth, 20s, true);
    REQUIRE(auth.ok);
    CHECK(auth.steps.back().evidence == "logged in; prompt switch>");
    const PingResult full = estate.registry.ping("box", PingDepth::full, 20s, true);
    REQUIRE(full.ok);
    CHECK(full.steps.back().evidence == "logged in; prompt switch>, and again after an empty line");

    Estate wrong{url_of(device(), "qconntest:wrong")};
    CHECK(wrong.registry.ping("box", PingDepth::standard, 20s, true).ok);
    const PingResult refused = wrong.registry.ping("box", PingDepth::auth, 20s, true);
    REQUIRE(refused.error);
    CHECK(refused.error->phase() == Phase::auth);
    CHECK(refused.error->reason() == Reason::denied);

    Estate mute{url_of(device("mute_password"), k_login)};
    const PingResult late = mute.registry.ping("box", PingDepth::auth, 1s, true);
    REQUIRE(late.error);
    INFO(late.error->what());
    CHECK(late.error->reason() == Reason::timeout);
    CHECK(late.error->phase() == Phase::auth);
}

TEST_CASE("operations: run, chat and session", "[telnet][integration]") {
    Estate estate{url_of(device(), k_login)};
    CHECK(estate.call("run", Map{{"command", "show version"}}).as_string() == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
    const Value several = estate.call("run", Map{{"command", "configure terminal"}, {"commands", List{"end", "printf x"}}});
    REQUIRE(several.as_list().size() == 3);
    CHECK(several.as_list()[2].as_map().find("output")->as_string() == "x");

    const Value by_hand = estate.call("chat", Map{{"pattern", "Username:"}, {"lines", List{"someone", "Password:"}}});
    CHECK(has(by_hand.as_string(), "someone\nPassword:"));
    const Value logged_in = estate.call("chat", Map{{"pattern", ""}, {"login", true}, {"lines", List{"ask", "\\[y/n\\]", "y", "switch>"}}});
    CHECK(has(logged_in.as_string(), "went on"));

    const Value session = estate.call("session", {});
    CHECK(session.as_map().find("prompt")->as_string() == "switch>");
    CHECK(session.as_map().find("echo")->as_bool());
}
