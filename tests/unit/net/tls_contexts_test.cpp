// SPDX-License-Identifier: Apache-2.0
#include "net/tls_contexts.hpp"

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>

#include <qconn/net/ping_plan.hpp>
#include <qconn/net/runtime.hpp>

#include "net/blocking_pool.hpp"
#include "net/ping_run.hpp"
#include "net/runtime_impl.hpp"
#include "net/tls_context.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace std::chrono_literals;

namespace {

constexpr auto k_soon = 20s;

/// Makes the contexts of the connection "slow" last: a warning of theirs is not taken before release().
class SlowLog {
public:
    SlowLog() = default;
    SlowLog(const SlowLog&) = delete;
    SlowLog& operator=(const SlowLog&) = delete;
    ~SlowLog() { release(); }

    Log log() const {
        return Log{LogLevel::debug, [state = state_](const LogRecord& record) {
                       if (record.connection != "slow") return;
                       std::unique_lock lock{state->mutex};
                       ++state->inside;
                       state->changed.wait_for(lock, k_soon, [&] { return state->is_released; });
                   }};
    }
    void release() {
        const std::scoped_lock lock{state_->mutex};
        state_->is_released = true;
        state_->changed.notify_all();
    }
    int inside() const {
        const std::scoped_lock lock{state_->mutex};
        return state_->inside;
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        bool is_released{false};
        int inside{0};
    };
    std::shared_ptr<State> state_{std::make_shared<State>()};
};

std::shared_ptr<const TlsOptions> unverified(const std::string& server_name) {
    TlsOptions options;
    options.verify = false;
    options.ca_only = true;
    options.server_name = server_name;
    return std::make_shared<const TlsOptions>(std::move(options));
}

/// A dial that ends before any socket: there is nothing at that path.
NetPing nowhere(std::shared_ptr<const TlsOptions> options) {
    NetPing plan;
    plan.endpoint.host = "/nonexistent/socket";
    plan.endpoint.is_socket = true;
    plan.endpoint.tls = std::move(options);
    return plan;
}

}  // namespace

TEST_CASE("a context that takes long to make holds up no other", "[net][tls]") {
    SlowLog slow;
    net::TlsContexts contexts;
    auto making = std::async(std::launch::async, [&] { return contexts.get(unverified("a"), slow.log(), "slow"); });
    REQUIRE(test::wait_until([&] { return slow.inside() == 1; }, k_soon));

    CHECK(contexts.get(unverified("b"), slow.log(), "quick"));

    slow.release();
    const auto made = making.get();
    CHECK(made);
    CHECK(contexts.get(unverified("a"), slow.log(), "quick") == made);
}

TEST_CASE("a context is at hand once it was made, unless a file may have changed", "[net][tls]") {
    net::TlsContexts contexts;
    const auto plain = unverified("a");
    CHECK(contexts.at_hand(plain) == nullptr);
    const auto made = contexts.get(plain, Log{LogLevel::off, {}}, "shop");
    CHECK(contexts.at_hand(plain) == made);

    auto with_file = std::make_shared<TlsOptions>(*plain);
    with_file->ca_directory = "/nonexistent";
    with_file->ca_only = false;
    try {
        contexts.get(std::shared_ptr<const TlsOptions>{with_file}, Log{LogLevel::off, {}}, "shop");
    } catch (const Error&) {
        // Whether such a directory is taken is another question.
    }
    CHECK(contexts.at_hand(with_file) == nullptr);
}

TEST_CASE("a ping whose context is being made keeps its deadline and holds up no other", "[net][tls][ping]") {
    SlowLog slow;
    Runtime runtime{RuntimeOptions{.log = slow.log()}};
    const PingPlan plan = nowhere(unverified("a"));

    const auto late = net::run_ping_blocking(runtime, plan, "slow", Deadline{30ms}, true);
    REQUIRE(late.error);
    CHECK(late.error->reason() == Reason::timeout);
    CHECK(std::string{late.error->message()}.find("loading the TLS options took too long") != std::string::npos);

    const auto other = net::run_ping_blocking(runtime, PingPlan{nowhere(unverified("b"))}, "quick", Deadline{k_soon}, false);
    REQUIRE(other.error);
    CHECK(other.error->reason() == Reason::not_found);

    slow.release();
    const auto again = net::run_ping_blocking(runtime, plan, "slow", Deadline{k_soon}, false);
    REQUIRE(again.error);
    CHECK(again.error->reason() == Reason::not_found);
    CHECK(again.error->phase() == Phase::connect);
    // The thread that was given up holds the contexts until it has returned, and the pings hold the runtime until the loop is done with them: this
    // process may end with this test.
    CHECK(test::wait_until([&] { return runtime.impl().blocking_pool().hung() == 0; }, k_soon));
    std::promise<void> done;
    runtime.post([&done] { done.set_value(); });
    done.get_future().wait();
}
