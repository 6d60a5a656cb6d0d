// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/operation.hpp>

#include <array>
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

TEST_CASE("a function destroys what it holds once, whether that is large or small", "[base][operation]") {
    const auto witness = std::make_shared<int>(0);
    const auto check = [&](auto padding) {
        {
            UniqueFunction<long()> f{[witness, padding] { return witness.use_count() + padding.front(); }};
            CHECK(witness.use_count() == 2);
            UniqueFunction<long()> g{std::move(f)};
            CHECK(g() == 2);
            f = std::move(g);
            CHECK(f() == 2);
            f = UniqueFunction<long()>{[] { return 7L; }};
            CHECK(witness.use_count() == 1);
            CHECK(f() == 7);
            f = [witness, padding] { return 8L + padding.front(); };
            f = nullptr;
            CHECK_FALSE(static_cast<bool>(f));
        }
        CHECK(witness.use_count() == 1);
    };
    check(std::array<char, 1>{});
    check(std::array<char, 200>{});
}

TEST_CASE("what may throw when it is moved is not moved with its function", "[base][operation]") {
    struct Heavy {
        Heavy() = default;
        Heavy(const Heavy&) = default;
        Heavy(Heavy&&) noexcept(false) { throw 1; }  // NOLINT(performance-noexcept-move-constructor,hicpp-exception-baseclass): the point
        int operator()() const { return 5; }
    };
    const Heavy heavy;
    UniqueFunction<int()> f{heavy};
    UniqueFunction<int()> g{std::move(f)};
    CHECK(g() == 5);
}
