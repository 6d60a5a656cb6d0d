// SPDX-License-Identifier: Apache-2.0
#include <qconn/telnet/telnet_client.hpp>

#include <string>

#include "support/catch.hpp"

using namespace qconn;

namespace {

std::string refusal(TelnetOptions options) {
    try {
        TelnetClient client{std::move(options)};
    } catch (const Error& error) { return std::string{error.name()} + " " + std::string{error.message()}; }
    return {};
}

}  // namespace

TEST_CASE("options that cannot be used are refused where the client is made", "[telnet]") {
    TelnetOptions good;
    good.host = "switch.example";
    CHECK(refusal(good).empty());
    CHECK(refusal({}).starts_with("INVALID-TARGET"));
    TelnetOptions bad = good;
    bad.username = "a\nb";
    CHECK(refusal(bad).starts_with("INVALID-TARGET the user name has a control character"));
    bad = good;
    bad.password = Secret{std::string{"a\rb"}};
    CHECK(refusal(bad) == "INVALID-TARGET the password has a control character in it");
    bad = good;
    bad.terminal_type = "x term";
    CHECK(refusal(bad).starts_with("INVALID-TARGET the terminal type"));
    bad = good;
    bad.environment = {{"A", std::string(5'000, 'x')}};
    CHECK(refusal(bad).starts_with("INVALID-TARGET the environment"));
    bad = good;
    bad.on_login = {"a\nb"};
    CHECK(refusal(bad).starts_with("INVALID-TARGET a line of on_login"));
    bad = good;
    bad.failure = {"*"};
    CHECK(refusal(bad).starts_with("TELNET-PATTERN-ERROR failure: \"*\" is no regular expression"));
    bad = good;
    bad.port = 0;
    CHECK(refusal(bad).starts_with("INVALID-TARGET"));
}

TEST_CASE("codes have their documented names", "[telnet]") {
    CHECK(make_error_code(TelnetErrc::login).category().name() == std::string{"qconn.telnet"});
    CHECK(make_error_code(TelnetErrc::target).message() == "the connection's options cannot be used");
    CHECK(make_error_code(TelnetErrc::failed) != make_error_code(TelnetErrc::connect));
}
