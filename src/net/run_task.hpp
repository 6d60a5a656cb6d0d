// SPDX-License-Identifier: Apache-2.0
/// Where a Task ends: its value, or what it threw, as a Result.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/result.hpp>

#include "net/task.hpp"

namespace qconn::net {

/// What is no Error (bad_alloc, what a callback throws) as one.
Error error_of(const std::exception_ptr& thrown);

/// Begins at once; `done` must not throw.
template <class T>
Detached run_task(Task<T> task, UniqueFunction<void(Result<T>)> done) {
    std::optional<Result<T>> result;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await task;
            result.emplace();
        } else {
            T value = co_await task;
            result.emplace(std::move(value));
        }
    } catch (...) { result.emplace(error_of(std::current_exception())); }
    done(std::move(*result));
}

}  // namespace qconn::net
