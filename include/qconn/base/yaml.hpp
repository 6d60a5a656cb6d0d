// SPDX-License-Identifier: Apache-2.0
/// Values as YAML.
#pragma once

#include <string>

#include <qconn/base/export.hpp>
#include <qconn/base/value.hpp>

namespace qconn {

/// One YAML document in block style, ending with a newline: keys in their order, text without quotes where any reader takes it for the same text.
/// What YAML has no word of its own for has the tags of Qorus: decimals `!number`, durations `!duration`.
/// @throws Error SERIALIZATION-ERROR for what YAML cannot hold: text that is not UTF-8, more than 100 levels, a year outside 0 to 9999
QCONN_API std::string to_yaml(const Value& value);

}  // namespace qconn
