// SPDX-License-Identifier: Apache-2.0
#include "http/transport.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "base/operation_steps.hpp"
#include "http/http_error.hpp"
#include "http/retrying_call.hpp"
#include "net/runtime_impl.hpp"

namespace qconn::http {

namespace {

/// By its name an error is made fit to be shown.
Error named(Error error, std::string_view label) {
    if (error.connection().empty() && !label.empty()) error.with_connection(label);
    return error;
}

/// Owns its request, which the exchange only refers to.
struct RequestHolder {
    HttpRequest request;
};

/// How a call ends whose authorization could not be had.
Error not_authorized(const Exchange& exchange, const Error& error) {
    const std::string words = exchange.what() + ": " + std::string{error.message()};
    if (error.code() == make_error_code(Errc::timeout))
        return make_http_error(HttpErrc::timeout, words, Phase::auth, Reason::timeout).with_retryable(true);
    if (error.code() == make_error_code(Errc::cancelled)) return make_http_error(HttpErrc::cancelled, words, Phase::auth, Reason::cancelled);
    Error out = error;
    out.with_prefix(exchange.what() + ": ");
    return out;
}

Error no_authorization() {
    return make_http_error(HttpErrc::option, "the authenticator of this client has no authorization", Phase::auth, Reason::missing);
}

/// Waits for the callback of what `start` starts; the end of the client cancels it.
template <class T, class Start>
T wait_for(WaitingRoom& room, Start start) {
    struct Box {
        std::mutex mutex;
        std::condition_variable changed;
        std::optional<Result<T>> result;
    };
    const auto box = std::make_shared<Box>();
    const std::uint64_t number = room.next_number();
    room.enter(number, start([box](Result<T> result) {
                   const std::scoped_lock lock{box->mutex};
                   box->result.emplace(std::move(result));
                   box->changed.notify_all();
               }));
    {
        std::unique_lock lock{box->mutex};
        box->changed.wait(lock, [&] { return box->result.has_value(); });
    }
    room.leave(number);
    return std::move(*box->result).value();
}

/// One asynchronous call: with the driver, or, between its runs, with the client's authenticator. Only those that have one are operations of this
/// kind; the others are the driver's.
class AsyncCall final : private RequestHolder, public Exchange, public OperationSteps {
public:
    AsyncCall(std::shared_ptr<const Settings> settings, HttpRequest given, Deadline deadline, CallMode mode, Callback<HttpResponse> callback,
              Runtime runtime, std::shared_ptr<WaitingRoom> waiting)
        : RequestHolder{std::move(given)},
          Exchange{settings, RequestHolder::request, deadline, mode},
          settings_{std::move(settings)},
          deadline_{deadline},
          callback_{std::move(callback)},
          runtime_{std::move(runtime)},
          waiting_{std::move(waiting)} {}

    /// Where there is an authenticator to be asked.
    static Operation begin(const std::shared_ptr<AsyncCall>& self) {
        self->self_ = self;
        self->number_ = self->waiting_->next_number();
        HttpAuthorizationPtr at_hand = self->settings_->options.authenticator->current();
        if (at_hand || !self->settings_->options.authenticator->renews())
            self->go_on(at_hand ? Result<HttpAuthorizationPtr>{std::move(at_hand)} : Result<HttpAuthorizationPtr>{no_authorization()}, false);
        else
            self->ask();
        return Operation{self};
    }

    void complete() override {
        if (refused()) return ask();
        Callback<HttpResponse> callback = std::move(callback_);
        Result<HttpResponse> result = take_result();
        if (!result) result = named(result.error(), settings_->options.label);
        const auto keep = std::exchange(self_, nullptr);  // null where the driver has the only one
        end();
        deliver(callback, std::move(result), runtime_.log(), settings_->options.label);
    }

private:
    void ask() {
        const int step = ++step_;
        Operation operation;
        try {
            operation = settings_->options.authenticator->async_authorize(refused(), deadline_, [self = self_](Result<HttpAuthorizationPtr> result) {
                self->waiting_->leave(self->number_);
                self->go_on(std::move(result), true);
            });
        } catch (const Error& error) { return go_on(error, false); }
        waiting_->enter(number_, operation);
        set_part(step, std::move(operation));
    }

    /// @param on_loop  called back: completing here is not inside the caller's call
    void go_on(Result<HttpAuthorizationPtr> result, bool on_loop) {
        try {
            if (!result) {
                fail(not_authorized(*this, result.error()));
            } else if (*result == nullptr) {
                end_refused();
            } else {
                authorize(std::move(*result));
                const int step = ++step_;
                std::optional<Operation> run = waiting_->start(self_);
                if (run) return set_part(step, std::move(*run));
                fail(make_http_error(HttpErrc::cancelled, what() + ": the client was destroyed", Phase::auth, Reason::cancelled));
            }
        } catch (const Error& error) { fail(error); }
        if (on_loop) return complete();
        runtime_.impl().loop().post([self = self_, keep = runtime_] { self->complete(); });
    }

    std::shared_ptr<const Settings> settings_;
    Deadline deadline_;
    Callback<HttpResponse> callback_;
    Runtime runtime_;
    std::shared_ptr<WaitingRoom> waiting_;
    std::shared_ptr<AsyncCall> self_;  // until it is complete
    std::uint64_t number_{0};
    int step_{0};
};

/// An operation that ended before it began; its callback is on the way.
class Ended final : public Operation::State {
public:
    void cancel() noexcept override {}
    bool done() const noexcept override { return done_.load(); }
    void set_done() noexcept { done_.store(true); }

private:
    std::atomic<bool> done_{false};
};

Operation later(const Runtime& runtime, UniqueFunction<void()> work) {
    const auto ended = std::make_shared<Ended>();
    runtime.impl().loop().post([work = std::move(work), ended, keep = runtime]() mutable {
        ended->set_done();
        work();
    });
    return Operation{ended};
}

}  // namespace

void log_thrown(const Log& log, std::string_view label, std::string_view what) noexcept {
    try {
        LogRecord record;
        record.level = LogLevel::error;
        record.connection = label;
        record.event = "callback-threw";
        const std::string text = "the callback of an HTTP call threw: " + std::string{what};
        record.text = text;
        log.write(record);
    } catch (...) {  // no memory for a message: nothing can be said
    }
}

Transport::Transport(HttpOptions options, Runtime runtime)
    : settings_{std::make_shared<const Settings>(std::move(options), runtime)},
      runtime_{std::move(runtime)},
      driver_{runtime_, settings_->options.max_idle},
      waiting_{settings_->options.authenticator || settings_->options.retry.attempts > 1 ? std::make_shared<WaitingRoom>(driver_) : nullptr},
      budget_{settings_->options.retry.attempts > 1 ? std::make_shared<RetryBudget>(settings_->options.retry.budget) : nullptr} {}

Transport::~Transport() { close(); }

void Transport::close() noexcept {
    if (waiting_) waiting_->close();
    driver_.close();
    if (waiting_) waiting_->wait_for_guests();
}

HttpResponse Transport::request(const HttpRequest& request, Deadline deadline, CallMode mode) {
    if (runtime_.on_io_thread()) {
        throw make_error(Errc::invalid_argument,
                         "a blocking HTTP call was made on an I/O thread of its runtime, where it would hold up everything else; use async_request, "
                         "or post_blocking")
            .with_connection(settings_->options.label);
    }
    return budget_ ? request_retrying(request, deadline, mode) : request_once(request, deadline, mode);
}

HttpResponse Transport::request_retrying(const HttpRequest& request, Deadline deadline, CallMode mode) {
    const auto settings = settings_;
    const auto waiting = waiting_;
    const auto budget = budget_;
    const WaitingRoom::Guest guest{*waiting};
    budget->on_call();
    for (int tries = 1;; ++tries) {
        Result<HttpResponse> outcome = [&]() -> Result<HttpResponse> {
            try {
                return request_once(request, deadline, mode);
            } catch (const Error& error) { return error; }
        }();
        const auto wait = wait_before_retry(settings->options.retry, request, outcome, tries, retry_jitter(), retry_clock());
        if (!wait || deadline.remaining() <= *wait || !budget->take()) return std::move(with_tries(std::move(outcome), tries)).value();
        if (!waiting->sleep_until(Clock::now() + *wait)) {
            throw make_http_error(HttpErrc::cancelled, "the client was destroyed while a call waited to be tried again", Phase::none,
                                  Reason::cancelled, settings->options.label);
        }
    }
}

HttpResponse Transport::request_once(const HttpRequest& request, Deadline deadline, CallMode mode) {
    const auto settings = settings_;
    try {
        Exchange exchange{settings, request, deadline, mode};
        try {
            exchange.wants_authorization() ? run_authorized(exchange, deadline) : driver_.run(exchange);
        } catch (const Error& error) {
            if (error.code() != make_error_code(Errc::cancelled)) throw;
            throw make_http_error(HttpErrc::cancelled, "the client was destroyed", Phase::none, Reason::cancelled, settings->options.label);
        }
        return std::move(exchange.take_result()).value();
    } catch (const Error& error) { throw named(error, settings->options.label); }
}

void Transport::run_authorized(Exchange& exchange, Deadline deadline) {
    const auto waiting = waiting_;
    const WaitingRoom::Guest guest{*waiting};
    if (!guest.open) throw make_error(Errc::cancelled, "the client was closed");
    HttpAuthenticator& authenticator = *settings_->options.authenticator;
    const auto get = [&](const HttpAuthorizationPtr& refused) {
        return wait_for<HttpAuthorizationPtr>(
            *waiting, [&](Callback<HttpAuthorizationPtr> callback) { return authenticator.async_authorize(refused, deadline, std::move(callback)); });
    };
    try {
        HttpAuthorizationPtr authorization = authenticator.current();
        if (!authorization && authenticator.renews()) authorization = get(nullptr);
        if (!authorization) throw no_authorization();
        exchange.authorize(std::move(authorization));
    } catch (const Error& error) { throw not_authorized(exchange, error); }
    driver_.run(exchange);
    if (!exchange.refused()) return;
    try {
        HttpAuthorizationPtr another = get(exchange.refused());
        if (!another) return exchange.end_refused();
        exchange.authorize(std::move(another));
    } catch (const Error& error) { throw not_authorized(exchange, error); }
    driver_.run(exchange);
}

Operation Transport::async_request(HttpRequest request, Deadline deadline, Callback<HttpResponse> callback, CallMode mode) {
    if (budget_) return async_retrying(std::move(request), deadline, std::move(callback), mode);
    std::shared_ptr<AsyncCall> call;
    // The call takes the callback only once nothing can throw any more.
    const auto shared = std::make_shared<Callback<HttpResponse>>(std::move(callback));
    try {
        call = std::make_shared<AsyncCall>(
            settings_, std::move(request), deadline, mode,
            [shared](Result<HttpResponse> result) {
                if (*shared) (*shared)(std::move(result));
            },
            runtime_, waiting_);
    } catch (const Error& error) {
        return refuse([shared, error, log = runtime_.log(), settings = settings_] {
            deliver(*shared, Result<HttpResponse>{named(error, settings->options.label)}, log, settings->options.label);
        });
    }
    return call->wants_authorization() ? AsyncCall::begin(call) : driver_.start(std::move(call));
}

Operation Transport::async_retrying(HttpRequest request, Deadline deadline, Callback<HttpResponse> callback, CallMode mode) {
    // Nothing of the transport itself: a try may begin after it has gone.
    const auto attempt = [settings = settings_, runtime = runtime_, waiting = waiting_, deadline, mode](HttpRequest next,
                                                                                                        Callback<HttpResponse> told) -> Operation {
        const auto shared = std::make_shared<Callback<HttpResponse>>(std::move(told));
        const auto refused = [&](const Error& error) {
            return later(runtime, [shared, error = named(error, settings->options.label)] { (*shared)(Result<HttpResponse>{error}); });
        };
        try {
            const auto call = std::make_shared<AsyncCall>(
                settings, std::move(next), deadline, mode, [shared](Result<HttpResponse> result) { (*shared)(std::move(result)); }, runtime, waiting);
            if (call->wants_authorization()) return AsyncCall::begin(call);
            if (std::optional<Operation> run = waiting->start(call)) return *run;
            return refused(make_http_error(HttpErrc::cancelled, "the client was destroyed", Phase::none, Reason::cancelled));
        } catch (const Error& error) { return refused(error); }
    };
    // What the callback throws is logged here: the tries' own callbacks are ours.
    Callback<HttpResponse> last = [callback = std::move(callback), log = runtime_.log(), settings = settings_](Result<HttpResponse> result) mutable {
        deliver(callback, std::move(result), log, settings->options.label);
    };
    return RetryingCall::begin(
        std::make_shared<RetryingCall>(settings_, budget_, waiting_, runtime_, std::move(request), deadline, std::move(last), attempt));
}

Operation Transport::refuse(UniqueFunction<void()> work) { return later(runtime_, std::move(work)); }

}  // namespace qconn::http
