// SPDX-License-Identifier: Apache-2.0
#include "cli/csv.hpp"

#include <algorithm>

#include "cli/json.hpp"
#include "cli/output.hpp"

namespace qconn::cli {
namespace {

bool is_scalar(const Value& value) { return !value.is_list() && !value.is_map(); }

/// What a scalar is without quotes.
std::string scalar_text(const Value& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return printable(value.as_string());
    std::string text = json_text(value, false);
    return text.size() > 1 && text.front() == '"' ? text.substr(1, text.size() - 2) : text;  // binary and times: no character needs an escape
}

void flatten(const std::string& path, const Value& value, std::vector<std::pair<std::string, Value>>& rows) {
    if (!value.is_map() || value.size() == 0) {
        rows.emplace_back(path, value);
        return;
    }
    for (const auto& [key, member] : value.as_map()) flatten(path.empty() ? key : path + "." + key, member, rows);
}

}  // namespace

std::string csv_field(const Value& value) {
    std::string text;
    if (is_scalar(value)) {
        text = scalar_text(value);
    } else if (value.is_list() && std::all_of(value.as_list().begin(), value.as_list().end(), is_scalar)) {
        for (const Value& one : value.as_list()) (text += text.empty() ? "" : ", ") += scalar_text(one);
    } else {
        text = printable(json_text(value, false));
    }
    if (!value.is_number() && !text.empty() && std::string_view{"=+-@"}.find(text.front()) != std::string_view::npos) text.insert(0, 1, '\'');
    if (text.find_first_of(",\"") == std::string::npos && (text.empty() || (text.front() != ' ' && text.back() != ' '))) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
    return quoted += '"';
}

std::string csv_record(const std::vector<Value>& fields) {
    std::string line;
    for (std::size_t i = 0; i < fields.size(); ++i) (line += i == 0 ? "" : ",") += csv_field(fields[i]);
    return line += "\r\n";
}

std::vector<std::pair<std::string, Value>> flattened(const Map& map) {
    std::vector<std::pair<std::string, Value>> rows;
    for (const auto& [key, value] : map) flatten(key, value, rows);
    return rows;
}

}  // namespace qconn::cli
