// SPDX-License-Identifier: Apache-2.0
/// Values of XML-RPC inside of larger texts.
#pragma once

#include <pugixml.hpp>

#include <string>

#include <qconn/base/result.hpp>
#include <qconn/base/value.hpp>

namespace qconn::xml {

/// How values are written.
struct RpcStyle {
    /// Integers beyond 32 bits as `<i8>` (as text beyond 64) and null as `<nil/>`; otherwise as text and as `<value/>`.
    bool extensions{false};
};

/// The value of a `<value>` in a text that load() has checked.
/// @returns PARSE-ERROR
Result<Value> read_rpc_value(const pugi::xml_node& node);

/// Appends `<value>…</value>`.
/// @throws Error XMLRPC-SERIALIZATION-ERROR, as encode_rpc_value()
void append_rpc_value(std::string& out, const Value& value, RpcStyle style = {});

}  // namespace qconn::xml
