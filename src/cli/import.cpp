// SPDX-License-Identifier: Apache-2.0
/// `qconn import`: connections of other systems as definition files.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include <qconn/base/url.hpp>
#include <qconn/import/import.hpp>

#include "cli/describe.hpp"
#include "cli/import_files.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

constexpr std::string_view k_guess = "auto";

struct ImportArguments {
    std::string format;
    std::vector<std::string> files;
    std::string output{"-"};
    bool force{false};
    bool keep_secrets{false};
};

const Importer& importer_for(const std::string& format, const std::string& file) {
    if (format == k_guess) {
        if (const Importer* one = guess_importer(file)) return *one;
        throw UsageError("the name of '" + printable(file) + "' tells no format; name it instead of 'auto'");
    }
    if (const Importer* one = find_importer(format)) return *one;
    std::vector<std::string> names{std::string{k_guess}};
    for (const Importer& one : importers()) names.emplace_back(one.name);
    throw UsageError("there is no format '" + printable(format) + "'" + suggestion(format, names));
}

std::vector<ImportSource> read_sources(const Tool& tool, const ImportArguments& given) {
    std::vector<std::string> words = given.files;
    if (!given.format.empty()) words.insert(words.begin(), given.format);
    words = positional(tool, words);
    if (words.empty()) throw UsageError("a format is missing; 'qconn import --help' lists them");
    // The format first: what is wrong with the command line is told before any file is read.
    if (words.front() != k_guess) (void)importer_for(words.front(), {});
    if (words.size() < 2) throw UsageError("a file is missing; '-' is standard input");
    std::vector<ImportSource> sources;
    for (std::size_t i = 1; i < words.size(); ++i)
        sources.push_back({&importer_for(words.front(), words[i]), read_source(words[i]), words[i] == "-" ? "standard input" : words[i]});
    return sources;
}

std::size_t count(const Diagnostics& diagnostics, Severity severity) {
    return static_cast<std::size_t>(
        std::count_if(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& d) { return d.severity == severity; }));
}

std::string summary(const Imported& imported, std::size_t files) {
    return counted(imported.definitions.size(), "connection") + " from " + counted(files, "file") + ", " +
           counted(count(imported.diagnostics, Severity::error), "error") + ", " +
           counted(count(imported.diagnostics, Severity::warning), "warning") + ", " + counted(count(imported.diagnostics, Severity::note), "note");
}

/// Which variables the definitions refer to.
std::string secrets_text(const Imported& imported, const Output& out) {
    if (imported.secrets.empty()) return {};
    Table table;
    for (const ImportedSecret& secret : imported.secrets)
        table.add({"  " + secret.variable,
                   secret.what + " of " + secret.connection + (secret.kept.empty() ? "" : ", which the source keeps in " + secret.kept)});
    return "to be set in the environment where the connections are used:\n" + table.render(out);
}

Value result_value(const Imported& imported, const std::vector<std::string>& paths, std::size_t files) {
    List connections;
    for (std::size_t i = 0; i < imported.definitions.size(); ++i) {
        const Definition& definition = imported.definitions[i];
        Map one{{"name", definition.name}, {"scheme", definition.scheme()}, {"url", mask_url(definition.url)}, {"source", definition.file}};
        if (paths.empty())
            one.set("yaml", to_yaml(definition));
        else
            one.set("file", paths[i]);
        connections.emplace_back(std::move(one));
    }
    List secrets;
    for (const ImportedSecret& secret : imported.secrets)
        secrets.emplace_back(Map{{"variable", secret.variable}, {"connection", secret.connection}, {"what", secret.what}, {"kept", secret.kept}});
    List diagnostics;
    for (const Diagnostic& d : imported.diagnostics) diagnostics.push_back(diagnostic_value(d));
    return Map{{"files", static_cast<std::uint64_t>(files)},
               {"errors", static_cast<std::uint64_t>(count(imported.diagnostics, Severity::error))},
               {"warnings", static_cast<std::uint64_t>(count(imported.diagnostics, Severity::warning))},
               {"connections", std::move(connections)},
               {"variables", std::move(secrets)},
               {"diagnostics", std::move(diagnostics)}};
}

int import(Tool& tool, const ImportArguments& given) {
    const std::vector<ImportSource> sources = read_sources(tool, given);
    const Imported imported =
        import_connections(sources, {.keep_secrets = given.keep_secrets, .catalogue = &tool.catalogue, .defines = tool.defines});
    const bool to_files = given.output != "-";
    const bool findings_are_data = tool.format == Format::json || tool.format == Format::yaml;
    if (!findings_are_data) {
        const bool colour = tool.out.colour() && ::isatty(STDERR_FILENO) == 1;
        for (const Diagnostic& d : imported.diagnostics) std::fprintf(stderr, "%s\n", render(d, colour).c_str());
    }

    const auto paths = to_files ? definition_paths(imported.definitions, given.output) : std::vector<std::string>{};
    if (to_files && !paths.empty()) write_definitions(imported.definitions, paths, given.output, given.force, given.keep_secrets);
    const std::string told = secrets_text(imported, tool.out) + summary(imported, sources.size()) + "\n";
    const auto tell = [&](Output& out) {
        for (const std::string& path : paths) out.line(printable(path));
        if (to_files) return out.text(told);
        for (std::size_t i = 0; i < imported.definitions.size(); ++i) out.text((i > 0 ? "---\n" : "") + to_yaml(imported.definitions[i]));
    };
    present(tool.out, tool.format,
            {.document = result_value(imported, paths, sources.size()),
             .columns = {{"name"}, {"scheme"}, {"url"}, {"source"}, {"file"}},
             .rows = "connections",
             .text = tell});
    if (!findings_are_data && !(to_files && tool.format == Format::table)) {
        tool.out.flush();
        std::fputs(told.c_str(), stderr);
    }
    if (has_errors(imported.diagnostics)) return k_failed;
    tool.out.flush();
    if (imported.definitions.empty()) throw NotFound("there is no connection in these files that could be imported");
    return k_ok;
}

}  // namespace

void add_import(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("import", "Write the connections of other systems as definitions");
    auto given = std::make_shared<ImportArguments>();
    command->add_option("format", given->format, "One of those below, or auto: by the name of each file")->type_name("FORMAT");
    command->add_option("file", given->files, "What to read; '-' is standard input")->type_name("FILE");
    command
        ->add_option("--output", given->output,
                     "Directory for a file a connection, NAME.qconn.yaml; default: '-', all as documents on standard output")
        ->type_name("DIR|-");
    command->add_flag("--force", given->force, "Replace files that are there");
    command->add_flag("--keep-secrets", given->keep_secrets, "Secrets stay literally in the definitions; otherwise each becomes ${env:NAME}");
    std::string formats;
    for (const Importer& one : importers())
        formats += "  " + std::string{one.name} + std::string(one.name.size() < 9 ? 9 - one.name.size() : 1, ' ') + std::string{one.title} + "\n";
    command->footer("Formats:\n" + formats +
                    "\nWhat cannot be carried over is told on standard error. Exit code 1 where something could not be read or written; warnings "
                    "alone give 0.\n\n"
                    "Examples:\n"
                    "  qconn import ssh ~/.ssh/config\n"
                    "  airflow connections export --file-format json - | qconn import airflow - --output connections\n"
                    "  qconn import auto odbc.ini components/*.yaml --output connections");
    command->callback([&tool, given] { tool.run = [&tool, given] { return import(tool, *given); }; });
}

}  // namespace qconn::cli
