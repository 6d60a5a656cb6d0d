// SPDX-License-Identifier: Apache-2.0
/// Values of XML-RPC inside of larger texts.
#pragma once

#include <string>

#include <qconn/base/result.hpp>
#include <qconn/base/value.hpp>

#include "base/xml_reader.hpp"

namespace qconn::xml {

/// How values are written.
struct RpcStyle {
    /// Integers beyond 32 bits as `<i8>` (as text beyond 64) and null as `<nil/>`; otherwise as text and as `<value/>`.
    bool extensions{false};
};

/// Reads the element that the reader has just opened, which must be a `<value>`, to its end. Where the text itself is no good, the reader has the
/// error that counts.
/// @returns PARSE-ERROR
Result<Value> read_rpc_value(Reader& reader);

/// Appends `<value>…</value>`.
/// @throws Error XMLRPC-SERIALIZATION-ERROR, as encode_rpc_value()
void append_rpc_value(std::string& out, const Value& value, RpcStyle style = {});

}  // namespace qconn::xml
