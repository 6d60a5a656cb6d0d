// SPDX-License-Identifier: Apache-2.0
/// XML bodies: plain XML ("rawxml") and the value encoding of XML-RPC ("xml").
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <qconn/base/result.hpp>
#include <qconn/base/value.hpp>

namespace qconn::xml {

/// What a hostile text may cost. Entities other than the five of XML and characters by number are refused, a DOCTYPE may have no subset of its own:
/// nothing in a text can grow.
struct Limits {
    std::size_t size{64U << 20U};  ///< bytes of text
    std::size_t depth{500};        ///< elements inside each other; never above 500
    std::size_t nodes{4'000'000};  ///< elements and attributes together
};

/// Plain XML as a map with one entry, the root element. An element is
///   - null where it is empty, text where it has only text,
///   - otherwise a map: `^attributes^` (a map of text), one entry for each name of child elements (a list where there are several of that name), text
///   beside
///     them under `^value^`, `^value1^` and so on.
/// Comments and processing instructions are dropped, and text of white space between elements. No text is taken for a number. The order of children
/// with different names is that of the first of each name.
/// @param text  UTF-8, or ISO-8859-1 where the XML declaration says so
/// @returns PARSE-ERROR with line and column; LIMIT-EXCEEDED
Result<Value> decode(std::string_view text, const Limits& limits = {});

/// A map with one entry that is no list of several becomes that root element; any other map and a scalar are put into `<value>`, a list into
/// `<list><element>…`. What follows a `^` in a key is dropped, so that `a` and `a^1` are both `<a>`. Scalars become text: true, 1.5, base64, ISO
/// 8601.
/// @throws Error SERIALIZATION-ERROR for a key that is no XML name, characters that XML cannot hold, more than 500 levels
std::string encode(const Value& value);

/// The value under a root `<value>` in the encoding of XML-RPC: `i4`, `int`, `i8`, `boolean`, `double`, `string`, `dateTime.iso8601`, `base64`,
/// `array`, `struct`, `nil`. `<value/>` is null; text without a type is text.
/// @returns PARSE-ERROR; LIMIT-EXCEEDED
Result<Value> decode_rpc_value(std::string_view text, const Limits& limits = {});

/// The same with a declaration. Integers beyond 32 bits become text and null `<value/>`, as Qorus does it; a timestamp loses its zone, as XML-RPC has
/// none.
/// @throws Error XMLRPC-SERIALIZATION-ERROR for durations, tagged values, infinity and NaN, an empty key, characters that XML cannot hold
std::string encode_rpc_value(const Value& value);

}  // namespace qconn::xml
