// SPDX-License-Identifier: Apache-2.0
#include "cli/present.hpp"

#include <algorithm>

#include <qconn/base/yaml.hpp>

#include "cli/csv.hpp"
#include "cli/describe.hpp"
#include "cli/json.hpp"

namespace qconn::cli {
namespace {

const Value& member_at(const Value& document, std::string_view path) {
    const Value* at = &document;
    while (!path.empty()) {
        const auto dot = path.find('.');
        at = &(*at)[path.substr(0, dot)];
        path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
    }
    return *at;
}

List rows_of(const Presentation& what) {
    const Value& at = member_at(what.document, what.rows);
    if (at.is_null()) return {};
    return at.is_list() ? at.as_list() : List{at};
}

/// For results whose members nobody has listed.
std::vector<Column> all_members(const List& rows) {
    std::vector<Column> columns;
    for (const Value& row : rows) {
        if (!row.is_map()) return {{"value"}};
        for (const auto& [key, value] : row.as_map()) {
            if (std::none_of(columns.begin(), columns.end(), [&key = key](const Column& one) { return one.key == key; })) columns.push_back({key});
        }
    }
    return columns;
}

const Value& member_of(const Value& row, const Column& column) { return row.is_map() ? row[column.key] : row; }

std::string csv_heads(const std::vector<Column>& columns) {
    std::vector<Value> heads;
    for (const Column& column : columns)
        if (!column.key.empty()) heads.emplace_back(column.key);
    return csv_record(heads);
}

std::string csv_row(const std::vector<Column>& columns, const Value& row) {
    std::vector<Value> fields;
    for (const Column& column : columns)
        if (!column.key.empty()) fields.push_back(member_of(row, column));
    return csv_record(fields);
}

void write_csv(Output& out, const Presentation& what) {
    List rows;
    auto columns = what.columns;
    if (columns.empty() && what.rows.empty() && what.document.is_map()) {
        columns = {{"key"}, {"value"}};
        for (auto& [path, value] : flattened(what.document.as_map())) rows.emplace_back(Map{{"key", path}, {"value", std::move(value)}});
    } else {
        rows = rows_of(what);
        if (columns.empty()) columns = all_members(rows);
    }
    if (columns.empty()) return;
    out.text(csv_heads(columns));
    for (const Value& row : rows) out.text(csv_row(columns, row));
}

void write_table(Output& out, const Presentation& what) {
    if (what.text) return what.text(out);
    Table::Row head;
    for (const Column& column : what.columns)
        if (!column.head.empty()) head.emplace_back(column.head);
    Table table{std::move(head)};
    for (const Value& row : rows_of(what)) {
        Table::Row cells;
        for (const Column& column : what.columns) {
            if (column.head.empty()) continue;
            const Value& member = member_of(row, column);
            cells.push_back(column.cell ? column.cell(row) : Table::Cell{member.is_null() ? std::string{} : plain_text(member)});
        }
        table.add(std::move(cells));
    }
    out.text(table.render(out));
}

/// YAML holds no text that is not UTF-8, whatever a peer has sent.
Value with_valid_texts(const Value& value) {
    if (value.is_string()) return valid_utf8(value.as_string());
    if (value.is_list()) {
        List list;
        for (const Value& one : value.as_list()) list.push_back(with_valid_texts(one));
        return list;
    }
    if (value.is_map()) {
        Map map;
        for (const auto& [key, one] : value.as_map()) map.set(valid_utf8(key), with_valid_texts(one));
        return map;
    }
    return value.kind() == ValueKind::tagged ? Value::tagged(value.tag(), with_valid_texts(value.untagged())) : value;
}

}  // namespace

std::string document_text(Format format, const Value& value, bool pretty) {
    return format == Format::yaml ? to_yaml(with_valid_texts(value)) : json_text(value, pretty) + '\n';
}

void present(Output& out, Format format, const Presentation& what) {
    if (format == Format::table)
        write_table(out, what);
    else if (format == Format::csv)
        write_csv(out, what);
    else
        out.text(document_text(format, what.document));
}

std::string RowStream::next(const Value& row) {
    const bool first = std::exchange(first_, false);
    if (format_ == Format::yaml) return "---\n" + document_text(format_, row);
    if (format_ == Format::csv) return (first ? csv_heads(columns_) : std::string{}) + csv_row(columns_, row);
    return document_text(format_, row, false);
}

}  // namespace qconn::cli
