// SPDX-License-Identifier: Apache-2.0
#include "base/xml.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"

using namespace qconn;

namespace {

template <class Encode>
std::optional<std::string> written(const Value& v, Encode encode) {
    try {
        return encode(v);
    } catch (const Error&) { return std::nullopt; }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};

    if (const auto value = xml::decode(text)) {
        if (const auto once = written(*value, xml::encode)) {
            const auto second = xml::decode(*once);
            QCONN_REQUIRE(second);
            const auto twice = written(*second, xml::encode);
            QCONN_REQUIRE(twice);
            QCONN_REQUIRE(xml::decode(*twice).value() == *second);  // texts beside elements may have been joined the first time
        }
    }
    if (const auto value = xml::decode_rpc_value(text)) {
        if (const auto once = written(*value, xml::encode_rpc_value)) {
            const auto second = xml::decode_rpc_value(*once);
            QCONN_REQUIRE(second);
            QCONN_REQUIRE(xml::decode_rpc_value(xml::encode_rpc_value(*second)).value() == *second);  // large integers became text
        }
    }
    return 0;
}
