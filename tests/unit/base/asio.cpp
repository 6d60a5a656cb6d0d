// SPDX-License-Identifier: Apache-2.0
#include <qconn/asio.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "support/catch.hpp"

using namespace qconn;

namespace {

/// An operation that ends when the test says so.
struct Pending final : Operation::State {
    void cancel() noexcept override {
        cancelled = true;
        finish(make_error(Errc::cancelled, "cancelled by the test"));
    }
    bool done() const noexcept override { return !callback; }
    void finish(Result<std::string> result) {
        if (auto call = std::exchange(callback, nullptr)) call(std::move(result));
    }
    Callback<std::string> callback;
    bool cancelled{false};
};

}  // namespace

TEST_CASE("an operation completes on the executor of its token", "[base][asio]") {
    boost::asio::io_context context;
    const auto pending = std::make_shared<Pending>();
    std::string got;
    const auto start = [&](Callback<std::string> callback) {
        pending->callback = std::move(callback);
        return Operation{pending};
    };

    with_token<std::string>(context.get_executor(), start, [&](std::exception_ptr error, std::string value) { got = error ? "error" : value; });
    pending->finish(std::string{"done"});
    CHECK(got.empty());  // only where the executor runs
    context.run();       // has kept on waiting for it

    CHECK(got == "done");
}

TEST_CASE("a future throws the error of an operation", "[base][asio]") {
    boost::asio::io_context context;
    auto future = with_token<std::string>(
        context.get_executor(),
        [](Callback<std::string> callback) {
            std::thread{[call = std::move(callback)]() mutable { call(make_error(Errc::parse, "no")); }}.detach();
            return Operation{};
        },
        boost::asio::use_future);

    context.run();

    CHECK_THROWS_AS(future.get(), Error);
}

TEST_CASE("a cancellation slot cancels the operation", "[base][asio]") {
    boost::asio::io_context context;
    boost::asio::cancellation_signal signal;
    const auto pending = std::make_shared<Pending>();
    bool failed = false;

    with_token<std::string>(
        context.get_executor(),
        [&](Callback<std::string> callback) {
            pending->callback = std::move(callback);
            return Operation{pending};
        },
        boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, const std::string&) { failed = error != nullptr; }));
    signal.emit(boost::asio::cancellation_type::all);
    context.run();

    CHECK(pending->cancelled);
    CHECK(failed);
}

TEST_CASE("an operation without a value", "[base][asio]") {
    boost::asio::io_context context;
    bool called = false;

    with_token<void>(
        context.get_executor(),
        [](Callback<void> callback) {
            callback(Result<void>{});
            return Operation{};
        },
        [&](std::exception_ptr error) { called = error == nullptr; });
    context.run();

    CHECK(called);
}
