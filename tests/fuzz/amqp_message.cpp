// SPDX-License-Identifier: Apache-2.0
// Messages of AMQP: what is read is written and read again as the same, and the view of one says the same as reading it.
#include <qconn/amqp/amqp_message.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>

#include "amqp/message_view.hpp"
#include "fuzz/require.hpp"

using namespace qconn;
using amqp::MessageView;

namespace {

/// Of bytes that are no message: nothing but errors.
void ask_all(const MessageView& view) {
    try {
        view.text();
        view.message_id();
        view.correlation_id();
        for (unsigned code = 0x6f; code < 0x7a; ++code) view.encoded(static_cast<std::uint8_t>(code));
        view.header();
        view.properties();
    } catch (const Error& error) { QCONN_REQUIRE(error.name() == "AMQP-DECODE-ERROR"); }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const MessageView view{bytes};
    AmqpMessage message;
    try {
        message = AmqpMessage::decode(bytes);
    } catch (const Error& error) {
        QCONN_REQUIRE(error.name() == "AMQP-DECODE-ERROR");
        ask_all(view);
        return 0;
    }
    QCONN_REQUIRE(view.ok());
    QCONN_REQUIRE(view.text() == message.text());
    QCONN_REQUIRE(view.header() == message.header);
    QCONN_REQUIRE(view.properties() == message.properties);
    const bool has_id = message.properties && !message.properties->message_id.is_null();
    QCONN_REQUIRE(view.message_id().is_null() != has_id);
    if (const auto* const value = std::get_if<AmqpValue>(&message.body))
        QCONN_REQUIRE(AmqpValue::decode(view.encoded(amqp::section::k_value)) == *value);
    std::string written;
    try {
        message.encode(written);
    } catch (const Error& error) {  // annotations and application properties are kept as they came, but not sent
        QCONN_REQUIRE(error.name() == "AMQP-ENCODE-ERROR");
        QCONN_REQUIRE(written.empty());
        return 0;
    }
    QCONN_REQUIRE(AmqpMessage::decode(written) == message);
    QCONN_REQUIRE(MessageView{written}.text() == message.text());
    return 0;
}
