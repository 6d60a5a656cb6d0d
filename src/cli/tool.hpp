// SPDX-License-Identifier: Apache-2.0
/// What all commands of the tool share: global options, loading, exit codes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/core/secret_overlay.hpp>
#include <qconn/settings/settings.hpp>

#include "cli/format.hpp"
#include "cli/output.hpp"

namespace CLI {
class App;
}

namespace qconn::cli {

/// Exit codes; docs/tool.md has the same table.
enum ExitCode : int {
    k_ok = 0,
    k_failed = 1,     ///< errors in definitions, something is down or invalid, a call failed, output could not be written
    k_usage = 2,      ///< the command line is wrong
    k_not_found = 3,  ///< no such connection, scheme, directory or file; nothing to work on
};

/// The command line is wrong: exit code 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What was asked for is not there: exit code 3.
class NotFound : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A call came to its end, and its result says that something failed: exit code 1.
class CallFailed : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// How the paragraph begins that --help of each command has below its options.
constexpr std::string_view k_common_options = "Options of all commands: ";
/// That paragraph.
std::string common_options(const CLI::App& app);

/// Global options and output of one run.
struct Tool {
    /// All commands and options: what completion and the manual page are made from.
    const CLI::App* app{nullptr};
    /// Files and directories with definitions.
    std::vector<std::string> directories;
    /// Names that %ifdef finds in definitions of the legacy form.
    std::vector<std::string> defines;
    /// File with the configuration; empty: the one of the environment, or none.
    std::string settings_file;
    /// File with operator settings, as given; read_settings() fills in the one of the configuration. Empty: none.
    std::string state;
    /// File of a monitor: what it knows; as `state`.
    std::string monitor_state;
    /// Private file of secrets; as `state`.
    std::string secrets_file;
    /// Names and paths of modules, as given.
    std::vector<std::string> modules;
    /// The schemes of this build and of the modules.
    Catalogue catalogue{builtin_catalogue()};
    /// Modules that could not be loaded; told on standard error already.
    std::vector<Error> failed_modules;
    /// `${cmd:…}` in definitions is run.
    bool allow_commands{false};
    /// As given; empty: not at all.
    std::string format_word;
    /// Short for --format json; after settle_format() also set by that.
    bool json{false};
    /// What the command that was chosen has besides the formats that all have.
    std::vector<Format> further_formats;
    /// Set by settle_format().
    Format format{Format::table};
    bool no_colour{false};
    /// Arguments after `--`: never options, never KEY=VALUE.
    std::vector<std::string> literals;
    /// Set by the command that was chosen.
    std::function<int()> run;
    /// False where that command calls read_settings() itself.
    bool settings_at_start{true};
    Output out;

    /// The configuration in force. After read_settings().
    const Settings& settings() const { return settings_.value(); }

private:
    friend void read_settings(Tool& tool);
    std::optional<Settings> settings_;
};

/// Reads the configuration and loads the modules of it and of --module. A module that fails is told on standard error and skipped.
/// @throws NotFound where the file is not there
/// @throws Error SETTINGS-ERROR
void read_settings(Tool& tool);

/// The private file of secrets, as it is now; nothing where none is named.
std::optional<SecretOverlay> read_overlay(const Tool& tool);

/// Positional arguments as typed, those after `--` at the end.
std::vector<std::string> positional(const Tool& tool, const std::vector<std::string>& given);

/// The one NAME of a command. @throws UsageError unless there is exactly one
std::string single_name(const Tool& tool, const std::vector<std::string>& given, std::string_view what);

/// Decides on the format. @throws UsageError for one that is unknown, or that the command does not have
void settle_format(Tool& tool);

/// The command has these formats besides table, json, yaml and csv.
void add_formats(CLI::App& command, Tool& tool, std::vector<Format> further);

/// The scheme of that name. @throws NotFound with the nearest names
const Scheme& require_scheme(const Catalogue& catalogue, const std::string& name);

/// What --dir names.
struct Loaded {
    std::unique_ptr<Registry> registry;
    LoadReport report;
};

/// Reads it, whatever the findings are.
/// @throws NotFound where a directory or file, that of secrets too, is not there, or no file with definitions is in them
Loaded read_definitions(Tool& tool);
/// @throws NotFound where the files hold no connection
void require_connections(const Tool& tool, const Loaded& loaded);

/// @throws Error LOAD-ERROR where a directory or file that --dir names could not be read, or the file of secrets cannot be used
void require_readable(const Tool& tool, const Diagnostics& diagnostics);

/// For commands that keep something. @throws UsageError where there is no file of operator settings
void require_state(const Tool& tool);

/// For commands that work on connections.
/// @param note_errors  tells on standard error that some definitions have errors, and which command shows them
/// @throws NotFound as read_definitions and require_connections
/// @throws Error LOAD-ERROR where a directory or file that --dir names cannot be read
Loaded load(Tool& tool, bool note_errors = true);

/// @throws NotFound with the nearest names
void require_connection(const Registry& registry, const std::string& name);

/// "; did you mean 'x'?" or the known words where there are few; empty where neither helps.
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

/// A field of the JSON output of an error, or null. Never holds a secret.
Value error_value(const Error& error);
Value error_value(const std::optional<Error>& error);

/// A registry with the schemes and the operator settings of this run.
std::unique_ptr<Registry> make_registry(const Tool& tool);

// One function a command: adds it to the application.
void add_check(CLI::App& app, Tool& tool);
void add_list(CLI::App& app, Tool& tool);
void add_show(CLI::App& app, Tool& tool);
void add_schemes(CLI::App& app, Tool& tool);
void add_schema(CLI::App& app, Tool& tool);
void add_settings(CLI::App& app, Tool& tool);
void add_enable(CLI::App& app, Tool& tool);
void add_disable(CLI::App& app, Tool& tool);
void add_plan(CLI::App& app, Tool& tool);
void add_apply(CLI::App& app, Tool& tool);
void add_ping(CLI::App& app, Tool& tool);
void add_explain(CLI::App& app, Tool& tool);
void add_monitor(CLI::App& app, Tool& tool);
void add_down(CLI::App& app, Tool& tool);
void add_impact(CLI::App& app, Tool& tool);
void add_why_stopped(CLI::App& app, Tool& tool);
void add_timeline(CLI::App& app, Tool& tool);
void add_expiring(CLI::App& app, Tool& tool);
void add_mute(CLI::App& app, Tool& tool);
void add_unmute(CLI::App& app, Tool& tool);
void add_maintenance(CLI::App& app, Tool& tool);
void add_ack(CLI::App& app, Tool& tool);
void add_call(CLI::App& app, Tool& tool);
void add_auth(CLI::App& app, Tool& tool);  // with HTTP only
void add_docs(CLI::App& app, Tool& tool);
void add_doctor(CLI::App& app, Tool& tool);
void add_completion(CLI::App& app, Tool& tool);
void add_complete(CLI::App& app, Tool& tool);
void add_graph(CLI::App& app, Tool& tool);
void add_man(CLI::App& app, Tool& tool);
void add_import(CLI::App& app, Tool& tool);
void add_set(CLI::App& app, Tool& tool);
void add_add(CLI::App& app, Tool& tool);
void add_remove(CLI::App& app, Tool& tool);
void add_secrets(CLI::App& app, Tool& tool);

}  // namespace qconn::cli
