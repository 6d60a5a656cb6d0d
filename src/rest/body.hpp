// SPDX-License-Identifier: Apache-2.0
/// Values to bodies and back, by format and by Content-Type. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/value.hpp>
#include <qconn/rest/rest_client.hpp>

namespace qconn::rest {

/// What is asked for where nothing else is said: whatever can be read as a value.
inline constexpr std::string_view k_accept =
    "text/x-yaml,application/x-yaml,text/xml,application/xml,application/json,application/x-www-form-urlencoded,text/plain,application/octet-stream";

/// A body with its Content-Type.
struct Encoded {
    std::string body;
    std::string content_type;
};
/// @throws Error SERIALIZATION-ERROR, FORMURLENCODING-ERROR
Encoded encode_body(const Value& value, DataFormat format, bool no_charset);

/// How a body is read.
enum class BodyKind { json, yaml, xml, form, text, binary, unknown };
/// @param content_type  the whole field; empty: bytes (RFC 9110 section 8.3)
BodyKind kind_of(std::string_view content_type);

/// An empty body is null.
/// @param assume_charset  of text that names none; empty: UTF-8
/// @throws Error DESERIALIZATION-ERROR: what cannot be read, where, what to do
Value decode_body(std::string_view body, std::string_view content_type, std::string_view assume_charset);

}  // namespace qconn::rest
