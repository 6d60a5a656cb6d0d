// SPDX-License-Identifier: Apache-2.0
#include "telnet/login.hpp"

#include <string>

#include "support/catch.hpp"

using namespace qconn;
using telnet::Login;
using telnet::Prompts;
using Want = telnet::Login::Want;

namespace {

const Prompts& login_prompts() {
    static const Prompts prompts{TelnetOptions{}};
    return prompts;
}

}  // namespace

TEST_CASE("user name, password, prompt", "[telnet]") {
    Login login{login_prompts(), true, true};
    CHECK(login.awaited() == "the login prompt");
    CHECK(login.look("") == Want::more);
    CHECK(login.look("Debian GNU/Linux 12\n\nhost login:") == Want::user);
    CHECK(login.awaited() == "the password prompt");
    CHECK(login.look("edi\n") == Want::more);
    CHECK(login.look("edi\nPassword: ") == Want::password);
    CHECK(login.awaited() == "the shell's prompt after the password");
    CHECK(login.look("\nLast login: ") == Want::more);
    CHECK(login.look("\nLast login: Friday\nedi@host:~$ ") == Want::prompt);
}

TEST_CASE("the password goes to a prompt for one, once, and to nothing else", "[telnet]") {
    Login login{login_prompts(), true, true};
    CHECK(login.look("Welcome. Your password is your responsibility.\n") == Want::more);
    CHECK(login.look("anything else> ") == Want::prompt);
    CHECK_FALSE(login.has_sent_password());
    CHECK(login.look("Password: ") == Want::password);
    CHECK(login.look("\nPassword: ") == Want::failed);
    CHECK(login.reason() == Reason::denied);
}

TEST_CASE("a refusal is known by its words, or by the question that comes again", "[telnet]") {
    for (const char* end : {"\nLogin incorrect\n", "\n% Login invalid\n\nUsername: ", "\nhost login: ", "\nPassword: "}) {
        INFO(end);
        Login login{login_prompts(), true, true};
        login.look("login: ");
        login.look("Password: ");
        CHECK(login.look(end) == Want::failed);
        CHECK(login.reason() == Reason::denied);
        CHECK(login.problem().find("password") != std::string::npos);
    }
    Login unknown{login_prompts(), true, true};
    unknown.look("login: ");
    CHECK(unknown.look("stranger\nlogin: ") == Want::failed);
    CHECK(unknown.reason() == Reason::denied);
    // Before anything was answered, words like these are a banner's.
    Login banner{login_prompts(), true, true};
    CHECK(banner.look("Access denied to strangers.\nlogin: ") == Want::user);
}

TEST_CASE("what is asked for and is not there", "[telnet]") {
    Login nobody{login_prompts(), false, false};
    CHECK(nobody.look("login: ") == Want::failed);
    CHECK(nobody.reason() == Reason::missing);
    Login no_password{login_prompts(), true, false};
    CHECK(no_password.look("login: ") == Want::user);
    CHECK(no_password.look("Password: ") == Want::failed);
    CHECK(no_password.reason() == Reason::missing);
}

TEST_CASE("a console that sleeps is woken a few times", "[telnet]") {
    Login login{login_prompts(), true, true};
    for (int i = 0; i < 3; ++i) CHECK(login.look("\n\nPress RETURN to get started.\n\n\n") == Want::wake);
    CHECK(login.look("\n\nPress RETURN to get started.") == Want::more);
    CHECK(login.look("Username: ") == Want::user);
}
