// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <string>
#include <vector>

#include "mail/smtp_error.hpp"
#include "mail/smtp_reply.hpp"
#include "mail/smtp_transaction.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::mail;

namespace {

SmtpEnvelope envelope() {
    SmtpEnvelope made;
    made.sender = "a@b.example";
    made.recipients = {{"c@d.example", SmtpNotify::unset, {}}};
    return made;
}

const net::Job& a_job() {
    static const net::Job job{"out", "mail.example:25", "sending mail to", "c@d.example"};
    return job;
}

std::string commands(const SmtpEnvelope& sent, const SmtpServerInfo& info = {}, std::optional<std::uint64_t> size = 1000) {
    std::string out;
    try {
        for (const std::string& line : envelope_commands(a_job(), sent, size, info)) out += line + "\n";
    } catch (const Error& error) {
        out = std::string{error.name()} + ": ";
        out += error.message();
    }
    return out;
}

std::string problem(const std::function<void(SmtpEnvelope&)>& change) {
    SmtpEnvelope changed = envelope();
    change(changed);
    try {
        check_envelope(changed);
    } catch (const Error& error) {
        CHECK(error.code() == SmtpErrc::message);
        return std::string{error.message()};
    }
    return "nothing";
}

SmtpServerInfo able() {
    SmtpServerInfo info;
    info.pipelining = info.eight_bit = info.smtputf8 = info.dsn = true;
    info.max_size = 2000;
    return info;
}

}  // namespace

TEST_CASE("what the server has is used, what it has not is not said", "[smtp]") {
    CHECK(commands(envelope()) == "MAIL FROM:<a@b.example>\nRCPT TO:<c@d.example>\n");
    CHECK(commands(envelope(), able()) == "MAIL FROM:<a@b.example> SIZE=1000\nRCPT TO:<c@d.example>\n");
    CHECK(commands(envelope(), able(), std::nullopt) == "MAIL FROM:<a@b.example>\nRCPT TO:<c@d.example>\n");
    SmtpEnvelope bounce = envelope();
    bounce.sender.clear();
    CHECK(commands(bounce).starts_with("MAIL FROM:<>\n"));

    SmtpEnvelope rich = envelope();
    rich.eight_bit = true;
    rich.recipients.push_back({"jörg@d.example", SmtpNotify::never, {}});
    rich.recipients[0].original = "first+one@d.example";
    rich.reports = {SmtpNotify::success | SmtpNotify::failure, SmtpReturn::headers, "order 17=x"};
    CHECK(commands(rich, able()) ==
          "MAIL FROM:<a@b.example> SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=order+2017+3Dx\n"
          "RCPT TO:<c@d.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first+2Bone@d.example\n"
          "RCPT TO:<jörg@d.example> NOTIFY=NEVER\n");
}

TEST_CASE("what the server cannot do is known before anything is sent", "[smtp]") {
    CHECK(commands(envelope(), able(), 2001).starts_with("SMTP-SIZE-ERROR: "));
    CHECK(commands(envelope(), able(), 2000).starts_with("MAIL"));
    SmtpServerInfo unlimited = able();
    unlimited.max_size = 0;
    CHECK(commands(envelope(), unlimited, 1ULL << 40U).starts_with("MAIL FROM:<a@b.example> SIZE=1099511627776"));

    SmtpEnvelope utf8 = envelope();
    utf8.recipients[0].address = "jörg@d.example";
    CHECK(commands(utf8).starts_with("SMTP-UNSUPPORTED: "));
    CHECK(commands(utf8).find("jörg@d.example needs SMTPUTF8") != std::string::npos);
    SmtpEnvelope headers = envelope();
    headers.utf8_headers = true;
    CHECK(commands(headers).find("an address in the headers needs SMTPUTF8") != std::string::npos);
    SmtpEnvelope bytes = envelope();
    bytes.eight_bit = true;
    CHECK(commands(bytes).find("8BITMIME") != std::string::npos);
    SmtpEnvelope reports = envelope();
    reports.reports.notify = SmtpNotify::delay;
    CHECK(commands(reports).find("DSN") != std::string::npos);
}

TEST_CASE("no address brings a command of its own into an envelope", "[smtp]") {
    CHECK(problem([](SmtpEnvelope&) {}) == "nothing");
    CHECK(problem([](SmtpEnvelope& e) { e.sender = "a@b>\r\nDATA"; }) != "nothing");
    CHECK(problem([](SmtpEnvelope& e) { e.sender = "a@b> SIZE=1"; }) != "nothing");
    CHECK(problem([](SmtpEnvelope& e) { e.recipients[0].address = "c@d>\r\nRCPT TO:<x@y"; }) != "nothing");
    CHECK(problem([](SmtpEnvelope& e) { e.recipients[0].address = ""; }) != "nothing");
    CHECK(problem([](SmtpEnvelope& e) { e.recipients.clear(); }) != "nothing");
    CHECK(problem([](SmtpEnvelope& e) { e.recipients[0].original = "x\r\ny"; }) != "nothing");
    CHECK(problem([](SmtpEnvelope& e) { e.reports.notify = SmtpNotify::never | SmtpNotify::delay; }) != "nothing");
    CHECK(problem([](SmtpEnvelope& e) { e.reports.envelope_id = std::string(101, 'x'); }) != "nothing");
}

TEST_CASE("enhanced status codes are read where they are", "[smtp]") {
    const auto status = [](int code, std::string line) { return enhanced_status(Reply{code, {std::move(line)}}); };
    CHECK(status(550, "5.1.1 no such user") == "5.1.1");
    CHECK(status(250, "2.0.0") == "2.0.0");
    CHECK(status(550, "5.7.508 blocked") == "5.7.508");
    for (const char* none : {"no such user", "4.1.1 other class", "5.1", "5.1.", "5..1", "5.1.1x", "5.1234.1", "", "5.1.1234"}) {
        INFO(none);
        CHECK(status(550, none).empty());
    }
    CHECK(enhanced_status(Reply{}).empty());
}

TEST_CASE("what EHLO says is read as servers write it", "[smtp]") {
    SmtpServerInfo info;
    Reply reply{250,
                {"mail.example says hello SIZE 5", "size 1000", "8BITMIME", "pipelining", "AUTH=LOGIN", "AUTH plain login XOAUTH2", "DSN", "SMTPUTF8",
                 "ENHANCEDSTATUSCODES", "STARTTLS", "X-WHATEVER 5"}};
    CHECK(read_capabilities(reply, info));
    CHECK(info.pipelining);
    CHECK(info.eight_bit);
    CHECK(info.smtputf8);
    CHECK(info.dsn);
    CHECK(info.enhanced_status);
    CHECK(info.max_size == 1000);
    CHECK(info.auth == std::vector<std::string>{"LOGIN", "PLAIN", "XOAUTH2"});
    CHECK_FALSE(read_capabilities(Reply{250, {"PIPELINING", "SIZE x"}}, info));
    CHECK_FALSE(info.pipelining);
    CHECK_FALSE(info.max_size);
    read_capabilities(Reply{250, {"x", "SIZE"}}, info);
    CHECK(info.max_size == 0);
}

TEST_CASE("a refusal says what was tried, what came back, and whether it helps to try again", "[smtp]") {
    const Reply gone{550, {"5.1.1 no such user"}};
    const Error error = refusal(a_job(), SmtpErrc::recipient, "RCPT TO", "<c@d.example>", gone, "nothing was sent");
    CHECK(std::string{error.what()} ==
          "SMTP-RECIPIENT-REFUSED: sending mail to \"c@d.example\" at mail.example:25 failed: the server answered RCPT TO <c@d.example> with \"550 "
          "5.1.1 no such user\"; "
          "nothing was sent");
    CHECK(error.reason() == Reason::not_found);
    CHECK_FALSE(error.retryable());
    CHECK(error.connection() == "out");
    const Error later = refusal(a_job(), SmtpErrc::recipient, "RCPT TO", {}, Reply{451, {"4.7.1 greylisted"}});
    CHECK(later.retryable());
    CHECK(refusal(a_job(), SmtpErrc::data, "DATA", {}, Reply{421, {"bye"}}).spoils_connection());
    CHECK(refusal(a_job(), SmtpErrc::size, "MAIL FROM", {}, Reply{552, {"5.3.4 too big"}}).reason() == Reason::limit);
    const Error known = with_outcome(error, SmtpSent::unknown, {{"c@d.example", gone, "5.1.1"}});
    REQUIRE(known.detail<SmtpErrorDetail>() != nullptr);
    CHECK(known.detail<SmtpErrorDetail>()->sent == SmtpSent::unknown);
    CHECK(known.detail<SmtpErrorDetail>()->reply.code == 550);
    CHECK(error.detail<SmtpErrorDetail>()->sent == SmtpSent::no);
}
