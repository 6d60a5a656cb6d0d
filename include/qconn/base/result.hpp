// SPDX-License-Identifier: Apache-2.0
/// What an asynchronous operation delivers: a value or the Error that the blocking form throws.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include <qconn/base/error.hpp>

namespace qconn {

/// A value or an Error. A value type.
template <class T>
class Result {
public:
    Result(T value) : state_{std::in_place_index<0>, std::move(value)} {}
    Result(Error error) : state_{std::in_place_index<1>, std::move(error)} {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    /// @throws Error the one it holds
    T& value() & {
        check();
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        check();
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        check();
        return std::move(*std::get_if<0>(&state_));
    }
    /// Undefined where there is no value.
    T& operator*() noexcept { return *std::get_if<0>(&state_); }
    const T& operator*() const noexcept { return *std::get_if<0>(&state_); }
    T* operator->() noexcept { return std::get_if<0>(&state_); }
    const T* operator->() const noexcept { return std::get_if<0>(&state_); }
    /// Undefined where there is a value.
    const Error& error() const noexcept { return *std::get_if<1>(&state_); }

private:
    void check() const {
        if (state_.index() == 1) throw *std::get_if<1>(&state_);
    }
    std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class Result<void> {
public:
    Result() noexcept = default;
    Result(Error error) : error_{std::move(error)} {}

    bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }
    /// @throws Error the one it holds
    void value() const {
        if (error_) throw *error_;
    }
    /// Undefined where there is none.
    const Error& error() const noexcept { return *error_; }

private:
    std::optional<Error> error_;
};

}  // namespace qconn
