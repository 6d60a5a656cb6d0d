// SPDX-License-Identifier: Apache-2.0
// Values of AMQP: what is read is written and read again as the same, and so is its JSON where it has one.
#include <qconn/amqp/amqp_value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>

#include "amqp/wire.hpp"
#include "fuzz/require.hpp"

using namespace qconn;

namespace {

void check_json(const AmqpValue& value) {
    const std::string json = value.to_json();
    try {
        // Not the same: the type of an array without elements, and bits of a NaN, are lost.
        const AmqpValue read = AmqpValue::from_json(json);
        QCONN_REQUIRE(AmqpValue::from_json(read.to_json({.abbreviated = false, .pretty = true})) == read);
        QCONN_REQUIRE(AmqpValue::from_json(value.to_json({.abbreviated = false})) == read);
    } catch (const Error&) {}  // a key twice, a descriptor that is described
}

void check_value(const Value& value) {
    AmqpValue back;
    try {
        back = AmqpValue::from_value(value);
    } catch (const Error&) {
        return;  // the first and the last second of 64 bits of milliseconds
    }
    QCONN_REQUIRE(to_text(back.to_value()) == to_text(value));
}

/// A reader of single values takes no more and no less than one that makes values.
void check_reader(std::string_view bytes) {
    amqp::Reader reader{bytes};
    amqp::Raw raw;
    if (reader.read(raw)) QCONN_REQUIRE(reader.at_end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    AmqpValue value;
    try {
        value = AmqpValue::decode(bytes);
    } catch (const Error& error) {
        QCONN_REQUIRE(error.name() == "AMQP-DECODE-ERROR");
        amqp::Reader reader{bytes};
        amqp::Raw raw;
        while (!reader.at_end() && reader.read(raw)) {}
        return 0;
    }
    check_reader(bytes);
    std::string written;
    value.encode(written);
    const AmqpValue again = AmqpValue::decode(written);
    QCONN_REQUIRE(again == value);
    std::string twice;
    again.encode(twice);
    QCONN_REQUIRE(twice == written);
    check_json(value);
    check_value(value.to_value());
    return 0;
}
