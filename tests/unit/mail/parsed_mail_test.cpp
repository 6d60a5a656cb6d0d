// SPDX-License-Identifier: Apache-2.0
#include <qconn/mail/parsed_mail.hpp>

#include <algorithm>
#include <string>

#include "base/text.hpp"
#include "support/catch.hpp"

using namespace qconn;

namespace {

bool has(const std::vector<MailDefect>& defects, MailDefectKind kind) {
    return std::any_of(defects.begin(), defects.end(), [&](const MailDefect& one) { return one.kind == kind; });
}
bool has(const ParsedMail& mail, MailDefectKind kind) { return has(mail.defects(), kind); }

std::vector<MailAddress> to_of(const std::string& value) { return parse_mail("To: " + value + "\n\n").to(); }

constexpr const char* k_order =
    "From: =?utf-8?Q?Anna_M=C3=BCller?= <anna@example.com>\r\n"
    "To: orders@example.org, \"Doe, John\" <john@example.org>\r\n"
    "Cc: Team: a@x.example, B <b@x.example>;\r\n"
    "Subject: Order\r\n =?utf-8?B?R3LDvMOfZQ==?=\r\n"
    "Date: Tue, 5 Mar 2024 10:15:30 +0100\r\n"
    "Message-ID: <1@example.com>\r\n"
    "References: <a@x> <b@x>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=\"out\"\r\n"
    "\r\n"
    "preamble\r\n"
    "--out\r\n"
    "Content-Type: multipart/related; boundary=rel\r\n"
    "\r\n"
    "--rel\r\n"
    "Content-Type: multipart/alternative; boundary=alt\r\n"
    "\r\n"
    "--alt\r\n"
    "Content-Type: text/plain; charset=iso-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "Gr=FC=DFe\r\n"
    "--alt\r\n"
    "Content-Type: text/html\r\n"
    "\r\n"
    "<p>x</p>\r\n"
    "--alt--\r\n"
    "--rel\r\n"
    "Content-Type: image/png\r\n"
    "Content-ID: <logo@x>\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "iVBORw==\r\n"
    "--rel--\r\n"
    "--out\r\n"
    "Content-Type: text/csv; name=\"ignored.csv\"\r\n"
    "Content-Disposition: attachment; filename*=utf-8''%C3%BC.csv\r\n"
    "\r\n"
    "a;b\r\n"
    "--out--\r\n"
    "epilogue\r\n";

}  // namespace

TEST_CASE("an ordinary mail shows its texts, its attachments and who wrote it", "[mail]") {
    const ParsedMail mail = parse_mail(k_order);

    CHECK(mail.subject() == "Order Grüße");
    CHECK(mail.from() == std::vector<MailAddress>{{"Anna Müller", "anna@example.com"}});
    CHECK(mail.to() == std::vector<MailAddress>{{"", "orders@example.org"}, {"Doe, John", "john@example.org"}});
    CHECK(mail.cc() == std::vector<MailAddress>{{"", "a@x.example"}, {"B", "b@x.example"}});
    CHECK(mail.message_id() == "1@example.com");
    CHECK(mail.references() == std::vector<std::string>{"a@x", "b@x"});
    REQUIRE(mail.date());
    CHECK(mail.date()->time.time_since_epoch().count() == 1'709'630'130);
    CHECK(mail.date()->offset == std::chrono::minutes{60});
    CHECK(mail.text() == "Grüße");
    CHECK(mail.html() == "<p>x</p>");
    const auto attachments = mail.attachments();
    REQUIRE(attachments.size() == 2);
    CHECK(attachments[0].content_id() == "logo@x");
    CHECK(attachments[0].body() == "\x89PNG");
    CHECK(attachments[1].file_name() == "ü.csv");
    CHECK(attachments[1].body() == "a;b");
    CHECK(mail.defects().empty());
    CHECK(mail.root().preamble() == "preamble");
    CHECK(mail.root().epilogue() == "epilogue\r\n");
    CHECK(mail.parts().size() == 7);
    CHECK(mail.root().children().size() == 2);
    CHECK(attachments[0].parent()->content_type() == "multipart/related");
}

TEST_CASE("parts are views into what was parsed, and outlive the first copy of it", "[mail]") {
    std::optional<ParsedMail> first = parse_mail(k_order);
    const ParsedMail second = *first;
    const MailPart part = first->root();
    first.reset();

    CHECK(part.raw() == k_order);
    CHECK(part.raw().data() == second.bytes().data());
}

TEST_CASE("headers are told as they are written and as they are meant", "[mail]") {
    const ParsedMail mail = parse_mail("X-One:  a\r\n\tb\r\nx-ONE: =?utf-8?q?=C3=BC?=\r\nSubject : old form\r\n\r\n");
    const auto all = mail.root().headers();
    REQUIRE(all.size() == 3);
    CHECK(all[0].raw == "a\r\n\tb");
    CHECK(all[0].decoded() == "a\tb");
    CHECK(mail.root().headers_of("X-One").size() == 2);
    CHECK(all[1].decoded() == "ü");
    CHECK(all[2].name == "Subject");
    CHECK(mail.root().header("none").raw.empty());
    CHECK_FALSE(mail.root().has_header("none"));
}

TEST_CASE("addresses are read in all their forms", "[mail]") {
    CHECK(to_of("a@x (Anna (the first))") == std::vector<MailAddress>{{"Anna (the first)", "a@x"}});
    CHECK(to_of("\"a \\\"b\\\"\" <a@x>") == std::vector<MailAddress>{{"a \"b\"", "a@x"}});
    CHECK(to_of("undisclosed-recipients:;").empty());
    CHECK(to_of("<@relay.example,@two.example:a@x>") == std::vector<MailAddress>{{"", "a@x"}});
    CHECK(to_of("\"john doe\"@x") == std::vector<MailAddress>{{"", "\"john doe\"@x"}});
    CHECK(to_of("a@x; b@y") == std::vector<MailAddress>{{"", "a@x"}, {"", "b@y"}});
    CHECK(to_of("\"a@b\"").empty());
    CHECK(to_of("<a@x").size() == 1);
    CHECK(to_of("\"never ends <a@x>").empty());
    CHECK(to_of("((((").empty());
    CHECK(to_of("ü <ü@x>") == std::vector<MailAddress>{{"ü", "ü@x"}});
}

TEST_CASE("dates of all kinds are read, and nonsense is none", "[mail]") {
    const auto seconds = [](const std::string& value) {
        const auto date = parse_mail("Date: " + value + "\n\n").date();
        return date ? date->time.time_since_epoch().count() : -1;
    };
    CHECK(seconds("Tue, 5 Mar 2024 10:15:30 +0100") == 1'709'630'130);
    CHECK(seconds("5 Mar 24 09:15:30 GMT") == 1'709'630'130);
    CHECK(seconds("Tue Mar  5 09:15:30 2024") == 1'709'630'130);
    CHECK(seconds("Tue, 5 Mar 2024 10:15:30 GMT+0100") == 1'709'630'130);
    CHECK(seconds("5-Mar-2024 04:15:30 EST") == 1'709'630'130);
    CHECK(seconds("30 Feb 2024 10:00:00 +0000") == -1);
    CHECK(seconds("5 Mar 2024 25:00:00 +0000") == -1);
    CHECK(seconds("") == -1);
    CHECK(seconds("+") == -1);
}

TEST_CASE("names of files cannot lead anywhere", "[mail]") {
    const auto name = [](const std::string& value) {
        return parse_mail("Content-Type: a/b\nContent-Disposition: attachment; filename=\"" + value + "\"\n\n").root().file_name();
    };
    CHECK(name("../../etc/passwd") == "passwd");
    CHECK(name("C:\\temp\\order.xml") == "order.xml");
    CHECK(name("..") == "");
    CHECK(name("a\tb.txt") == "ab.txt");
    CHECK(name("=?utf-8?q?=2E=2E=2Fx?=") == "x");
}

TEST_CASE("a mail that is cut shows what there is and says so", "[mail]") {
    const ParsedMail mail = parse_mail("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\n\nsec");
    CHECK(has(mail, MailDefectKind::boundary_not_closed));
    REQUIRE(mail.root().children().size() == 2);
    CHECK(mail.root().children()[1].body() == "sec");
}

TEST_CASE("each thing that is wrong is told by its name", "[mail]") {
    CHECK(has(parse_mail("a: b\nno header\n"), MailDefectKind::no_header_end));
    CHECK(has(parse_mail(" fold first\na: b\n\n"), MailDefectKind::bad_header));
    CHECK(has(parse_mail("From x Tue\na: b\n\n"), MailDefectKind::envelope_line));
    CHECK(has(parse_mail("Content-Type: multipart/mixed\n\nx"), MailDefectKind::no_boundary));
    CHECK(has(parse_mail("Content-Type: multipart/mixed; boundary=q\n\nx"), MailDefectKind::boundary_not_found));
    CHECK(has(parse_mail("Content-Type: nonsense\n\nx"), MailDefectKind::bad_content_type));
    CHECK(has(parse_mail("Content-Transfer-Encoding: x-what\n\nx"), MailDefectKind::unknown_encoding));
    CHECK(has(parse_mail("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQQ=="), MailDefectKind::encoded_message));
    CHECK(has(parse_mail("Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\nx\n--b--"),
              MailDefectKind::encoded_multipart));
    CHECK(has(parse_mail("Content-Type: text/plain; charset=x-none\n\n\xE4").root().text().defects, MailDefectKind::charset_unknown));
    CHECK(has(parse_mail("Content-Transfer-Encoding: base64\n\nQQ=\nfooter").root().text().defects, MailDefectKind::base64_length));
    CHECK(to_string(MailDefectKind::envelope_line) == "envelope_line");
    CHECK(to_string(MailDefectKind::no_header_end) == "no_header_end");
}

TEST_CASE("limits hold, and what is beyond them stays where it is", "[mail]") {
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\n\n--b" + std::to_string(i) + "\n";
    const ParsedMail nested = parse_mail(deep + "\nbottom\n");
    CHECK(has(nested, MailDefectKind::too_deep));
    CHECK(nested.parts().size() == 50);
    CHECK(nested.parts().back().raw_body().find("bottom") != npos);

    std::string wide = "Content-Type: multipart/mixed; boundary=b\n\n";
    for (int i = 0; i < 200; ++i) wide += "--b\n\nx\n";
    MailLimits few;
    few.parts = 10;
    const ParsedMail limited = parse_mail(wide, few);
    CHECK(limited.parts().size() == 10);
    CHECK(has(limited, MailDefectKind::too_many_parts));
    CHECK(limited.root().epilogue().size() > 100);

    std::string headers;
    for (int i = 0; i < 100; ++i) headers += "X: y\n";
    few.headers = 10;
    CHECK(parse_mail(headers + "\nbody", few).root().headers().size() == 10);
    CHECK(parse_mail(headers + "\nbody", few).root().body() == "body");
}

TEST_CASE("mails made to be slow are read as fast as others", "[mail]") {
    // Lines that nearly are boundaries, in many multiparts within each other.
    std::string mail;
    const std::string near(200, 'b');
    for (int i = 0; i < 49; ++i)
        mail += "Content-Type: multipart/mixed; boundary=" + near + std::to_string(i) + "\n\n--" + near + std::to_string(i) + "\n";
    mail += "\n";
    while (mail.size() < 4'000'000) mail += "--" + near + "\n";
    CHECK(parse_mail(mail).parts().size() == 50);

    std::string colons = "To: ";
    while (colons.size() < 1'000'000) colons += "\"a(<";
    CHECK(parse_mail(colons + "\n\n").to().size() < 5);
    std::string parameters = "Content-Type: a/b";
    while (parameters.size() < 500'000) parameters += "; x*1*=a; y=(";
    CHECK(parse_mail(parameters + "\n\n").root().parameters().size() < 10);
}

TEST_CASE("a delivery report has its groups of fields as parts", "[mail]") {
    const ParsedMail mail = parse_mail(
        "Content-Type: multipart/report; boundary=r; report-type=delivery-status\n\n--r\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; x@y\nStatus: 5.1.1\n\n--r\nContent-Type: text/rfc822-headers\n\nSubject: s\n--r--\n");
    const auto status = mail.root().children().at(0);
    REQUIRE(status.children().size() == 2);
    CHECK(status.children()[1].header("status").decoded() == "5.1.1");
    CHECK(mail.defects().empty());
}

TEST_CASE("a mail within a mail is a part with its own headers", "[mail]") {
    const ParsedMail mail = parse_mail("Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nbody\r\n");
    REQUIRE(mail.root().is_message());
    CHECK(mail.root().children().at(0).header("subject").decoded() == "inner");
    CHECK(mail.root().children().at(0).body() == "body\r\n");
    CHECK_FALSE(mail.text());
    CHECK(mail.attachments().size() == 1);
}
