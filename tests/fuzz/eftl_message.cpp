// SPDX-License-Identifier: Apache-2.0
// Messages of eFTL: what can be read is written and read again as the same.
#include <qconn/eftl/eftl_message.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"

using namespace qconn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    try {
        const EftlMessage message = EftlMessage::from_json(text);
        const std::string written = message.to_json();
        const EftlMessage again = EftlMessage::from_json(written);
        QCONN_REQUIRE(again.to_json() == written);
        QCONN_REQUIRE(again.field_names() == message.field_names());
        for (const std::string& name : message.field_names()) {
            QCONN_REQUIRE(again.type(name) == message.type(name));
            message.get_string_array(name);
            message.get_double_array(name);
            message.get_long_array(name);
            message.get_message_array(name);
        }
    } catch (const Error&) {}
    try {
        const EftlMatcher matcher = EftlMatcher::parse(text);
        if (!matcher.to_json().empty()) QCONN_REQUIRE(EftlMatcher::parse(matcher.to_json()) == matcher);
    } catch (const Error&) {}
    return 0;
}
