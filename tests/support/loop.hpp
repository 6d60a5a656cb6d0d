// SPDX-License-Identifier: Apache-2.0
/// Work on the thread of one of the runtime's loops.
#pragma once

#include <chrono>
#include <future>
#include <stdexcept>
#include <type_traits>

#include "net/runtime_impl.hpp"

namespace qconn::test {

/// Longest time for what is expected to work.
inline constexpr std::chrono::seconds k_enough{20};

/// Runs it on the loop's thread and waits for it.
template <class F>
auto on_loop(net::Loop& loop, F work) -> decltype(work()) {
    std::promise<decltype(work())> promise;
    auto done = promise.get_future();
    loop.post([&] {
        if constexpr (std::is_void_v<decltype(work())>) {
            work();
            promise.set_value();
        } else {
            promise.set_value(work());
        }
    });
    if (done.wait_for(k_enough) != std::future_status::ready) throw std::runtime_error{"the loop hangs"};
    return done.get();
}

}  // namespace qconn::test
