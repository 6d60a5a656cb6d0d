// SPDX-License-Identifier: Apache-2.0
#include <qconn/net/runtime.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <qconn/base/error.hpp>

#include "net/runtime_impl.hpp"
#include "net/timer.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace std::chrono_literals;

namespace {

constexpr auto k_soon = 20s;

template <class T>
T wait_for(std::future<T>& future) {
    REQUIRE(future.wait_for(k_soon) == std::future_status::ready);
    return future.get();
}

}  // namespace

TEST_CASE("work is run on an I/O thread, never from inside post", "[net][runtime]") {
    Runtime runtime{RuntimeOptions{}};
    std::promise<bool> ran;
    auto result = ran.get_future();

    runtime.post([&] { ran.set_value(runtime.on_io_thread()); });

    CHECK(wait_for(result));
    CHECK_FALSE(runtime.on_io_thread());
}

TEST_CASE("work for one loop keeps its order", "[net][runtime]") {
    Runtime runtime{RuntimeOptions{}};
    auto& loop = runtime.impl().loop();
    std::vector<int> order;
    std::promise<void> last;
    auto done = last.get_future();

    for (int i = 0; i < 1000; ++i) loop.post([&order, i] { order.push_back(i); });
    loop.post([&last] { last.set_value(); });

    wait_for(done);
    REQUIRE(order.size() == 1000);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("what was posted before the last handle goes still runs", "[net][runtime]") {
    std::atomic<int> io{0};
    std::atomic<int> blocking{0};
    {
        Runtime runtime{RuntimeOptions{.io_threads = 2, .blocking_threads = 2}};
        for (int i = 0; i < 100; ++i) {
            runtime.post([&] { ++io; });
            runtime.post_blocking([&] { ++blocking; });
        }
    }
    CHECK(io == 100);
    CHECK(blocking == 100);
}

TEST_CASE("the last handle may go on one of the runtime's own threads", "[net][runtime]") {
    const bool on_pool = GENERATE(false, true);
    std::promise<void> gone;
    auto done = gone.get_future();
    {
        auto runtime = std::make_unique<Runtime>(RuntimeOptions{});
        std::promise<void> start;
        const auto shared_start = start.get_future().share();
        auto drop = [handle = std::make_shared<Runtime>(*runtime), shared_start, &gone]() mutable {
            shared_start.wait();
            handle.reset();
            gone.set_value();
        };
        if (on_pool)
            runtime->post_blocking(std::move(drop));
        else
            runtime->post(std::move(drop));
        runtime.reset();
        start.set_value();
    }
    wait_for(done);
}

TEST_CASE("what work throws is logged and hurts nobody", "[net][runtime]") {
    std::mutex mutex;
    std::vector<std::string> texts;
    const Log log{LogLevel::debug, [&](const LogRecord& record) {
                      const std::scoped_lock lock{mutex};
                      texts.push_back(std::string{record.event} + ": " + std::string{record.text});
                  }};
    {
        Runtime runtime{RuntimeOptions{.log = log}};
        runtime.post([] { throw std::runtime_error{"first"}; });
        runtime.post([] { throw 7; });
        runtime.post_blocking([] { throw std::runtime_error{"third"}; });
    }
    std::sort(texts.begin(), texts.end());
    CHECK(texts ==
          std::vector<std::string>{"callback-threw: an exception that is no std::exception", "callback-threw: first", "callback-threw: third"});
}

TEST_CASE("handles without options share one runtime, which goes with the last of them", "[net][runtime]") {
    std::weak_ptr<net::RuntimeImpl> seen;
    {
        const Runtime a;
        const Runtime b;
        CHECK(&a.impl() == &b.impl());
        seen = a.impl().weak_from_this();
    }
    CHECK(seen.expired());
    const Runtime again;
    CHECK_FALSE(again.on_io_thread());
}

TEST_CASE("blocking work runs beside other blocking work", "[net][runtime]") {
    Runtime runtime{RuntimeOptions{.blocking_threads = 2}};
    std::promise<void> first_runs;
    std::promise<void> second_ran;
    auto second_done = second_ran.get_future();

    runtime.post_blocking([&] {
        if (second_done.wait_for(k_soon) == std::future_status::ready) first_runs.set_value();
    });
    runtime.post_blocking([&] { second_ran.set_value(); });

    auto done = first_runs.get_future();
    wait_for(done);
}

TEST_CASE("a runtime that was started before a fork refuses to work in the child, and the child can make another", "[net][runtime]") {
    Runtime parent;
    std::promise<void> started;
    auto is_started = started.get_future();
    parent.post([&] { started.set_value(); });
    wait_for(is_started);

    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        int status = 0;
        try {
            parent.post([] {});
            status |= 1;
        } catch (const Error& e) {
            if (e.name() != "FORK-ERROR") status |= 2;
        }
#if !defined(__SANITIZE_THREAD__)  // which cannot start threads in such a child
        try {
            Runtime own;
            std::promise<void> ran;
            own.post([&] { ran.set_value(); });
            if (ran.get_future().wait_for(k_soon) != std::future_status::ready) status |= 4;
        } catch (...) { status |= 8; }
#endif
        _exit(status);
    }
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);

    std::promise<void> still;
    auto works = still.get_future();
    parent.post([&] { still.set_value(); });
    wait_for(works);
}

TEST_CASE("a timer calls back once, and not after it was cancelled", "[net][timer]") {
    Runtime runtime{RuntimeOptions{}};
    auto& loop = runtime.impl().loop();
    std::promise<void> fired;
    auto done = fired.get_future();
    std::atomic<bool> cancelled_fired{false};

    loop.post([&] {
        auto kept = std::make_shared<net::Timer>(loop);
        auto stopped = std::make_shared<net::Timer>(loop);
        stopped->arm(Clock::now(), [&] { cancelled_fired = true; });
        stopped->cancel();
        kept->arm(Clock::now() + 1ms, [&fired, kept, stopped]() mutable {
            fired.set_value();
            stopped.reset();
        });
    });

    wait_for(done);
    CHECK_FALSE(cancelled_fired);
}
