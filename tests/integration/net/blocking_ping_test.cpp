// SPDX-License-Identifier: Apache-2.0
#include <future>
#include <stdexcept>

#include "integration/net/pinging.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

PingResult run(const Runtime& runtime, std::function<PingEvidence(Deadline)> work, Deadline deadline = Deadline{k_enough}) {
    return net::run_ping_blocking(runtime, PingPlan{BlockingPing{std::move(work)}}, "test", deadline, true);
}

}  // namespace

TEST_CASE("a blocking ping reports what it saw and measured", "[net][ping]") {
    const Runtime runtime{RuntimeOptions{}};
    const Deadline deadline{k_enough};

    const auto result = run(
        runtime,
        [&](Deadline given) {
            return PingEvidence{given == deadline ? "readable" : "another deadline", {{PingMeasure::Kind::space_used, 41.0}}};
        },
        deadline);

    CHECK(result.ok);
    REQUIRE(result.steps.size() == 1);
    CHECK(result.steps[0].evidence == "readable");
    REQUIRE(result.measures.size() == 1);
    CHECK(result.measures[0].value == 41.0);
}

TEST_CASE("what a blocking ping throws is its failure", "[net][ping]") {
    const Runtime runtime{RuntimeOptions{}};

    const auto result =
        run(runtime, [](Deadline) -> PingEvidence { throw make_error(Errc::system, "the disk is gone").with_reason(Reason::not_found); });
    REQUIRE(result.error);
    CHECK(result.error->name() == "SYSTEM-ERROR");
    CHECK(result.error->reason() == Reason::not_found);
    CHECK(result.error->phase() == Phase::protocol);
    CHECK(result.error->connection() == "test");

    const auto other = run(runtime, [](Deadline) -> PingEvidence { throw std::runtime_error{"odd"}; });
    REQUIRE(other.error);
    CHECK(text_of(other).find("odd") != std::string::npos);
}

TEST_CASE("a blocking ping that hangs is over at its deadline", "[net][ping]") {
    std::promise<void> let_go;
    const auto gone = let_go.get_future().share();
    const Runtime runtime{RuntimeOptions{.blocking_threads = 1}};
    const auto hang = [gone](Deadline) -> PingEvidence {
        gone.wait_for(k_enough);
        return {};
    };

    const auto start = Clock::now();
    const auto result = run(runtime, hang, Deadline{100ms});
    const auto refused = run(
        runtime, [](Deadline) -> PingEvidence { return "never run"; }, Deadline{100ms});

    CHECK(Clock::now() - start < 5s);
    REQUIRE(result.error);
    CHECK(result.error->name() == "TIMEOUT");
    CHECK(result.error->phase() == Phase::protocol);
    REQUIRE(refused.error);
    CHECK(refused.inconclusive);  // the one thread that may hang does: nothing is known of what this one asks
    let_go.set_value();
    CHECK(wait_until([&] { return run(runtime, [](Deadline) -> PingEvidence { return "works again"; }).ok; }));
}
