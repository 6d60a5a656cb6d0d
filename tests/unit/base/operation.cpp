// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/operation.hpp>

#include <memory>

#include "support/catch.hpp"

using namespace qconn;

TEST_CASE("an empty handle is done and cancels nothing", "[base][operation]") {
    Operation operation;
    CHECK(operation.done());
    operation.cancel();
}

TEST_CASE("a handle reaches its operation through every copy", "[base][operation]") {
    struct Counting final : Operation::State {
        void cancel() noexcept override { ++cancelled; }
        bool done() const noexcept override { return cancelled > 0; }
        int cancelled{0};
    };
    const auto state = std::make_shared<Counting>();
    Operation a{state};
    Operation b{a};
    CHECK_FALSE(a.done());
    b.cancel();
    CHECK(a.done());
    CHECK(state->cancelled == 1);
}

TEST_CASE("a function may hold what cannot be copied", "[base][operation]") {
    UniqueFunction<int(int)> f{[p = std::make_unique<int>(40)](int n) { return *p + n; }};
    CHECK(f(2) == 42);
    UniqueFunction<int(int)> g{std::move(f)};
    CHECK_FALSE(static_cast<bool>(f));  // NOLINT(bugprone-use-after-move): promised
    CHECK(g(1) == 41);
}
