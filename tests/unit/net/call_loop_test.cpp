// SPDX-License-Identifier: Apache-2.0
// The loop of a thread that waits for its own call.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "net/fd_watch.hpp"
#include "net/loop_impl.hpp"
#include "net/timer.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<net::CallLoop> make_loop() { return std::make_shared<net::CallLoop>(std::weak_ptr<net::RuntimeImpl>{}, Log{LogLevel::off, {}}); }

}  // namespace

TEST_CASE("what is posted to a call's loop runs in its order, from whichever thread it comes", "[net]") {
    const auto loop = make_loop();
    std::string ran;
    bool done = false;
    loop->post([&] {
        CHECK(loop->on_thread());
        ran += 'a';
        loop->post([&] { ran += 'b'; });
    });
    std::thread other;
    loop->post([&] { other = std::thread{[&] { loop->post([&] { done = true; }); }}; });

    loop->run_until(done);

    other.join();
    CHECK(ran == "ab");
    CHECK_FALSE(loop->on_thread());
}

TEST_CASE("timers of a call's loop ring in the order of their times, and not once they are cancelled", "[net]") {
    const auto loop = make_loop();
    std::string rang;
    bool done = false;
    net::Timer late{*loop};
    net::Timer early{*loop};
    net::Timer never{*loop};
    net::Timer anew{*loop};
    late.arm(Deadline{30ms}, [&] { done = true; });
    early.arm(Deadline{10ms}, [&] {
        rang += 'e';
        never.cancel();
    });
    never.arm(Deadline{20ms}, [&] { rang += 'n'; });
    anew.arm(Deadline{1ms}, [&] { rang += 'x'; });
    anew.arm(Deadline{5ms}, [&] { rang += 'a'; });

    loop->run_until(done);

    CHECK(rang == "ae");
}

TEST_CASE("a call's loop tells what is ready, and what throws does not end it", "[net]") {
    const auto loop = make_loop();
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    {
        net::FdWatch watch{*loop, ends[0]};
        std::string told;
        bool done = false;
        watch.wait(net::Ready::write, [&] {
            told += 'w';
            CHECK(::write(ends[1], "x", 1) == 1);
            throw std::runtime_error{"from a callback"};
        });
        watch.wait(net::Ready::read, [&] {
            told += 'r';
            done = true;
        });
        loop->run_until(done);
        CHECK(told == "wr");

        done = false;  // and once more
        loop->post([&] { done = true; });
        loop->run_until(done);
    }
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_CASE("a timer of a call's loop may be let go of elsewhere, when the loop has nothing more to do", "[net]") {
    const auto loop = make_loop();
    auto timer = std::make_unique<net::Timer>(*loop);
    timer->arm(Deadline{1h}, [] { FAIL("it was let go of"); });
    std::thread other{[&] { timer.reset(); }};
    other.join();
    bool done = false;
    net::Timer soon{*loop};
    soon.arm(Deadline{1ms}, [&] { done = true; });
    loop->run_until(done);
}
