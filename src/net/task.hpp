// SPDX-License-Identifier: Apache-2.0
/// Coroutines of this library's own: exchanges with a peer, written as steps that wait for their loop.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace qconn::net {

// g++ 12 miscompiles some awaits: never `co_await` in the head of an if, while or switch, nor with temporaries of aggregates or of capturing lambdas
// in the expression that awaits. Arguments are named first.

namespace detail {

struct PromiseBase {
    std::coroutine_handle<> continuation;
    std::exception_ptr failure;
    bool starting{false};  // whoever awaits has just started it, and goes on by itself where it ends at once

    static std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
        static bool await_ready() noexcept { return false; }
        template <class Promise>
        static void await_suspend(std::coroutine_handle<Promise> ended) noexcept {
            // Nothing of the ended one is touched after this: its awaiter may destroy it.
            if (!ended.promise().starting && ended.promise().continuation) ended.promise().continuation.resume();
        }
        static void await_resume() noexcept {}
    };
    static Final final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { failure = std::current_exception(); }
};

}  // namespace detail

/// Begins when it is awaited, once. Exceptions go to the awaiter. Resumed from its loop only; what ends without waiting costs no depth of the stack.
template <class T>
class [[nodiscard]] Task {
public:
    struct promise_type : detail::PromiseBase {
        std::optional<T> value;
        Task get_return_object() noexcept { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
        void return_value(T v) { value.emplace(std::move(v)); }
    };

    Task(Task&& other) noexcept : handle_{std::exchange(other.handle_, {})} {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    static bool await_ready() noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> awaiter) {
        auto& promise = handle_.promise();
        promise.continuation = awaiter;
        promise.starting = true;
        handle_.resume();
        promise.starting = false;
        return !handle_.done();
    }
    T await_resume() {
        if (handle_.promise().failure) std::rethrow_exception(handle_.promise().failure);
        return std::move(*handle_.promise().value);
    }

private:
    explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_{handle} {}
    std::coroutine_handle<promise_type> handle_;
};

template <>
class [[nodiscard]] Task<void> {
public:
    struct promise_type : detail::PromiseBase {
        Task get_return_object() noexcept { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
        void return_void() noexcept {}
    };

    Task(Task&& other) noexcept : handle_{std::exchange(other.handle_, {})} {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    static bool await_ready() noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> awaiter) {
        auto& promise = handle_.promise();
        promise.continuation = awaiter;
        promise.starting = true;
        handle_.resume();
        promise.starting = false;
        return !handle_.done();
    }
    void await_resume() {
        if (handle_.promise().failure) std::rethrow_exception(handle_.promise().failure);
    }

private:
    explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_{handle} {}
    std::coroutine_handle<promise_type> handle_;
};

/// Belongs to nobody; ends by itself.
struct Detached {
    struct promise_type {
        static Detached get_return_object() noexcept { return {}; }
        static std::suspend_never initial_suspend() noexcept { return {}; }
        static std::suspend_never final_suspend() noexcept { return {}; }
        static void return_void() noexcept {}
        [[noreturn]] static void unhandled_exception() noexcept { std::terminate(); }
    };
};

}  // namespace qconn::net
