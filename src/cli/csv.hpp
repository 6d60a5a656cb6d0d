// SPDX-License-Identifier: Apache-2.0
/// Values as CSV (RFC 4180).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/value.hpp>

namespace qconn::cli {

/// One field: text as it is, but for control characters (as in tables, so a record is one line) and with a "'" before text that a spreadsheet would
/// take for a formula (of a leading = + - @). Null is empty; a list of scalars has ", " between them; other lists and maps are JSON. Binary is
/// base64.
std::string csv_field(const Value& value);
/// A record with its line end (CR LF).
std::string csv_record(const std::vector<Value>& fields);

/// The members of a map with the path to each: `options.timeout`. An empty map or list has a row of its own.
std::vector<std::pair<std::string, Value>> flattened(const Map& map);

}  // namespace qconn::cli
