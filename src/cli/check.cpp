// SPDX-License-Identifier: Apache-2.0
/// `qconn check`: what is wrong in definitions, and exactly where.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include <qconn/core/diagnostic.hpp>

#include "cli/describe.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

int check(Tool& tool, const std::vector<std::string>& given) {
    if (const auto paths = positional(tool, given); !paths.empty()) tool.directories = paths;
    const Loaded loaded = read_definitions(tool);
    const Diagnostics& findings = loaded.report.diagnostics;
    const auto count = [&](Severity severity) {
        return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(), [&](const Diagnostic& d) { return d.severity == severity; }));
    };
    const std::size_t errors = count(Severity::error);
    const std::size_t warnings = count(Severity::warning);
    const auto infos = loaded.registry->infos();
    const auto ok = static_cast<std::size_t>(
        std::count_if(infos.begin(), infos.end(), [](const ConnectionInfo& info) { return info.validity == Validity::valid; }));

    if (tool.json) {
        List list;
        for (const Diagnostic& d : findings) list.push_back(diagnostic_value(d));
        List modules;
        for (const Error& error : tool.failed_modules) modules.emplace_back(error.what());
        tool.out.json(Map{{"ok", static_cast<std::uint64_t>(ok)},
                          {"errors", static_cast<std::uint64_t>(errors)},
                          {"warnings", static_cast<std::uint64_t>(warnings)},
                          {"files", static_cast<std::uint64_t>(loaded.report.files)},
                          {"failed_modules", std::move(modules)},
                          {"diagnostics", std::move(list)}});
    } else {
        for (const Diagnostic& d : findings) {
            tool.out.text(render(d, tool.out.colour()));
            tool.out.line();
        }
        std::string summary = std::to_string(ok) + " ok, " + counted(errors, "error") + ", " + counted(warnings, "warning");
        if (!tool.failed_modules.empty()) summary += ", " + counted(tool.failed_modules.size(), "module") + " not loaded";
        tool.out.line(summary);
    }
    if (errors > 0 || !tool.failed_modules.empty()) return k_failed;
    tool.out.flush();
    require_connections(tool, loaded);
    return k_ok;
}

}  // namespace

void add_check(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("check", "Check definitions: every finding with its place, and a summary");
    auto paths = std::make_shared<std::vector<std::string>>();
    command->add_option("path", *paths, "Files and directories; default: those of --dir")->type_name("FILE|DIR");
    command->footer(
        "Exit code 1 where there are errors or a module could not be loaded; warnings alone give 0.\n\n"
        "Examples:\n"
        "  qconn check\n"
        "  qconn check connections/ extra/shop.qconn.yaml\n"
        "  qconn check --json connections/ | jq '.diagnostics[] | select(.severity == \"error\")'");
    command->callback([&tool, paths] { tool.run = [&tool, paths] { return check(tool, *paths); }; });
}

}  // namespace qconn::cli
