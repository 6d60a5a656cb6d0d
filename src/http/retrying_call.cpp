// SPDX-License-Identifier: Apache-2.0
#include "http/retrying_call.hpp"

#include <ctime>
#include <random>
#include <utility>

#include "http/http_error.hpp"
#include "net/pause.hpp"

namespace qconn::http {

double retry_jitter() {
    thread_local std::minstd_rand random{std::random_device{}()};
    return std::uniform_real_distribution<double>{0, 1}(random);
}

std::int64_t retry_clock() { return std::time(nullptr); }

Result<HttpResponse> with_tries(Result<HttpResponse> outcome, int tries) {
    if (tries == 1) return outcome;
    if (outcome) {
        outcome->info.retries = tries - 1;
        return outcome;
    }
    Error error = outcome.error();
    error.with_prefix("after " + std::to_string(tries) + " tries: ");
    return error;
}

RetryingCall::RetryingCall(std::shared_ptr<const Settings> settings, std::shared_ptr<RetryBudget> budget, std::shared_ptr<WaitingRoom> waiting,
                           Runtime runtime, HttpRequest request, Deadline deadline, Callback<HttpResponse> callback, Attempt attempt)
    : settings_{std::move(settings)},
      budget_{std::move(budget)},
      waiting_{std::move(waiting)},
      runtime_{std::move(runtime)},
      request_{std::move(request)},
      deadline_{deadline},
      callback_{std::move(callback)},
      attempt_{std::move(attempt)},
      number_{waiting_->next_number()} {}

Operation RetryingCall::begin(const std::shared_ptr<RetryingCall>& self) {
    self->budget_->on_call();
    self->attempt();
    return Operation{self};
}

void RetryingCall::attempt() {
    ++tries_;
    const int step = ++step_;
    set_part(step, attempt_(request_, [self = shared_from_this()](Result<HttpResponse> outcome) { self->ended(std::move(outcome)); }));
}

void RetryingCall::ended(Result<HttpResponse> outcome) {
    const auto wait = wait_before_retry(settings_->options.retry, request_, outcome, tries_, retry_jitter(), retry_clock());
    if (!wait || deadline_.remaining() <= *wait || !budget_->take()) return finish(std::move(outcome));
    const int step = ++step_;
    Operation pause = net::async_pause(runtime_, Clock::now() + *wait, [self = shared_from_this()](Result<void> over) {
        self->waiting_->leave(self->number_);
        if (over) return self->attempt();
        self->finish(make_http_error(HttpErrc::cancelled, "the call was cancelled while it waited to be tried again", Phase::none, Reason::cancelled,
                                     self->settings_->options.label));
    });
    waiting_->enter(number_, pause);
    set_part(step, std::move(pause));
}

void RetryingCall::finish(Result<HttpResponse> outcome) {
    end();
    Callback<HttpResponse> callback = std::move(callback_);
    callback(with_tries(std::move(outcome), tries_));
}

}  // namespace qconn::http
