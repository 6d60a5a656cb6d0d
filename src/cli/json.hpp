// SPDX-License-Identifier: Apache-2.0
/// Values to JSON and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/value.hpp>

namespace qconn::cli {

/// Keys in their order. Invalid UTF-8 becomes U+FFFD, so that the output is JSON whatever a peer has sent.
std::string json_text(const Value& value, bool pretty);

/// Absent where it is no JSON.
std::optional<Value> parse_json(std::string_view text);

}  // namespace qconn::cli
