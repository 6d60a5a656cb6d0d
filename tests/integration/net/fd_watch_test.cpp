// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <qconn/net/runtime.hpp>

#include "net/fd_watch.hpp"
#include "net/unique_fd.hpp"
#include "support/catch.hpp"
#include "support/loop.hpp"
#include "support/wait.hpp"

using namespace qconn;
using net::FdWatch;
using net::Ready;
using test::on_loop;
using test::wait_until;

namespace {

struct Pair {
    net::UniqueFd ours;
    net::UniqueFd theirs;

    Pair() {
        std::array<int, 2> fds{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) != 0) throw std::runtime_error{"socketpair failed"};
        ours.reset(fds[0]);
        theirs.reset(fds[1]);
    }
    void say(std::string_view words) const { REQUIRE(::write(theirs.get(), words.data(), words.size()) == static_cast<ssize_t>(words.size())); }
    std::string hear(std::size_t most = 100) const {
        std::string words(most, '\0');
        const ssize_t size = ::read(ours.get(), words.data(), most);
        words.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return words;
    }
};

/// In how many epoll sets of this process that descriptor is with events that it is armed for, or with any.
int sets_with(int fd, bool armed) {
    int sets = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fdinfo"}) {
        std::ifstream info{entry.path()};
        for (std::string line; std::getline(info, line);) {
            int watched = -1;
            unsigned events = 0;
            if (std::sscanf(line.c_str(), "tfd: %d events: %x", &watched, &events) == 2 && watched == fd && (!armed || (events & 5U) != 0)) ++sets;
        }
    }
    return sets;
}

/// Turns of the loop: what was ready before has been told after it.
void turn(net::Loop& loop) {
    for (int i = 0; i < 3; ++i) on_loop(loop, [] {});
}

struct Fixture {
    Runtime runtime;
    net::Loop& loop = runtime.impl().loop();
    Pair pair;
    std::optional<FdWatch> watch;
    std::atomic<int> calls{0};

    Fixture() {
        on_loop(loop, [&] { watch.emplace(loop, pair.ours.get()); });
    }
    ~Fixture() {
        on_loop(loop, [&] { watch.reset(); });
    }
    void wait(Ready side = Ready::read) {
        on_loop(loop, [&] { watch->wait(side, [&] { ++calls; }); });
    }
};

}  // namespace

TEST_CASE("a wait is told once, and again only when it is waited for again", "[net][watch]") {
    Fixture f;
    f.wait();
    turn(f.loop);
    CHECK(f.calls == 0);
    f.pair.say("a");
    REQUIRE(wait_until([&] { return f.calls == 1; }));
    turn(f.loop);
    CHECK(f.calls == 1);
    f.wait();  // what was not read is still there
    REQUIRE(wait_until([&] { return f.calls == 2; }));
    CHECK(f.pair.hear() == "a");
    f.wait();
    turn(f.loop);
    CHECK(f.calls == 2);
    f.pair.say("b");
    REQUIRE(wait_until([&] { return f.calls == 3; }));
}

TEST_CASE("what comes while nobody waits is not lost, and keeps nobody busy", "[net][watch]") {
    Fixture f;
    f.wait();
    f.pair.say("a");
    REQUIRE(wait_until([&] { return f.calls == 1; }));
    f.pair.say("b");
    REQUIRE(wait_until([&] { return sets_with(f.pair.ours.get(), true) == 0; }));
    CHECK(f.calls == 1);
    f.wait();
    REQUIRE(wait_until([&] { return f.calls == 2; }));
    CHECK(f.pair.hear() == "ab");

    f.pair.theirs.reset();  // a descriptor that is broken is reported whatever it is watched for
    REQUIRE(wait_until([&] { return sets_with(f.pair.ours.get(), false) == 0; }));
    CHECK(f.calls == 2);
    f.wait();
    REQUIRE(wait_until([&] { return f.calls == 3; }));
}

TEST_CASE("both sides are waited for beside each other", "[net][watch]") {
    Fixture f;
    std::atomic<int> writable{0};
    f.wait();
    on_loop(f.loop, [&] { f.watch->wait(Ready::write, [&] { ++writable; }); });
    REQUIRE(wait_until([&] { return writable == 1; }));
    CHECK(f.calls == 0);
    f.pair.say("a");
    REQUIRE(wait_until([&] { return f.calls == 1; }));
    CHECK(writable == 1);
    CHECK(f.pair.hear() == "a");
    f.wait();
    on_loop(f.loop, [&] { f.watch->wait(Ready::write, [&] { ++writable; }); });
    REQUIRE(wait_until([&] { return writable == 2; }));
    f.pair.theirs.reset();
    REQUIRE(wait_until([&] { return f.calls == 2; }));
}

TEST_CASE("a wait that was cancelled or replaced is not told", "[net][watch]") {
    Fixture f;
    std::atomic<int> other{0};
    f.wait();
    on_loop(f.loop, [&] {
        f.watch->wait(Ready::read, [&] { ++other; });
        f.pair.say("a");
    });
    REQUIRE(wait_until([&] { return other == 1; }));
    CHECK(f.calls == 0);
    on_loop(f.loop, [&] {
        f.watch->wait(Ready::read, [&] { ++f.calls; });
        f.watch->cancel();
    });
    turn(f.loop);
    CHECK(f.calls == 0);
}

TEST_CASE("of those that are ready together one may end the watching of the others", "[net][watch]") {
    Runtime runtime;
    net::Loop& loop = runtime.impl().loop();
    constexpr std::size_t k_watches = 600;  // more than are asked for at once
    std::vector<Pair> pairs(k_watches);
    std::vector<std::unique_ptr<FdWatch>> watches(k_watches);
    std::atomic<int> calls{0};
    on_loop(loop, [&] {
        for (std::size_t i = 0; i < k_watches; ++i) {
            watches[i] = std::make_unique<FdWatch>(loop, pairs[i].ours.get());
            watches[i]->wait(Ready::read, [&, i] {
                ++calls;
                for (std::size_t other = 0; other < k_watches; ++other)
                    if (other != i || i % 2 == 0) watches[other].reset();  // itself too, every other time
            });
            pairs[i].say("a");
        }
    });
    REQUIRE(wait_until([&] { return calls > 0; }));
    turn(loop);
    CHECK(calls == 1);
    on_loop(loop, [&] { watches.clear(); });
}

TEST_CASE("a watch whose descriptor was closed does not take out the next one of that number", "[net][watch]") {
    Fixture fixture;
    on_loop(fixture.loop, [&] { fixture.watch->wait(Ready::read, [] {}); });
    Pair next;
    const int number = fixture.pair.ours.release();
    REQUIRE(::dup2(next.ours.get(), number) == number);  // closes what was watched
    next.ours.reset(number);

    std::optional<FdWatch> second;
    on_loop(fixture.loop, [&] {
        second.emplace(fixture.loop, number);
        second->wait(Ready::read, [&] { ++fixture.calls; });
        CHECK_THROWS_AS(fixture.watch->wait(Ready::write, [] {}), Error);  // what it was to watch is no longer there
        fixture.watch.reset();
    });
    next.say("here");
    CHECK(wait_until([&] { return fixture.calls == 1; }));
    on_loop(fixture.loop, [&] { second.reset(); });
}

TEST_CASE("what cannot be watched is said", "[net][watch]") {
    Runtime runtime;
    net::Loop& loop = runtime.impl().loop();
    const Error error = on_loop(loop, [&]() -> Error {
        FdWatch watch{loop, 1'000'000};
        try {
            watch.wait(Ready::read, [] {});
        } catch (const Error& e) { return e; }
        return Error{make_error_code(Errc::timeout), "NONE", "nothing was said"};
    });
    CHECK(error.name() == "SYSTEM-ERROR");
    CHECK(error.reason() == Reason::local);
}
