// SPDX-License-Identifier: Apache-2.0
/// What is tried again, and when.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/result.hpp>
#include <qconn/http/http_client.hpp>
#include <qconn/http/retry.hpp>

namespace qconn::http {

/// How many retries the calls of a client have left.
/// @note Thread-safe.
class RetryBudget {
public:
    explicit RetryBudget(int percent) : share_{percent / 100.0} {}
    void on_call();
    /// False: there is none.
    bool take();

private:
    static constexpr double k_most = 10;

    const double share_;
    std::mutex mutex_;
    double left_{k_most};  // guarded by mutex_
};

/// The time that an answer asks to wait: seconds, or an HTTP date.
/// @param now  seconds since 1970
std::optional<std::chrono::milliseconds> retry_after(const Headers& headers, std::int64_t now);

/// How long is to be waited before the call is made again; none: it is not.
/// @param tries   that were made
/// @param random  from 0 to 1
std::optional<std::chrono::milliseconds> wait_before_retry(const RetryPolicy& policy, const HttpRequest& request, const Result<HttpResponse>& outcome,
                                                           int tries, double random, std::int64_t now);

/// @throws Error HTTP-CLIENT-OPTION-ERROR
void check_retry(const RetryPolicy& policy);

}  // namespace qconn::http
