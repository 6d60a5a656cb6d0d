// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/mail/mail_address.hpp>

#include "mail/mail_address.hpp"
#include "support/catch.hpp"

using namespace qconn;

namespace {

std::string words(std::string_view text) {
    std::string out;
    for (const MailAddress& one : parse_mail_addresses(text)) out += "[" + one.name + "|" + one.address + "]";
    return out;
}

std::string problem(std::string_view text) {
    try {
        return "read as " + words(text);
    } catch (const Error& error) {
        CHECK(error.name() == "SMTP-MESSAGE-ERROR");
        CHECK(error.reason() == Reason::bad_value);
        return std::string{error.message()};
    }
}

}  // namespace

TEST_CASE("addresses are read as people and headers write them", "[smtp]") {
    CHECK(words("j@x.de") == "[|j@x.de]");
    CHECK(words("Jörg Müller <j@x.de>, other@y") == "[Jörg Müller|j@x.de][|other@y]");
    CHECK(words("\"Doe, Jane\" <jane@y.example>") == "[Doe, Jane|jane@y.example]");
    CHECK(words("\"say \\\"hi\\\" \\\\\" <a@b.c>") == "[say \"hi\" \\|a@b.c]");
    CHECK(words("John Q. Public <q@x>") == "[John Q. Public|q@x]");
    CHECK(words("<a@b.c>") == "[|a@b.c]");
    CHECK(words("a@b.c (Ann (the first))") == "[Ann (the first)|a@b.c]");
    CHECK(words(" a@b.c ,, c@d.e , ") == "[|a@b.c][|c@d.e]");
    CHECK(words("team: a@b, Bob <b@b>;, c@c") == "[|a@b][Bob|b@b][|c@c]");
    CHECK(words("undisclosed-recipients:;").empty());
    CHECK(words("").empty());
    CHECK(words("jörg@müller.example") == "[|jörg@müller.example]");
    CHECK(words("\"a b\"@c.d") == "[|\"a b\"@c.d]");
    CHECK(words("\"ab\"@c.d") == "[|ab@c.d]");
    CHECK(words("a@[192.0.2.1]") == "[|a@[192.0.2.1]]");
    CHECK(words("A <@relay,@other:a@b.c>") == "[A|a@b.c]");
    CHECK(words("A\r\n B\r\n <a@b.c>,\r\n c@d") == "[A B|a@b.c][|c@d]");
    CHECK(words("a+tag!#$%&'*-/=?^_`{|}~@x.y") == "[|a+tag!#$%&'*-/=?^_`{|}~@x.y]");
}

TEST_CASE("what is no address is refused with what is wrong and where", "[smtp]") {
    for (const auto& [text, what] : std::vector<std::pair<std::string, std::string>>{{"jane", "no '@'"},
                                                                                     {"a@b c@d", "comma"},
                                                                                     {"<a@b", "'>' is missing"},
                                                                                     {"\"a", "no end"},
                                                                                     {"(a", "no ')'"},
                                                                                     {"a@", "no address"},
                                                                                     {"@b", "nothing stands before"},
                                                                                     {"a b@c", "blanks"},
                                                                                     {"a@b@c", "comma"},
                                                                                     {"a..b@c", "no address"},
                                                                                     {".a@c", "no address"},
                                                                                     {"a@b..c", "no address"},
                                                                                     {"a@-b", "no address"},
                                                                                     {"team: a@b", "no ';'"},
                                                                                     {"a@b;", "comma"},
                                                                                     {"x: y: a@b;;", "group"},
                                                                                     {"a@b\xff", "UTF-8"},
                                                                                     {std::string{"a\0@b", 4}, "out of place"}}) {
        INFO(text);
        const std::string said = problem(text);
        INFO(said);
        CHECK(said.find(what) != std::string::npos);
    }
    CHECK(problem("x, jane").find("at byte") != std::string::npos);
    CHECK_THROWS_AS(parse_mail_address("a@b, c@d"), Error);
    CHECK_THROWS_AS(parse_mail_address(""), Error);
}

TEST_CASE("no address carries a line break or a second command", "[smtp]") {
    CHECK(mail::is_address("a@b.c"));
    for (const char* wrong : {"a@b\r\nRCPT TO:<x@y>", "a@b>\nDATA", "a b@c", "<a@b>", "a@b c", "a@b>", "\"a\r\n\"@b", "a@b,c@d", ""}) {
        INFO(wrong);
        CHECK_FALSE(mail::is_address(wrong));
    }
    CHECK_FALSE(mail::is_address(std::string_view{"a@b\0c", 5}));
    CHECK_FALSE(mail::is_address(std::string(400, 'a') + "@b"));
}

TEST_CASE("an address as text is read again as it was", "[smtp]") {
    for (const MailAddress& one :
         std::vector<MailAddress>{{"", "a@b"}, {"Jane", "a@b"}, {"Doe, \"J\" \\ane", "a@b"}, {"Jörg Müller", "j@x"}, {"two  blanks", "a@b"}}) {
        INFO(to_text(one));
        CHECK(parse_mail_address(to_text(one)) == one);
    }
    CHECK(to_text(MailAddress{"Jane Doe", "a@b"}) == "Jane Doe <a@b>");
}
