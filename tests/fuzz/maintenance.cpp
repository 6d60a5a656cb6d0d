// SPDX-License-Identifier: Apache-2.0
// Whatever is taken for a window of maintenance has a next time, which ends after it begins.
#include <cstddef>
#include <cstdint>

#include "core/maintenance_window.hpp"
#include "fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace qconn::core;
    const auto window = parse_maintenance_window({reinterpret_cast<const char*>(data), size});
    if (!window) return 0;
    // A year with a change of clocks at both ends of the summer, looked at in steps that meet all hours.
    const auto offset = [](WallTime time) { return std::chrono::seconds{time.time_since_epoch() / std::chrono::hours{4380} % 2 == 0 ? 3600 : 7200}; };
    for (WallTime now{std::chrono::seconds{1'700'000'000}}; now < WallTime{std::chrono::seconds{1'731'600'000}}; now += std::chrono::minutes{1511}) {
        const Occurrence one = next_occurrence(*window, now, offset);
        QCONN_REQUIRE(one.from < one.until && now < one.until);
    }
    return 0;
}
