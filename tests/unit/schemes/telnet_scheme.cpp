// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <variant>

#include <qconn/net/ping_plan.hpp>
#include <qconn/telnet/telnet_client.hpp>

#include "support/define.hpp"

using namespace qconn;
using namespace std::chrono_literals;
using test::define;

namespace {

TelnetOptions options_of(std::string_view url, std::string_view lines = {}) {
    const auto checked = define(url, lines);
    INFO(checked.text());
    REQUIRE(checked.valid);
    return checked.client<TelnetClient>()->options();
}

}  // namespace

TEST_CASE("a TELNET URL with user and password, as the manual has it, is for the log-in", "[schemes][telnet]") {
    const TelnetOptions manual = options_of("telnet://username@example.com:password@example.com");
    CHECK(manual.host == "example.com");
    CHECK(manual.port == 23);
    CHECK(manual.username == "username@example.com");
    CHECK(manual.password->reveal() == "password");
    CHECK(manual.label == "test");

    const TelnetOptions plain = options_of("telnet://switch.example:2323");
    CHECK(plain.port == 2323);
    CHECK(plain.username.empty());
    CHECK_FALSE(plain.password.has_value());
}

TEST_CASE("the defaults of TELNET's table are those of TelnetOptions", "[schemes][telnet]") {
    const TelnetOptions made = options_of("telnet://switch.example");
    const TelnetOptions plain;
    CHECK(made.connect_timeout == 15s);
    CHECK(made.connect_timeout == plain.connect_timeout);
    CHECK(made.login_timeout == plain.login_timeout);
    CHECK(made.timeout == plain.timeout);
    CHECK(made.settle_time == plain.settle_time);
    CHECK(made.terminal_type == "xterm");
    CHECK(made.terminal_speed == 38'400);
    CHECK(made.columns == plain.columns);
    CHECK(made.rows == plain.rows);
    CHECK(made.pager_answer == plain.pager_answer);
    CHECK(made.max_pages == plain.max_pages);
    CHECK(made.max_buffer == plain.max_buffer);
    CHECK(made.max_output == plain.max_output);
    CHECK(made.strip_escapes == plain.strip_escapes);
    CHECK(made.binary == plain.binary);
    CHECK(made.encoding == plain.encoding);
    CHECK(made.line_end == plain.line_end);
    CHECK_FALSE(made.log);
    CHECK_FALSE(made.dbglog);
    for (const auto* prompts : {&made.login_prompt, &made.password_prompt, &made.shell_prompt, &made.failure, &made.pager}) CHECK(prompts->empty());
}

TEST_CASE("each option of TELNET arrives", "[schemes][telnet]") {
    const TelnetOptions made =
        options_of("telnet://switch.example",
                   "username: edi\npassword: hush\nlogin_prompt: 'a:'\npassword_prompt: 'b:'\nshell_prompt: 'c>'\nfailure_pattern: no\n"
                   "pager_prompt: more\npager_answer: q\nmax_pages: 3\non_login: [one, two]\nterminal_type: vt100\nterminal_speed: 9600\n"
                   "columns: 80\nrows: 24\nbinary: true\nenvironment: {LANG: C, N: 1}\nencoding: ISO-8859-1\nreplace_invalid: true\n"
                   "line_end: cr_nul\nstrip_escapes: false\nmax_buffer: 2000\nmax_output: 3000\nsettle_time: 7\nlog: true\ndbglog: true\n"
                   "keep_alive: false\n");
    CHECK(made.username == "edi");
    CHECK(made.password->reveal() == "hush");
    CHECK(made.login_prompt == std::vector<TelnetPattern>{"a:"});
    CHECK(made.password_prompt == std::vector<TelnetPattern>{"b:"});
    CHECK(made.shell_prompt == std::vector<TelnetPattern>{"c>"});
    CHECK(made.failure == std::vector<TelnetPattern>{"no"});
    CHECK(made.pager == std::vector<TelnetPattern>{"more"});
    CHECK(made.pager_answer == "q");
    CHECK(made.max_pages == 3);
    CHECK(made.on_login == std::vector<std::string>{"one", "two"});
    CHECK(made.terminal_type == "vt100");
    CHECK(made.terminal_speed == 9'600);
    CHECK(made.columns == 80);
    CHECK(made.rows == 24);
    CHECK(made.binary);
    CHECK(made.environment == std::vector<std::pair<std::string, std::string>>{{"LANG", "C"}, {"N", "1"}});
    CHECK(made.encoding == TelnetEncoding::latin1);
    CHECK(made.replace_invalid);
    CHECK(made.line_end == TelnetLineEnd::cr_nul);
    CHECK_FALSE(made.strip_escapes);
    CHECK(made.max_buffer == 2'000);
    CHECK(made.max_output == 3'000);
    CHECK(made.settle_time == 7ms);
    CHECK(made.log);
    CHECK(made.dbglog);
    CHECK_FALSE(made.socket.keep_alive);
}

TEST_CASE("what a TELNET definition says in vain, or wrongly, is told", "[schemes][telnet]") {
    CHECK(define("telnet://switch.example/path").code() == "unused-path");
    CHECK(define("telnet://switch.example/").text().empty());
    CHECK(define("telnet://edi:x@switch.example", "username: other").code() == "unused-option");
    CHECK(define("telnet://edi:x@switch.example", "password: other").code() == "unused-option");
    const auto pattern = define("telnet://switch.example", "shell_prompt: '('");
    CHECK_FALSE(pattern.valid);
    CHECK(pattern.text().find("it is no regular expression") != std::string::npos);
    CHECK_FALSE(define("telnet://switch.example", "on_login: [\"a\\nb\"]").valid);
    CHECK_FALSE(define("telnet://switch.example", "encoding: EBCDIC").valid);
    CHECK_FALSE(define("telnet://switch.example", "columns: 70000").valid);
}

TEST_CASE("a ping of TELNET connects, and those of depth auth and full log in", "[schemes][telnet]") {
    const auto checked = define("telnet://edi:x@switch.example:2323");
    for (const PingDepth depth : {PingDepth::standard, PingDepth::connect, PingDepth::tls}) {
        const PingPlan plan = checked.ping(depth);
        const auto* net = std::get_if<std::shared_ptr<const NetPing>>(&plan.what);
        REQUIRE(net != nullptr);
        CHECK((*net)->endpoint.host == "switch.example");
        CHECK((*net)->endpoint.port == 2323);
        CHECK_FALSE((*net)->dialogue);
    }
    for (const PingDepth depth : {PingDepth::auth, PingDepth::full})
        CHECK(std::holds_alternative<std::shared_ptr<const CallPing>>(checked.ping(depth).what));
}
