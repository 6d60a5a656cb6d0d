// SPDX-License-Identifier: Apache-2.0
/// application/x-www-form-urlencoded, and percent-encoding.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <qconn/base/result.hpp>
#include <qconn/base/value.hpp>

namespace qconn::form {

/// `a=1&b=x+y`. A list repeats its name, null has no text behind the '='. Binary is sent as its bytes, timestamps and durations as ISO 8601.
/// @throws Error FORMURLENCODING-ERROR where it is no map, or a map or list is inside a list or map
std::string encode(const Value& value);

/// A map of text; a name that is there several times has a list.
/// @param most  fields that are taken
/// @returns PARSE-ERROR for a broken escape or text that is not UTF-8; LIMIT-EXCEEDED
Result<Value> decode(std::string_view text, std::size_t most = 100'000);

/// Everything but letters, digits and `-._~` as %XX (RFC 3986, 2.3).
std::string percent_encode(std::string_view text);

}  // namespace qconn::form
