// SPDX-License-Identifier: Apache-2.0
/// Time of the processor, and the middle of several measurements.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace qconn::bench {

inline double seconds_of(clockid_t clock) noexcept {
    timespec t{};
    ::clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}
inline double thread_seconds() noexcept { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }
inline double process_seconds() noexcept { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace qconn::bench
