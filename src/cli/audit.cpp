// SPDX-License-Identifier: Apache-2.0
/// `qconn secrets audit`: where secrets stand in definition files.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include <qconn/base/error.hpp>
#include <qconn/core/edit.hpp>
#include <qconn/core/legacy.hpp>
#include <qconn/core/secret_overlay.hpp>
#include <qconn/core/secret_provider.hpp>

#include "cli/in_file.hpp"
#include "cli/present.hpp"
#include "cli/secrets.hpp"

namespace qconn::cli {
namespace {

namespace fs = std::filesystem;

/// The files with definitions that --dir names, as a registry would read them.
std::vector<std::string> definition_files(const Tool& tool) {
    const RegistryOptions options;
    std::vector<std::string> files;
    for (const std::string& path : tool.directories) {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            if (!fs::exists(path, error)) throw NotFound("there is no directory or file \"" + printable(path) + "\"");
            files.push_back(path);
            continue;
        }
        std::vector<std::string> names;
        for (fs::directory_iterator at{path, error}, end; !error && at != end; at.increment(error)) {
            const std::string name = at->path().filename().string();
            if ((name.ends_with(options.suffix) || name.ends_with(options.legacy_suffix)) && !name.starts_with('.')) names.push_back(name);
        }
        if (error) throw make_error(Errc::system, "reading the directory \"" + path + "\" failed: " + error.message()).with_reason(Reason::local);
        std::sort(names.begin(), names.end());
        for (const std::string& name : names) files.push_back(path + (path.ends_with('/') ? "" : "/") + name);
    }
    return files;
}

struct Finding {
    std::string file;
    Place place;
    std::string connection;
    std::string where;
    std::string_view kind;
    std::string text;
};

/// Sockets, pipes and what is not there are another matter.
bool is_readable_by_all(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

std::vector<Finding> audit_file(const Tool& tool, const std::string& path) {
    const DefinitionFile file{path};
    std::vector<Finding> out;
    const auto search = [&](const Definition& definition, const ParsedDefinitions* parsed) {
        for (const SecretReference& one : secret_references(definition)) {
            if (one.prefix != "file") continue;
            const std::string target = one.argument.starts_with('/') ? one.argument : directory_of(path) + "/" + one.argument;
            if (is_readable_by_all(target))
                out.push_back({path,
                               definition.place,
                               definition.name,
                               {},
                               "readable-by-all",
                               "refers to the file " + printable(target) + ", which everybody on this machine can read or change"});
        }
        for (const LiteralSecret& secret : literal_secrets(definition, tool.catalogue.find(definition.scheme()), parsed))
            out.push_back({path, secret.place.line > 0 ? secret.place : definition.place, definition.name, where_text(secret.where), "literal",
                           "holds a literal secret"});
    };
    bool unreadable = false;
    if (is_legacy(path)) {
        // As for conversion: variables of the environment are references there, and no literals.
        const LegacyImport legacy = read_legacy(file.text(), path, {.defines = tool.defines}, &tool.catalogue);
        unreadable = legacy.unreadable;
        for (const Definition& definition : legacy.definitions) search(definition, nullptr);
    } else {
        const ParsedDefinitions parsed = parse_definitions(file.text(), path);
        unreadable = parsed.unreadable;
        for (const Definition& definition : parsed.definitions) search(definition, &parsed);
    }
    if (unreadable) return {{path, {1, 1, 1}, {}, {}, "unreadable", "cannot be read as definitions and was not searched; 'qconn check' shows why"}};
    struct stat status {};
    const bool literals = std::any_of(out.begin(), out.end(), [](const Finding& one) { return one.kind == "literal"; });
    if (literals && ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0)
        out.push_back({path, {1, 1, 1}, {}, {}, "readable-by-all", "holds secrets and can be read by everybody on this machine"});
    return out;
}

/// The private file of secrets: holding them is what it is for, so only who else can get at them.
std::vector<Finding> audit_overlay(const Tool& tool) {
    if (tool.secrets_file.empty()) return {};
    const Diagnostics problems = SecretOverlay{tool.secrets_file}.read();
    if (problems.empty()) return {};
    const Diagnostic& first = problems.front();
    struct stat status {};
    const bool open = ::stat(tool.secrets_file.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    return {{tool.secrets_file,
             first.place.line > 0 ? first.place : Place{1, 1, 1},
             {},
             {},
             open ? "readable-by-others" : "unreadable",
             first.message + (first.hint.empty() ? "" : "; " + first.hint)}};
}

int audit(Tool& tool, const std::vector<std::string>& given) {
    if (const auto paths = positional(tool, given); !paths.empty()) tool.directories = paths;
    std::vector<Finding> findings;
    const auto files = definition_files(tool);
    for (const std::string& path : files)
        for (Finding& one : audit_file(tool, path)) findings.push_back(std::move(one));
    for (Finding& one : audit_overlay(tool)) findings.push_back(std::move(one));
    List list;
    for (const Finding& one : findings)
        list.push_back(Map{{"kind", one.kind},
                           {"file", one.file},
                           {"line", one.place.line},
                           {"column", one.place.column},
                           {"connection", one.connection},
                           {"where", one.where}});
    const auto tell = [&](Output& out) {
        for (const Finding& one : findings) {
            const std::string at = printable(one.file) + ":" + std::to_string(one.place.line) + ":" + std::to_string(one.place.column) + ": ";
            out.line(at + (one.connection.empty() ? std::string{} : printable(one.connection) + ": ") +
                     (one.where.empty() ? std::string{} : printable(one.where) + " ") + one.text);
        }
        const auto literals = std::count_if(findings.begin(), findings.end(), [](const Finding& one) { return one.kind == "literal"; });
        out.line(counted(static_cast<std::size_t>(literals), "literal secret") + " in " + counted(files.size(), "file"));
    };
    present(tool.out, tool.format,
            {.document = std::move(list), .columns = {{"kind"}, {"file"}, {"line"}, {"column"}, {"connection"}, {"where"}}, .text = tell});
    return findings.empty() ? k_ok : k_failed;
}

}  // namespace

void add_audit(CLI::App& secrets, Tool& tool) {
    auto* command =
        secrets.add_subcommand("audit", "List literal secrets: file, line, column, connection, option or part of the URL; never the value");
    auto paths = std::make_shared<std::vector<std::string>>();
    command->add_option("path", *paths, "Files and directories; default: those of --dir")->type_name("FILE|DIR");
    command->footer(
        "Also files with secrets that everybody on this machine can read: those with literal ones, those that ${file:...} names; and the file of\n"
        "--secrets where others than its owner can. Exit code 1 where there is any of these.\n\n"
        "Examples:\n"
        "  qconn secrets audit connections/\n"
        "  qconn secrets audit --json | jq -r '.[].connection'");
    command->callback([&tool, paths] { tool.run = [&tool, paths] { return audit(tool, *paths); }; });
}

}  // namespace qconn::cli
