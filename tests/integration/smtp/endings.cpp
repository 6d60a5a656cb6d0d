// SPDX-License-Identifier: Apache-2.0
// What is known of a message when a session ends before its time, and which sessions are used again.
#include <atomic>
#include <map>
#include <optional>
#include <thread>

#include <qconn/base/log.hpp>

#include "fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/outcomes.hpp"
#include "support/overheard.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// The usual, and these besides: by the beginning of the line.
ScriptedSmtp::Script script(std::map<std::string, std::string> replies) {
    return [replies = std::move(replies)](const std::string& line) {
        for (const auto& [begin, reply] : replies) {
            if (line.starts_with(begin)) return reply;
        }
        return usual_reply(line);
    };
}

const MailMessage& a_message() {
    static const MailMessage message = message_to("jane@example.com", "a message");
    return message;
}

Error sending_error(const ScriptedSmtp& server, Deadline deadline = 20s) {
    SmtpClient client{server.options()};
    return error_of([&] { client.send(a_message(), {}, deadline); });
}

/// Never ends.
std::shared_ptr<ByteSource> endless() {
    return function_source([](char* to, std::size_t most) {
        std::fill_n(to, most, 'x');
        return most;
    });
}

}  // namespace

TEST_CASE("a session that ends before the end of a message has not sent it", "[smtp][integration]") {
    for (const char* line : {"MAIL", "RCPT", "DATA"}) {
        INFO(line);
        const ScriptedSmtp server{script({{line, "!"}})};
        const Error error = sending_error(server);
        INFO(error.what());
        CHECK(error.retryable());
        CHECK(error.name() != "SMTP-OUTCOME-UNKNOWN");
        CHECK(detail_of(error).sent == SmtpSent::no);
    }
    const ScriptedSmtp server{script({{"DATA", "!354 go\r\n"}})};
    MailMessage large = a_message();
    large.attachments = {MailAttachment::bytes("x", std::string(20'000'000, 'x'))};
    SmtpClient client{server.options()};
    const Error error = error_of([&] { client.send(large, {}, 20s); });
    INFO(error.what());
    CHECK(detail_of(error).sent == SmtpSent::no);
    CHECK(error.retryable());
}

TEST_CASE("a message that was sent to its end and not answered has an unknown outcome", "[smtp][integration]") {
    const ScriptedSmtp closing{script({{".", "!"}})};
    const Error closed = sending_error(closing);
    INFO(closed.what());
    CHECK(closed.name() == "SMTP-OUTCOME-UNKNOWN");
    CHECK(closed.code() == SmtpErrc::unknown_outcome);
    CHECK(detail_of(closed).sent == SmtpSent::unknown);
    CHECK(detail_of(closed).recipients.size() == 1);
    CHECK_FALSE(closed.retryable());
    CHECK(closed.reason() == Reason::closed);

    const ScriptedSmtp silent{script({{".", ""}})};
    SmtpOptions options = silent.options();
    options.outcome_timeout = 200ms;
    SmtpClient client{options};
    const Error late = error_of([&] { client.send(a_message(), {}, 20s); });
    CHECK(late.name() == "SMTP-OUTCOME-UNKNOWN");
    CHECK(late.reason() == Reason::timeout);

    SmtpClient patient{silent.options()};
    const Error deadline = error_of([&] { patient.send(a_message(), {}, 300ms); });
    CHECK(deadline.name() == "SMTP-OUTCOME-UNKNOWN");

    Outcomes<SmtpReceipt> outcomes;
    auto operation = patient.async_send(a_message(), {}, {}, outcomes.callback());
    REQUIRE(wait_until([&] { return silent.count(".") == 3; }));
    operation.cancel();
    REQUIRE(outcomes.wait(1));
    const Error cancelled = outcomes.results().front().error();
    CHECK(cancelled.code() == Errc::cancelled);
    CHECK(detail_of(cancelled).sent == SmtpSent::unknown);
}

TEST_CASE("a server that refuses what it was sent has not taken it", "[smtp][integration]") {
    const ScriptedSmtp refusing{script({{".", "554 5.6.0 no\r\n"}})};
    const Error error = sending_error(refusing);
    CHECK(error.name() == "SMTP-DATA-EXCEPTION");
    CHECK(detail_of(error).sent == SmtpSent::no);
    CHECK(detail_of(error).status == "5.6.0");
    const ScriptedSmtp later{script({{".", "451 4.3.0 disk\r\n"}})};
    CHECK(sending_error(later).retryable());
    const ScriptedSmtp data{script({{"DATA", "451 4.3.0 not now\r\n"}})};
    const Error early = sending_error(data);
    CHECK(early.name() == "SMTP-DATA-EXCEPTION");
    CHECK(early.retryable());

    // In the middle of a message, and then it reads no further.
    ScriptedSmtp impatient{script({{"DATA", "!354 go\r\n552 5.3.4 too much\r\n"}})};
    MailMessage large = a_message();
    large.attachments = {MailAttachment::bytes("x", std::string(20'000'000, 'x'))};
    SmtpClient client{impatient.options()};
    const Error broken = error_of([&] { client.send(large, {}, 20s); });
    INFO(broken.what());
    CHECK(detail_of(broken).sent == SmtpSent::no);
}

TEST_CASE("nobody gets a message that was to go to all and one was refused, also with PIPELINING", "[smtp][integration]") {
    const auto reject = script({{"RCPT TO:<reject@", "550 no\r\n"}});
    const ScriptedSmtp server{reject};
    SmtpClient client{server.options()};
    const MailMessage three = message_to("a@example.com, reject@example.com, b@example.com", "three");
    CHECK(error_of([&] { client.send(three, {}, 20s); }).name() == "SMTP-RECIPIENT-REFUSED");
    CHECK(server.count("DATA") == 0);
    // One, where DATA went ahead and a careless server says 354: what follows is nothing at all.
    CHECK(error_of([&] { client.send(message_to("reject@example.com", "one"), {}, 20s); }).name() == "SMTP-RECIPIENT-REFUSED");
    CHECK(server.count("DATA") == 1);
    CHECK(server.content_bytes() == 0);
    CHECK(client.send(a_message(), {}, 20s).complete());
    CHECK(server.connections() == 1);
}

TEST_CASE("what needs no answer goes in one piece, across messages too", "[smtp][integration]") {
    const ScriptedSmtp server{usual_reply};
    SmtpClient client{server.options()};
    const std::vector<MailMessage> messages(3, a_message());
    for (const auto& one : client.send_all(messages, {}, 20s)) CHECK(one.has_value());
    bool together = false, across = false;
    for (const std::string& piece : server.pieces()) {
        together = together || (piece.starts_with("MAIL") && piece.find("\r\nRCPT") != std::string::npos && piece.ends_with("DATA\r\n"));
        across = across || piece.find("\r\n.\r\nMAIL FROM:<reports@example.com>") != std::string::npos;
    }
    CHECK(together);
    CHECK(across);
    CHECK(server.connections() == 1);

    // Without PIPELINING each command waits.
    const ScriptedSmtp old{script({{"EHLO", "250 old\r\n"}})};
    SmtpClient slow{old.options()};
    for (const auto& one : slow.send_all(messages, {}, 20s)) CHECK(one.has_value());
    for (const std::string& piece : old.pieces()) CHECK((piece.find("MAIL") == std::string::npos || piece.find("RCPT") == std::string::npos));
}

TEST_CASE("more recipients than have room in one go", "[smtp][integration]") {
    const ScriptedSmtp server{usual_reply};
    SmtpClient client{server.options()};
    MailMessage message = a_message();
    for (int i = 0; i < 1000; ++i) message.bcc.push_back({"", "r" + std::to_string(i) + "@example.com"});
    CHECK(client.send(message, {}, 30s).recipients.size() == 1001);
    SmtpSendOptions partial;
    partial.partial = true;
    CHECK(client.send(message, partial, 30s).complete());
    CHECK(server.count("RCPT") == 2002);
}

TEST_CASE("sessions are kept for further messages, and replaced where the server has closed them", "[smtp][integration]") {
    std::atomic<bool> ends{false};
    const ScriptedSmtp server{[&ends](const std::string& line) -> std::string {
        if (line == "." && ends.exchange(false)) return "!250 ok\r\n";
        return usual_reply(line);
    }};
    SmtpClient client{server.options()};
    for (int i = 0; i < 3; ++i) client.send(a_message(), {}, 20s);
    CHECK(server.connections() == 1);
    ends = true;
    client.send(a_message(), {}, 20s);
    for (int i = 0; i < 2; ++i) client.send(a_message(), {}, 20s);
    CHECK(server.connections() == 2);
    client.disconnect(10s);
    CHECK(wait_until([&] { return server.count("QUIT") == 1; }));
    client.send(a_message(), {}, 20s);
    CHECK(server.connections() == 3);
}

TEST_CASE("a kept session that answers with 421 is replaced too, a new one is not", "[smtp][integration]") {
    std::atomic<int> mails{0};
    const ScriptedSmtp server{[&mails](const std::string& line) -> std::string {
        if (line.starts_with("MAIL") && ++mails == 2) return "!421 4.4.2 timeout\r\n";
        return usual_reply(line);
    }};
    SmtpClient client{server.options()};
    client.send(a_message(), {}, 20s);
    client.send(a_message(), {}, 20s);
    CHECK(server.connections() == 2);

    const ScriptedSmtp busy{script({{"MAIL", "!421 4.3.2 going down\r\n"}})};
    const Error error = sending_error(busy);
    INFO(error.what());
    CHECK(error.retryable());
    CHECK(error.message().find("going down") != std::string_view::npos);
    CHECK(detail_of(error).sent == SmtpSent::no);
    const ScriptedSmtp greeting{usual_reply, "421 4.3.2 too many\r\n"};
    CHECK(sending_error(greeting).name() == "SMTP-CONNECT-ERROR");
}

TEST_CASE("a session that breaks between messages is made anew for the rest of them", "[smtp][integration]") {
    std::atomic<int> taken{0};
    const ScriptedSmtp server{[&taken](const std::string& line) -> std::string {
        if (line == ".") return ++taken % 4 == 0 ? "!" : "250 ok\r\n";  // each fourth is lost
        return usual_reply(line);
    }};
    SmtpClient client{server.options()};
    const std::vector<MailMessage> messages(10, a_message());
    const auto outcomes = client.send_all(messages, {}, 30s);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        INFO(i);
        const bool lost = i % 4 == 3;
        REQUIRE(outcomes[i].has_value() == !lost);
        if (lost) CHECK(outcomes[i].error().name() == "SMTP-OUTCOME-UNKNOWN");
    }
    CHECK(server.connections() == 3);

    // A limit of messages in one session, told when the next one begins.
    std::atomic<int> begun{0};
    const ScriptedSmtp limited{[&begun](const std::string& line) -> std::string {
        if (line.starts_with("MAIL") && ++begun % 4 == 0) return "!421 4.7.0 too many messages\r\n";
        return usual_reply(line);
    }};
    SmtpClient many{limited.options()};
    for (const auto& one : many.send_all(messages, {}, 30s)) CHECK(one.has_value());
    CHECK(limited.connections() == 4);
}

TEST_CASE("a server that has gone gives all messages its error", "[smtp][integration]") {
    SmtpOptions options;
    options.host = "127.0.0.1";
    options.port = free_port();
    options.from = {"", "a@b.example"};
    SmtpClient client{options};
    const std::vector<MailMessage> messages(3, a_message());
    const auto outcomes = client.send_all(messages, {}, 20s);
    REQUIRE(outcomes.size() == 3);
    for (const auto& one : outcomes) {
        REQUIRE_FALSE(one.has_value());
        CHECK(one.error().reason() == Reason::refused);
        CHECK(detail_of(one.error()).sent == SmtpSent::no);
    }
    CHECK(client.send_all({}, {}, 20s).empty());
}

TEST_CASE("a black hole, and a server that says nothing", "[smtp][integration]") {
    const BlackHole hole;
    SmtpOptions options;
    options.host = "127.0.0.1";
    options.port = hole.port();
    options.from = {"", "a@b.example"};
    options.connect_timeout = 300ms;
    const auto begun = Clock::now();
    CHECK(error_of([&] { SmtpClient{options}.send(a_message(), {}, 20s); }).reason() == Reason::timeout);
    const SilentServer silent;
    options.port = silent.port();
    const Error error = error_of([&] { SmtpClient{options}.send(a_message(), {}, 20s); });
    CHECK(error.reason() == Reason::timeout);
    CHECK(error.message().find("the greeting") != std::string_view::npos);
    CHECK(Clock::now() - begun < 10s);

    const ScriptedSmtp frozen{script({{"RCPT", ""}})};
    SmtpOptions slow = frozen.options();
    slow.timeout = 200ms;
    CHECK(error_of([&] { SmtpClient{slow}.send(a_message(), {}, 20s); }).code() == Errc::timeout);
}

TEST_CASE("a real server that is killed in the middle of a message", "[smtp][integration]") {
    Server server{"aiosmtp"};
    SmtpClient client{options_for(server)};
    client.send(a_message(), {}, 20s);
    std::atomic<bool> killed{false};
    SmtpEnvelope envelope;
    envelope.sender = "a@example.com";
    envelope.recipients = {{"jane@example.com", SmtpNotify::unset, {}}};
    std::uint64_t sent = 0;
    const auto source = function_source([&](char* to, std::size_t most) {
        std::fill_n(to, most, 'x');
        to[most - 1] = '\n';
        sent += most;
        if (sent > 1'000'000 && !killed.exchange(true)) server.kill();
        return most;
    });
    const Error error = error_of([&] { client.send_raw(envelope, *source, 20s); });
    INFO(error.what());
    CHECK(detail_of(error).sent == SmtpSent::no);
    CHECK(error.retryable());
    server.start();
    CHECK(client.send(a_message(), {}, 20s).complete());
}

TEST_CASE("a call that is cancelled in the middle of a message ends at once, and the next has another session", "[smtp][integration]") {
    const ScriptedSmtp server{usual_reply};
    SmtpClient client{server.options()};
    SmtpEnvelope envelope;
    envelope.sender = "a@example.com";
    envelope.recipients = {{"jane@example.com", SmtpNotify::unset, {}}};
    for (int i = 1; i < 4; ++i) {
        Outcomes<SmtpReceipt> outcomes;
        const auto before = server.content_bytes();
        auto operation = client.async_send_raw(envelope, endless(), {}, outcomes.callback());
        REQUIRE(wait_until([&] { return server.content_bytes() > before + 500'000; }));
        operation.cancel();
        REQUIRE(outcomes.wait(1));
        const Error error = outcomes.results().front().error();
        CHECK(error.code() == Errc::cancelled);
        CHECK(detail_of(error).sent == SmtpSent::no);
    }
    CHECK(server.count(".") == 0);
    CHECK(client.send(a_message(), {}, 20s).complete());

    Outcomes<SmtpReceipt> outcomes;
    {
        SmtpClient gone{server.options()};
        gone.async_send_raw(envelope, endless(), {}, outcomes.callback());
    }
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results().front().error().code() == Errc::cancelled);
}

TEST_CASE("asynchronous calls bring what blocking ones bring", "[smtp][integration]") {
    const ScriptedSmtp server{script({{"VRFY", "252 perhaps\r\n"}})};
    SmtpClient client{server.options()};
    Outcomes<SmtpServerInfo> infos;
    Outcomes<SmtpReceipt> receipts;
    Outcomes<std::vector<Result<SmtpReceipt>>> all;
    Outcomes<Reply> replies;
    client.async_connect({}, infos.callback());
    client.async_send(a_message(), {}, {}, receipts.callback());
    MailMessage wrong = a_message();
    wrong.subject = "a\nb";
    client.async_send(wrong, {}, {}, receipts.callback());
    client.async_send_all(std::vector<MailMessage>(5, a_message()), {}, {}, all.callback());
    client.async_verify("jane", {}, replies.callback());
    REQUIRE(infos.wait(1));
    REQUIRE(receipts.wait(2));
    REQUIRE(all.wait(1));
    REQUIRE(replies.wait(1));
    CHECK(infos.results().front().value().pipelining);
    int good = 0;
    for (const auto& one : receipts.results()) {
        if (one.has_value())
            ++good;
        else
            CHECK(one.error().name() == "SMTP-MESSAGE-ERROR");
    }
    CHECK(good == 1);
    CHECK(all.results().front().value().size() == 5);
    CHECK(replies.results().front().value().code == 252);
}

TEST_CASE("calls beside each other have a session each, up to the limit, and wait beyond it", "[smtp][integration]") {
    const ScriptedSmtp server{[](const std::string& line) {
        if (line == ".") std::this_thread::sleep_for(20ms);
        return usual_reply(line);
    }};
    SmtpOptions options = server.options();
    options.max_sessions = 3;
    SmtpClient client{options};
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 5; ++n) good += client.send(a_message(), {}, 30s).complete() ? 1 : 0;
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(good == 40);
    CHECK(server.connections() <= 3);
}

TEST_CASE("what a server cannot do is said before anything is sent", "[smtp][integration]") {
    const ScriptedSmtp plain{script({{"EHLO", "250-old\r\n250 SIZE 5000\r\n"}})};
    SmtpClient client{plain.options()};
    MailMessage message = message_to("jörg@example.com", "x");
    const Error utf8 = error_of([&] { client.send(message, {}, 20s); });
    INFO(utf8.what());
    CHECK(utf8.name() == "SMTP-UNSUPPORTED");
    CHECK(utf8.reason() == Reason::unsupported);
    CHECK(utf8.connection() == "out");
    SmtpSendOptions reports;
    reports.reports.notify = SmtpNotify::failure;
    CHECK(error_of([&] { client.send(a_message(), reports, 20s); }).name() == "SMTP-UNSUPPORTED");
    MailMessage large = a_message();
    large.text = std::string(6000, 'x');
    CHECK(error_of([&] { client.send(large, {}, 20s); }).name() == "SMTP-SIZE-ERROR");
    CHECK(plain.count("MAIL") == 0);
}

TEST_CASE("the log tells of messages and of the dialogue, if it is asked to, and once that a password went in clear", "[smtp][integration]") {
    Overheard overheard;
    const ScriptedSmtp server{script({{"EHLO", "250-x\r\n250 AUTH PLAIN\r\n"}, {"AUTH", "235 ok\r\n"}, {"RCPT TO:<reject@", "550 no\r\n"}})};
    SmtpOptions options = server.options();
    options.username = "edi";
    options.password = Secret{std::string{"s3cret-word"}};
    options.log = options.dbglog = true;
    {
        SmtpClient client{options, overheard.runtime()};
        client.send(a_message(), {}, 20s);
        error_of([&] { client.send(message_to("reject@example.com", "x"), {}, 20s); });
        client.disconnect(10s);
        client.send(a_message(), {}, 20s);
    }
    const std::string lines = overheard.log();
    INFO(lines);
    CHECK(overheard.has_record("info mail-sent "));
    CHECK(overheard.has_record("warning mail-failed "));
    CHECK(overheard.has_record("info smtp-sent > AUTH PLAIN <masked>\n"));
    CHECK(overheard.has_record("info smtp-sent > RCPT TO:<jane@example.com>\n"));
    CHECK(overheard.has_record("debug smtp-received < 550 no\n"));
    CHECK_FALSE(overheard.shows("s3cret-word"));
    const std::size_t warned = lines.find("warning password-in-clear");
    REQUIRE(warned != std::string::npos);
    CHECK(lines.find("warning password-in-clear", warned + 1) == std::string::npos);
}
