// SPDX-License-Identifier: Apache-2.0
// What is said on connections: for who listens, and for the log.
#include "net/dialogue_log.hpp"

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "net/reply.hpp"
#include "support/catch.hpp"

using namespace qconn;
using net::DialogueLog;
using net::SecretMask;
using net::SessionLog;

namespace {

using Words = std::vector<std::string>;

Secret secret(std::string text) { return Secret{text}; }

/// A dialogue that is listened to, and what was told of it.
struct Heard {
    explicit Heard(DialogueLog::Options options = {"smtp", "out"}, LogLevel level = LogLevel::debug) {
        options.listener = [this](const DialogueLine& line) { lines.push_back(std::string{line.mark()} + std::string{line.text}); };
        log = std::make_shared<DialogueLog>(std::move(options), Log{level, [this](const LogRecord& record) {
                                                                        records.push_back(std::string{to_string(record.level)} + " " +
                                                                                          std::string{record.event} + " " + std::string{record.text});
                                                                    }});
    }
    Words lines;
    Words records;
    std::shared_ptr<DialogueLog> log;
};

}  // namespace

TEST_CASE("secrets are masked wherever they stand, the longest of those that begin at one place", "[net]") {
    const SecretMask mask{secret("pass"), secret("password"), secret("ord-7"), secret("ab")};
    CHECK(mask.apply("nothing of the kind, and ab is too short") == "nothing of the kind, and ab is too short");
    CHECK(mask.apply("pass password passpassword") == "<masked> <masked> <masked><masked>");
    CHECK(mask.apply("password-7 ord-7") == "<masked>-7 <masked>");
    CHECK(SecretMask{secret("ask"), secret("xyz")}.apply("xyz ask") == "<masked> <masked>");  // a mask is no text to look into
    CHECK(SecretMask{}.apply("pass") == "pass");
}

TEST_CASE("of many secrets the first and the last are known", "[net]") {
    SecretMask mask{secret("of-the-log-in")};
    for (int i = 100; i < 200; ++i) mask.add(secret("token-" + std::to_string(i)));
    mask.add(secret("token-199"));
    CHECK(mask.apply("of-the-log-in token-100 token-199 token-180") == "<masked> token-100 <masked> <masked>");
}

TEST_CASE("who listens is told each line with its session, fit to be shown", "[net]") {
    Heard heard;
    std::vector<std::uint64_t> sessions;
    const SessionLog one{heard.log};
    const SessionLog two{heard.log};
    one.sent("EHLO me");
    one.received("250 \x1b[31mhello\x01");
    two.sent_lines("RSET\r\nMAIL FROM:<a@b>\r\nDATA");
    two.noted_size("the message", 17);
    one.ended();
    CHECK(heard.lines == Words{"> EHLO me", "< 250 \\x1b[31mhello\\x01", "> RSET", "> MAIL FROM:<a@b>", "> DATA", "* the message: 17 bytes",
                               "* the session has ended"});
    CHECK(heard.records.empty());
    heard.log->set_listener([&](const DialogueLine& line) { sessions.push_back(line.session); });
    one.sent("A");
    two.sent("B");
    CHECK(sessions == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("what goes as a log-in is masked whole, and what the server repeats of it", "[net]") {
    Heard heard;
    heard.log->add_secret(secret("s3cret-word"));
    const SessionLog log{heard.log};
    log.sent_secret("AUTH PLAIN ", "AGVkaQBz");
    log.sent_secret({}, "xy");
    log.received("501 \"AUTH PLAIN AGVkaQBz\" of s3cret-word?");
    log.noted("s3cret-word");
    CHECK(heard.lines == Words{"> AUTH PLAIN <masked>", "> <masked>", "< 501 \"AUTH PLAIN <masked>\" of <masked>?", "* <masked>"});
    CHECK(log.masked("is s3cret-word") == "is <masked>");
}

TEST_CASE("long lines end, and no part of a secret is left where they do", "[net]") {
    Heard heard;
    heard.log->add_secret(secret("s3cret-word"));
    const SessionLog log{heard.log};
    for (std::size_t before = 4'080; before < 4'100; ++before) log.received(std::string(before, 'x') + "s3cret-word and more");
    log.received(std::string(100'000, 'y'));
    for (const std::string& line : heard.lines) {
        CHECK(line.size() <= 4'096 + std::string_view{"< …"}.size());
        CHECK(line.find("s3c") == std::string::npos);
    }
    CHECK(heard.lines.back().ends_with("y…"));
}

TEST_CASE("the log has commands at level info and all else at level debug, as it is asked to", "[net]") {
    const auto records = [](bool log, bool dbglog, LogLevel level = LogLevel::debug) {
        Heard heard{{"pop3", "in", log, dbglog}, level};
        heard.log->set_listener({});
        const SessionLog session{heard.log};
        CHECK(session.is_on() == (log || dbglog));
        session.told("connected", "connected to x");
        session.sent("STAT");
        session.received("+OK 1 2");
        session.noted("note");
        return heard.records;
    };
    CHECK(records(false, false).empty());
    CHECK(records(true, false) == Words{"info pop3-connected * connected to x", "info pop3-sent > STAT"});
    CHECK(records(false, true) ==
          Words{"debug pop3-connected * connected to x", "debug pop3-sent > STAT", "debug pop3-received < +OK 1 2", "debug pop3-noted * note"});
    CHECK(records(true, true) ==
          Words{"info pop3-connected * connected to x", "info pop3-sent > STAT", "debug pop3-received < +OK 1 2", "debug pop3-noted * note"});
    CHECK(records(true, true, LogLevel::info) == Words{"info pop3-connected * connected to x", "info pop3-sent > STAT"});
    CHECK(records(true, true, LogLevel::warning).empty());
}

TEST_CASE("a session without a log is silent, and one that nobody listens to has nothing to put together", "[net]") {
    const SessionLog silent;
    CHECK_FALSE(silent.is_on());
    silent.sent("x");
    silent.sent_lines("x\r\n");
    silent.sent_secret("x", "word");
    silent.ended();
    CHECK(silent.masked("word") == "word");
    Heard heard;
    const SessionLog log{heard.log};
    CHECK(log.is_on());
    heard.log->set_listener({});
    CHECK_FALSE(log.is_on());
    log.sent("x");
    CHECK(heard.lines.empty());
}

TEST_CASE("what a listener throws does no harm, and is logged once", "[net]") {
    Heard heard;
    const SessionLog log{heard.log};
    int calls = 0;
    heard.log->set_listener([&](const DialogueLine&) {
        if (++calls == 1) throw std::runtime_error{"not now"};
        throw 17;  // NOLINT: whatever is thrown
    });
    for (int i = 0; i < 3; ++i) log.sent("x");
    CHECK(calls == 3);
    CHECK(heard.records == Words{"error listener-threw not now"});
}

TEST_CASE("a listener may replace itself, and say something more", "[net]") {
    Heard heard;
    const SessionLog log{heard.log};
    Words seen;
    heard.log->set_listener([&, kept = std::string{"still there"}](const DialogueLine& line) {
        heard.log->set_listener([&](const DialogueLine& other) { seen.emplace_back(other.text); });
        log.sent("nested");
        seen.push_back(std::string{line.text} + ": " + kept);
    });
    log.sent("first");
    log.sent("second");
    CHECK(seen == Words{"nested", "first: still there", "second"});
}

TEST_CASE("a listener is not called any more once it has been replaced, whoever was calling it", "[net][threads]") {
    Heard heard;
    std::atomic<int> count{0};
    std::atomic<bool> gone{false};
    std::atomic<bool> late{false};
    heard.log->set_listener([&](const DialogueLine&) {
        ++count;
        std::this_thread::yield();
        if (gone) late = true;
    });
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&, log = SessionLog{heard.log}] {
            do log.sent("x");
            while (!stop);
        });
    }
    while (count < 300) std::this_thread::yield();
    heard.log->set_listener([](const DialogueLine&) {});
    gone = true;
    for (int i = 0; i < 100; ++i) heard.log->set_listener({});
    stop = true;
    for (std::thread& one : threads) one.join();
    CHECK_FALSE(late);
}

TEST_CASE("two threads may replace the listener that both are inside of", "[net][threads]") {
    Heard heard;
    std::atomic<int> inside{0};
    heard.log->set_listener([&](const DialogueLine&) {
        ++inside;
        while (inside < 2) std::this_thread::yield();
        heard.log->set_listener({});
    });
    std::thread other{[log = SessionLog{heard.log}] { log.sent("x"); }};
    SessionLog{heard.log}.sent("y");
    other.join();
    CHECK_FALSE(heard.log->is_on());
}

TEST_CASE("lines of replies are told as they came", "[net]") {
    Heard heard;
    net::ReplyParser parser{SessionLog{heard.log}};
    const std::string text = "211-Features:\r\n MDTM\r\n211 End\r\n";
    for (const char c : text) parser.feed({&c, 1});
    CHECK(parser.take().has_value());
    parser.feed("334 dDBrZW4=\r\n");
    CHECK(parser.take()->text() == "dDBrZW4=");
    CHECK(heard.lines == Words{"< 211-Features:", "<  MDTM", "< 211 End", "< 334 <masked>"});
}
