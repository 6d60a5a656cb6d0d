// SPDX-License-Identifier: Apache-2.0
#include "eftl/settings.hpp"

#include <string>

#include <qconn/eftl/eftl_error.hpp>

#include "support/catch.hpp"

using namespace qconn;

namespace {

std::string problem(std::string_view urls) {
    try {
        EftlServer::parse_list(urls);
    } catch (const Error& error) {
        CHECK(error.code() == make_error_code(EftlErrc::option));
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("a list of URLs is split before anything else, each with its own user and client id", "[eftl]") {
    const auto servers =
        EftlServer::parse_list(" ws://a:8585/channel | wss://us%65r:p%40ss%7Cw@[::1]/x/y?clientId=me%20too&other=1|ws://c?client_id=z ");
    REQUIRE(servers.size() == 3);
    CHECK(servers[0].shown() == "ws://a:8585/channel");
    CHECK_FALSE(servers[0].tls);
    CHECK(servers[1].shown() == "wss://[::1]/x/y");
    CHECK(servers[1].username == "user");
    CHECK(servers[1].password.reveal() == "p@ss|w");
    CHECK(servers[1].client_id == "me too");
    CHECK(servers[2].channel == "/");
    CHECK(servers[2].client_id == "z");
}

TEST_CASE("a URL that cannot be used is named by its place and without its password", "[eftl]") {
    const std::string words = problem("ws://a/b|http://user:hunter2@host/x");
    CHECK(words.find("number 2") != std::string::npos);
    CHECK(words.find("ws or wss") != std::string::npos);
    CHECK(words.find("hunter2") == std::string::npos);
    CHECK(problem("").find("empty") != std::string::npos);
    CHECK(problem("ws://a||ws://b").find("number 2") != std::string::npos);
    CHECK_FALSE(problem("ws:///channel").empty());
    CHECK_FALSE(problem("ws://h:99999/c").empty());
    CHECK_FALSE(problem("host:8585/channel").empty());
}

TEST_CASE("a '|' in a password splits the list, which is told without what is behind it", "[eftl]") {
    const std::string words = problem("ws://user:12|hunter2@host:8585/channel");
    CHECK(words.find("number 2") != std::string::npos);
    CHECK(words.find("%7C") != std::string::npos);
    CHECK(words.find("hunter2") == std::string::npos);
    CHECK(problem("ws://user:hunter2|rest@host/channel").find("hunter2") == std::string::npos);
    CHECK(EftlServer::parse_list("ws://user:12%7Chunter2@host:8585/channel").front().password.reveal() == "12|hunter2");
}

TEST_CASE("the client id goes into the request as client_id, and credentials of a URL win over those of the options", "[eftl]") {
    EftlOptions options;
    options.servers = EftlServer::parse_list("ws://u:p@a/c?clientId=one&x=y|ws://b/c");
    options.username = "all";
    options.password = Secret{"secret"};
    options.client_id = "fallback";

    const auto settings = eftl::make_settings(options);

    CHECK(settings->links[0]->options.url == "ws://a/c?client_id=one");
    CHECK(settings->links[1]->options.url == "ws://b/c?client_id=fallback");
    CHECK(settings->engine.users == std::vector<std::string>{"u", "all"});
    CHECK(settings->engine.passwords[1].reveal() == "secret");
    CHECK(settings->links[0]->options.token.reveal() == "dTpw");
    CHECK(settings->links[0]->options.subprotocols == std::vector<std::string>{"v1.eftl.tibco.com"});
    CHECK_FALSE(settings->links[0]->options.compression.enabled);
}

TEST_CASE("options that let nothing through are refused", "[eftl]") {
    const auto refused = [](const std::function<void(EftlOptions&)>& change) {
        EftlOptions options;
        options.servers = EftlServer::parse_list("ws://a/c");
        change(options);
        try {
            eftl::make_settings(options);
        } catch (const Error& error) { return error.code() == make_error_code(EftlErrc::option); }
        return false;
    };
    CHECK(refused([](EftlOptions& o) { o.servers.clear(); }));
    CHECK(refused([](EftlOptions& o) { o.auto_reconnect_attempts = -1; }));
    CHECK(refused([](EftlOptions& o) { o.login_timeout = std::chrono::milliseconds{-1}; }));
    CHECK(refused([](EftlOptions& o) { o.max_in_flight = 0; }));
    CHECK(refused([](EftlOptions& o) { o.max_pending_acks = -1; }));
    CHECK_FALSE(refused([](EftlOptions&) {}));
}
