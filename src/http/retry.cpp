// SPDX-License-Identifier: Apache-2.0
#include "http/retry.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.hpp"
#include "http/http_error.hpp"
#include "http/target.hpp"

namespace qconn::http {

namespace {

using std::chrono::milliseconds;

bool may_be_repeated(const RetryPolicy& policy, const HttpRequest& request) {
    return request.repeatable || is_idempotent(request.method) ||
           std::any_of(policy.methods.begin(), policy.methods.end(), [&](const std::string& one) { return text::iequals(one, request.method); });
}

milliseconds backoff(const RetryPolicy& policy, int tries, double random) {
    milliseconds wait = policy.backoff;
    for (int i = 1; i < tries && wait < policy.max_backoff; ++i) wait *= 2;
    wait = std::min(wait, policy.max_backoff);
    return wait / 2 + milliseconds{static_cast<std::int64_t>(static_cast<double>(wait.count()) / 2 * random)};
}

/// The answer, also where it was raised as an error.
const HttpResponse* answer_of(const Result<HttpResponse>& outcome) {
    if (outcome) return &*outcome;
    const auto* detail = outcome.error().detail<HttpErrorDetail>();
    return detail != nullptr ? &detail->response : nullptr;
}

}  // namespace

void RetryBudget::on_call() {
    const std::scoped_lock lock{mutex_};
    left_ = std::min(left_ + share_, k_most);
}

bool RetryBudget::take() {
    const std::scoped_lock lock{mutex_};
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
}

std::optional<milliseconds> retry_after(const Headers& headers, std::int64_t now) {
    const std::string* text = headers.find("Retry-After");
    if (text == nullptr) return std::nullopt;
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
    if (error != std::errc{} || end != text->data() + text->size()) {
        const time_t when = curl_getdate(text->c_str(), nullptr);
        if (when < 0) return std::nullopt;
        seconds = std::max<std::int64_t>(when - now, 0);
    }
    constexpr std::int64_t k_most = std::int64_t{365} * 24 * 3600;
    if (seconds < 0) return std::nullopt;
    return std::chrono::seconds{std::min(seconds, k_most)};
}

std::optional<milliseconds> wait_before_retry(const RetryPolicy& policy, const HttpRequest& request, const Result<HttpResponse>& outcome, int tries,
                                              double random, std::int64_t now) {
    if (tries >= policy.attempts || !may_be_repeated(policy, request)) return std::nullopt;
    const milliseconds wait = backoff(policy, tries, random);
    const HttpResponse* answer = answer_of(outcome);
    if (answer == nullptr) return !outcome && outcome.error().retryable() ? std::optional{wait} : std::nullopt;
    if (std::find(policy.statuses.begin(), policy.statuses.end(), answer->status) == policy.statuses.end()) return std::nullopt;
    const std::optional<milliseconds> asked = retry_after(answer->headers, now);
    if (!asked) return wait;
    if (*asked > policy.max_retry_after) return std::nullopt;
    return std::max(*asked, wait);
}

void check_retry(const RetryPolicy& policy) {
    const auto refuse_policy = [](const char* what) { throw make_http_error(HttpErrc::option, what, Phase::none, Reason::bad_value); };
    if (policy.attempts < 1) refuse_policy("a call is tried at least once (RetryPolicy::attempts)");
    if (policy.backoff.count() < 0 || policy.max_backoff.count() < 0 || policy.max_retry_after.count() < 0)
        refuse_policy("a wait before a retry is not negative");
    if (policy.budget < 0) refuse_policy("the budget of retries is not negative");
}

}  // namespace qconn::http
