// SPDX-License-Identifier: Apache-2.0
/// Asynchronous calls that are tried again.
#pragma once

#include <functional>
#include <memory>

#include <qconn/http/http_client.hpp>
#include <qconn/net/runtime.hpp>

#include "base/operation_steps.hpp"
#include "http/retry.hpp"
#include "http/settings.hpp"
#include "http/waiting_room.hpp"

namespace qconn::http {

/// `after 3 tries: …`, and HttpCallInfo::retries.
Result<HttpResponse> with_tries(Result<HttpResponse> outcome, int tries);

/// From 0 to 1, anew for each retry.
double retry_jitter();
/// Seconds since 1970.
std::int64_t retry_clock();

/// Tries, and pauses between them, one after the other. Outlives its client, which ends it.
class RetryingCall final : public OperationSteps, public std::enable_shared_from_this<RetryingCall> {
public:
    /// One try; its callback comes on the loop.
    using Attempt = std::function<Operation(HttpRequest, Callback<HttpResponse>)>;

    RetryingCall(std::shared_ptr<const Settings> settings, std::shared_ptr<RetryBudget> budget, std::shared_ptr<WaitingRoom> waiting, Runtime runtime,
                 HttpRequest request, Deadline deadline, Callback<HttpResponse> callback, Attempt attempt);

    static Operation begin(const std::shared_ptr<RetryingCall>& self);

private:
    void attempt();
    void ended(Result<HttpResponse> outcome);
    void finish(Result<HttpResponse> outcome);

    const std::shared_ptr<const Settings> settings_;
    const std::shared_ptr<RetryBudget> budget_;
    const std::shared_ptr<WaitingRoom> waiting_;
    const Runtime runtime_;
    const HttpRequest request_;
    const Deadline deadline_;
    Callback<HttpResponse> callback_;
    const Attempt attempt_;
    const std::uint64_t number_;
    int tries_{0};
    int step_{0};
};

}  // namespace qconn::http
