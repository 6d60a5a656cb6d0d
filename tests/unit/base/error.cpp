// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/error.hpp>

#include <memory>
#include <string>
#include <system_error>

#include "support/catch.hpp"

using namespace qconn;

namespace {
struct Facts : ErrorDetail {
    int status{404};
};
struct OtherFacts : ErrorDetail {};
}  // namespace

TEST_CASE("an error says its name and its sentence", "[base][error]") {
    const Error e = make_error(Errc::timeout, "reading \"a\" took longer than 5 s");

    CHECK(std::string{e.what()} == "TIMEOUT: reading \"a\" took longer than 5 s");
    CHECK(e.name() == "TIMEOUT");
    CHECK(e.message() == "reading \"a\" took longer than 5 s");
    CHECK(e.code() == Errc::timeout);
    CHECK(e.reason() == Reason::timeout);
    CHECK(e.retryable());
}

TEST_CASE("changing a copy leaves the original as it is", "[base][error]") {
    const Error original = make_error(Errc::parse, "bad");
    Error copy{original};

    copy.with_phase(Phase::body).with_connection("shop").with_prefix("reading \"x\": ");

    CHECK(original.phase() == Phase::none);
    CHECK(original.connection().empty());
    CHECK(copy.message() == "reading \"x\": bad");
    CHECK(copy.connection() == "shop");
}

TEST_CASE("typed facts travel with an error", "[base][error]") {
    const Error e = make_error(Errc::parse, "bad").with_detail(std::make_shared<Facts>());

    REQUIRE(e.detail<Facts>() != nullptr);
    CHECK(e.detail<Facts>()->status == 404);
    CHECK(e.detail<OtherFacts>() == nullptr);
    CHECK(make_error(Errc::parse, "bad").detail<Facts>() == nullptr);
}

TEST_CASE("every phase and reason has a word of its own", "[base][error]") {
    CHECK(to_string(Phase::none) == "none");
    CHECK(to_string(Phase::redirect) == "redirect");
    CHECK(to_string(Reason::none) == "none");
    CHECK(to_string(Reason::unknown_host) == "unknown-host");
    CHECK(to_string(Reason::unsupported) == "unsupported");
    for (int i = 0; i <= static_cast<int>(Reason::unsupported); ++i)
        for (int k = 0; k < i; ++k) CHECK(to_string(static_cast<Reason>(i)) != to_string(static_cast<Reason>(k)));
}

TEST_CASE("codes of the base category have texts", "[base][error]") {
    CHECK(std::error_code{Errc::secret}.message() == "a secret cannot be had");
    CHECK(std::string{base_category().name()} == "qconn");
    CHECK(std::error_code(999, base_category()).message() == "unknown error");
}
