// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/result.hpp>

#include <string>

#include "support/catch.hpp"

using namespace qconn;

TEST_CASE("a result is a value or throws its error", "[base][result]") {
    const Result<std::string> good{std::string{"x"}};
    const Result<std::string> bad{make_error(Errc::parse, "no")};

    CHECK(good.value() == "x");
    CHECK(good->size() == 1);
    CHECK_FALSE(bad);
    CHECK_THROWS_AS(bad.value(), Error);
    CHECK(bad.error().message() == "no");
    CHECK_NOTHROW(Result<void>{}.value());
    CHECK_THROWS_AS(Result<void>{make_error(Errc::parse, "no")}.value(), Error);
}
