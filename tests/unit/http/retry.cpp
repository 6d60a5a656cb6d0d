// SPDX-License-Identifier: Apache-2.0
#include "http/retry.hpp"

#include "http/http_error.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace std::chrono_literals;
using http::retry_after;
using http::wait_before_retry;

namespace {

constexpr std::int64_t k_now = 1'709'633'700;  // 2024-03-05 10:15:00 GMT

Result<HttpResponse> answer(int status, Headers headers = {}) {
    HttpResponse response;
    response.status = status;
    response.headers = std::move(headers);
    return response;
}

/// As it is raised where a status is an error.
Result<HttpResponse> raised(int status) {
    Error error = http::make_http_error(HttpErrc::receive, "answered", Phase::protocol, Reason::status);
    return error.with_detail(std::make_shared<HttpErrorDetail>(*answer(status)));
}

Result<HttpResponse> failed(bool retryable) {
    return http::make_http_error(HttpErrc::connect, "no", Phase::connect, Reason::refused).with_retryable(retryable);
}

RetryPolicy policy() {
    RetryPolicy out;
    out.attempts = 3;
    out.backoff = 100ms;
    return out;
}

}  // namespace

TEST_CASE("a call is tried again after what may pass, and only if it may be carried out twice", "[http][retry]") {
    const HttpRequest get;
    HttpRequest post{.method = "POST"};
    CHECK(wait_before_retry(policy(), get, answer(503), 1, 0, k_now) == 50ms);
    CHECK(wait_before_retry(policy(), get, raised(429), 1, 0, k_now) == 50ms);
    CHECK(wait_before_retry(policy(), get, failed(true), 1, 0, k_now) == 50ms);
    CHECK_FALSE(wait_before_retry(policy(), get, failed(false), 1, 0, k_now));
    CHECK_FALSE(wait_before_retry(policy(), get, answer(200), 1, 0, k_now));
    CHECK_FALSE(wait_before_retry(policy(), get, answer(500), 1, 0, k_now));
    CHECK_FALSE(wait_before_retry(policy(), get, raised(404), 1, 0, k_now));
    CHECK_FALSE(wait_before_retry(policy(), get, answer(503), 3, 0, k_now));
    CHECK_FALSE(wait_before_retry(RetryPolicy{}, get, answer(503), 1, 0, k_now));

    CHECK_FALSE(wait_before_retry(policy(), post, answer(503), 1, 0, k_now));
    CHECK_FALSE(wait_before_retry(policy(), post, failed(true), 1, 0, k_now));
    post.repeatable = true;
    CHECK(wait_before_retry(policy(), post, answer(503), 1, 0, k_now));
    RetryPolicy asked = policy();
    asked.methods = {"post"};
    post.repeatable = false;
    CHECK(wait_before_retry(asked, post, answer(503), 1, 0, k_now));
    CHECK_FALSE(wait_before_retry(asked, HttpRequest{.method = "PATCH"}, answer(503), 1, 0, k_now));
    asked.statuses = {500};
    CHECK(wait_before_retry(asked, get, answer(500), 1, 0, k_now));
    CHECK_FALSE(wait_before_retry(asked, get, answer(503), 1, 0, k_now));
}

TEST_CASE("waits double up to a limit, one half of them by chance", "[http][retry]") {
    RetryPolicy out = policy();
    out.attempts = 20;
    out.max_backoff = 350ms;
    const auto wait = [&](int tries, double random) { return *wait_before_retry(out, {}, answer(503), tries, random, k_now); };
    CHECK(wait(1, 0) == 50ms);
    CHECK(wait(1, 1) == 100ms);
    CHECK(wait(2, 1) == 200ms);
    CHECK(wait(3, 0) == 175ms);
    CHECK(wait(3, 1) == 350ms);
    CHECK(wait(19, 1) == 350ms);
    out.backoff = 0ms;
    CHECK(wait(5, 1) == 0ms);
}

TEST_CASE("Retry-After is heeded: seconds, a date, and no longer than is allowed", "[http][retry]") {
    CHECK(retry_after({{"Retry-After", "7"}}, k_now) == 7s);
    CHECK(retry_after({{"retry-after", "Tue, 05 Mar 2024 10:15:30 GMT"}}, k_now) == 30s);
    CHECK(retry_after({{"Retry-After", "Tue, 05 Mar 2024 10:00:00 GMT"}}, k_now) == 0s);
    CHECK(retry_after({{"Retry-After", "99999999999999999"}}, k_now) == std::chrono::hours{24 * 365});
    for (const char* none : {"", "soon", "-5", "1e3 s", "99999999999999999999999999"}) CHECK_FALSE(retry_after({{"Retry-After", none}}, k_now));
    CHECK_FALSE(retry_after({}, k_now));

    CHECK(wait_before_retry(policy(), {}, answer(503, {{"Retry-After", "2"}}), 1, 0, k_now) == 2s);
    CHECK(wait_before_retry(policy(), {}, answer(503, {{"Retry-After", "0"}}), 1, 0, k_now) == 50ms);
    CHECK(wait_before_retry(policy(), {}, answer(503, {{"Retry-After", "60"}}), 1, 0, k_now) == 60s);
    CHECK_FALSE(wait_before_retry(policy(), {}, answer(503, {{"Retry-After", "61"}}), 1, 0, k_now));
}

TEST_CASE("retries have a budget that calls fill", "[http][retry]") {
    http::RetryBudget budget{50};
    for (int i = 0; i < 10; ++i) CHECK(budget.take());
    CHECK_FALSE(budget.take());
    budget.on_call();
    CHECK_FALSE(budget.take());
    budget.on_call();
    CHECK(budget.take());
    CHECK_FALSE(budget.take());
    for (int i = 0; i < 1000; ++i) budget.on_call();
    for (int i = 0; i < 10; ++i) CHECK(budget.take());
    CHECK_FALSE(budget.take());
}

TEST_CASE("a policy that says nothing sensible is refused", "[http][retry]") {
    const auto refused = [](auto change) {
        RetryPolicy out;
        change(out);
        try {
            http::check_retry(out);
        } catch (const Error& error) { return error.name() == "HTTP-CLIENT-OPTION-ERROR"; }
        return false;
    };
    CHECK(refused([](RetryPolicy& p) { p.attempts = 0; }));
    CHECK(refused([](RetryPolicy& p) { p.backoff = -1ms; }));
    CHECK(refused([](RetryPolicy& p) { p.max_retry_after = -1ms; }));
    CHECK(refused([](RetryPolicy& p) { p.budget = -1; }));
    CHECK_FALSE(refused([](RetryPolicy&) {}));
}
