// SPDX-License-Identifier: Apache-2.0
/// How values of parameters are written into paths, queries, headers and cookies, and read from them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/value.hpp>

#include "openapi/schema.hpp"

namespace qconn::openapi {

enum class StyleKind : std::uint8_t { simple, label, matrix, form, deep_object, json };

struct Style {
    StyleKind kind{StyleKind::simple};
    bool explode{false};
    /// Between the items of one text: ',', ' ', '|', a tab.
    char separator{','};
    /// Characters that have a meaning in URLs are sent as they are.
    bool allow_reserved{false};
};

/// Whether texts are percent-encoded there: in paths, queries and cookies.
enum class Coding : std::uint8_t { percent, none };

/// The value as it stands in a path, a header or behind the '=' of a cookie.
/// @throws Error INVALID-ARGUMENT where it is a list or map inside another
std::string write_text(std::string_view name, const Style& style, const Value& value, Coding coding);
/// Pieces `name=value` of a query, encoded.
void write_query(std::vector<std::string>& pieces, std::string_view name, const Style& style, const Value& value);

/// A text as what the schema takes: a number, a list … where it can be read as that; otherwise the text.
/// @param schema  null: text
Value read_text(std::string_view name, const Style& style, std::string_view text, const Schema* schema, Coding coding);
/// The same of a value whose texts are as sent: lists and maps of them too.
Value read_value(std::string_view name, const Style& style, const Value& value, const Schema* schema);

using RawQuery = std::vector<std::pair<std::string, std::string>>;
/// Names decoded, values not.
RawQuery split_query(std::string_view query);
/// A parameter out of a query; null where it is not there. Those that were used are taken out.
Value read_query(RawQuery& query, std::string_view name, const Style& style, const Schema* schema);

}  // namespace qconn::openapi
