// SPDX-License-Identifier: Apache-2.0
/// What is done over a session, step by step: coroutines that run on the loop's thread and wait for one thing at a time.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace qconn::sftp {

/// A step that gives a value or throws. It begins when it is awaited, and goes with its owner.
/// @note Mind the compiler (g++ 12): no co_await in the head of if, while, switch; aggregates and lambdas that are handed to a step have names.
template <class T>
class [[nodiscard]] Task;

namespace detail {

struct ResumeCaller {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
        return ended.promise().caller;
    }
    void await_resume() const noexcept {}
};

struct PromiseBase {
    std::coroutine_handle<> caller;
    std::exception_ptr thrown;
    std::suspend_always initial_suspend() const noexcept { return {}; }
    ResumeCaller final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { thrown = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
    std::optional<T> value;
    Task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& given) {
        value.emplace(std::forward<U>(given));
    }
    T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const noexcept {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
public:
    using promise_type = detail::Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_{handle} {}
    Task(Task&& other) noexcept : handle_{std::exchange(other.handle_, nullptr)} {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
        handle_.promise().caller = caller;
        return handle_;
    }
    T await_resume() {
        if (handle_.promise().thrown) std::rethrow_exception(handle_.promise().thrown);
        return handle_.promise().take();
    }

private:
    Handle handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() noexcept {
    return Task<T>{std::coroutine_handle<Promise>::from_promise(*this)};
}
inline Task<void> detail::Promise<void>::get_return_object() noexcept { return Task<void>{std::coroutine_handle<Promise>::from_promise(*this)}; }

/// The outermost one: begins at once, lets nothing through, and goes by itself at its end.
struct Detached {
    struct promise_type {
        Detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    };
};

/// Something that one coroutine at a time waits for, until it is done.
class Awaited {
public:
    bool is_done() const noexcept { return done_; }

protected:
    Awaited() noexcept = default;
    Awaited(const Awaited&) = delete;
    Awaited& operator=(const Awaited&) = delete;
    ~Awaited() = default;
    /// Resumes who waits: the last that is done before a return.
    void finish() {
        done_ = true;
        wake();
    }

private:
    friend class Call;
    void wake() {
        if (const auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
    }
    std::coroutine_handle<> waiter_{nullptr};
    bool done_{false};
};

}  // namespace qconn::sftp
