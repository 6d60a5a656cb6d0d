// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <qconn/net/ping_plan.hpp>
#include <qconn/net/runtime.hpp>

#include "net/blocking_pool.hpp"
#include "net/ping_run.hpp"
#include "net/runtime_impl.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace std::chrono_literals;

namespace {

constexpr auto k_long = 20s;

/// A client whose calls end when the test wants them to.
class Desk {
public:
    PingPlan plan() const {
        return CallPing{[state = state_](Deadline, Callback<PingEvidence> callback) {
            const std::scoped_lock lock{state->mutex};
            state->callbacks.push_back(std::move(callback));
            return Operation{std::make_shared<Handle>(state)};
        }};
    }
    std::size_t begun() const {
        const std::scoped_lock lock{state_->mutex};
        return state_->callbacks.size();
    }
    int cancelled() const { return state_->cancelled; }
    /// Of the oldest call.
    void answer(Result<PingEvidence> outcome) {
        Callback<PingEvidence> callback;
        {
            const std::scoped_lock lock{state_->mutex};
            callback = std::move(state_->callbacks.front());
            state_->callbacks.erase(state_->callbacks.begin());
        }
        callback(std::move(outcome));
    }

private:
    struct State {
        std::mutex mutex;
        std::vector<Callback<PingEvidence>> callbacks;
        std::atomic<int> cancelled{0};
    };
    struct Handle final : Operation::State {
        explicit Handle(std::shared_ptr<Desk::State> desk) : state{std::move(desk)} {}
        void cancel() noexcept override { ++state->cancelled; }
        bool done() const noexcept override { return false; }
        std::shared_ptr<Desk::State> state;
    };
    std::shared_ptr<State> state_{std::make_shared<State>()};
};

Operation begin(const Runtime& runtime, const PingPlan& plan, Deadline deadline, test::Outcomes<PingResult>& outcomes) {
    return net::async_ping(runtime, plan, "shop", deadline, true, outcomes.callback());
}

PingResult only(test::Outcomes<PingResult>& outcomes) {
    REQUIRE(outcomes.wait(1));
    REQUIRE(outcomes.results().front());
    return *outcomes.results().front();
}

}  // namespace

TEST_CASE("what a call of a client comes to is what its ping comes to", "[net][ping]") {
    const Runtime runtime;
    Desk desk;
    test::Outcomes<PingResult> good;
    begin(runtime, desk.plan(), k_long, good);
    REQUIRE(test::wait_until([&] { return desk.begun() == 1; }));
    desk.answer(PingEvidence{"HTTP/1.1 200 OK", {PingMeasure{PingMeasure::Kind::space_used, 3.0}}});
    const PingResult up = only(good);
    CHECK(up.ok);
    REQUIRE(up.steps.size() == 1);
    CHECK(up.steps.front().evidence == "HTTP/1.1 200 OK");
    CHECK(up.measures.size() == 1);

    test::Outcomes<PingResult> bad;
    begin(runtime, desk.plan(), k_long, bad);
    REQUIRE(test::wait_until([&] { return desk.begun() == 1; }));
    desk.answer(make_error(Errc::system, "no").with_phase(Phase::auth).with_reason(Reason::denied));
    const PingResult down = only(bad);
    CHECK_FALSE(down.ok);
    REQUIRE(down.error);
    CHECK(down.error->phase() == Phase::auth);
    CHECK(down.error->reason() == Reason::denied);
    CHECK(down.error->connection() == "shop");
    REQUIRE(down.steps.size() == 1);
    CHECK(down.steps.front().phase == Phase::auth);
    CHECK(desk.cancelled() == 0);
}

TEST_CASE("a call that does not end is cancelled with its ping, and what it says then is not heard", "[net][ping]") {
    const Runtime runtime;
    Desk desk;
    test::Outcomes<PingResult> late;
    begin(runtime, desk.plan(), 20ms, late);
    const PingResult result = only(late);
    REQUIRE(result.error);
    CHECK(result.error->reason() == Reason::timeout);
    CHECK(result.error->connection() == "shop");
    CHECK(desk.cancelled() == 1);

    test::Outcomes<PingResult> stopped;
    Operation operation = begin(runtime, desk.plan(), k_long, stopped);
    REQUIRE(test::wait_until([&] { return desk.begun() == 2; }));
    operation.cancel();
    REQUIRE(stopped.wait(1));
    REQUIRE_FALSE(stopped.results().front());
    CHECK(stopped.results().front().error().reason() == Reason::cancelled);
    CHECK(desk.cancelled() == 2);

    desk.answer(PingEvidence{"too late"});
    desk.answer(PingEvidence{"too late"});
    CHECK(late.count() == 1);
    CHECK(stopped.count() == 1);
}

TEST_CASE("a call that cannot be begun is a failure of its ping", "[net][ping]") {
    const Runtime runtime;
    const PingPlan plan = CallPing{[](Deadline, Callback<PingEvidence>) -> Operation { throw std::runtime_error{"the desk is closed"}; }};
    const PingResult result = net::run_ping_blocking(runtime, plan, "shop", k_long, true);
    REQUIRE(result.error);
    CHECK(result.error->message().find("the desk is closed") != std::string_view::npos);
    CHECK(result.error->connection() == "shop");
}

TEST_CASE("calls that hang take no thread", "[net][ping]") {
    const Runtime runtime{RuntimeOptions{.blocking_threads = 2}};
    Desk desk;
    test::Outcomes<PingResult> outcomes;
    for (int i = 0; i < 100; ++i) begin(runtime, desk.plan(), k_long, outcomes);
    CHECK(test::wait_until([&] { return desk.begun() == 100; }));
    CHECK(runtime.impl().blocking_pool().threads() == 0);
    for (int i = 0; i < 100; ++i) desk.answer(PingEvidence{"there"});
    CHECK(outcomes.wait(100));
}
