// SPDX-License-Identifier: Apache-2.0
// Calls that end before their time: cancelled, late, with a server that freezes or is killed.
#include <csignal>

#include <atomic>
#include <cstdlib>
#include <random>
#include <sstream>
#include <thread>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Takes its time with each piece.
class SlowSink final : public ByteSink {
public:
    void write(std::string_view bytes) override {
        got += bytes.size();
        std::this_thread::sleep_for(1ms);
    }
    std::atomic<std::uint64_t> got{0};
};

/// Never ends.
std::shared_ptr<ByteSource> endless() {
    return function_source([](char* to, std::size_t most) {
        std::fill_n(to, most, 'x');
        return most;
    });
}

std::shared_ptr<ByteSink> nowhere() {
    return function_sink([](std::string_view) {});
}

/// At once, as a crash does.
void kill_children(pid_t parent) {
    std::istringstream all{read_file("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children")};
    for (pid_t one = 0; all >> one;) ::kill(one, SIGKILL);
}

}  // namespace

TEST_CASE("a call that is cancelled ends at once, and the session serves the next one", "[ftp][integration]") {
    for (const FtpTls security : {FtpTls::none, FtpTls::required}) {
        FtpOptions options = options_for(FtpWay{"", security});
        options.max_sessions = 1;
        FtpClient client{options};
        client.write("large", std::string(20'000'000, 'x'));
        for (int i = 0; i < 10; ++i) {
            Outcomes<std::uint64_t> outcomes;
            std::atomic<std::uint64_t> seen{0};
            auto operation =
                i % 2 == 0
                    ? client.async_get("large", nowhere(), {.progress = [&](std::uint64_t done, auto) { seen = done; }}, {}, outcomes.callback())
                    : client.async_put("new", endless(), {.progress = [&](std::uint64_t done, auto) { seen = done; }}, {}, outcomes.callback());
            if (i > 3) REQUIRE(wait_until([&] { return seen > 0 || outcomes.count() > 0; }));
            operation.cancel();
            REQUIRE(outcomes.wait(1));
            if (outcomes.results().front().has_value()) continue;  // it was faster
            CHECK(outcomes.results().front().error().reason() == Reason::cancelled);
            CHECK(client.stat("large", 20s).size == 20'000'000);
        }
        CHECK(client.list().size() == 1);  // nothing of what was put
        CHECK(wait_until([&] { return client.names().size() == 1 && client.command("STAT", 5s).code != 0; }));
    }
}

TEST_CASE("a deadline ends a blocking call in its middle", "[ftp][integration]") {
    FtpClient client{options_for(FtpWay{"", FtpTls::required})};
    client.write("large", std::string(20'000'000, 'x'));
    SlowSink slow;
    const auto begun = Clock::now();
    const Error late = error_of([&] { client.get("large", slow, {}, 50ms); });
    CHECK(late.name() == "TIMEOUT");
    CHECK(Clock::now() - begun < 5s);
    const auto source = endless();
    CHECK(error_of([&] { client.put("new", *source, {}, 100ms); }).name() == "TIMEOUT");
    CHECK(wait_until([&] { return client.list().size() == 1; }));
}

TEST_CASE("a server that freezes is given up after the silence that it may have", "[ftp][integration]") {
    Server server{"proftpd"};
    FtpOptions options = options_for(server);
    options.timeout = 500ms;
    options.connect_timeout = 500ms;
    FtpClient client{options};
    client.write("f", std::string(5'000'000, 'x'));
    server.freeze();
    for (const Error& error : {error_of([&] { client.read("f"); }), error_of([&] { client.write("g", "1"); }), error_of([&] { client.stat("f"); })}) {
        INFO(error.what());
        CHECK(error.name() == "TIMEOUT");
        CHECK(error.retryable());
    }
    server.thaw();
    CHECK(wait_until([&] {
        try {
            return client.read("f", 5s).size() == 5'000'000;
        } catch (const Error&) { return false; }
    }));
}

TEST_CASE("a kept session that the server has closed is replaced without the caller noticing", "[ftp][integration]") {
    Server server{"proftpd"};
    FtpClient client{options_for(server, FtpTls::required)};
    client.write("f", "1");
    for (int i = 0; i < 3; ++i) {
        server.kill();
        server.start();
        CHECK(client.read("f") == "1");
        client.write("f", "1");
    }
    const Server impatient{"proftpd", {.environment = {"FTP_OPTIONS=TimeoutIdle 1"}}};
    FtpClient other{options_for(impatient)};
    other.write("f", "2");
    std::this_thread::sleep_for(1500ms);
    CHECK(other.read("f") == "2");
}

TEST_CASE("destroying the client ends its calls as cancelled", "[ftp][integration]") {
    Outcomes<std::uint64_t> outcomes;
    Error blocking = make_error(Errc::system, "none");
    std::thread caller;
    {
        auto client = std::make_unique<FtpClient>(options_for(FtpWay{"", FtpTls::required}));
        client->write("large", std::string(20'000'000, 'x'));
        std::atomic<bool> running{false};
        for (int i = 0; i < 6; ++i) client->async_put("new" + std::to_string(i), endless(), {}, {}, outcomes.callback());
        caller = std::thread{[&, raw = client.get()] {
            SlowSink slow;
            running = true;
            blocking = error_of([&] {
                for (;;) raw->get("large", slow);
            });
        }};
        REQUIRE(wait_until([&] { return running.load(); }));
        std::this_thread::sleep_for(100ms);
        // The blocking caller is the only one that uses it from here on.
        client.reset();
    }
    caller.join();
    CHECK(blocking.reason() == Reason::cancelled);
    REQUIRE(outcomes.wait(6));
    for (const auto& one : outcomes.results()) CHECK(one.error().reason() == Reason::cancelled);
}

TEST_CASE("idle sessions are closed after a time, and with the client", "[ftp][integration]") {
    // A server of its own: sockets to the shared one may be those of an earlier test's client that still says QUIT.
    const Server server{"proftpd"};
    FtpOptions options = options_for(server);
    const auto closed = [port = options.port] { return wait_until([port] { return sockets_to(port).empty(); }); };
    {
        FtpClient client{options};  // idle_time's default is long: the session is still there when it is counted
        client.connect();
        CHECK(sockets_to(options.port).size() == 1);
    }
    CHECK(closed());
    options.idle_time = 200ms;
    FtpClient impatient{options};
    impatient.connect();
    CHECK(closed());
    impatient.connect();
    CHECK(closed());
}

TEST_CASE("a server that is killed at any moment leaves no part under the final name, and resume gives an identical file", "[ftp][integration]") {
    const std::string text = large_text(4'000'000);
    const std::string old = "the old contents";
    Server server{"proftpd", {.environment = {"FTP_OPTIONS=TLSOptions NoSessionReuseRequired"}}};
    std::mt19937 random{17};
    int broken = 0;
    const char* given = std::getenv("QCONN_TEST_KILLS");  // an ordinary run has time for some
    const int rounds = given != nullptr ? std::atoi(given) : 60;
    for (int round = 0; round < rounds; ++round) {
        const bool tls = round % 4 == 3;
        const bool sends = round % 2 == 0;
        FtpOptions options = options_for(server, tls ? FtpTls::required : FtpTls::none);
        options.timeout = options.connect_timeout = 5s;
        FtpClient client{options};
        if (!sends || round == 0) server.directory().write("home/whole", text);
        client.write("f", old);
        // The whole server now and then, as it takes its time to come back; else what serves this session.
        const bool whole = round % 20 == 0;
        std::thread killer{[&server, whole, wait = std::chrono::microseconds{random() % 12'000}] {
            std::this_thread::sleep_for(wait);
            if (whole)
                server.kill();
            else
                kill_children(server.pid());
        }};
        std::string got;
        const auto sink = function_sink([&](std::string_view bytes) { got += bytes; });
        const auto source = text_source(text);
        bool failed = false;
        try {
            if (sends)
                client.put("f", *source, {.resume = true}, 20s);
            else
                client.get("whole", *sink, {}, 20s);
        } catch (const Error& error) {
            failed = true;
            INFO(round << ": " << error.what());
            CHECK(error.retryable());
            CHECK(error.connection() == "files");
        }
        killer.join();
        if (whole) server.start();
        broken += failed ? 1 : 0;
        if (sends) {
            const std::string there = server.directory().read("home/f");
            const bool good = there == text || there == old;
            CHECK(good);
            if (!failed) CHECK(there == text);
            if (failed) client.put("f", *source, {.resume = true}, 20s);
            const bool identical = server.directory().read("home/f") == text;
            CHECK(identical);
        } else {
            if (!failed) CHECK(got.size() == text.size());
            // Gone on with where it stopped.
            if (failed) client.get("whole", *sink, {.from = got.size()}, 20s);
            const bool identical = got == text;
            CHECK(identical);
        }
    }
    CHECK(broken * 10 > rounds);
}
