// SPDX-License-Identifier: Apache-2.0
/// The handle of a running asynchronous operation, and the callback that it ends with.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <qconn/base/export.hpp>
#include <qconn/base/result.hpp>

namespace qconn {

template <class Signature>
class UniqueFunction;

/// A callable that may hold what cannot be copied. Moved-from and default ones are empty. A value type without copies.
/// @note What is small, and can be moved without throwing, is held inside: a lambda of up to three pointers costs no allocation.
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
public:
    UniqueFunction() noexcept = default;
    UniqueFunction(std::nullptr_t) noexcept {}
    template <class F,
              class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, UniqueFunction> && std::is_invocable_r_v<R, std::decay_t<F>&, Args...>>>
    UniqueFunction(F&& f) {
        using Held = std::decay_t<F>;
        if constexpr (k_fits<Held>) {
            ::new (static_cast<void*>(room_)) Held(std::forward<F>(f));
            kind_ = &k_inside<Held>;
        } else {
            ::new (static_cast<void*>(room_)) Held* {new Held(std::forward<F>(f))};
            kind_ = &k_outside<Held>;
        }
    }
    UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
    UniqueFunction& operator=(UniqueFunction&& other) noexcept {
        if (this == &other) return *this;
        reset();
        take(other);
        return *this;
    }
    ~UniqueFunction() { reset(); }

    explicit operator bool() const noexcept { return kind_ != nullptr; }
    /// Undefined where it is empty.
    R operator()(Args... args) { return kind_->call(room_, std::forward<Args>(args)...); }

private:
    /// What can be done with what is held.
    struct Kind {
        R (*call)(void* room, Args&&... args);
        void (*move)(void* from, void* to) noexcept;  ///< leaves nothing there
        void (*destroy)(void* room) noexcept;
    };

    static constexpr std::size_t k_room = 3 * sizeof(void*);
    template <class F>
    static constexpr bool k_fits = sizeof(F) <= k_room && alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;

    template <class F>
    static F& at(void* room) noexcept {
        return *std::launder(static_cast<F*>(room));
    }
    template <class F>
    static constexpr Kind k_inside{[](void* room, Args&&... args) -> R { return static_cast<R>(at<F>(room)(std::forward<Args>(args)...)); },
                                   [](void* from, void* to) noexcept {
                                       ::new (to) F(std::move(at<F>(from)));
                                       at<F>(from).~F();
                                   },
                                   [](void* room) noexcept { at<F>(room).~F(); }};
    template <class F>
    static constexpr Kind k_outside{[](void* room, Args&&... args) -> R { return static_cast<R>((*at<F*>(room))(std::forward<Args>(args)...)); },
                                    [](void* from, void* to) noexcept { ::new (to) F* {at<F*>(from)}; },
                                    [](void* room) noexcept { delete at<F*>(room); }};

    /// This one is empty before.
    void take(UniqueFunction& other) noexcept {
        if (other.kind_ == nullptr) return;
        other.kind_->move(other.room_, room_);
        kind_ = std::exchange(other.kind_, nullptr);
    }
    void reset() noexcept {
        if (const Kind* kind = std::exchange(kind_, nullptr)) kind->destroy(room_);
    }

    const Kind* kind_{nullptr};
    alignas(void*) std::byte room_[k_room];  // NOLINT: filled where kind_ is set
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
