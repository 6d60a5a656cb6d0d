// SPDX-License-Identifier: Apache-2.0
/// Time of the processor, and the middle of several measurements.
#pragma once

#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
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

/// "25 ms (24 to 31)": the middle and both ends.
inline std::string milliseconds(const std::vector<double>& seconds) {
    const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "%.1f ms (%.1f to %.1f)", median(seconds) * 1e3, *least * 1e3, *most * 1e3);
    return text.data();
}

}  // namespace qconn::bench
