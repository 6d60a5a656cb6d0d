// SPDX-License-Identifier: Apache-2.0
// How sessions end, and what is then left of them; interrupts.
#include <qconn/telnet/telnet_client.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("a session that is cut off says so until the next log-in", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    client.login(20s);

    const Error cut = error_of([&] { client.run("reload", 20s); });
    INFO(cut.what());
    CHECK(cut.name() == "TELNET-CLOSED");
    CHECK(cut.reason() == Reason::closed);
    CHECK(cut.retryable());
    CHECK(cut.spoils_connection());
    CHECK(says(cut, "Reloading, please wa"));
    CHECK_FALSE(client.session().is_open);
    CHECK_FALSE(client.session().broken.empty());

    CHECK(error_of([&] { client.run("show version", 20s); }).name() == "TELNET-CLOSED");
    CHECK(error_of([&] { client.send_line("x", 20s); }).name() == "TELNET-CLOSED");
    CHECK(error_of([&] { client.command(TelnetCommand::are_you_there, 20s); }).name() == "TELNET-CLOSED");

    client.login(20s);
    CHECK(client.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
}

TEST_CASE("what a server said before it closed can still be read", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    client.login(20s);
    client.send_line("reload", 10s);

    CHECK(client.expect("please", 10s).text == "please");
    const Error closed = error_of([&] { client.expect("more", 10s); });
    CHECK(closed.name() == "TELNET-CLOSED");
    CHECK(client.read(5s) == " wa");
    CHECK(error_of([&] { client.read(5s); }).name() == "TELNET-CLOSED");
}

TEST_CASE("a session that the server ends while nobody looks is found ended by the next call", "[telnet][integration]") {
    Server own{"device"};
    TelnetClient client{telnet_options(own)};
    client.login(20s);
    own.kill();

    const Error error = error_of([&] { client.run("show version", 20s); });

    INFO(error.what());
    CHECK(error.name() == "TELNET-CLOSED");
    CHECK(error.spoils_connection());
}

TEST_CASE("without a session calls by hand say what to do, and run logs in by itself, also after close", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    const Error none = error_of([&] { client.send_line("x", 5s); });
    CHECK(none.name() == "TELNET-CLOSED");
    CHECK(says(none, "connect() or login()"));
    CHECK(error_of([&] { client.expect("x", 5s); }).name() == "TELNET-CLOSED");

    client.run("show version", 20s);
    client.close(5s);
    CHECK_FALSE(client.session().is_open);
    CHECK(client.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
}

TEST_CASE("a running command is interrupted while its call waits", "[telnet][integration]") {
    for (const bool by_key : {false, true}) {
        TelnetClient client{telnet_options(device())};
        client.login(20s);
        Outcomes<std::string> outcomes;
        client.async_run("sleep 30", 60s, outcomes.callback());
        std::this_thread::sleep_for(200ms);  // the command has reached the device, and no call of the client tells that

        if (by_key)
            client.send_control('c', 10s);
        else
            client.command(TelnetCommand::interrupt, 10s);

        REQUIRE(outcomes.wait(1));
        REQUIRE(outcomes.results().front());
        CHECK(*outcomes.results().front() == "^C\n");
        CHECK(client.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
    }
}

TEST_CASE("a real shell's command is interrupted, and its session goes on", "[telnet][integration]") {
    TelnetClient client{telnet_options(telnetd(), k_telnet_user)};
    client.login(20s);
    std::thread waits{[&] { client.run("sleep 60", 50s); }};
    std::this_thread::sleep_for(300ms);
    const auto begun = Clock::now();
    client.command(TelnetCommand::interrupt, 10s);
    waits.join();
    CHECK(Clock::now() - begun < 30s);
    CHECK(client.run("echo $?", 20s) == "130\n");
}

TEST_CASE("a command that was given up: the next one waits for its prompt first", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device());
    options.timeout = 10s;
    TelnetClient client{options};
    client.login(20s);

    CHECK(error_of([&] { client.run("sleep 1", 200ms); }).name() == "TELNET-TIMEOUT");

    CHECK(client.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
}

TEST_CASE("are you there is answered", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    client.login(20s);
    client.command(TelnetCommand::are_you_there, 10s);
    CHECK(client.expect("\\[.*\\]", 10s).text == "[the switch is here]");
    CHECK(error_of([&] { client.send_control('5', 10s); }).name() == "INVALID-ARGUMENT");
}
