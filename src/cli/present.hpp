// SPDX-License-Identifier: Apache-2.0
/// Results in the form that --format asks for. Commands say what they have found, once; only here is decided how it is written.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <qconn/base/value.hpp>

#include "cli/format.hpp"
#include "cli/output.hpp"

namespace qconn::cli {

/// One column of rows.
struct Column {
    /// The member of the row; also its name in CSV. Empty: only in tables.
    std::string key;
    /// What stands above it in tables. Empty: only in CSV.
    std::string head{};
    /// What a table shows; default: the member as text.
    std::function<Table::Cell(const Value& row)> cell{};
};

/// What a command has to say.
struct Presentation {
    /// JSON and YAML.
    Value document;
    /// CSV and tables. Empty: all members of the rows, in the order in which they first appear; of a single map `key` and `value`.
    std::vector<Column> columns{};
    /// The member of the document that has the rows, or a member of that: "result.steps". Empty: the document is a list of them, or the only one.
    std::string rows{};
    /// For people, where a table of the rows does not say it.
    std::function<void(Output& out)> text{};
};

void present(Output& out, Format format, const Presentation& what);

/// Rows one by one, for commands that tell things as they happen: JSON is an object a line, YAML a document each.
class RowStream {
public:
    RowStream(Format format, std::vector<Column> columns) : format_{format}, columns_{std::move(columns)} {}
    /// What is to be written for the next row.
    std::string next(const Value& row);

private:
    Format format_;
    std::vector<Column> columns_;
    bool first_{true};
};

/// One document in that format, with a newline at its end; JSON where the format is none of data.
std::string document_text(Format format, const Value& value, bool pretty = true);

}  // namespace qconn::cli
