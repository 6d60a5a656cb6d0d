// SPDX-License-Identifier: Apache-2.0
/// `qconn list`: all connections.
#include <CLI/CLI.hpp>

#include "cli/describe.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

Value row(const Registry& registry, const ConnectionInfo& info) {
    Value value = info_value(info, false);
    value.as_map().set("in_file", in_file_value(operator_settings(registry, info)));
    return value;
}

/// The status, and what the file says where an operator has decided otherwise.
Table::Cell status_cell(const Value& row) {
    std::string word{row["status"].as_string()};
    const Style style = status_style(word);
    if (!row["in_file"]["enabled"].is_null()) word += row["in_file"]["enabled"].as_bool() ? " (file: enabled)" : " (file: disabled)";
    if (const Value& silence = row["silence"]; !silence.is_null()) (word += ", ") += silence["kind"].as_string();
    return {std::move(word), style};
}

Table::Cell type_cell(const Value& row) { return row["type"].size() == 0 ? std::string{"-"} : std::string{row["type"].as_string()}; }

int list(Tool& tool) {
    const Loaded loaded = load(tool);
    List rows;
    for (const ConnectionInfo& info : loaded.registry->infos()) rows.push_back(row(*loaded.registry, info));
    present(tool.out, tool.format,
            {.document = std::move(rows),
             .columns = {{"name", "NAME"},
                         {"status", "STATUS", status_cell},
                         {"type", "TYPE", type_cell},
                         {"url", "URL"},
                         {"description", "DESCRIPTION"},
                         {"scheme"},
                         {"validity"},
                         {"problem"},
                         {"enabled"},
                         {"monitored"},
                         {"locked"},
                         {"tags"},
                         {"silence"},
                         {"acknowledged"},
                         {"file"},
                         {"line"}}});
    return k_ok;
}

}  // namespace

void add_list(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("list", "List all connections");
    command->footer(
        "The status is ok, disabled, stale (its new version is bad, the former one is used) or invalid. Where an operator\n"
        "has enabled or disabled a connection, what its file says follows it; then the silence that was set (mute, maintenance).\n\n"
        "Examples:\n"
        "  qconn list\n"
        "  qconn list --dir connections --json | jq -r '.[].name'\n"
        "  qconn list --format csv > connections.csv");
    command->callback([&tool] { tool.run = [&tool] { return list(tool); }; });
}

}  // namespace qconn::cli
