// SPDX-License-Identifier: Apache-2.0
/// Something small to be fetched by a certain way, for suites that run over our own dialer and over libcurl.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/endpoint.hpp>

namespace qconn::test {

struct Errand {
    std::optional<Proxy> proxy;
    std::string host;
    std::uint16_t port{0};
    bool tls{false};
    Deadline deadline{std::chrono::seconds{20}};
    SocketOptions socket{};
};

struct ErrandOutcome {
    bool ok{false};
    Phase phase{Phase::none};
    Reason reason{Reason::none};
    /// Of the error; empty where it is ok.
    std::string message;
};

/// Begins to GET /hello.txt; the outcome comes once, on any thread.
using StartErrand = std::function<Operation(const Errand& errand, std::function<void(ErrandOutcome)> done)>;

/// One under way.
class Running {
public:
    Running(const StartErrand& start, const Errand& errand) : outcome_{promise_->get_future()} {
        operation_ = start(errand, [promise = promise_](ErrandOutcome outcome) { promise->set_value(std::move(outcome)); });
    }
    void cancel() { operation_.cancel(); }
    ErrandOutcome wait() {
        if (outcome_.wait_for(std::chrono::seconds{60}) != std::future_status::ready) throw std::runtime_error{"there is no outcome"};
        return outcome_.get();
    }

private:
    std::shared_ptr<std::promise<ErrandOutcome>> promise_{std::make_shared<std::promise<ErrandOutcome>>()};
    std::future<ErrandOutcome> outcome_;
    Operation operation_;
};

}  // namespace qconn::test
