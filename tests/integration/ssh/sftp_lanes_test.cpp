// SPDX-License-Identifier: Apache-2.0
// Large transfers beside each other: over several channels where the server gives them, over fewer where it does not.
#include <map>

#include "sftp_fixture.hpp"
#include "ssh/ssh_error.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t k_large = 6'000'000;
constexpr int k_many = 6;

std::string name_of(int i) { return "large" + std::to_string(i); }

/// All of them there at once, and back at once.
void carry(SftpClient& client) {
    std::map<int, std::string> texts;
    Outcomes<std::uint64_t> puts;
    for (int i = 0; i < k_many; ++i) {
        texts[i] = some_text(k_large, static_cast<std::uint64_t>(i) + 1);
        client.async_put(name_of(i), text_source(texts[i]), {}, 60s, puts.callback());
    }
    REQUIRE(puts.wait(k_many));
    for (const auto& one : puts.results()) CHECK(one.value() == k_large);
    std::map<int, std::string> back;
    Outcomes<std::uint64_t> gets;
    for (int i = 0; i < k_many; ++i) {
        auto& text = back[i];
        client.async_get(name_of(i), function_sink([&text](std::string_view bytes) { text.append(bytes); }), {}, 60s, gets.callback());
    }
    REQUIRE(gets.wait(k_many));
    for (const auto& one : gets.results()) CHECK(one.value() == k_large);
    CHECK((back == texts));
}

Error no_more() { return ssh::ssh_error(SshErrc::channel, "the server allows one channel", Phase::protocol, Reason::status).with_retryable(true); }
Error broken() { return ssh::ssh_error(SshErrc::session, "the session broke", Phase::protocol, Reason::closed).with_spoils_connection(true); }

/// OpenSSH's server, as one that allows one channel in a connection.
struct Reluctant {
    /// @param ends  the connection, when it is asked for another
    explicit Reluctant(bool ends)
        : server{runtime, dir.path()},
          source{std::make_shared<SocketSource>(runtime,
                                                [this, ends]() -> Result<net::UniqueFd> {
                                                    if (++channels == 1) return server.start();
                                                    if (!ends) return no_more();
                                                    end();
                                                    return broken();
                                                })},
          client{sftp::make_sftp_client(source, sftp_options(), runtime)} {}
    void end() {
        server.kill();
        channels = 0;
    }

    Runtime runtime{RuntimeOptions{}};
    TempDir dir;
    SftpServer server;
    std::atomic<int> channels{0};  // of this connection
    std::shared_ptr<SocketSource> source;
    std::unique_ptr<SftpClient> client;
};

}  // namespace

TEST_CASE("large transfers at once are spread over channels, as many as the options say", "[sftp][integration]") {
    SftpOptions options = sftp_options();
    options.channels = GENERATE(1U, 2U, 4U);
    const Files files{options};
    carry(*files.client);
    CHECK(static_cast<std::size_t>(files.server.started()) == options.channels);
    CHECK(files.unfinished() == 0);
}

TEST_CASE("one large transfer after the other stays in the first channel, and so do small ones", "[sftp][integration]") {
    const Files files;
    const std::string large = some_text(k_large);
    for (int i = 0; i < 3; ++i) {
        files->put(name_of(i), *text_source(large));
        CHECK((files->read(name_of(i)) == large));
    }
    Outcomes<void> writes;
    for (int i = 0; i < 50; ++i) files->async_write(std::to_string(i), "small", WriteMode::replace, 60s, writes.callback());
    REQUIRE(writes.wait(50));
    CHECK(files.server.started() == 1);
}

TEST_CASE("a server that refuses another channel is not asked again, and all is carried over the one", "[sftp][integration]") {
    Reluctant there{false};
    carry(*there.client);
    const int asked = there.source->asked;
    CHECK(asked > 1);
    CHECK(asked <= 4);
    carry(*there.client);
    CHECK(there.source->asked == asked);
    // A new connection may allow more.
    there.end();
    REQUIRE(wait_until([&] {
        try {
            return there.client->stat(name_of(0)).size == k_large;
        } catch (const Error&) { return false; }
    }));
    const int before = there.source->asked;
    carry(*there.client);
    CHECK(there.source->asked > before);
}

TEST_CASE("a server that ends the connection when it is asked for another channel is soon spared", "[sftp][integration]") {
    Reluctant there{true};
    there.client->write("small", "text");
    // Those fail or come through, and each says so.
    const std::string text = some_text(k_large);
    for (int round = 0; round < 3; ++round) {
        Outcomes<std::uint64_t> puts;
        for (int i = 0; i < k_many; ++i) there.client->async_put(name_of(i), text_source(text), {}, 60s, puts.callback());
        REQUIRE(puts.wait(k_many));
        for (const auto& one : puts.results()) CHECK((one.has_value() || one.error().name() == "SFTP-SESSION"));
    }
    // The first channel, and two more that ended what was there.
    const int asked = there.source->asked;
    carry(*there.client);
    CHECK(there.client->read("small") == "text");
    CHECK(there.source->asked == asked);
}

TEST_CASE("a server that is silent about another channel is waited for only a moment, and not asked again", "[sftp][integration]") {
    const bool opens = GENERATE(false, true);
    const Runtime runtime{RuntimeOptions{}};
    const TempDir dir;
    SftpServer server{runtime, dir.path()};
    std::vector<net::UniqueFd> mute;
    const auto source = std::make_shared<SocketSource>(runtime, [&]() -> Result<net::UniqueFd> {
        if (server.started() == 0) return server.start();
        auto [ours, theirs] = socket_pair();
        mute.push_back(std::move(theirs));
        return std::move(ours);
    });
    SftpOptions options = sftp_options();
    options.timeout = 1s;
    const auto client = sftp::make_sftp_client(source, options, runtime);
    client->write("small", "text");
    source->silent = !opens;
    carry(*client);
    const int asked = source->asked;
    CHECK(asked > 1);
    carry(*client);
    CHECK(source->asked == asked);
    CHECK(server.started() == 1);
}

TEST_CASE("what goes on in another channel has its own errors, deadlines and cancellation", "[sftp][integration]") {
    SftpOptions options = sftp_options();
    options.window = 256 * 1024;
    const Files files{options};
    files.dir.write("large", some_text(k_large));
    // Something large holds the first channel.
    std::atomic<bool> held{false}, go{false};
    struct Holder {
        std::atomic<bool>& go;
        std::thread thread;
        ~Holder() {
            go = true;
            if (thread.joinable()) thread.join();
        }
    } holder{go, std::thread{[&] {
                 const auto sink = function_sink([&](std::string_view) {
                     held = true;
                     wait_until([&] { return go.load(); }, 20s);
                 });
                 files->get("large", *sink);
             }}};
    REQUIRE(wait_until([&] { return held.load(); }, 5s));
    PutOptions create;
    create.mode = WriteMode::create;
    const std::string text = some_text(k_large, 2);
    const auto put = [&](const char* name) { files->put(name, *text_source(text), create, 20s); };
    CHECK(failure_of([&] { put("large"); }).name() == "SFTP-EXISTS");
    CHECK(failure_of([&] { put("nowhere/f"); }).name() == "SFTP-NOT-FOUND");
    put("other");
    CHECK(files.server.started() == 2);
    const auto endless = function_source([](char* to, std::size_t most) {
        std::fill_n(to, most, 'x');
        return most;
    });
    CHECK(failure_of([&] { files->put("endless", *endless, {}, 300ms); }).name() == "TIMEOUT");
    Outcomes<std::uint64_t> outcomes;
    std::atomic<bool> cancelled{false};
    const auto slow = function_sink([&](std::string_view) { wait_until([&] { return cancelled.load(); }, 20s); });
    Operation operation = files->async_get("other", slow, {}, 20s, outcomes.callback());
    operation.cancel();
    cancelled = true;
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results()[0].error().name() == "CANCELLED");
    go = true;
    holder.thread.join();
    CHECK(wait_until([&] { return files.unfinished() == 0; }, 5s));
    CHECK(files.read("other") == text);
}
