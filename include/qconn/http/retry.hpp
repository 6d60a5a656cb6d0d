// SPDX-License-Identifier: Apache-2.0
/// Calls that are tried again by themselves.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace qconn {

/// When a call that failed is made once more. By itself never: `attempts` is 1. A value type.
///
/// What is tried again: errors that are retryable(), and answers of the `statuses`, each only for requests that may be carried out twice
/// (HttpRequest::repeatable, or a method that is idempotent by RFC 9110 section 9.2.2 or among `methods`). Deadlines count for the whole call: no
/// wait goes beyond it.
struct RetryPolicy {
    /// Tries in all, with the first.
    int attempts{1};
    /// Wait before the second try; twice as long before each further one, up to max_backoff. Of each wait the half is certain, the rest random, so
    /// that callers who failed together do not come back together.
    std::chrono::milliseconds backoff{200};
    std::chrono::milliseconds max_backoff{10'000};
    std::vector<int> statuses{408, 429, 502, 503, 504};
    /// Beside those that are idempotent: "POST", "PATCH".
    std::vector<std::string> methods{};
    /// An answer that names a time (Retry-After, RFC 9110 section 10.2.3) is heeded up to this; one that names a later time is the result.
    std::chrono::milliseconds max_retry_after{60'000};
    /// How many retries there may be for 100 calls of the client, beside the first ten: so that a server in trouble does not get a multiple of its
    /// load. Zero: those ten are never renewed.
    int budget{20};
};

}  // namespace qconn
