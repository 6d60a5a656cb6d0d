// SPDX-License-Identifier: Apache-2.0
/// Waiting for a condition instead of sleeping.
#pragma once

#include <chrono>
#include <thread>

namespace qconn::test {

/// True as soon as `condition()` is; false when it still is not after `limit`. Looks every 2 ms.
template <class Condition>
bool wait_until(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds{10}) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= end) return condition();
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
}

}  // namespace qconn::test
