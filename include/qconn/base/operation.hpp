// SPDX-License-Identifier: Apache-2.0
/// The handle of a running asynchronous operation, and the callback that it ends with.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <qconn/base/export.hpp>
#include <qconn/base/result.hpp>

namespace qconn {

template <class Signature>
class UniqueFunction;

/// A callable that may hold what cannot be copied. Moved-from and default ones are empty. A value type without copies.
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
public:
    UniqueFunction() noexcept = default;
    UniqueFunction(std::nullptr_t) noexcept {}
    template <class F,
              class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, UniqueFunction> && std::is_invocable_r_v<R, std::decay_t<F>&, Args...>>>
    UniqueFunction(F&& f) : held_{std::make_unique<Holder<std::decay_t<F>>>(std::forward<F>(f))} {}

    explicit operator bool() const noexcept { return held_ != nullptr; }
    /// Undefined where it is empty.
    R operator()(Args... args) { return held_->call(std::forward<Args>(args)...); }

private:
    struct Base {
        virtual ~Base() = default;
        virtual R call(Args... args) = 0;
    };
    template <class F>
    struct Holder final : Base {
        template <class G>
        explicit Holder(G&& g) : f(std::forward<G>(g)) {}
        R call(Args... args) override { return f(std::forward<Args>(args)...); }
        F f;
    };
    std::unique_ptr<Base> held_;
};

/// Called exactly once, never from inside the call that started the operation, on a thread of the Runtime's (unless the
/// operation says otherwise). It must not block: other operations wait for that thread. What it throws is caught and logged.
template <class T>
using Callback = UniqueFunction<void(Result<T>)>;

/// Where a running operation can be told to stop. Copyable; copies mean the same operation. Letting go of it cancels nothing.
/// @note Thread-safe.
class QCONN_API Operation {
public:
    /// What an implementation supplies.
    class QCONN_API State {
    public:
        virtual ~State();
        /// Called at most when the operation may still run; from any thread.
        virtual void cancel() noexcept = 0;
        virtual bool done() const noexcept = 0;
    };

    Operation() noexcept = default;
    explicit Operation(std::shared_ptr<State> state) noexcept : state_{std::move(state)} {}

    /// Asks it to end now, without waiting for the peer. The callback still comes, with CANCELLED, or with the real outcome where that
    /// was already decided. Nothing happens when it is done.
    void cancel() noexcept {
        if (state_) state_->cancel();
    }
    /// True from the moment its callback is about to be called; true for an empty handle.
    bool done() const noexcept { return !state_ || state_->done(); }

private:
    std::shared_ptr<State> state_;
};

}  // namespace qconn
