// SPDX-License-Identifier: Apache-2.0
// JSON of AMQP values: what is read is written and read again as the same, in every style and as bytes.
#include <qconn/amqp/amqp_value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>

#include "fuzz/require.hpp"

using namespace qconn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    AmqpValue value;
    try {
        value = AmqpValue::from_json(text);
    } catch (const Error& error) {
        QCONN_REQUIRE(error.name() == "AMQP-DECODE-ERROR");
        QCONN_REQUIRE(error.message().find("line ") != std::string_view::npos);
        return 0;
    }
    for (const bool abbreviated : {false, true})
        for (const bool pretty : {false, true}) QCONN_REQUIRE(AmqpValue::from_json(value.to_json({abbreviated, pretty})) == value);
    std::string bytes;
    value.encode(bytes);
    QCONN_REQUIRE(AmqpValue::decode(bytes) == value);
    return 0;
}
