// SPDX-License-Identifier: Apache-2.0
// What OpenSSH's server does not do: answers in another order, short reads, garbage, silence.
#include <algorithm>
#include <map>
#include <random>
#include <thread>

#include "sftp_fixture.hpp"
#include "support/error_of.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

enum Type {
    k_open = 3,
    k_close = 4,
    k_read = 5,
    k_write = 6,
    k_lstat = 7,
    k_fsetstat = 10,
    k_readdir = 12,
    k_opendir = 11,
    k_stat = 17,
    k_rename = 18,
    k_remove = 13
};

struct Played {
    Runtime runtime{RuntimeOptions{}};
    FakeServer server;
    std::unique_ptr<SftpClient> client;
    explicit Played(FakeServer::Play play, SftpOptions options = sftp_options())
        : server{runtime, std::move(play)}, client{sftp::make_sftp_client(server.source(), std::move(options), runtime)} {}
    ~Played() { client.reset(); }
    SftpClient* operator->() const { return client.get(); }
};

/// A server that has one file, and answers READs as `serve` likes to.
FakeServer::Play file_server(std::size_t size, std::function<void(FakePeer&, const FakePeer::Request&)> serve) {
    return [size, serve](FakePeer& peer, int) {
        if (!peer.greet()) return;
        while (const auto request = peer.next()) {
            switch (request->type) {
                case k_stat: peer.attrs(*request, size); break;
                case k_open: peer.handle(*request, "h"); break;
                case k_close: peer.status(*request, 0); break;
                case k_read: serve(peer, *request); break;
                default: peer.status(*request, 8); break;
            }
        }
    };
}

}  // namespace

TEST_CASE("answers in any order are put in order", "[sftp][integration]") {
    const std::string text = some_text(3'000'000);
    std::vector<FakePeer::Request> held;
    std::mt19937 random{7};
    const Played played{file_server(text.size(), [&](FakePeer& peer, const FakePeer::Request& read) {
        held.push_back(read);
        const auto [offset, size] = FakePeer::range(read);
        // Some are held back until the one beyond the end is there, or enough of them are.
        if (offset < text.size() && held.size() < 16) return;
        std::shuffle(held.begin(), held.end(), random);
        for (const auto& one : held) {
            const auto [at, most] = FakePeer::range(one);
            at < text.size() ? peer.data(one, text.substr(at, most)) : peer.status(one, 1);
        }
        held.clear();
    })};
    CHECK(played->read("f") == text);
    std::string got;
    const auto sink = function_sink([&](std::string_view bytes) { got += bytes; });
    CHECK(played->get("f", *sink) == text.size());
    CHECK(got == text);
}

TEST_CASE("short reads are made up for, whatever the server says of the size", "[sftp][integration]") {
    const std::string text = some_text(300'000);
    for (const std::size_t told : {text.size(), std::size_t{0}, text.size() / 2, 2 * text.size()}) {
        for (const std::size_t most : {std::size_t{100}, std::size_t{4096}, std::size_t{20'000}}) {
            INFO(told << ' ' << most);
            std::mt19937 random{3};
            const Played played{file_server(told, [&](FakePeer& peer, const FakePeer::Request& read) {
                const auto [offset, size] = FakePeer::range(read);
                if (offset >= text.size()) return peer.status(read, 1);
                const std::size_t some = most == 4096 ? most : 1 + random() % most;
                peer.data(read, text.substr(offset, std::min(size, some)));
            })};
            CHECK(played->read("f") == text);
        }
    }
}

TEST_CASE("a failing READ or WRITE ends the transfer with its own words", "[sftp][integration]") {
    const Played played{file_server(1'000'000, [&](FakePeer& peer, const FakePeer::Request& read) {
        const auto [offset, size] = FakePeer::range(read);
        offset < 500'000 ? peer.data(read, std::string(size, 'x')) : peer.status(read, 4, "Input/output error");
    })};
    const Error error = failure_of([&] { played->read("f"); });
    CHECK(error.name() == "SFTP-ERROR");
    CHECK(error.reason() == Reason::status);
    CHECK(has(error.what(), "Input/output error"));
    for (const auto& [words, reason] : std::map<std::string, Reason>{{"Disk quota exceeded", Reason::disk_full},
                                                                     {"No space left on device", Reason::disk_full},
                                                                     {"File exists", Reason::exists},
                                                                     {"odd", Reason::status}}) {
        const Played full{[&](FakePeer& peer, int) {
            if (!peer.greet()) return;
            while (const auto request = peer.next()) {
                switch (request->type) {
                    case k_lstat: peer.status(*request, 2); break;
                    case k_open: peer.handle(*request, "h"); break;
                    case k_write: peer.status(*request, 4, words); break;
                    default: peer.status(*request, 0); break;
                }
            }
        }};
        CHECK(failure_of([&] { full->write("f", "text"); }).reason() == reason);
    }
}

TEST_CASE("a server that cannot set times is given the file without them, and one that refuses them is told", "[sftp][integration]") {
    for (const std::size_t code : {8, 3}) {
        std::vector<int> seen;
        const auto error = [&] {
            const Played played{[&](FakePeer& peer, int) {
                if (!peer.greet()) return;
                while (const auto request = peer.next()) {
                    seen.push_back(request->type);
                    switch (request->type) {
                        case k_open: peer.handle(*request, "h"); break;
                        case k_lstat: peer.status(*request, 2); break;
                        case k_fsetstat: peer.status(*request, code); break;
                        default: peer.status(*request, 0); break;
                    }
                }
            }};
            const auto source = text_source("x");
            return error_of([&] { played->put("f", *source, {.attributes = {.modified = std::chrono::system_clock::now()}}); });
        }();
        CHECK(error.name() == (code == 8 ? "NO-ERROR" : "SFTP-PERMISSION"));
        CHECK(std::count(seen.begin(), seen.end(), k_fsetstat) == 1);
        CHECK(std::count(seen.begin(), seen.end(), k_rename) == (code == 8 ? 1 : 0));
    }
}

TEST_CASE("a server that refuses the permissions of the file that is replaced gets the new one, unless it were open to more", "[sftp][integration]") {
    const auto& [old, made, name] = GENERATE(table<std::size_t, std::size_t, std::string>({{0100644, 0100644, "NO-ERROR"},
                                                                                           {0100666, 0100644, "NO-ERROR"},
                                                                                           {0100644, 0100666, "SFTP-PERMISSION"},
                                                                                           {0100600, 0100644, "SFTP-PERMISSION"}}));
    const auto error = [&, was = old, is = made] {
        const Played played{[was, is](FakePeer& peer, int) {
            if (!peer.greet()) return;
            while (const auto request = peer.next()) {
                switch (request->type) {
                    case k_open: peer.handle(*request, "h"); break;
                    case k_lstat: peer.answer(105, request->id + FakePeer::u32(4) + FakePeer::u32(has(request->body, ".qconn-") ? is : was)); break;
                    case k_fsetstat: peer.status(*request, 3); break;
                    default: peer.status(*request, 0); break;
                }
            }
        }};
        return error_of([&] { played->write("f", "text"); });
    }();
    CHECK(error.name() == name);
}

TEST_CASE("what is no SFTP ends the session with a typed error, and the next call has a new one", "[sftp][integration]") {
    const std::string huge = FakePeer::u32(0x7fffffff) + "garbage";
    const std::vector<std::pair<std::string, FakeServer::Play>> plays{
        {"text in place of VERSION",
         [](FakePeer& peer, int) {
             peer.raw("Welcome to this machine, please behave\r\n");
             peer.next();
             peer.next();
         }},
        {"another packet",
         [](FakePeer& peer, int) {
             peer.next();
             peer.answer(101, FakePeer::u32(0) + FakePeer::u32(0));
             peer.next();
         }},
        {"version 2",
         [](FakePeer& peer, int) {
             peer.next();
             peer.answer(2, FakePeer::u32(2));
             peer.next();
         }},
        {"odd extensions",
         [](FakePeer& peer, int) {
             peer.greet(FakePeer::u32(1000));
             peer.next();
         }},
        {"a huge length",
         [&](FakePeer& peer, int) {
             peer.greet();
             peer.next();
             peer.raw(huge);
             peer.next();
         }},
        {"an unknown id",
         [](FakePeer& peer, int) {
             peer.greet();
             auto one = *peer.next();
             one.id = "zzzz";
             peer.status(one, 0);
             peer.next();
             peer.next();
         }},
        {"a request",
         [](FakePeer& peer, int) {
             peer.greet();
             const auto one = *peer.next();
             peer.answer(17, one.id + FakePeer::text("x"));
             peer.next();
         }},
        {"a status that is cut",
         [](FakePeer& peer, int) {
             peer.greet();
             const auto one = *peer.next();
             peer.answer(101, one.id + "ab");
             peer.next();
         }},
        {"OK in place of attributes",
         [](FakePeer& peer, int) {
             peer.greet();
             peer.status(*peer.next(), 0);
             peer.next();
         }},
        {"names in place of attributes",
         [](FakePeer& peer, int) {
             peer.greet();
             const auto one = *peer.next();
             peer.answer(104, one.id + FakePeer::u32(0));
             peer.next();
         }},
        {"attributes that are cut",
         [](FakePeer& peer, int) {
             peer.greet();
             const auto one = *peer.next();
             peer.answer(105, one.id + FakePeer::u32(15));
             peer.next();
         }},
    };
    for (const auto& [name, play] : plays) {
        INFO(name);
        const Played played{[&play = play](FakePeer& peer, int number) {
            if (number == 1) return play(peer, number);
            file_server(5, [](FakePeer&, const FakePeer::Request&) {})(peer, number);
        }};
        const Error error = failure_of([&] { played->stat("f"); });
        CHECK(error.name() == "SFTP-PROTOCOL");
        CHECK(error.reason() == Reason::bad_answer);
        CHECK(error.spoils_connection());
        CHECK(error.connection() == "drop");
        CHECK(has(error.what(), "looking at \"f\""));
        CHECK(played->stat("f").size == 5);
    }
}

TEST_CASE("data that is more than was asked for is no SFTP", "[sftp][integration]") {
    const Played more{file_server(10, [](FakePeer& peer, const FakePeer::Request& read) { peer.data(read, std::string(200'000, 'x')); })};
    CHECK(failure_of([&] { more->read("f"); }).name() == "SFTP-PROTOCOL");
    const Played ok{file_server(10, [](FakePeer& peer, const FakePeer::Request& read) { peer.status(read, 0); })};
    CHECK(failure_of([&] { ok->read("f"); }).name() == "SFTP-PROTOCOL");
}

TEST_CASE("names that lead elsewhere are left out of a list", "[sftp][integration]") {
    for (const std::string& name : {std::string{"../../etc/passwd"}, std::string{"/etc/passwd"}, std::string{}, std::string{"a\0b", 3}}) {
        const Played played{[&](FakePeer& peer, int) {
            if (!peer.greet()) return;
            bool told = false;
            while (const auto request = peer.next()) {
                const auto entry = [](const std::string& text) { return FakePeer::text(text) + FakePeer::text("") + FakePeer::u32(0); };
                if (request->type == k_opendir) peer.handle(*request, "h");
                if (request->type == k_readdir) {
                    std::exchange(told, true) ? peer.status(*request, 1)
                                              : peer.answer(104, request->id + FakePeer::u32(2) + entry(name) + entry("good"));
                }
                if (request->type == k_close) peer.status(*request, 0);
            }
        }};
        const auto all = played->list();
        REQUIRE(all.size() == 1);
        CHECK(all[0].name == "good");
    }
}

TEST_CASE("a list is whole with the first end, whatever comes behind it", "[sftp][integration]") {
    // What was asked for at once is refused as the directory has been read to its end.
    const Played late{[&](FakePeer& peer, int) {
        if (!peer.greet()) return;
        int reads = 0;
        while (const auto request = peer.next()) {
            if (request->type == k_opendir) peer.handle(*request, "h");
            if (request->type == k_readdir) peer.status(*request, ++reads == 1 ? 1 : 4);
            if (request->type == k_close) peer.status(*request, 0);
        }
    }};
    CHECK(late->list().empty());
    // No names, again and again, is an end.
    const Played none{[&](FakePeer& peer, int) {
        if (!peer.greet()) return;
        while (const auto request = peer.next()) {
            if (request->type == k_opendir) peer.handle(*request, "h");
            if (request->type == k_readdir) peer.answer(104, request->id + FakePeer::u32(0));
            if (request->type == k_close) peer.status(*request, 0);
        }
    }};
    CHECK(none->list().empty());
}

TEST_CASE("types come from the long name where the server tells no permissions", "[sftp][integration]") {
    const Played played{[&](FakePeer& peer, int) {
        if (!peer.greet()) return;
        bool told = false;
        while (const auto request = peer.next()) {
            const auto entry = [](const std::string& name, const std::string& line) {
                return FakePeer::text(name) + FakePeer::text(line) + FakePeer::u32(0);
            };
            if (request->type == k_opendir) peer.handle(*request, "h");
            if (request->type == k_readdir) {
                std::exchange(told, true) ? peer.status(*request, 1)
                                          : peer.answer(104, request->id + FakePeer::u32(3) + entry("d", "drwxr-xr-x 1 a a 1 Jan 1 d") +
                                                                 entry("f", "-rw-r--r--") + entry("x", ""));
            }
            if (request->type == k_close) peer.status(*request, 0);
        }
    }};
    const auto all = played->list();
    REQUIRE(all.size() == 3);
    CHECK(all[0].type == FileType::directory);
    CHECK(all[1].type == FileType::file);
    CHECK(all[2].type == FileType::other);
}

TEST_CASE("a server that falls silent at any point is TIMEOUT after the option, and is replaced", "[sftp][integration]") {
    SftpOptions options = sftp_options();
    options.timeout = 150ms;
    const std::string text = some_text(200'000);
    for (int answers = -1; answers < 8; ++answers) {
        INFO(answers << " answers before the silence");
        const Played played{[&](FakePeer& peer, int number) {
                                int left = number == 1 ? answers : 1'000'000;
                                if (left-- < 0) {  // not even VERSION
                                    while (peer.next()) {}
                                    return;
                                }
                                if (!peer.greet()) return;
                                while (const auto request = peer.next()) {
                                    if (left-- <= 0) continue;
                                    switch (request->type) {
                                        case k_stat: peer.attrs(*request, text.size()); break;
                                        case k_open: peer.handle(*request, "h"); break;
                                        case k_read: {
                                            const auto [offset, size] = FakePeer::range(*request);
                                            offset < text.size() ? peer.data(*request, text.substr(offset, size)) : peer.status(*request, 1);
                                            break;
                                        }
                                        default: peer.status(*request, 0); break;
                                    }
                                }
                            },
                            options};
        const auto begun = Clock::now();
        const Error error = failure_of([&] { played->read("f"); });
        const auto took = Clock::now() - begun;
        CHECK(error.name() == "TIMEOUT");
        CHECK(error.reason() == Reason::timeout);
        CHECK(error.phase() == Phase::protocol);
        CHECK(error.spoils_connection());
        CHECK(has(error.what(), "option timeout"));
        CHECK(took >= 140ms);
        CHECK(took < 5s);
        CHECK(played->read("f") == text);
        CHECK(played.server.source()->opened == 2);
    }
}

TEST_CASE("a deadline ends a call, and a server that said nothing meanwhile is not asked again", "[sftp][integration]") {
    const Played played{[&](FakePeer& peer, int number) {
        if (!peer.greet()) return;
        while (const auto request = peer.next()) {
            if (number > 1) peer.attrs(*request, 7);
        }
    }};
    const Error error = failure_of([&] { played->stat("f", 1100ms); });
    CHECK(error.name() == "TIMEOUT");
    CHECK(has(error.what(), "the deadline has passed"));
    CHECK(played->stat("f").size == 7);
    CHECK(played.server.source()->opened == 2);
}

TEST_CASE("waiting for a session ends with the deadline, with a cancellation, and with the client", "[sftp][integration]") {
    const Runtime runtime{RuntimeOptions{}};
    FakeServer server{runtime, file_server(3, [](FakePeer&, const FakePeer::Request&) {})};
    server.source()->silent = true;
    auto client = sftp::make_sftp_client(server.source(), sftp_options(), runtime);
    CHECK(failure_of([&] { client->stat("f", 30ms); }).name() == "TIMEOUT");
    Outcomes<FileInfo> outcomes;
    auto operation = client->async_stat("f", 20s, outcomes.callback());
    operation.cancel();
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results()[0].error().name() == "CANCELLED");
    client->async_stat("f", {}, outcomes.callback());
    client.reset();
    REQUIRE(outcomes.wait(2));
    CHECK(outcomes.results()[1].error().name() == "CANCELLED");
    // And can be had after all of that.
    server.source()->silent = false;
    client = sftp::make_sftp_client(server.source(), sftp_options(), runtime);
    CHECK(client->stat("f").size == 3);
    client.reset();
}

TEST_CASE("a channel that cannot be had fails each call that waits for it, with the words of who opens it", "[sftp][integration]") {
    const Runtime runtime{RuntimeOptions{}};
    const auto source = std::make_shared<SocketSource>(runtime, []() -> Result<net::UniqueFd> {
        return Error{Errc::system, "SSH-AUTH-ERROR", "the server takes another key"}
            .with_phase(Phase::auth)
            .with_reason(Reason::denied)
            .with_connection("drop");
    });
    const auto client = sftp::make_sftp_client(source, sftp_options(), runtime);
    Outcomes<FileInfo> outcomes;
    for (int i = 0; i < 5; ++i) client->async_stat("f", 20s, outcomes.callback());
    REQUIRE(outcomes.wait(5));
    for (const auto& one : outcomes.results()) {
        CHECK(one.error().name() == "SSH-AUTH-ERROR");
        CHECK(one.error().phase() == Phase::auth);
        CHECK(one.error().reason() == Reason::denied);
    }
    CHECK(source->asked <= 5);
}

TEST_CASE("a session that closes at any point fails what was begun, and carries over what was not", "[sftp][integration]") {
    for (int answers = 0; answers < 6; ++answers) {
        INFO(answers << " answers before the end");
        const Played played{[&](FakePeer& peer, int number) {
            int left = number == 1 ? answers : 1'000'000;
            if (!peer.greet()) return;
            while (left-- > 0) {
                const auto request = peer.next();
                if (!request) return;
                request->type == k_stat ? peer.attrs(*request, 5) : peer.status(*request, 4);
            }
        }};
        for (int i = 0; i < answers; ++i) CHECK(played->stat("f").size == 5);
        // Closed by now, or about to be: either is seen before anything is sent, or after.
        try {
            CHECK(played->stat("f").size == 5);
        } catch (const Error& error) {
            CHECK(error.name() == "SFTP-SESSION");
            CHECK((error.reason() == Reason::closed || error.reason() == Reason::reset));
        }
        CHECK(played->stat("f").size == 5);
    }
    // Closed before VERSION: said, and not tried for ever.
    const Played never{[](FakePeer& peer, int) { peer.next(); }};
    const Error error = failure_of([&] { never->stat("f"); });
    CHECK(error.name() == "SFTP-SESSION");
    CHECK(error.reason() == Reason::closed);
    CHECK(has(error.what(), "before it had said its version"));
    CHECK(never.server.source()->opened == 1);
}
