// SPDX-License-Identifier: Apache-2.0
// What is said once the session stands.
#include <qconn/telnet/telnet_client.hpp>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <string>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/overheard.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("expect finds the first of several patterns, with its groups and what came before", "[telnet][integration]") {
    for (const char* words : {"", "pieces"}) {  // also where each byte comes by itself
        INFO(words);
        TelnetClient client{telnet_options(device(words))};
        client.login(20s);

        client.send_line("show version", 10s);
        const TelnetMatch match = client.expect({"never", R"(Version (?<major>\d+)\.(\d+)\n)", TelnetPattern::literal("switch>")}, 10s);

        CHECK(match.pattern == 1);
        CHECK(match.before == "show version\nSwitch Software, ");
        CHECK(match.text == "Version 12.2\n");
        REQUIRE(match.groups.size() == 2);
        CHECK(match.groups[0] == "12");
        CHECK(match.groups[1] == "2");
        CHECK(match.names.at("major") == "12");
        CHECK(match.dropped == 0);
        const TelnetMatch rest = client.expect(TelnetPattern::literal("switch>"), 10s);
        CHECK(rest.before == "  uptime is 3 weeks\n");
    }
}

TEST_CASE("a question is answered by hand, and run goes on after it", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    client.login(20s);

    client.send_line("ask", 10s);
    client.expect(TelnetPattern::literal("[y/n] "), 10s);
    client.send_line("y", 10s);
    CHECK(client.expect("(went on|given up)\\n", 10s).groups[0] == "went on");
    client.expect("switch>", 10s);

    CHECK(client.run("show version", 10s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
}

TEST_CASE("a session driven by hand from the first prompt on", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    client.connect(10s);
    CHECK_FALSE(client.session().is_logged_in);

    client.expect("Username: ", 10s);
    client.send_line(std::string{k_user}, 10s);
    client.expect("Password: ", 10s);
    client.send_line(Secret{std::string{k_password}}, 10s);
    client.expect("switch>", 10s);

    CHECK(client.run("show version", 10s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
}

TEST_CASE("what does not come in time: the error shows what came last, and the session goes on", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device());
    options.timeout = 300ms;
    TelnetClient client{options};
    client.login(20s);
    client.send_line("show version", 10s);

    const Error silent = error_of([&] { client.expect("no such thing", 20s); });
    INFO(silent.what());
    CHECK(silent.name() == "TELNET-TIMEOUT");
    CHECK(silent.retryable());
    CHECK_FALSE(silent.spoils_connection());
    REQUIRE(silent.detail<TelnetErrorDetail>() != nullptr);
    CHECK(silent.detail<TelnetErrorDetail>()->last.ends_with("uptime is 3 weeks\nswitch>"));

    const Error late = error_of([&] { client.expect("no such thing", 50ms); });
    CHECK(late.name() == "TELNET-TIMEOUT");

    CHECK(client.expect("switch>", 10s).before.ends_with("uptime is 3 weeks\n"));
}

TEST_CASE("pages are turned, and look as if there were none", "[telnet][integration]") {
    std::string expected;
    for (int page = 1; page <= 5; ++page) {
        for (int line = 1; line <= 3; ++line) expected += "page " + std::to_string(page) + " line " + std::to_string(line) + "\n";
    }
    for (const char* words : {"", "pieces", "no_echo"}) {
        INFO(words);
        TelnetClient client{telnet_options(device(words))};
        CHECK(client.run("show pages", 20s) == expected);
        CHECK(client.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
    }
    TelnetOptions quits = telnet_options(device());
    quits.pager_answer = "q";
    CHECK(TelnetClient{quits}.run("show pages", 20s) == "page 1 line 1\npage 1 line 2\npage 1 line 3\n");
    TelnetOptions limited = telnet_options(device());
    limited.max_pages = 2;
    const Error error = error_of([&] { TelnetClient{limited}.run("show pages", 20s); });
    CHECK(error.name() == "TELNET-LIMIT-ERROR");
    CHECK(says(error, "max_pages"));
}

TEST_CASE("prompts that change with the mode of a device are known by how they begin", "[telnet][integration]") {
    for (const char* words : {"", "no_echo", "pieces"}) {
        INFO(words);
        TelnetClient client{telnet_options(device(words))};
        CHECK(client.run("configure terminal", 20s).empty());
        CHECK(client.session().prompt == "switch(config)#");
        CHECK(client.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
        CHECK(client.run("end", 20s).empty());
        CHECK(client.session().prompt == "switch>");
        CHECK(client.run("printf unfinished", 20s) == "unfinished");
    }
}

TEST_CASE("escape sequences are taken out, or kept where that is wanted, and what was overwritten is gone", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device());
    CHECK(TelnetClient{options}.run("show colours", 20s) == "red plain\n");
    CHECK(TelnetClient{options}.run("progress", 20s) == "100%\ndone\n");
    options.strip_escapes = false;
    CHECK(TelnetClient{options}.run("show colours", 20s) == "\x1b[31mred\x1b[0m \x1b(Bplain\x1b]0;title\x07\n");
}

TEST_CASE("encodings: bytes as they are, replaced, or of ISO-8859-1", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device());
    CHECK(TelnetClient{options}.run("show latin", 20s) ==
          "Gr\xfc\xdf"
          "e\xff\n");
    options.replace_invalid = true;
    CHECK(TelnetClient{options}.run("show latin", 20s) ==
          "Gr\xEF\xBF\xBD\xEF\xBF\xBD"
          "e\xEF\xBF\xBD\n");
    options.encoding = TelnetEncoding::latin1;
    TelnetClient client{options};
    CHECK(client.run("show latin", 20s) ==
          "Gr\xC3\xBC\xC3\x9F"
          "e\xC3\xBF\n");
    const Error error = error_of([&] { client.send_line("\xE2\x82\xAC", 10s); });  // the euro sign
    CHECK(error.name() == "INVALID-ARGUMENT");
}

TEST_CASE("binary transmission is agreed on where it is asked for, and lines still end", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device());
    options.binary = true;
    TelnetClient client{options};
    CHECK(client.run("show version", 20s) == "Switch Software, Version 12.2\n  uptime is 3 weeks\n");
    CHECK(client.session().binary_in);
    CHECK(client.session().binary_out);

    TelnetOptions real = telnet_options(telnetd(), k_telnet_user);
    real.binary = true;
    TelnetClient unix_client{real};
    CHECK(unix_client.run("echo $((6 * 7))", 20s) == "42\n");
    CHECK(unix_client.session().binary_out);
}

TEST_CASE("what a server asks of the terminal is told, and nothing else of the environment", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device());
    options.environment = {{"LANG", "C"},
                           {"ODD",
                            "a\x01"
                            "b"}};
    options.columns = 255;  // a byte of IAC
    options.rows = 24;
    TelnetClient client{options};
    const std::string told = client.run("show terminal", 20s);
    INFO(told);
    CHECK(has(told, "type=xterm\n"));
    CHECK(has(told, "speed=38400,38400\n"));
    CHECK(has(told, "size=255x24\n"));
    CHECK(has(told, R"(environment=b'\x03LANG\x01C\x03ODD\x01a\x02\x01b')"));
    client.resize(100, 50, 5s);
    CHECK(has(client.run("show terminal", 20s), "size=100x50\n"));

    TelnetClient none{telnet_options(device())};
    CHECK_FALSE(has(none.run("show terminal", 20s), "environment"));
}

TEST_CASE("line ends are sent as the options say", "[telnet][integration]") {
    const std::pair<TelnetLineEnd, const char*> all[] = {{TelnetLineEnd::automatic, "0d0a"},
                                                         {TelnetLineEnd::crlf, "0d0a"},
                                                         {TelnetLineEnd::cr_nul, "0d00"},
                                                         {TelnetLineEnd::cr, "0d"},
                                                         {TelnetLineEnd::lf, "0a"}};
    for (const auto& [end, bytes] : all) {
        TelnetOptions options = telnet_options(device());
        options.line_end = end;
        TelnetClient client{options};
        client.run("show version", 20s);
        const std::string heard = client.run("show heard", 20s);
        const std::string command = "73686f772076657273696f6e";  // show version
        INFO(heard);
        CHECK(has(heard, command + bytes + "73686f77"));
    }
}

TEST_CASE("ten mebibytes of output in little memory, and what is more than is taken", "[telnet][integration]") {
    constexpr std::size_t k_size = std::size_t{10} << 20;
    TelnetClient client{telnet_options(device())};
    std::uint64_t lines = 0;
    std::size_t largest = 0;
    const auto sink = function_sink([&](std::string_view piece) {
        lines += static_cast<std::uint64_t>(std::count(piece.begin(), piece.end(), '\n'));
        largest = std::max(largest, piece.size());
    });
    client.login(20s);

    const std::uint64_t size = client.run("big " + std::to_string(k_size), *sink, 120s);

    CHECK(size > k_size * 9 / 10);
    CHECK(lines == size / 16);  // "0000000 ends > \n"
    CHECK(largest < 100);
    const std::string line = client.run("line 1000000", 60s);
    CHECK(line.size() == 1'000'001);
    CHECK(line.find_first_not_of('x') == 1'000'000);

    TelnetOptions limited = telnet_options(device());
    limited.max_output = 10'000;
    const Error error = error_of([&] { TelnetClient{limited}.run("big 100000", 60s); });
    CHECK(error.name() == "TELNET-LIMIT-ERROR");
    CHECK(says(error, "max_output"));

    TelnetOptions small = telnet_options(device());
    small.max_buffer = 4'096;
    TelnetClient expects{small};
    expects.login(20s);
    expects.send_line("big 100000", 10s);
    const TelnetMatch match = expects.expect("^switch>", 60s);
    CHECK(match.before.size() <= 4'096 + 16'384);
    CHECK(match.dropped > 50'000);
}

TEST_CASE("a large text is sent while the server echoes all of it", "[telnet][integration]") {
    TelnetOptions options = telnet_options(device());
    options.max_buffer = 16'384;
    TelnetClient client{options};
    client.login(20s);
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += "!comment line " + std::to_string(i) + "\n";

    client.send(text, 120s);
    client.send_line("show version", 10s);

    CHECK(client.expect("Version 12\\.2", 120s).text == "Version 12.2");
}

TEST_CASE("patterns: what is none, what takes for ever, and nothing at all", "[telnet][integration]") {
    TelnetClient client{telnet_options(device())};
    client.login(20s);
    const Error wrong = error_of([&] { client.expect("(unclosed", 10s); });
    CHECK(wrong.name() == "TELNET-PATTERN-ERROR");
    CHECK(wrong.reason() == Reason::bad_value);
    CHECK(error_of([&] { client.expect(std::vector<TelnetPattern>{}, 10s); }).name() == "TELNET-PATTERN-ERROR");
    CHECK(error_of([&] { client.expect("", 10s); }).name() == "TELNET-PATTERN-ERROR");

    client.send_line("line 5000", 10s);
    const auto begun = Clock::now();
    const Error endless = error_of([&] { client.expect("(x+x+)+y", 20s); });
    INFO(endless.what());
    CHECK(endless.name() == "TELNET-PATTERN-ERROR");
    CHECK(endless.reason() == Reason::limit);
    CHECK(Clock::now() - begun < 15s);
    CHECK(client.expect("switch>", 10s).text == "switch>");
    TelnetOptions options = telnet_options(device());
    options.shell_prompt = {"[unclosed"};
    CHECK(error_of([&] { TelnetClient{options}; }).name() == "TELNET-PATTERN-ERROR");
}

TEST_CASE("neither transcript nor log nor listener is shown a secret, also where the server repeats it", "[telnet][integration]") {
    Overheard overheard;
    TelnetOptions options = telnet_options(device("shows_password"));
    options.log = true;
    options.dbglog = true;
    TelnetClient client{options, overheard.runtime()};

    client.login(20s);
    client.set_dialogue_listener(overheard.listener());  // of a session that is there
    client.send_line("enable", 10s);
    client.expect("Password: ", 10s);
    client.send_line(Secret{std::string{"s3cret-enable"}}, 10s);
    client.expect("switch#", 10s);
    client.run("show version", 10s);
    client.send_control('c', 10s);
    client.close(5s);

    const std::string transcript = client.transcript();
    const std::string logged = overheard.log();
    const std::string lines = overheard.lines();
    INFO(transcript);
    INFO(logged);
    INFO(lines);
    for (const std::string* text : {&transcript, &logged, &lines}) {
        CHECK(has(*text, "<masked>"));
        CHECK(has(*text, "uptime is 3 weeks"));
        CHECK_FALSE(has(*text, k_password));
        CHECK_FALSE(has(*text, "s3cret"));
    }
    CHECK(has(transcript, "Password: <masked>"));
    CHECK(overheard.has_record("info telnet-connected * connected to 127.0.0.1:"));
    CHECK(overheard.has_record("info telnet-logged-in * logged in as qconntest"));
    CHECK(overheard.has_record("debug telnet-negotiated * < DO TERMINAL-TYPE"));
    CHECK(overheard.has_record("info telnet-sent > show version"));
    CHECK(overheard.has_record("info telnet-command * > Ctrl-C"));
    CHECK(overheard.has_record("info telnet-ended * the session has ended"));
    CHECK(overheard.has_line("> enable"));
    CHECK(overheard.has_line("> <masked>"));
    CHECK(overheard.has_line("* the session has ended"));
    CHECK_FALSE(overheard.has_line("* connected"));
}
