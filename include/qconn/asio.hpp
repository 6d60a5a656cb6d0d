// SPDX-License-Identifier: Apache-2.0
/// Opt-in bridge: qconn's asynchronous operations with Asio's completion tokens (callbacks, futures, coroutines).
///
/// Uses Boost.Asio; with QCONN_ASIO_STANDALONE defined before it, the Asio without Boost. Header-only, so any version with `async_initiate` will do:
/// qconn itself may have been built with another.
#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#ifdef QCONN_ASIO_STANDALONE
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
namespace qconn::detail {
namespace asio_ns = ::asio;
}
#else
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
namespace qconn::detail {
namespace asio_ns = ::boost::asio;
}
#endif

#include <qconn/base/operation.hpp>

namespace qconn {

namespace detail {

/// Takes the outcome to the handler, on the handler's executor.
template <class T, class Handler, class Executor>
struct AsioCompletion {
    Handler handler;
    asio_ns::executor_work_guard<Executor> work;

    void operator()(Result<T> result) {
        const auto executor = work.get_executor();
        asio_ns::dispatch(executor, [self = std::move(*this), outcome = std::move(result)]() mutable {
            auto slot = asio_ns::get_associated_cancellation_slot(self.handler);
            if (slot.is_connected()) slot.clear();
            self.work.reset();
            std::exception_ptr error;
            if (!outcome) error = std::make_exception_ptr(outcome.error());
            if constexpr (std::is_void_v<T>) {
                std::move(self.handler)(std::move(error));
            } else {
                T value = outcome ? std::move(*outcome) : T{};
                std::move(self.handler)(std::move(error), std::move(value));
            }
        });
    }
};

/// Where a cancellation and the operation it is for meet, whichever comes first.
class LateOperation {
public:
    void set(Operation operation) {
        const std::lock_guard lock{mutex_};
        operation_ = std::move(operation);
        if (cancelled_) operation_.cancel();
    }
    void cancel() {
        const std::lock_guard lock{mutex_};
        cancelled_ = true;
        operation_.cancel();
    }

private:
    std::mutex mutex_;
    Operation operation_;    // guarded by mutex_
    bool cancelled_{false};  // guarded by mutex_
};

template <class T>
struct AsioSignature {
    using type = void(std::exception_ptr, T);
};
template <>
struct AsioSignature<void> {
    using type = void(std::exception_ptr);
};

}  // namespace detail

/// Starts an operation and completes it as the token says: `void(std::exception_ptr, T)`, `void(std::exception_ptr)` where T is void. The exception
/// is the Error. The token's cancellation slot cancels the operation.
///
///     qconn::HttpResponse r = co_await qconn::with_token<qconn::HttpResponse>(
///         executor, [&](auto callback) { return client.async_request(request, 5s, std::move(callback)); }, boost::asio::use_awaitable);
///
/// @param executor  where the handler runs when the token brings no executor of its own
/// @param start     called once with a Callback<T>; returns the Operation
template <class T, class Executor, class Start, class Token>
auto with_token(const Executor& executor, Start start, Token&& token) {
    namespace asio_ns = detail::asio_ns;
    return asio_ns::async_initiate<Token, typename detail::AsioSignature<T>::type>(
        [](auto handler, Executor fallback, Start begin) {
            auto handler_executor = asio_ns::get_associated_executor(handler, fallback);
            auto slot = asio_ns::get_associated_cancellation_slot(handler);
            using Handler = decltype(handler);
            using HandlerExecutor = decltype(handler_executor);
            detail::AsioCompletion<T, Handler, HandlerExecutor> completion{std::move(handler),
                                                                           asio_ns::executor_work_guard<HandlerExecutor>{handler_executor}};
            if (!slot.is_connected()) {
                (void)begin(Callback<T>{std::move(completion)});
                return;
            }
            // The slot must stand before the operation can complete on another thread; its handle comes after.
            const auto late = std::make_shared<detail::LateOperation>();
            slot.assign([late](asio_ns::cancellation_type) { late->cancel(); });
            late->set(begin(Callback<T>{std::move(completion)}));
        },
        token, executor, std::move(start));
}

}  // namespace qconn
