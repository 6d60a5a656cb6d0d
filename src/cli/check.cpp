// SPDX-License-Identifier: Apache-2.0
/// `qconn check`: what is wrong in definitions, and exactly where.
#include <CLI/CLI.hpp>
#include <filesystem>

#include <qconn/core/diagnostic.hpp>

#include "cli/describe.hpp"
#include "cli/present.hpp"
#include "cli/sarif.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

/// What a run has come to.
struct Checked {
    const Tool& tool;
    const Loaded& loaded;
    std::size_t ok{0};
    std::size_t errors{0};
    std::size_t warnings{0};

    Checked(const Tool& t, const Loaded& l) : tool{t}, loaded{l} {
        for (const ConnectionInfo& info : l.registry->infos()) ok += info.validity == Validity::valid ? 1 : 0;
        for (const Diagnostic& d : l.report.diagnostics) {
            errors += d.severity == Severity::error ? 1 : 0;
            warnings += d.severity == Severity::warning ? 1 : 0;
        }
    }
    const Diagnostics& findings() const noexcept { return loaded.report.diagnostics; }
};

Value check_value(const Checked& checked) {
    List list;
    for (const Diagnostic& d : checked.findings()) list.push_back(diagnostic_value(d));
    List modules;
    for (const Error& error : checked.tool.failed_modules) modules.emplace_back(error.what());
    return Map{{"ok", static_cast<std::uint64_t>(checked.ok)},
               {"errors", static_cast<std::uint64_t>(checked.errors)},
               {"warnings", static_cast<std::uint64_t>(checked.warnings)},
               {"files", static_cast<std::uint64_t>(checked.loaded.report.files)},
               {"failed_modules", std::move(modules)},
               {"diagnostics", std::move(list)}};
}

Value sarif_value(const Checked& checked) {
    SarifRun run{QCONN_VERSION, std::filesystem::current_path().string(), {}};
    for (const Error& error : checked.tool.failed_modules) run.failures.emplace_back(error.what());
    return sarif_log(checked.findings(), run);
}

void print(Output& out, const Checked& checked) {
    for (const Diagnostic& d : checked.findings()) {
        out.text(render(d, out.colour()));
        out.line();
    }
    std::string summary = std::to_string(checked.ok) + " ok, " + counted(checked.errors, "error") + ", " + counted(checked.warnings, "warning");
    if (const std::size_t failed = checked.tool.failed_modules.size(); failed > 0) summary += ", " + counted(failed, "module") + " not loaded";
    out.line(summary);
}

int check(Tool& tool, const std::vector<std::string>& given) {
    if (const auto paths = positional(tool, given); !paths.empty()) tool.directories = paths;
    const Loaded loaded = read_definitions(tool);
    const Checked checked{tool, loaded};
    present(tool.out, tool.format,
            {.document = tool.format == Format::sarif ? sarif_value(checked) : check_value(checked),
             .columns = {{"severity"}, {"code"}, {"file"}, {"line"}, {"column"}, {"length"}, {"connection"}, {"message"}, {"hint"}},
             .rows = "diagnostics",
             .text = [&](Output& out) { print(out, checked); }});
    if (checked.errors > 0 || !tool.failed_modules.empty()) return k_failed;
    tool.out.flush();
    require_connections(tool, loaded);
    return k_ok;
}

}  // namespace

void add_check(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("check", "Check definitions: every finding with its place, and a summary");
    auto paths = std::make_shared<std::vector<std::string>>();
    command->add_option("path", *paths, "Files and directories; default: those of --dir")->type_name("FILE|DIR");
    add_formats(*command, tool, {Format::sarif});
    command->footer(
        "Exit code 1 where there are errors or a module could not be loaded; warnings alone give 0.\n\n"
        "Examples:\n"
        "  qconn check\n"
        "  qconn check connections/ extra/shop.qconn.yaml\n"
        "  qconn check --json connections/ | jq '.diagnostics[] | select(.severity == \"error\")'\n"
        "  qconn check connections/ --format sarif > qconn.sarif");
    command->callback([&tool, paths] { tool.run = [&tool, paths] { return check(tool, *paths); }; });
}

}  // namespace qconn::cli
