// SPDX-License-Identifier: Apache-2.0
#include "http/transport.hpp"

#include <atomic>
#include <utility>

#include "http/http_error.hpp"
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

class AsyncExchange final : private RequestHolder, public Exchange {
public:
    AsyncExchange(std::shared_ptr<const Settings> settings, HttpRequest given, Deadline deadline, CallMode mode, Callback<HttpResponse> callback,
                  Runtime runtime)
        : RequestHolder{std::move(given)},
          Exchange{settings, RequestHolder::request, deadline, mode},
          label_{settings->options.label},
          callback_{std::move(callback)},
          runtime_{std::move(runtime)} {}

    void complete() override {
        Callback<HttpResponse> callback = std::move(callback_);
        Result<HttpResponse> result = take_result();
        if (!result) result = named(result.error(), label_);
        deliver(callback, std::move(result), runtime_.log(), label_);
    }

private:
    std::string label_;
    Callback<HttpResponse> callback_;
    Runtime runtime_;
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
      driver_{runtime_, settings_->options.max_idle} {}

Transport::~Transport() = default;

HttpResponse Transport::request(const HttpRequest& request, Deadline deadline, CallMode mode) {
    if (runtime_.on_io_thread()) {
        throw make_error(Errc::invalid_argument,
                         "a blocking HTTP call was made on an I/O thread of its runtime, where it would hold up everything else; use async_request, "
                         "or post_blocking")
            .with_connection(settings_->options.label);
    }
    const auto settings = settings_;
    try {
        Exchange exchange{settings, request, deadline, mode};
        try {
            driver_.run(exchange);
        } catch (const Error& error) {
            if (error.code() != make_error_code(Errc::cancelled)) throw;
            throw make_http_error(HttpErrc::cancelled, "the client was destroyed", Phase::none, Reason::cancelled, settings->options.label);
        }
        return std::move(exchange.take_result()).value();
    } catch (const Error& error) { throw named(error, settings->options.label); }
}

Operation Transport::async_request(HttpRequest request, Deadline deadline, Callback<HttpResponse> callback, CallMode mode) {
    std::shared_ptr<AsyncExchange> exchange;
    // The exchange takes the callback only once nothing can throw any more.
    const auto shared = std::make_shared<Callback<HttpResponse>>(std::move(callback));
    try {
        exchange = std::make_shared<AsyncExchange>(
            settings_, std::move(request), deadline, mode,
            [shared](Result<HttpResponse> result) {
                if (*shared) (*shared)(std::move(result));
            },
            runtime_);
    } catch (const Error& error) {
        return refuse([shared, error, log = runtime_.log(), settings = settings_] {
            deliver(*shared, Result<HttpResponse>{named(error, settings->options.label)}, log, settings->options.label);
        });
    }
    return driver_.start(std::move(exchange));
}

Operation Transport::refuse(UniqueFunction<void()> work) {
    const auto ended = std::make_shared<Ended>();
    runtime_.impl().loop().post([work = std::move(work), ended, keep = runtime_]() mutable {
        ended->set_done();
        work();
    });
    return Operation{ended};
}

}  // namespace qconn::http
