// SPDX-License-Identifier: Apache-2.0
/// What an HttpClient is made of: checked settings and the driver of its transfers.
#pragma once

#include <memory>
#include <string>

#include <qconn/http/http_client.hpp>

#include "http/exchange.hpp"
#include "http/retry.hpp"
#include "http/settings.hpp"
#include "http/waiting_room.hpp"
#include "net/curl_driver.hpp"

namespace qconn::http {

/// @note Thread-safe.
class Transport {
public:
    /// @throws Error as HttpClient's constructor
    Transport(HttpOptions options, Runtime runtime);
    /// close()
    ~Transport();

    const std::shared_ptr<const Settings>& settings() const noexcept { return settings_; }
    const HttpOptions& options() const noexcept { return settings_->options; }

    /// @throws Error
    HttpResponse request(const HttpRequest& request, Deadline deadline, CallMode mode = {});
    Operation async_request(HttpRequest request, Deadline deadline, Callback<HttpResponse> callback, CallMode mode = {});
    /// For a call that cannot even be made: `deliver` runs on the loop, as its callback would.
    Operation refuse(UniqueFunction<void()> deliver);
    /// Ends everything as cancelled; returns when no blocking call is inside any more.
    void close() noexcept;

private:
    HttpResponse request_once(const HttpRequest& request, Deadline deadline, CallMode mode);
    HttpResponse request_retrying(const HttpRequest& request, Deadline deadline, CallMode mode);
    Operation async_retrying(HttpRequest request, Deadline deadline, Callback<HttpResponse> callback, CallMode mode);
    void run_authorized(Exchange& exchange, Deadline deadline);

    std::shared_ptr<const Settings> settings_;
    Runtime runtime_;
    net::CurlDriver driver_;
    std::shared_ptr<WaitingRoom> waiting_;  // null where there is no authenticator and nothing is tried again
    std::shared_ptr<RetryBudget> budget_;   // null where nothing is tried again
};

/// Calls it; what it throws is logged.
template <class T>
void deliver(Callback<T>& callback, Result<T> result, const Log& log, std::string_view label) noexcept;

/// Logs that a callback has thrown.
void log_thrown(const Log& log, std::string_view label, std::string_view what) noexcept;

template <class T>
void deliver(Callback<T>& callback, Result<T> result, const Log& log, std::string_view label) noexcept {
    if (!callback) return;
    try {
        callback(std::move(result));
    } catch (const std::exception& error) { log_thrown(log, label, error.what()); } catch (...) {
        log_thrown(log, label, "something that is no std::exception");
    }
}

}  // namespace qconn::http
