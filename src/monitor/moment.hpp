// SPDX-License-Identifier: Apache-2.0
/// An instant as the monitor knows it.
#pragma once

#include <chrono>

#include <qconn/base/deadline.hpp>

namespace qconn::monitor {

/// The same instant on both clocks.
struct Moment {
    Clock::time_point mono;
    std::chrono::system_clock::time_point wall;
    static Moment now() { return {Clock::now(), std::chrono::system_clock::now()}; }
};

}  // namespace qconn::monitor
