// SPDX-License-Identifier: Apache-2.0
#include "core/pairs.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"

using namespace qconn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const core::PairsLimits limits{.max_size = 4096, .max_depth = 20, .max_items = 500};
    const auto typed = core::parse_pairs(text, limits);
    auto plain = limits;
    plain.typed = false;
    const auto untyped = core::parse_pairs(text, plain);

    QCONN_REQUIRE(typed.problem.has_value() == untyped.problem.has_value());
    if (typed.problem) {
        QCONN_REQUIRE(typed.value.is_null());
        QCONN_REQUIRE(typed.problem->offset <= size && !typed.problem->message.empty());
    } else {
        QCONN_REQUIRE(typed.value.is_map() == untyped.value.is_map() && typed.value.is_list() == untyped.value.is_list());
        QCONN_REQUIRE(typed.value.is_null() == untyped.value.is_null());
    }
    return 0;
}
