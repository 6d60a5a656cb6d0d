// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <qconn/net/ping_plan.hpp>
#include <qconn/net/runtime.hpp>

#include "net/blocking_pool.hpp"
#include "net/ping_run.hpp"
#include "net/runtime_impl.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace std::chrono_literals;

namespace {

constexpr auto k_soon = 20s;
constexpr auto k_short = 500ms;  // long enough for a check to begin on a busy machine

/// A file system that answers nobody until it is mended. Shared with the checks, which outlive the test where that fails.
class DeadMount {
public:
    ~DeadMount() { mend(); }
    DeadMount() = default;
    DeadMount(const DeadMount&) = delete;
    DeadMount& operator=(const DeadMount&) = delete;

    PingPlan plan() const {
        return BlockingPing{[state = state_](Deadline) -> PingEvidence {
            std::unique_lock lock{state->mutex};
            ++state->inside;
            ++state->asked;
            state->mended.wait_for(lock, k_soon, [&] { return state->is_mended; });
            --state->inside;
            return "there";
        }};
    }
    void mend() {
        const std::scoped_lock lock{state_->mutex};
        state_->is_mended = true;
        state_->mended.notify_all();
    }
    int inside() const {
        const std::scoped_lock lock{state_->mutex};
        return state_->inside;
    }
    int asked() const {
        const std::scoped_lock lock{state_->mutex};
        return state_->asked;
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable mended;
        bool is_mended{false};
        int inside{0};
        int asked{0};
    };
    std::shared_ptr<State> state_{std::make_shared<State>()};
};

PingPlan good() {
    return BlockingPing{[](Deadline) -> PingEvidence { return "fine"; }};
}

PingResult ping(const Runtime& runtime, const PingPlan& plan, Deadline deadline = k_soon) {
    return net::run_ping_blocking(runtime, plan, "share", deadline, false);
}

std::string message(const PingResult& result) { return result.error ? std::string{result.error->message()} : "no error"; }

}  // namespace

TEST_CASE("a check that hangs has one thread, however often it is pinged", "[net][ping]") {
    DeadMount mount;
    Runtime runtime{RuntimeOptions{.blocking_threads = 4}};
    const auto& pool = runtime.impl().blocking_pool();
    const PingPlan dead = mount.plan();

    const auto first = ping(runtime, dead, k_short);
    const auto second = ping(runtime, dead, k_short);
    const auto third = ping(runtime, dead, k_short);

    REQUIRE(first.error);
    CHECK(first.error->reason() == Reason::timeout);
    CHECK(message(first).find("did not end in time") != std::string::npos);
    for (const auto* later : {&second, &third}) {
        REQUIRE(later->error);
        CHECK(later->error->reason() == Reason::timeout);
        CHECK_FALSE(later->inconclusive);
        CHECK(message(*later).find("the check of ") != std::string::npos);
        CHECK(message(*later).find(" ago still hangs") != std::string::npos);  // how long ago is the machine's affair
    }
    CHECK(mount.asked() == 1);
    CHECK(pool.hung() == 1);

    mount.mend();
    CHECK(ping(runtime, dead).ok);
    CHECK(test::wait_until([&] { return pool.hung() == 0; }, k_soon));
}

TEST_CASE("checks that hang leave the threads to others, and are bounded", "[net][ping]") {
    DeadMount mount;
    Runtime runtime{RuntimeOptions{.blocking_threads = 2}};
    const auto& pool = runtime.impl().blocking_pool();

    CHECK_FALSE(ping(runtime, mount.plan(), k_short).ok);
    CHECK(ping(runtime, good()).ok);
    CHECK_FALSE(ping(runtime, mount.plan(), k_short).ok);
    CHECK(pool.hung() == 2);

    // As many hang as may: what is asked now says so, and nothing of it says that the remote end is down.
    const auto refused = ping(runtime, good());
    REQUIRE(refused.error);
    CHECK(refused.inconclusive);
    CHECK(message(refused).find("all 2 threads") != std::string::npos);
    CHECK(mount.inside() == 2);
    std::promise<void> ran;
    runtime.post_blocking([&] { ran.set_value(); });
    CHECK(ran.get_future().wait_for(k_soon) == std::future_status::ready);
    CHECK(pool.threads() <= 4);

    mount.mend();
    REQUIRE(test::wait_until([&] { return pool.hung() == 0 && pool.threads() <= 2; }, k_soon));
    CHECK(ping(runtime, good()).ok);
}

TEST_CASE("many checks that begin to hang together leave a thread for other work", "[net][ping]") {
    DeadMount mount;
    Runtime runtime{RuntimeOptions{.blocking_threads = 3}};
    const auto& pool = runtime.impl().blocking_pool();
    std::atomic<int> failed{0};

    for (int i = 0; i < 40; ++i)
        net::async_ping(runtime, mount.plan(), "share", k_short, false, [&](Result<PingResult> result) {
            if (result && result->error) ++failed;
        });
    REQUIRE(test::wait_until([&] { return failed == 40; }, k_soon));

    CHECK(pool.hung() == 3);
    CHECK(pool.threads() <= 6);
    std::promise<void> ran;
    runtime.post_blocking([&] { ran.set_value(); });
    CHECK(ran.get_future().wait_for(k_soon) == std::future_status::ready);
    mount.mend();
    CHECK(test::wait_until([&] { return mount.inside() == 0 && pool.hung() == 0 && pool.threads() <= 3; }, k_soon));
}

TEST_CASE("neither the runtime's end nor that of the plan waits for a check that hangs, which keeps what it uses", "[net][ping]") {
    DeadMount mount;
    std::weak_ptr<int> used;
    std::atomic<bool> busy{false};
    const Log log{LogLevel::debug, [&](const LogRecord& record) {
                      if (record.event == "runtime-busy") busy = true;
                  }};
    {
        Runtime runtime{RuntimeOptions{.blocking_threads = 2, .log = log}};
        auto resource = std::make_shared<int>(1);
        used = resource;
        const PingPlan plan = BlockingPing{[inner = std::get<std::shared_ptr<const BlockingPing>>(mount.plan().what),
                                            resource = std::move(resource)](Deadline deadline) { return inner->run(deadline); }};
        CHECK_FALSE(ping(runtime, plan, k_short).ok);
    }

    CHECK(mount.inside() == 1);
    CHECK_FALSE(busy);
    CHECK_FALSE(used.expired());
    mount.mend();
    CHECK(test::wait_until([&] { return used.expired(); }, k_soon));
}
