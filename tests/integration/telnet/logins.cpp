// SPDX-License-Identifier: Apache-2.0
// From the connection to the prompt: real servers, devices, and those that refuse.
#include <qconn/telnet/telnet_client.hpp>

#include <chrono>
#include <string>

#include "fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("a log-in at a real server: user and password are asked for, and commands run", "[telnet][integration]") {
    TelnetClient client{telnet_options(telnetd(), k_telnet_user)};

    const std::string said = client.login(20s);

    CHECK(has(said, "login:"));
    CHECK(has(said, "Password:"));
    CHECK(client.run("echo $((6 * 7))", 10s) == "42\n");
    CHECK(client.run("id -un", 10s) == std::string{k_telnet_user} + "\n");
    CHECK(client.run("printf 'no end'", 10s) == "no end");
    CHECK(client.run("true", 10s).empty());
    CHECK(client.run("", 10s).empty());
    const TelnetSessionInfo info = client.session();
    CHECK(info.is_logged_in);
    CHECK(info.echo);
    CHECK(info.suppress_go_ahead);
    CHECK(info.told == std::vector<std::string>{"TERMINAL-SPEED", "TERMINAL-TYPE", "NAWS"});
    CHECK(has(info.prompt, std::string{k_telnet_user} + "@"));
    CHECK(client.login(5s).empty());
}

TEST_CASE("a real server is told terminal, speed, window and environment", "[telnet][integration]") {
    TelnetOptions options = telnet_options(telnetd(), k_telnet_user);
    options.terminal_type = "vt220";
    options.terminal_speed = 9600;
    options.columns = 123;
    options.rows = 45;
    options.environment = {{"QCONN_WORD", "a value"}};
    TelnetClient client{options};

    CHECK(client.run("echo $TERM", 20s) == "vt220\n");
    CHECK(client.run("stty size", 10s) == "45 123\n");
    CHECK(has(client.run("stty speed", 10s), "9600"));
    client.resize(80, 24, 10s);
    CHECK(client.run("stty size", 10s) == "24 80\n");
}

TEST_CASE("a wrong password is told as such, by a real server and by a device", "[telnet][integration]") {
    TelnetOptions options = telnet_options(telnetd(), k_telnet_user);
    options.password = Secret{std::string{"Wr0ng-word"}};
    TelnetClient client{options};

    const Error error = error_of([&] { client.login(20s); });

    INFO(error.what());
    CHECK(error.code() == make_error_code(TelnetErrc::login));
    CHECK(error.name() == "TELNET-LOGIN-ERROR");
    CHECK(error.phase() == Phase::auth);
    CHECK(error.reason() == Reason::denied);
    CHECK(error.connection() == "box");
    CHECK_FALSE(error.retryable());
    CHECK(says(error, "Login incorrect"));
    CHECK_FALSE(says(error, "Wr0ng-word"));
    CHECK_FALSE(client.session().is_open);

    TelnetOptions wrong = telnet_options(device());
    wrong.username = "stranger";
    const Error refused = error_of([&] { TelnetClient{wrong}.run("show version", 20s); });
    INFO(refused.what());
    CHECK(refused.reason() == Reason::denied);
    CHECK(says(refused, "% Login invalid"));
}

TEST_CASE("devices that log in in other ways: at once, by password only, after a line end, in pieces", "[telnet][integration]") {
    for (const char* words : {"", "at_once", "password_only", "press_return", "pieces", "no_echo", "refuse_echo", "binary", "banner", "shell",
                              "pieces shell", "banner pieces", "press_return password_only pieces"}) {
        INFO(words);
        TelnetOptions options = telnet_options(device(words));
        options.settle_time = 150ms;
        TelnetClient client{options};

        CHECK(client.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
        CHECK(client.session().is_logged_in);
    }
}

TEST_CASE("what a server asks for and the options do not have is named", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device());
    options.username.clear();
    const Error no_user = error_of([&] { TelnetClient{options}.login(20s); });
    CHECK(no_user.reason() == Reason::missing);
    CHECK(says(no_user, "asks for a user name"));

    options = telnet_options(device());
    options.password.reset();
    const Error no_password = error_of([&] { TelnetClient{options}.login(20s); });
    CHECK(no_password.reason() == Reason::missing);
    CHECK(says(no_password, "asks for a password"));
}

TEST_CASE("a server that falls silent after the password is waited for so long, and no longer", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device("mute_password"));
    options.login_timeout = 700ms;
    TelnetClient client{options};

    const auto begun = Clock::now();
    const Error error = error_of([&] { client.login(20s); });

    INFO(error.what());
    CHECK(Clock::now() - begun < 10s);
    CHECK(error.name() == "TELNET-TIMEOUT");
    CHECK(error.phase() == Phase::auth);
    CHECK(error.reason() == Reason::timeout);
    CHECK(says(error, "the shell's prompt after the password did not come"));
}

TEST_CASE("a server that never says a word, and a port where nobody is", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device("mute"));
    options.login_timeout = 300ms;
    const Error silent = error_of([&] { TelnetClient{options}.login(20s); });
    CHECK(silent.name() == "TELNET-TIMEOUT");
    CHECK(says(silent, "the login prompt did not come in time, nor anything else"));

    options.port = free_port();
    const Error refused = error_of([&] { TelnetClient{options}.login(20s); });
    CHECK(refused.phase() == Phase::connect);
    CHECK(refused.reason() == Reason::refused);

    const BlackHole hole;
    options.port = hole.port();
    options.connect_timeout = 300ms;
    const Error hangs = error_of([&] { TelnetClient{options}.login(20s); });
    CHECK(hangs.phase() == Phase::connect);
    CHECK(hangs.reason() == Reason::timeout);
}

TEST_CASE("a server that closes while one logs in: before a word, after the user name, after the password", "[telnet][integration]") {
    const Error at_once = error_of([&] { TelnetClient{telnet_options(device("close"))}.login(20s); });
    INFO(at_once.what());
    CHECK(at_once.name() == "TELNET-CONNECT-ERROR");
    CHECK(at_once.reason() == Reason::closed);
    CHECK(at_once.retryable());
    for (const char* words : {"close_user", "close_password"}) {
        const Error error = error_of([&] { TelnetClient{telnet_options(device(words))}.login(20s); });
        INFO(error.what());
        CHECK(error.name() == "TELNET-LOGIN-ERROR");
        CHECK(error.reason() == Reason::closed);
    }
}

TEST_CASE("peers that negotiate without an end, agree to nothing, or compress are left", "[telnet][integration]") {
    for (const char* words : {"flood", "flood_nop", "huge", "compress"}) {
        INFO(words);
        TelnetOptions options = telnet_options(device(words));
        const auto begun = Clock::now();
        const Error error = error_of([&] { TelnetClient{options}.login(20s); });
        INFO(error.what());
        CHECK(Clock::now() - begun < 15s);
        CHECK(error.name() == "TELNET-ERROR");
        CHECK(error.reason() == Reason::bad_answer);
        CHECK(error.spoils_connection());
    }
    // Words between hide for a time that it answers each agreement with the contrary.
    const Error loops = error_of([&] {
        TelnetClient client{telnet_options(device("loop"))};
        client.login(20s);
        client.expect("never", 20s);
    });
    INFO(loops.what());
    CHECK(loops.name() == "TELNET-ERROR");
    CHECK(says(loops, "it negotiates without an end"));
    // It says again what was agreed on, for ever, as implementations did before RFC 1143: that is not answered, so that there is an end.
    CHECK(TelnetClient{telnet_options(device("repeat"))}.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
}

TEST_CASE("a session goes through a proxy", "[telnet][integration]") {
    const Server proxy{"microsocks"};
    TelnetOptions options = telnet_options(device());
    options.proxy = Proxy::parse("socks5://" + std::string{k_user} + ":" + std::string{k_password} + "@" + proxy.address());
    CHECK(TelnetClient{options}.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
    CHECK(has(proxy.log(), std::to_string(options.port)));
}

TEST_CASE("lines of on_login are sent after each log-in", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device());
    options.on_login = {"hostname renamed", "configure terminal"};
    options.shell_prompt = {"(?:switch|renamed)(?:\\(config\\))?[>#]"};
    TelnetClient client{options};

    client.login(20s);

    CHECK(client.session().prompt == "renamed(config)#");
    client.close(5s);
    CHECK(client.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
    CHECK(client.session().prompt == "renamed(config)#");
}
