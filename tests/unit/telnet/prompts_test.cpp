// SPDX-License-Identifier: Apache-2.0
#include "telnet/prompts.hpp"

#include <stdexcept>
#include <string>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::telnet;

namespace {

const Prompts& usual_prompts() {
    static const Prompts prompts{TelnetOptions{}};
    return prompts;
}
bool asks_user(std::string_view text) { return usual_prompts().login.ends(last_line(text)).has_value(); }
bool asks_password(std::string_view text) { return usual_prompts().password.ends(last_line(text)).has_value(); }
bool is_shell(std::string_view text) { return usual_prompts().shell.ends(last_line(text)).has_value(); }
bool refuses(std::string_view text) { return usual_prompts().failure.is_in(text); }
bool is_pager(std::string_view text) { return usual_prompts().pager.ends(last_line(text)).has_value(); }

}  // namespace

TEST_CASE("the last, unfinished line", "[telnet]") {
    CHECK(last_line("a\nb") == "b");
    CHECK(last_line("a\n").empty());
    CHECK(last_line("a\rb") == "b");
    CHECK(last_line("a\nb\r") == "b\r");
    CHECK(last_line("").empty());
    CHECK(last_line("a\n" + std::string(5'000, 'x')).size() == k_longest_prompt);
}

TEST_CASE("the prompts of many kinds of servers are known", "[telnet]") {
    for (const char* text : {"debian login: ", "Username: ", "login:", "\r\nUser Access Verification\n\nUsername: ", "Login: ", "user name : ",
                             "User: ", "Please login: ", "Account: ", "UserID:"}) {
        INFO(text);
        CHECK(asks_user(text));
        CHECK_FALSE(asks_password(text));
        CHECK_FALSE(is_shell(text));
    }
    for (const char* text :
         {"Password: ", "password:", "Password for admin: ", "Enter passcode: ", "Passwort: ", "Mot de passe : ", "admin's password: ",
          "Contrase\xC3\xB1"
          "a: "}) {
        INFO(text);
        CHECK(asks_password(text));
        CHECK_FALSE(is_shell(text));
    }
    for (const char* text : {"router>", "router#", "router(config-if)# ", "edi@host:~$ ", "[root@host ~]# ", "<Huawei>", "[Huawei]",
                             "[admin@MikroTik] > ", "C:\\>", "$ ", "host% ", "A:router# ", "user@junos> "}) {
        INFO(text);
        CHECK(is_shell(text));
        CHECK_FALSE(asks_user(text));
        CHECK_FALSE(asks_password(text));
    }
    for (const char* text : {"Login incorrect", "% Login invalid", "% Authentication failed", "% Bad passwords", "Access denied",
                             "Permission denied.", "login failed", "Invalid user name", "Too many login failures", "Your account has been locked"}) {
        INFO(text);
        CHECK(refuses(text));
    }
    for (const char* text : {"--More--", " --More-- ", "-- More --", "--More--(43%)", "<--- More --->", "Press any key to continue (Q to quit)",
                             "lines 1-20 --More--", "---- More ----", "(END)"}) {
        INFO(text);
        CHECK(is_pager(text));
    }
}

TEST_CASE("what looks a little like a prompt is none", "[telnet]") {
    CHECK_FALSE(asks_user("Last login: "));
    CHECK_FALSE(asks_user("Last failed login: "));
    CHECK_FALSE(asks_user("login: \n"));
    CHECK_FALSE(asks_user("login: edi"));
    CHECK_FALSE(is_shell("Welcome to the <host> of"));
    CHECK_FALSE(is_shell("100% \n"));
    CHECK_FALSE(is_shell("   "));
    CHECK_FALSE(is_pager("more text than"));
    CHECK_FALSE(refuses("There were no failed attempts. Welcome."));
}

TEST_CASE("the prompt of the log-in tells how those after it begin", "[telnet]") {
    CHECK(stem_of("router>") == "router");
    CHECK(stem_of("router(config)#") == "router");
    CHECK(stem_of("edi@host:~$ ") == "edi@host");
    CHECK(stem_of("[root@host ~]# ") == "root@host");
    CHECK(stem_of("<Huawei>") == "Huawei");
    CHECK(stem_of("*A:router# ") == "A");
    CHECK(stem_of("$ ").empty());

    const auto found = [](std::string_view first, std::string_view text) {
        ShellPrompt prompt{usual_prompts()};
        prompt.learn(first);
        return prompt.find(text);
    };
    CHECK(found("router>", "output\nrouter(config)#") == 7);
    CHECK(found("router>", "output\nother>") == std::string::npos);
    CHECK(found("router>", "output\nrouter2>") == std::string::npos);
    CHECK(found("router>", "no endrouter>") == 6);
    CHECK(found("router>", "router> show") == std::string::npos);
    CHECK(found("edi@host:~$ ", "x\nedi@host:/tmp$ ") == 2);
    CHECK(found("[root@host ~]# ", "x\n[root@host etc]# ") == 2);
    CHECK(found("<Huawei>", "x\n[Huawei]") == 2);
    CHECK(found("$ ", "x\n$ ") == 2);
    CHECK(found("$ ", "price in $ ") == std::string::npos);
    CHECK(found("$ ", "x\n# ") == std::string::npos);
}

TEST_CASE("a pattern that was given decides, whatever the log-in saw", "[telnet]") {
    TelnetOptions options;
    options.shell_prompt = {TelnetPattern::literal("=>"), "ready\\d*:"};
    const Prompts prompts{options};
    ShellPrompt prompt{prompts};
    prompt.learn("ready1: ");
    CHECK(prompt.find("output\nready2: ") == 7);
    CHECK(prompt.find("output\n=>") == 7);
    CHECK(prompt.find("no endready1: ") == 6);  // the one that is known
    CHECK(prompt.find("ready: not") == std::string::npos);
    CHECK(prompt.find("router>") == std::string::npos);
    options.login_prompt = {"(oops"};
    CHECK_THROWS_AS(Prompts{options}, std::invalid_argument);
}
