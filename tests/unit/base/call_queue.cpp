// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/call_queue.hpp>

#include <poll.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace std::chrono_literals;

namespace {

bool is_readable(const CallQueue& queue) {
    pollfd one{queue.descriptor(), POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
}

}  // namespace

TEST_CASE("calls are made by run(), in their order", "[base][call_queue]") {
    CallQueue queue;
    std::string made;

    queue.post([&] { made += 'a'; });
    queue.post([&] {
        made += 'b';
        queue.post([&] { made += 'c'; });
    });

    CHECK(made.empty());
    CHECK(queue.waiting() == 2);
    CHECK(queue.run() == 2);
    CHECK(made == "ab");
    CHECK(queue.run() == 1);
    CHECK(made == "abc");
    CHECK(queue.run_pending() == 0);
}

TEST_CASE("run() waits for a call, or for its deadline", "[base][call_queue]") {
    CallQueue queue;
    CHECK(queue.run(Deadline{1ms}) == 0);

    std::thread other{[&] { queue.post([] {}); }};
    CHECK(queue.run() == 1);
    other.join();
}

TEST_CASE("a descriptor shows whether calls wait", "[base][call_queue]") {
    CallQueue queue;
    CHECK_FALSE(is_readable(queue));
    queue.post([] {});
    queue.post([] {});
    CHECK(is_readable(queue));
    queue.run();
    CHECK_FALSE(is_readable(queue));
}

TEST_CASE("what a call throws comes out of run(), and the next ones still wait", "[base][call_queue]") {
    CallQueue queue;
    int made = 0;
    queue.post([] { throw std::runtime_error{"bad"}; });
    queue.post([&] { ++made; });

    CHECK_THROWS_AS(queue.run(), std::runtime_error);
    CHECK(queue.run_pending() == 1);
    CHECK(made == 1);
}

TEST_CASE("run() from inside a call is refused", "[base][call_queue]") {
    CallQueue queue;
    std::optional<Error> error;
    queue.post([&] {
        try {
            queue.run();
        } catch (const Error& e) { error = e; }
    });
    queue.run();
    REQUIRE(error);
    CHECK(error->name() == "INVALID-ARGUMENT");
}

TEST_CASE("a wrapped callback is called by the queue, with its result", "[base][call_queue]") {
    std::optional<CallQueue> queue{std::in_place};
    int got = 0;
    auto callback = queue->wrap<int>([&](Result<int> result) { got = *result; });
    auto late = queue->wrap<int>([&](Result<int>) { got = -1; });

    callback(17);
    CHECK(got == 0);
    queue->run();
    CHECK(got == 17);
    queue.reset();
    late(18);
    CHECK(got == 17);
}

TEST_CASE("a source that is closed has no call made any more", "[base][call_queue]") {
    CallQueue queue;
    std::string made;
    CallQueue::Source one{queue};
    CallQueue::Source two{queue};
    one.post([&] { made += '1'; });
    two.post([&] { made += '2'; });

    one.close();
    one.post([&] { made += '1'; });

    CHECK(queue.run() == 1);
    CHECK(made == "2");
    two.post([] {});
    two.close();
    CHECK_FALSE(is_readable(queue));
}

TEST_CASE("closing a source waits for its call that is being made, but not from inside it", "[base][call_queue]") {
    CallQueue queue;
    CallQueue::Source source{queue};
    std::atomic<bool> inside{false};
    std::atomic<bool> may_end{false};
    std::atomic<bool> ended{false};
    source.post([&] {
        inside = true;
        test::wait_until([&] { return may_end.load(); });
        ended = true;
    });
    std::thread runner{[&] { queue.run(); }};
    REQUIRE(test::wait_until([&] { return inside.load(); }));

    std::thread closer{[&] {
        source.close();
        CHECK(ended);
    }};
    may_end = true;
    closer.join();
    runner.join();

    CallQueue::Source other{queue};
    other.post([&] { other.close(); });
    CHECK(queue.run() == 1);
}

TEST_CASE("many threads post while two run", "[base][call_queue]") {
    constexpr int k_threads = 4;
    constexpr int k_calls = 500;
    CallQueue queue;
    int made = 0;  // calls are made one at a time
    std::vector<std::thread> threads;
    for (int i = 0; i < k_threads; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < k_calls; ++n) queue.post([&] { ++made; });
        });
    }
    std::atomic<std::size_t> count{0};
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
            while (count < k_threads * k_calls) count += queue.run(Deadline{5ms});
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(made == k_threads * k_calls);
}

TEST_CASE("where a call throws, another thread that waits makes those behind it", "[base][call_queue]") {
    CallQueue queue;
    std::atomic<bool> made{false};
    std::thread other;
    queue.post([&] {
        other = std::thread{[&] { queue.run(); }};
        throw std::runtime_error{"bad"};
    });
    queue.post([&] { made = true; });
    CHECK_THROWS_AS(queue.run(), std::runtime_error);
    CHECK(test::wait_until([&] { return made.load(); }));
    other.join();
}
