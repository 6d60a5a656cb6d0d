// SPDX-License-Identifier: Apache-2.0
// Against Dovecot.
#include <algorithm>
#include <future>
#include <string>

#include <qconn/mail/parsed_mail.hpp>

#include "base/text.hpp"
#include "pop3_fixture.hpp"
#include "support/catch.hpp"
#include "support/overheard.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

const std::string k_message = "From: a@example.com\nSubject: dots\n\n.\n..\n.a line\nthe end\n";

std::string with_returns(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? std::string{"\r\n"} : std::string{c};
    return out;
}

}  // namespace

TEST_CASE("a mailbox is read in clear, after STLS, and under TLS from the start", "[mail][integration]") {
    for (const Pop3Tls security : {Pop3Tls::none, Pop3Tls::required, Pop3Tls::implicit}) {
        Mailbox box;
        box.put(k_message);
        box.put("Subject: two\n\nb\n");
        Pop3Client client{box.options(security)};

        const auto all = client.list();
        REQUIRE(all.size() == 2);
        CHECK(all[0].number == 1);
        CHECK(all[0].size == with_returns(k_message).size());
        CHECK(all[0].uid.size() > 4);
        CHECK(client.stat() == Pop3Stat{2, all[0].size + all[1].size});
        CHECK(client.uidl()[1].uid == all[1].uid);
        CHECK(client.retrieve(1) == with_returns(k_message));
        CHECK(client.top(1, 1) == with_returns("From: a@example.com\nSubject: dots\n\n.\n"));
        client.noop();
        CHECK(client.capabilities().pipelining);
        CHECK(box.count() == 2);
    }
}

TEST_CASE("each way to log in is taken", "[mail][integration]") {
    Mailbox box;
    for (const Pop3Auth how : {Pop3Auth::automatic, Pop3Auth::user, Pop3Auth::apop, Pop3Auth::plain, Pop3Auth::cram_md5}) {
        for (const Pop3Tls security : {Pop3Tls::none, Pop3Tls::implicit}) {
            Pop3Options options = box.options(security);
            options.auth = how;
            options.log = options.dbglog = true;
            Overheard overheard;
            options.on_dialogue = overheard.listener();
            Pop3Client client{options, overheard.runtime()};
            CHECK(client.stat() == Pop3Stat{0, 0});
            INFO(overheard.lines() + overheard.log());
            CHECK_FALSE(overheard.shows(k_password));
            CHECK(overheard.shows("<masked>"));
            CHECK(overheard.has_record("info pop3-logged-in * logged in as " + box.user()));
            if (how == Pop3Auth::automatic) CHECK(overheard.has_line(security == Pop3Tls::none ? "> APOP" : "> AUTH PLAIN <masked>"));
        }
    }
}

TEST_CASE("the dialogue with a POP3 server is seen, but for secrets and messages", "[mail][integration]") {
    Mailbox box;
    box.put("Subject: seen\n\nnot for the log\n");
    for (const Pop3Tls security : {Pop3Tls::none, Pop3Tls::required}) {
        const Overheard overheard;
        Pop3Options options = box.options(security);
        options.log = options.dbglog = true;
        Pop3Client client{options, overheard.runtime()};
        Pop3Session session = client.open();
        client.set_dialogue_listener(overheard.listener());
        const std::string text = session.retrieve(1);
        session.commit();
        INFO(overheard.lines() + overheard.log());
        CHECK(overheard.lines().starts_with("> RETR 1\n< +OK"));
        CHECK(overheard.has_line("* RETR: " + std::to_string(text.size()) + " bytes\n> QUIT\n< +OK"));
        CHECK(overheard.has_record("info pop3-connected * connected to 127.0.0.1:"));
        CHECK(overheard.has_record(security == Pop3Tls::none ? "info pop3-sent > APOP " : "info pop3-sent > AUTH PLAIN <masked>"));
        CHECK(overheard.has_record("info pop3-sent > RETR 1"));
        CHECK(overheard.has_record("debug pop3-received < +OK"));
        CHECK(overheard.has_record("debug pop3-noted * CAPA: "));
        CHECK_FALSE(overheard.shows(k_password));
        CHECK_FALSE(overheard.shows("not for the log"));
    }
}

TEST_CASE("a wrong password is refused whatever the way, and told without it", "[mail][integration]") {
    Mailbox box;
    for (const Pop3Auth how : {Pop3Auth::user, Pop3Auth::apop, Pop3Auth::plain, Pop3Auth::cram_md5}) {
        Pop3Options options = box.options();
        options.auth = how;
        options.password = Secret{std::string{"wr0ng-word"}};
        Pop3Client client{options};
        const Error error = error_of([&] { client.stat(); });
        CHECK(error.code() == Pop3Errc::auth);
        CHECK(error.name() == "POP3-AUTH-ERROR");
        CHECK(error.reason() == Reason::denied);
        CHECK(error.phase() == Phase::auth);
        CHECK(std::string{error.what()}.find("wr0ng") == npos);
        REQUIRE(error.detail<Pop3ErrorDetail>() != nullptr);
        CHECK(error.detail<Pop3ErrorDetail>()->response_code == "AUTH");
    }
}

TEST_CASE("a server that wants TLS lets nobody in without, and is told no password", "[mail][integration]") {
    Mailbox box{dovecot_strict()};
    Pop3Options options = box.options();
    options.auth = Pop3Auth::user;
    options.socket.local_address = "127.0.0.2";  // from its own address it takes the peer for secured
    const Error error = error_of([&] { Pop3Client{options}.stat(); });
    CHECK(error.code() == Pop3Errc::tls_required);
    CHECK(std::string{error.what()}.find("nothing secret was sent") != npos);

    options.security = Pop3Tls::required;
    CHECK(Pop3Client{options}.stat() == Pop3Stat{0, 0});
}

TEST_CASE("a certificate that is not trusted ends it", "[mail][integration]") {
    Mailbox box;
    for (const Pop3Tls security : {Pop3Tls::required, Pop3Tls::implicit}) {
        Pop3Options options = box.options(security);
        options.tls.ca_file.clear();
        const Error error = error_of([&] { Pop3Client{options}.stat(); });
        CHECK(error.phase() == Phase::tls);
        CHECK(error.reason() == Reason::certificate_untrusted);
    }
}

TEST_CASE("what a session marks is deleted by its commit and by nothing else", "[mail][integration]") {
    Mailbox box;
    box.fill(5, 200);
    Pop3Client client{box.options()};
    {
        Pop3Session session = client.open();
        session.mark_deleted({1, 2});
        CHECK(session.marked() == std::vector<std::uint32_t>{1, 2});
        CHECK(session.stat().messages == 3);
    }
    CHECK(client.stat().messages == 5);
    {
        Pop3Session session = client.open();
        session.mark_deleted(1);
        session.reset();
        session.mark_deleted(3);
        const Pop3Committed committed = session.commit();
        CHECK(committed.deleted == 1);
        CHECK_FALSE(session.is_open());
        CHECK(error_of([&] { session.stat(); }).code() == Pop3Errc::session_over);
    }
    CHECK(box.count() == 4);
    CHECK(client.retrieve(3).find("message 4") != npos);
}

TEST_CASE("a message that is not there is told, and the session goes on", "[mail][integration]") {
    Mailbox box;
    box.fill(2, 100);
    Pop3Client client{box.options()};
    Pop3Session session = client.open();
    const Error error = error_of([&] { session.retrieve(7); });
    CHECK(error.code() == Pop3Errc::no_such_message);
    CHECK(error.reason() == Reason::not_found);
    CHECK(error.detail<Pop3ErrorDetail>()->message == 7);
    CHECK(session.retrieve(2).find("message 2") != npos);
    CHECK(error_of([&] { session.mark_deleted({1, 9}); }).code() == Pop3Errc::no_such_message);
    CHECK(session.marked() == std::vector<std::uint32_t>{1});
    session.close();

    CHECK(error_of([&] { client.remove({1, 9}); }).code() == Pop3Errc::no_such_message);
    CHECK(error_of([&] { client.remove_uids({"nobody"}); }).code() == Pop3Errc::no_such_message);
    CHECK(box.count() == 2);
    CHECK(client.remove_uids({client.uidl()[0].uid}).deleted == 1);
    CHECK(client.remove({1}).deleted == 1);
    CHECK(box.count() == 0);
}

TEST_CASE("asynchronous calls bring what blocking ones do", "[mail][integration]") {
    Mailbox box;
    box.fill(3, 1000);
    Pop3Client client{box.options(Pop3Tls::implicit)};
    std::promise<Result<std::vector<Pop3Entry>>> listed;
    client.async_list(10s, [&](Result<std::vector<Pop3Entry>> got) { listed.set_value(std::move(got)); });
    CHECK(listed.get_future().get().value().size() == 3);

    std::promise<Result<Pop3Session>> opened;
    client.async_open(10s, [&](Result<Pop3Session> got) { opened.set_value(std::move(got)); });
    Pop3Session session = opened.get_future().get().value();
    std::promise<Result<std::string>> got;
    session.async_retrieve(2, 10s, [&](Result<std::string> text) { got.set_value(std::move(text)); });
    CHECK(got.get_future().get().value().find("message 2") != npos);
    std::promise<Result<void>> marked;
    session.async_mark_deleted({1}, 10s, [&](Result<void> done) { marked.set_value(std::move(done)); });
    CHECK(marked.get_future().get());
    std::promise<Result<Pop3Committed>> committed;
    session.async_commit(10s, [&](Result<Pop3Committed> done) { committed.set_value(std::move(done)); });
    CHECK(committed.get_future().get().value().deleted == 1);
    CHECK(box.count() == 2);

    std::promise<Result<Pop3Processed>> processed;
    client.async_process([](Pop3Message&) { return Pop3Verdict::taken; }, {}, 10s,
                         [&](Result<Pop3Processed> done) { processed.set_value(std::move(done)); });
    CHECK(processed.get_future().get().value().taken == 2);
    CHECK(box.count() == 0);
}

TEST_CASE("a mailbox of this client is held by one at a time, and others are told by whom", "[mail][integration]") {
    Mailbox box;
    Pop3Options options = box.options();
    options.connect_timeout = 300ms;
    Pop3Client client{options};
    Pop3Session session = client.open({}, "the import of orders");
    const Error error = error_of([&] { client.stat(); });
    CHECK(error.code() == Pop3Errc::in_use);
    CHECK(error.retryable());
    CHECK(std::string{error.what()}.find("the import of orders") != npos);

    std::promise<Result<Pop3Stat>> waiting;
    client.async_stat({}, [&](Result<Pop3Stat> got) { waiting.set_value(std::move(got)); });
    session.close();
    CHECK(waiting.get_future().get());
}

TEST_CASE("a mailbox that somebody else holds is told to be in use", "[mail][integration]") {
    Mailbox box{dovecot_locking()};
    Pop3Client one{box.options()};
    Pop3Client two{box.options()};
    Pop3Session session = one.open();
    const Error error = error_of([&] { two.stat(40s); });
    CHECK((error.code() == Pop3Errc::in_use || error.code() == Errc::timeout));
    INFO(error.what());
    CHECK(error.code() == Pop3Errc::in_use);
    CHECK(error.retryable());
}

TEST_CASE("all messages go through a handler, and those it took are deleted", "[mail][integration]") {
    Mailbox box;
    box.fill(25, 3000);
    Pop3Client client{box.options()};
    std::vector<std::string> subjects;
    Pop3ProcessOptions options;
    options.batch = 10;
    const Pop3Processed done = client.process(
        [&](Pop3Message& message) {
            subjects.push_back(parse_mail(std::move(message.text)).subject());
            return subjects.size() % 5 == 0 ? Pop3Verdict::leave : Pop3Verdict::taken;
        },
        options);
    CHECK(done.taken == 20);
    CHECK(done.left == 5);
    CHECK(done.sessions == 3);  // after 12, 24 and 25 messages
    CHECK(box.count() == 5);
    REQUIRE(subjects.size() == 25);
    for (std::size_t i = 0; i < subjects.size(); ++i) CHECK(subjects[i] == "message " + std::to_string(i + 1));
}

TEST_CASE("a handler that stops or throws keeps what it had taken", "[mail][integration]") {
    Mailbox box;
    box.fill(30, 2000);
    Pop3Client client{box.options()};
    int seen = 0;
    Pop3Processed done = client.process([&](Pop3Message&) { return ++seen > 3 ? Pop3Verdict::stop : Pop3Verdict::taken; });
    CHECK(done.taken == 3);
    CHECK(box.count() == 27);
    seen = 0;
    const Error error = error_of([&] {
        client.process([&](Pop3Message&) -> Pop3Verdict {
            if (++seen > 2) throw std::runtime_error{"the queue is full"};
            return Pop3Verdict::taken;
        });
    });
    CHECK(std::string{error.what()}.find("the queue is full") != npos);
    CHECK(box.count() == 25);
    Pop3ProcessOptions few;
    few.most = 4;
    CHECK(client.process([](Pop3Message&) { return Pop3Verdict::taken; }, few).taken == 4);
    CHECK(box.count() == 21);
}

TEST_CASE("what is known already is left or removed without being retrieved", "[mail][integration]") {
    Mailbox box;
    box.fill(6, 100);
    Pop3Client client{box.options()};
    const auto all = client.list();
    Pop3ProcessOptions options;
    options.choose = [&](const Pop3Entry& entry) {
        if (entry.uid == all[0].uid) return Pop3Choice::leave;
        return entry.uid == all[1].uid ? Pop3Choice::remove : Pop3Choice::retrieve;
    };
    const Pop3Processed done = client.process([](Pop3Message&) { return Pop3Verdict::taken; }, options);
    CHECK(done.left == 1);
    CHECK(done.removed == 1);
    CHECK(done.taken == 4);
    CHECK(client.uidl().size() == 1);
    CHECK(client.uidl()[0].uid == all[0].uid);
}

TEST_CASE("a message that is too large for memory is told so, and goes into a sink", "[mail][integration]") {
    Mailbox box;
    box.fill(1, 50'000);
    box.fill(1, 100);
    Pop3Options options = box.options();
    options.max_mail_size = 10'000;
    Pop3Client client{options};
    Pop3Session session = client.open();
    const Error error = error_of([&] { session.retrieve(1); });
    CHECK(error.code() == Pop3Errc::limit);
    std::uint64_t size = 0;
    const auto sink = function_sink([&](std::string_view bytes) { size += bytes.size(); });
    CHECK(session.retrieve(1, *sink) == size);
    CHECK(size > 50'000);
    session.close();
    const Pop3Processed done = client.process([](Pop3Message&) { return Pop3Verdict::taken; });
    CHECK(done.too_large == 1);
    CHECK(done.taken == 1);
    CHECK(box.count() == 1);
}
