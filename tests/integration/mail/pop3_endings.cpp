// SPDX-License-Identifier: Apache-2.0
// How sessions end that do not end well: nothing is lost, and nothing is deleted that was not committed.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <set>
#include <string>

#include <qconn/auth/oauth2.hpp>
#include <qconn/testing/fault_proxy.hpp>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "pop3_fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// A mailbox of two messages of a server that answers as `special` says, and otherwise as usual.
std::string two_messages(const std::string& line) {
    if (line == "LIST") return "+OK\r\n1 10\r\n2 10\r\n.\r\n";
    if (line == "UIDL") return "+OK\r\n1 aa\r\n2 bb\r\n.\r\n";
    if (line.starts_with("RETR")) return "+OK\r\nSubject: x\r\n\r\n" + line + "\r\n.\r\n";
    if (line.starts_with("DELE")) return "+OK\r\n";
    return usual_answer(line);
}

Pop3Verdict take(Pop3Message&) { return Pop3Verdict::taken; }

/// Gives one token after the other.
class Tokens {
public:
    std::shared_ptr<TokenSource> source() {
        OAuth2Options options;
        options.grant = OAuth2Grant::client_credentials;
        options.client_id = "id";
        options.client_secret = Secret{std::string{"word"}};
        options.token_url = "https://tokens.example/token";
        return std::make_shared<TokenSource>(options, [this](TokenRequest, Deadline, Callback<TokenAnswer> callback) {
            TokenAnswer answer;
            answer.status = 200;
            answer.content_type = "application/json";
            answer.body = Secret{"{\"access_token\":\"token-" + std::to_string(++given) + "\",\"token_type\":\"Bearer\"}"};
            Runtime{}.post([callback = std::make_shared<Callback<TokenAnswer>>(std::move(callback)), answer]() mutable { (*callback)(answer); });
            return Operation{};
        });
    }
    std::atomic<int> given{0};
};

}  // namespace

TEST_CASE("a process that is killed while it retrieves, or before its commit, has deleted nothing", "[mail][integration]") {
    for (const bool marks : {false, true}) {
        Mailbox box;
        box.fill(5, 20'000);
        const Pop3Options options = box.options();
        int pipe_ends[2];
        REQUIRE(::pipe(pipe_ends) == 0);
        const pid_t child = ::fork();
        if (child == 0) {
            Pop3Client client{options, Runtime{RuntimeOptions{}}};
            Pop3Session session = client.open();
            session.retrieve(1);
            if (marks) session.mark_deleted({1, 2, 3});
            const char done = 'x';
            (void)!::write(pipe_ends[1], &done, 1);
            for (;;) ::pause();
        }
        char told = 0;
        REQUIRE(::read(pipe_ends[0], &told, 1) == 1);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        ::close(pipe_ends[0]);
        ::close(pipe_ends[1]);
        Pop3Client client{options};
        CHECK(client.list().size() == 5);
        std::set<std::string> seen;
        client.process([&](Pop3Message& message) {
            seen.insert(message.text);
            return Pop3Verdict::taken;
        });
        CHECK(seen.size() == 5);
        CHECK(box.count() == 0);
    }
}

TEST_CASE("a commit whose answer never comes is told to be unknown", "[mail][integration]") {
    ScriptedPop3 server{[](const std::string& line) { return line == "QUIT" ? std::string{"!"} : two_messages(line); }};
    Pop3Client client{server.options()};
    Pop3Session session = client.open();
    session.mark_deleted({1, 2});
    const Error error = error_of([&] { session.commit(); });
    CHECK(error.code() == Pop3Errc::commit_unknown);
    CHECK(error.name() == "POP3-COMMIT-UNKNOWN");
    CHECK(error.retryable());
    CHECK_FALSE(session.is_open());

    ScriptedPop3 silent{[](const std::string& line) { return line == "QUIT" ? std::string{} : two_messages(line); }};
    Pop3Client other{silent.options()};
    Pop3Session waiting = other.open();
    waiting.mark_deleted(1);
    const Error late = error_of([&] { waiting.commit(200ms); });
    CHECK(late.code() == Pop3Errc::commit_unknown);
    CHECK(late.reason() == Reason::timeout);

    Pop3Session unmarked = client.open();
    CHECK(unmarked.commit().deleted == 0);
}

TEST_CASE("a server that could not delete all says so", "[mail][integration]") {
    ScriptedPop3 server{
        [](const std::string& line) { return line == "QUIT" ? std::string{"-ERR some deleted messages not removed\r\n"} : two_messages(line); }};
    Pop3Client client{server.options()};
    Pop3Session session = client.open();
    session.mark_deleted(1);
    const Error error = error_of([&] { session.commit(); });
    CHECK(error.code() == Pop3Errc::server);
    CHECK(std::string{error.what()}.find("not removed") != npos);
}

TEST_CASE("where a connection breaks between taking and committing, what was taken is deleted and not offered again", "[mail][integration]") {
    std::atomic<int> quits{0};
    std::atomic<bool> deleted{false};
    // The first commit fails without deleting anything.
    ScriptedPop3 server{[&](const std::string& line) {
        if (line == "QUIT" && ++quits == 1) return std::string{"!"};
        if (line == "QUIT") deleted = true;
        if (deleted && line == "LIST") return std::string{"+OK\r\n.\r\n"};
        return two_messages(line);
    }};
    Pop3Client client{server.options()};
    std::vector<std::string> taken;
    const Pop3Processed done = client.process([&](Pop3Message& message) {
        taken.push_back(message.entry.uid);
        return Pop3Verdict::taken;
    });
    CHECK(taken == std::vector<std::string>{"aa", "bb"});
    CHECK(done.taken == 2);
    CHECK(done.sessions == 2);
    const auto heard = server.heard();
    CHECK(std::count(heard.begin(), heard.end(), "RETR 1") == 1);
    CHECK(std::count(heard.begin(), heard.end(), "DELE 1") == 2);
}

TEST_CASE("where a connection breaks within a message, that one comes again and those before it do not", "[mail][integration]") {
    std::atomic<int> broken{0};
    std::atomic<bool> deleted{false};
    ScriptedPop3 server{[&](const std::string& line) {
        if (line == "RETR 2" && broken++ == 0) return std::string{"!+OK\r\nSubject: cut\r\n"};
        if (line == "QUIT") deleted = true;
        if (deleted && line == "LIST") return std::string{"+OK\r\n.\r\n"};
        return two_messages(line);
    }};
    Pop3Client client{server.options()};
    std::vector<std::string> taken;
    const Pop3Processed done = client.process([&](Pop3Message& message) {
        taken.push_back(message.entry.uid + ' ' + message.text);
        return Pop3Verdict::taken;
    });
    CHECK(taken == std::vector<std::string>{"aa Subject: x\r\n\r\nRETR 1\r\n", "bb Subject: x\r\n\r\nRETR 2\r\n"});
    CHECK(done.sessions == 2);
    const auto heard = server.heard();
    CHECK(std::count(heard.begin(), heard.end(), "DELE 1") == 1);
    CHECK(std::count(heard.begin(), heard.end(), "DELE 2") == 1);

    Pop3Options once = server.options();
    broken = 0;
    deleted = false;
    Pop3Client other{once};
    Pop3Session session = other.open();
    const Error error = error_of([&] { session.retrieve(2); });
    CHECK(error.reason() == Reason::closed);
    CHECK_FALSE(session.is_open());
}

TEST_CASE("where it cannot be committed, the unique ids of what was taken are told", "[mail][integration]") {
    ScriptedPop3 server{[](const std::string& line) { return line == "QUIT" ? std::string{"!"} : two_messages(line); }};
    Pop3Client client{server.options()};
    const Error error = error_of([&] { client.process(take); });
    CHECK(error.code() == Pop3Errc::commit_unknown);
    REQUIRE(error.detail<Pop3ErrorDetail>() != nullptr);
    CHECK(error.detail<Pop3ErrorDetail>()->uncommitted == std::vector<std::string>{"aa", "bb"});
    CHECK(server.connections() == 3);
}

TEST_CASE("without unique ids nothing is tried twice", "[mail][integration]") {
    ScriptedPop3 server{[](const std::string& line) {
        if (line == "UIDL") return std::string{"-ERR what?\r\n"};
        return line == "QUIT" ? std::string{"!"} : two_messages(line);
    }};
    Pop3Client client{server.options()};
    CHECK(error_of([&] { client.process(take); }).code() == Pop3Errc::commit_unknown);
    CHECK(server.connections() == 1);
    CHECK(client.list().size() == 2);
}

TEST_CASE("a message that the server cannot give is left, and the others come", "[mail][integration]") {
    ScriptedPop3 server{[](const std::string& line) { return line == "RETR 1" ? std::string{"-ERR internal\r\n"} : two_messages(line); }};
    Pop3Client client{server.options()};
    const Pop3Processed done = client.process(take);
    CHECK(done.taken == 1);
    CHECK(done.left == 1);
}

TEST_CASE("a black hole ends at the time limits, and a deadline ends a call at once", "[mail][integration]") {
    SilentServer silent;
    Pop3Options options;
    options.host = "127.0.0.1";
    options.port = silent.port();
    options.username = "edi";
    options.password = Secret{std::string{"x"}};
    options.connect_timeout = 200ms;
    const Error error = error_of([&] { Pop3Client{options}.stat(); });
    CHECK(error.code() == Errc::timeout);
    CHECK(std::string{error.what()}.find("the greeting") != npos);
    options.connect_timeout = 0ms;
    CHECK(error_of([&] { Pop3Client{options}.stat(100ms); }).code() == Errc::timeout);

    ScriptedPop3 stuck{[](const std::string& line) { return line == "STAT" ? std::string{} : usual_answer(line); }};
    Pop3Options slow = stuck.options();
    slow.io_timeout = 150ms;
    const Error quiet = error_of([&] { Pop3Client{slow}.stat(); });
    CHECK(quiet.code() == Errc::timeout);
    CHECK(std::string{quiet.what()}.find("the answer to STAT") != npos);
}

TEST_CASE("nobody who listens is told as refused, and what is no POP3 as that", "[mail][integration]") {
    Pop3Options options = ScriptedPop3{usual_answer}.options();
    options.port = free_port();
    CHECK(error_of([&] { Pop3Client{options}.stat(); }).reason() == Reason::refused);
    ScriptedPop3 other{usual_answer, "220 smtp.example.com ESMTP\r\n"};
    const Error error = error_of([&] { Pop3Client{other.options()}.stat(); });
    CHECK(error.code() == Pop3Errc::connect);
    CHECK(error.reason() == Reason::bad_answer);
    ScriptedPop3 busy{usual_answer, "-ERR [SYS/TEMP] come back later\r\n"};
    const Error later = error_of([&] { Pop3Client{busy.options()}.stat(); });
    CHECK(later.code() == Pop3Errc::connect);
    CHECK(later.retryable());
    CHECK(later.detail<Pop3ErrorDetail>()->response_code == "SYS/TEMP");
}

TEST_CASE("destroying the client ends its calls and its session", "[mail][integration]") {
    ScriptedPop3 stuck{[](const std::string& line) { return line == "STAT" ? std::string{} : usual_answer(line); }};
    auto client = std::make_unique<Pop3Client>(stuck.options());
    std::promise<Result<Pop3Stat>> ended;
    client->async_stat({}, [&](Result<Pop3Stat> got) { ended.set_value(std::move(got)); });
    while (stuck.heard().empty() || stuck.heard().back() != "STAT") std::this_thread::sleep_for(5ms);
    client.reset();
    auto future = ended.get_future();
    REQUIRE(future.wait_for(5s) == std::future_status::ready);
    CHECK(future.get().error().code() == Errc::cancelled);
}

TEST_CASE("letting go of a session ends the call that runs on it", "[mail][integration]") {
    ScriptedPop3 stuck{[](const std::string& line) { return line == "STAT" ? std::string{} : usual_answer(line); }};
    Pop3Client client{stuck.options()};
    std::promise<Result<Pop3Stat>> ended;
    {
        Pop3Session session = client.open();
        session.async_stat({}, [&](Result<Pop3Stat> got) { ended.set_value(std::move(got)); });
        while (stuck.heard().back() != "STAT") std::this_thread::sleep_for(5ms);
        CHECK(error_of([&] { session.noop(); }).code() == Pop3Errc::in_use);
    }
    auto future = ended.get_future();
    REQUIRE(future.wait_for(5s) == std::future_status::ready);
    CHECK(future.get().error().code() == Errc::cancelled);
    client.noop();
}

TEST_CASE("a server that pipelines is asked ahead, and one that does not is not", "[mail][integration]") {
    for (const bool pipelines : {true, false}) {
        std::atomic<int> ahead{0};
        std::atomic<bool> waits{false};
        ScriptedPop3 server{[&](const std::string& line) {
            if (line == "CAPA" && pipelines) return std::string{"+OK\r\nPIPELINING\r\nUIDL\r\nUSER\r\n.\r\n"};
            // The first message comes when the second is asked for.
            if (line == "RETR 1" && pipelines) {
                waits = true;
                return std::string{};
            }
            if (line == "RETR 2" && waits.exchange(false)) {
                ++ahead;
                return two_messages("RETR 1") + two_messages(line);
            }
            return two_messages(line);
        }};
        Pop3Client client{server.options()};
        CHECK(client.process(take, {}, 5s).taken == 2);
        CHECK(ahead == (pipelines ? 1 : 0));
    }
}

TEST_CASE("a token logs in, and one that is refused is replaced once", "[mail][integration]") {
    std::mutex mutex;
    std::vector<std::string> tokens;
    bool refuse = true;
    ScriptedPop3 server{[&](const std::string& line) {
        if (line == "AUTH XOAUTH2") return std::string{"+ \r\n"};
        const std::string encoded = line.starts_with("AUTH XOAUTH2 ") ? line.substr(13) : line;
        const auto decoded = base64::decode(encoded);
        if (line.empty()) return std::string{"-ERR [AUTH] no\r\n"};
        if (decoded && decoded->starts_with("user=")) {
            const std::scoped_lock lock{mutex};
            tokens.push_back(*decoded);
            if (std::exchange(refuse, false)) return "+ " + base64::encode("{\"status\":\"400\"}") + "\r\n";
            return std::string{"+OK\r\n"};
        }
        return usual_answer(line);
    }};
    Tokens given;
    Pop3Options options = server.options();
    options.password.reset();
    options.tokens = given.source();
    Pop3Client client{options};
    CHECK(client.stat() == Pop3Stat{0, 0});
    {
        const std::scoped_lock lock{mutex};
        CHECK(tokens == std::vector<std::string>{"user=edi\x01"
                                                 "auth=Bearer token-1\x01\x01",
                                                 "user=edi\x01"
                                                 "auth=Bearer token-2\x01\x01"});
        refuse = true;
    }
    options.tokens = nullptr;
    options.token = Secret{std::string(400, 't')};
    const Error error = error_of([&] { Pop3Client{options}.stat(); });
    CHECK(error.code() == Pop3Errc::auth);
    CHECK(std::string{error.what()}.find("400") != npos);
    CHECK(std::string{error.what()}.find("tttt") == npos);
    const auto heard = server.heard();
    CHECK(std::find(heard.begin(), heard.end(), "AUTH XOAUTH2") != heard.end());  // too long for one line
}

TEST_CASE("ten thousand messages are listed, and all of them come out", "[mail][integration]") {
    Mailbox box;
    box.fill(10'000, 300);
    Pop3Client client{box.options()};
    CHECK(client.list(120s).size() == 10'000);
    Pop3ProcessOptions options;
    options.batch = 5'000;
    std::size_t bytes = 0;
    const Pop3Processed done = client.process(
        [&](Pop3Message& message) {
            bytes += message.text.size();
            return Pop3Verdict::taken;
        },
        options, 300s);
    CHECK(done.taken == 10'000);
    CHECK(done.sessions == 2);
    CHECK(bytes == done.bytes);
    CHECK(box.count() == 0);
}

TEST_CASE("a message of 64 MiB goes into a sink in flat memory", "[mail][integration]") {
    Mailbox box;
    {
        std::string large = "Subject: large\n\n";
        const std::string line(75, 'x');
        while (large.size() < (std::size_t{64} << 20U)) large += line + '\n';
        box.put(large);
    }
    Pop3Client client{box.options()};
    const auto resident = [] {
        const std::string text = read_file("/proc/self/statm");
        return std::stoul(text.substr(text.find(' ') + 1)) * 4096;
    };
    const std::size_t before = resident();
    std::uint64_t size = 0;
    std::size_t most = 0;
    const auto sink = function_sink([&](std::string_view bytes) {
        size += bytes.size();
        if (size % 1'000 < 100) most = std::max(most, resident());
    });
    CHECK(client.retrieve(1, *sink, 120s) == size);
    CHECK(size > (std::uint64_t{64} << 20U));
    CHECK(most < before + (std::size_t{24} << 20U));
}
