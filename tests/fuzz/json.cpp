// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"
#include "support/json_reference.hpp"

using namespace qconn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};

    QCONN_REQUIRE(test::read_as_reference(text));
    const auto value = json::decode(text);
    if (!value) {
        QCONN_REQUIRE(!value.error().message().empty());
        json::decode(text, {.last_member_wins = true});
        return 0;
    }
    for (const bool pretty : {false, true}) {
        const auto back = json::decode(json::encode(*value, pretty));
        QCONN_REQUIRE(back);
        QCONN_REQUIRE(*back == *value);
    }
    return 0;
}
