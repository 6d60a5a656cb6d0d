// SPDX-License-Identifier: Apache-2.0
/// `qconn docs`: the option tables that the pages under docs show, from the catalogue and from the settings.
#include <CLI/CLI.hpp>

#include <qconn/core/scheme.hpp>

#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

void put_table(Tool& tool, const Scheme& scheme) {
    const std::string table = tool.catalogue.options_markdown(scheme);
    tool.out.text(table);
    if (table.empty() || table.back() != '\n') tool.out.line();
}

int docs(Tool& tool, const std::vector<std::string>& given) {
    const auto names = positional(tool, given);
    for (const std::string& name : names) {
        if (name == "settings")
            tool.out.text(settings_markdown());
        else
            put_table(tool, require_scheme(tool.catalogue, name));
    }
    if (!names.empty()) return k_ok;
    for (const Scheme* scheme : tool.catalogue.schemes()) {
        tool.out.line("## " + scheme->names.front());
        tool.out.line();
        put_table(tool, *scheme);
        tool.out.line();
    }
    return k_ok;
}

}  // namespace

void add_docs(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("docs", "Print the options of schemes as Markdown tables");
    auto names = std::make_shared<std::vector<std::string>>();
    command->add_option("name", *names, "Schemes, or `settings`; default: all schemes, with headings")->type_name("SCHEME");
    command->footer(
        "Examples:\n"
        "  qconn docs rest\n"
        "  qconn docs settings\n"
        "  qconn docs > options.md");
    command->callback([&tool, names] { tool.run = [&tool, names] { return docs(tool, *names); }; });
}

}  // namespace qconn::cli
