// SPDX-License-Identifier: Apache-2.0
/// Values of every kind through every writer and back.
#include <qconn/base/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/base64.hpp"
#include "base/form.hpp"
#include "base/json.hpp"
#include "base/xml.hpp"
#include "base/yaml.hpp"
#include "fuzz/require.hpp"
#include "support/value_from_bytes.hpp"

using namespace qconn;

namespace {

/// Runs it; an Error is an answer, too.
template <class Check>
void allow_errors(Check check) {
    try {
        check();
    } catch (const Error& e) { QCONN_REQUIRE(e.code() == Errc::serialize); }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const Value v = test::ValueMaker{bytes}.value();

    QCONN_REQUIRE(!to_text(v).empty() || v.kind() == ValueKind::null);
    const Value copy = v;
    QCONN_REQUIRE(copy == v);
    for (const yaml::WriteOptions& options : {yaml::WriteOptions{.quote_text = true}, yaml::WriteOptions{.flow = true},
                                              yaml::WriteOptions{.flow = true, .quote_text = true}, yaml::WriteOptions{.block_text = true}}) {
        std::string text;
        yaml::append(text, v, options);
        const auto back = yaml::decode(text);
        QCONN_REQUIRE(back);
        QCONN_REQUIRE(*back == v);
    }
    allow_errors([&] {
        const auto back = json::decode(json::encode(v, false, json::Unfit::as_text));
        QCONN_REQUIRE(back);
        QCONN_REQUIRE(json::decode(json::encode(*back)).value() == *back);
    });
    allow_errors([&] { QCONN_REQUIRE(xml::decode_rpc_value(xml::encode_rpc_value(v))); });
    allow_errors([&] { QCONN_REQUIRE(xml::decode(xml::encode(v))); });
    allow_errors([&] { form::decode(form::encode(v)); });
    QCONN_REQUIRE(base64::decode(base64::encode(bytes)) == std::string{bytes});
    base64::decode(bytes);
    form::decode(bytes);
    return 0;
}
