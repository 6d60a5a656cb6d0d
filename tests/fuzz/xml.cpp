// SPDX-License-Identifier: Apache-2.0
#include "base/xml.hpp"

#include <pugixml.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/xml_reader.hpp"
#include "fuzz/require.hpp"

using namespace qconn;

namespace {

template <class Encode>
std::optional<std::string> written(const Value& v, Encode encode) {
    try {
        return encode(v);
    } catch (const Error&) { return std::nullopt; }
}

/// What pugixml makes of the children of an element must be what the reader says, which has opened it.
void require_children(xml::Reader& reader, const pugi::xml_node& node) {
    std::string text;
    bool has_text = false;
    const auto require_text = [&] {
        if (!std::exchange(has_text, false)) return;
        QCONN_REQUIRE(reader.next() == xml::Reader::Token::text);
        QCONN_REQUIRE(reader.text() == std::exchange(text, {}));
    };
    for (const auto& child : node.children()) {
        if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
            text += child.value();
            has_text = true;
        } else if (child.type() == pugi::node_element) {
            require_text();
            QCONN_REQUIRE(reader.next() == xml::Reader::Token::open);
            QCONN_REQUIRE(reader.name() == child.name());
            require_children(reader, child);
        }
    }
    require_text();
    QCONN_REQUIRE(reader.next() == xml::Reader::Token::close);
    QCONN_REQUIRE(reader.name() == node.name());
}

void require_same_as_pugixml(std::string_view text) {
    xml::Reader checked{text, {}};
    if (checked.finish()) return;
    pugi::xml_document document;
    QCONN_REQUIRE(
        document.load_buffer(checked.utf8().data(), checked.utf8().size(), pugi::parse_default | pugi::parse_ws_pcdata_single, pugi::encoding_utf8));
    xml::Reader reader{text, {}};
    QCONN_REQUIRE(reader.next() == xml::Reader::Token::open);
    require_children(reader, document.document_element());
    QCONN_REQUIRE(reader.next() == xml::Reader::Token::end);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};

    require_same_as_pugixml(text);
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
