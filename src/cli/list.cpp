// SPDX-License-Identifier: Apache-2.0
/// `qconn list`: all connections.
#include <CLI/CLI.hpp>

#include "cli/describe.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

int list(Tool& tool) {
    const Loaded loaded = load(tool);
    const auto infos = loaded.registry->infos();
    if (tool.json) {
        List all;
        for (const ConnectionInfo& info : infos) {
            Value value = info_value(info, false);
            value.as_map().set("in_file", in_file_value(operator_settings(*loaded.registry, info)));
            all.push_back(std::move(value));
        }
        tool.out.json(all);
        return k_ok;
    }
    Table table{{"NAME", "STATUS", "TYPE", "URL", "DESCRIPTION"}};
    for (const ConnectionInfo& info : infos) {
        auto [word, style] = status_word(info);
        for (const OperatorSetting& one : operator_settings(*loaded.registry, info))
            if (one.name == "enabled") word += info.enabled ? " (file: disabled)" : " (file: enabled)";
        table.add({info.name, {word, style}, info.type.empty() ? "-" : info.type, info.url, info.description});
    }
    tool.out.text(table.render(tool.out));
    return k_ok;
}

}  // namespace

void add_list(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("list", "List all connections");
    command->footer(
        "The status is ok, disabled, stale (its new version is bad, the former one is used) or invalid. Where an operator\n"
        "has enabled or disabled a connection, what its file says follows it.\n\n"
        "Examples:\n"
        "  qconn list\n"
        "  qconn list --dir connections --json | jq -r '.[].name'");
    command->callback([&tool] { tool.run = [&tool] { return list(tool); }; });
}

}  // namespace qconn::cli
