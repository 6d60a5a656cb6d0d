// SPDX-License-Identifier: Apache-2.0
#include "cli/tool.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include <qconn/base/error.hpp>
#include <qconn/core/diagnostic.hpp>
#include <qconn/core/module.hpp>
#include <qconn/core/registry_error.hpp>

#include "cli/progress.hpp"

namespace qconn::cli {
namespace {

std::string directories_text(const Tool& tool) {
    std::string text;
    for (const std::string& directory : tool.directories) (text += text.empty() ? "" : ", ") += printable(directory);
    return text;
}

}  // namespace

/// What --dir names and cannot be read: going on without it would leave out connections without a word in the exit code.
void require_readable(const Tool& tool, const Diagnostics& diagnostics) {
    for (const Diagnostic& d : diagnostics) {
        if (d.code == "secrets-file")
            throw Error{RegistryErrc::load, "LOAD-ERROR", summary(d) + (d.hint.empty() ? "" : "; " + d.hint)}.with_reason(Reason::local);
        if (d.code != "cannot-read" || std::find(tool.directories.begin(), tool.directories.end(), d.file) == tool.directories.end()) continue;
        throw Error{RegistryErrc::load, "LOAD-ERROR", "loading connections from \"" + d.file + "\": " + d.message}.with_reason(Reason::local);
    }
}

std::string common_options(const CLI::App& app) {
    std::string out{k_common_options};
    for (const CLI::Option* option : app.get_options()) {
        const std::string& name = option->get_lnames().front();
        if (name == "help" || name == "version") continue;
        out += "--" + name + (option->get_type_name().empty() ? "" : " " + option->get_type_name()) + ", ";
    }
    out.replace(out.size() - 2, 2, "; see 'qconn --help'.");
    return out;
}

std::vector<std::string> positional(const Tool& tool, const std::vector<std::string>& given) {
    std::vector<std::string> all = given;
    all.insert(all.end(), tool.literals.begin(), tool.literals.end());
    return all;
}

std::string single_name(const Tool& tool, const std::vector<std::string>& given, std::string_view what) {
    const auto names = positional(tool, given);
    if (names.empty()) throw UsageError("the name of a " + std::string{what} + " is missing");
    if (names.size() > 1) throw UsageError("one name is expected; '" + names[1] + "' is one too many");
    return names.front();
}

void read_settings(Tool& tool) {
    SettingsSources sources;
    sources.file = tool.settings_file;
    try {
        tool.settings_.emplace(sources);
    } catch (const Error& error) {
        const auto* const detail = error.detail<SettingsErrorDetail>();
        if (error.reason() == Reason::missing && detail)
            throw NotFound("there is no file of settings \"" + printable(detail->diagnostics.front().file) + "\"");
        throw;
    }
    if (const Value& state = tool.settings().at("registry.state_file").value; tool.state.empty() && state.is_string()) tool.state = state.as_string();
    if (const Value& secrets = tool.settings().at("registry.secrets_file").value; tool.secrets_file.empty() && secrets.is_string())
        tool.secrets_file = secrets.as_string();
    if (const Value& state = tool.settings().at("monitor.state_file").value; tool.monitor_state.empty() && state.is_string())
        tool.monitor_state = state.as_string();
    for (const Value& modules : {tool.settings().modules(), Value{List(tool.modules.begin(), tool.modules.end())}}) {
        ModulesReport report = load_modules(tool.catalogue, modules);
        tool.failed_modules.insert(tool.failed_modules.end(), report.failed.begin(), report.failed.end());
    }
}

void settle_format(Tool& tool) {
    const std::string word = tool.format_word.empty() ? tool.json ? "json" : "table" : tool.format_word;
    const auto format = format_named(word);
    const auto& further = tool.further_formats;
    const bool common = format && *format <= Format::csv;
    if (!common && (!format || std::find(further.begin(), further.end(), *format) == further.end()))
        throw UsageError("--format: '" + printable(word) + "' is no format of this command; there are: " + formats_text(further, ", "));
    if (tool.json && format != Format::json) throw UsageError("--json means --format json; leave one of them out");
    tool.format = *format;
    tool.json = format == Format::json;
}

void add_formats(CLI::App& command, Tool& tool, std::vector<Format> further) {
    command.add_option("--format", tool.format_word, "Form of the output; default table")->type_name(formats_text(further));
    command.preparse_callback([&tool, further](std::size_t) { tool.further_formats = further; });
}

const Scheme& require_scheme(const Catalogue& catalogue, const std::string& name) {
    if (const Scheme* scheme = catalogue.find(name)) return *scheme;
    throw NotFound("the scheme '" + printable(name) + "' is not known to this build" + suggestion(name, catalogue.names()));
}

std::optional<SecretOverlay> read_overlay(const Tool& tool) {
    if (tool.secrets_file.empty()) return std::nullopt;
    SecretOverlay overlay{tool.secrets_file};
    overlay.read();
    return overlay;
}

std::unique_ptr<Registry> make_registry(const Tool& tool) {
    RegistryOptions options = tool.settings().registry();
    options.catalogue = &tool.catalogue;
    options.state_file = tool.state;
    options.secrets_file = tool.secrets_file;
    options.defines = tool.defines;
    if (tool.allow_commands) options.secret_providers.push_back(command_secrets());
    return std::make_unique<Registry>(std::move(options));
}

Loaded read_definitions(Tool& tool) {
    if (struct stat status{}; !tool.secrets_file.empty() && ::stat(tool.secrets_file.c_str(), &status) != 0 && errno == ENOENT)
        throw NotFound("there is no file of secrets \"" + printable(tool.secrets_file) + "\"");
    Loaded loaded;
    loaded.registry = make_registry(tool);
    const auto began = std::chrono::steady_clock::now();
    const Progress progress{[&] { return "reading definitions, " + age_text(std::chrono::steady_clock::now() - began); }};
    try {
        loaded.report = loaded.registry->load(tool.directories);
    } catch (const Error& error) {
        if (error.name() == "LOAD-ERROR") throw NotFound(error.what());
        throw;
    }
    if (loaded.report.files == 0 && loaded.report.diagnostics.empty())
        throw NotFound("no connection definitions (*.qconn.yaml, *.qconn) in " + directories_text(tool) + "; --dir names other directories or files");
    return loaded;
}

void require_connections(const Tool& tool, const Loaded& loaded) {
    if (loaded.registry->size() > 0) return;
    throw NotFound("there is no connection in " + directories_text(tool) + " (" + counted(loaded.report.files, "file") +
                   " read); 'qconn check' shows what was found");
}

void require_state(const Tool& tool) {
    if (tool.state.empty())
        throw UsageError("there is no file to keep it in: name one with --state FILE, QCONN_STATE or registry.state_file of the settings");
}

Loaded load(Tool& tool, bool note_errors) {
    Loaded loaded = read_definitions(tool);
    require_readable(tool, loaded.report.diagnostics);
    require_connections(tool, loaded);
    if (note_errors && has_errors(loaded.report.diagnostics)) {
        const auto errors = static_cast<std::size_t>(std::count_if(loaded.report.diagnostics.begin(), loaded.report.diagnostics.end(),
                                                                   [](const Diagnostic& d) { return d.severity == Severity::error; }));
        tool.out.flush();
        std::fprintf(stderr, "qconn: note: %s in the definitions; 'qconn check' shows them\n", counted(errors, "error").c_str());
    }
    return loaded;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
    if (const std::string near = nearest(word, known); !near.empty()) return "; did you mean '" + near + "'?";
    if (known.empty() || known.size() > 12) return {};
    std::string text = "; there are: ";
    for (std::size_t i = 0; i < known.size(); ++i) (text += i == 0 ? "" : ", ") += known[i];
    return text;
}

void require_connection(const Registry& registry, const std::string& name) {
    if (registry.contains(name)) return;
    throw NotFound("there is no connection '" + printable(name) + "'" + printable(suggestion(name, registry.names())));
}

Value error_value(const Error& error) {
    return Map{{"name", error.name()},
               {"message", error.message()},
               {"connection", error.connection()},
               {"phase", to_string(error.phase())},
               {"reason", to_string(error.reason())},
               {"retryable", error.retryable()}};
}

Value error_value(const std::optional<Error>& error) { return error ? error_value(*error) : Value{}; }

}  // namespace qconn::cli
