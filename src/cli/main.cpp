// SPDX-License-Identifier: Apache-2.0
/// The qconn command-line tool.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <sstream>

#include <qconn/base/error.hpp>
#include <qconn/base/log.hpp>

#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace {

using namespace qconn;
using namespace qconn::cli;

bool reports_data(const Tool& tool) { return tool.format == Format::json || tool.format == Format::yaml; }

/// One line on standard error; in JSON and YAML an object.
void report(const Tool& tool, std::string_view message, const Value& details) {
    const std::string text =
        reports_data(tool) ? document_text(tool.format, Map{{"error", details}}, false) : "qconn: error: " + printable(message) + "\n";
    std::fputs(text.c_str(), stderr);
}

Value plain_error(std::string_view name, std::string_view message) { return Map{{"name", name}, {"message", message}}; }

int run_command(Tool& tool, const std::function<int()>& run) {
    int code = k_ok;
    try {
        code = run();
        tool.out.flush();
    } catch (const PipeClosed&) {
        // `qconn list | head`: the reader has seen what it wanted.
    } catch (const UsageError& error) {
        report(tool, error.what(), plain_error("USAGE-ERROR", error.what()));
        code = k_usage;
    } catch (const NotFound& error) {
        report(tool, error.what(), plain_error("NOT-FOUND", error.what()));
        code = k_not_found;
    } catch (const CallFailed& error) {
        report(tool, error.what(), plain_error("CALL-FAILED", error.what()));
        code = k_failed;
    } catch (const Error& error) {
        if (const auto* detail = error.detail<SettingsErrorDetail>(); detail && !reports_data(tool))
            for (const Diagnostic& one : detail->diagnostics) std::fputs(qconn::render(one).c_str(), stderr);
        report(tool, error.what(), error_value(error));
        code = k_failed;
    } catch (const std::exception& error) {
        report(tool, error.what(), plain_error("ERROR", error.what()));
        code = k_failed;
    }
    return code;
}

// CLI11 splits a value such as `[1,2]` at its commas; a leading mark keeps it whole until its option has it.
constexpr char k_mark = '\x1f';

std::string marked(std::string argument) {
    const std::size_t equals = argument.starts_with("--") ? argument.find('=') : std::string::npos;
    const std::size_t value_at = equals == std::string::npos ? 0 : equals + 1;
    if (value_at < argument.size() && (argument[value_at] == '[' || argument[value_at] == k_mark)) argument.insert(value_at, 1, k_mark);
    return argument;
}

void take_marks_off(CLI::App& app) {
    for (CLI::Option* option : app.get_options([](const CLI::Option* one) { return one->get_type_size() > 0; }))
        option->transform([](std::string value) { return !value.empty() && value.front() == k_mark ? value.substr(1) : value; });
}

/// What CLI11 says, but for a missing or unknown command, where it does not name the word.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
    std::string said = error.what();
    std::erase(said, k_mark);
    const CLI::App& chosen = app.get_subcommands().empty() ? app : *app.get_subcommands().front();
    std::vector<std::string> commands;
    for (const CLI::App* command : chosen.get_subcommands([](const CLI::App*) { return true; })) commands.push_back(command->get_name());
    if (commands.empty() || !chosen.get_subcommands().empty()) return said;
    const std::string of = &chosen == &app ? "" : " of '" + chosen.get_name() + "'";
    auto words = app.remaining(true);
    if (words.empty() && error.get_name() != "RequiredError") return said;
    if (words.empty()) return "a command" + of + " is missing" + (of.empty() ? std::string{} : suggestion("", commands));
    std::erase(words.front(), k_mark);
    const bool option = words.front().starts_with('-');
    return std::string{"there is no "} + (option ? "option" : "command") + of + " '" + printable(words.front()) + "'" +
           (option ? std::string{} : suggestion(words.front(), commands));
}

void log_to_standard_error() {
    set_default_log(LogLevel::warning, [](const LogRecord& record) {
        std::string text = "qconn: ";
        (text += to_string(record.level)) += ": ";
        if (!record.connection.empty()) (text += printable(record.connection)) += ": ";
        text += printable(record.text);
        std::fprintf(stderr, "%s\n", text.c_str());
    });
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // writing then says EPIPE
    log_to_standard_error();

    Tool tool;
    std::vector<std::string> arguments;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view{argv[i]} == "--") {
            tool.literals.assign(argv + i + 1, argv + argc);
            break;
        }
        arguments.push_back(marked(argv[i]));
    }

    CLI::App app{"Named connections from qconn files: check them, ping them, watch them, call them.", "qconn"};
    tool.app = &app;
    app.set_version_flag("--version", "qconn " QCONN_VERSION, "Print the version and end");
    app.add_option("--dir", tool.directories, "Directory or file with definitions; may be given several times; default: .")
        ->type_name("DIR")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--define", tool.defines, "Name that %ifdef finds in *.qconn files of the legacy form; may be given several times")
        ->type_name("NAME")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--module", tool.modules, "Module with further schemes, by name or path; may be given several times; QCONN_MODULES lists more")
        ->type_name("MODULE|PATH")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--settings", tool.settings_file, "File with the configuration, see 'qconn settings'; default: QCONN_SETTINGS; without it none")
        ->type_name("FILE");
    app.add_option("--state", tool.state,
                   "File that keeps what operators set (enable, mute ...); default: QCONN_STATE of the environment; without it none")
        ->type_name("FILE");
    app.add_option("--monitor-state", tool.monitor_state,
                   "File in which a monitor keeps what it knows; default: QCONN_MONITOR_STATE of the environment; without it none")
        ->type_name("FILE");
    app.add_option("--secrets", tool.secrets_file,
                   "Private file with the secrets that definitions leave out; default: QCONN_SECRETS of the environment; without it none")
        ->type_name("FILE");
    app.add_flag("--allow-commands", tool.allow_commands,
                 "Run the commands of ${cmd:...} references: whoever can write a definition then decides what this user runs")
        ->envname("QCONN_ALLOW_COMMANDS");
    app.add_option("--format", tool.format_word, "Form of the output; default table. In json and yaml errors too, on standard error")
        ->type_name(formats_text());
    app.add_flag("--json", tool.json, "Short for --format json");
    app.add_flag("--no-colour,--no-color", tool.no_colour, "No colours; NO_COLOR in the environment does the same");
    app.require_subcommand(1);
    app.fallthrough();
    app.get_formatter()->column_width(34);
    app.footer(
        "Exit codes: 0 fine; 1 errors in definitions, something is down or invalid, or a call failed; 2 wrong usage; 3 not found.\n\n"
        "Examples:\n"
        "  qconn check connections/               what is wrong, and where\n"
        "  qconn --dir connections list\n"
        "  qconn --dir connections ping --all\n"
        "  qconn explain shop-api                 why is it down, what to do\n"
        "  qconn monitor --interval 5s --json\n"
        "  qconn down                             what is down now, why, what to do\n"
        "  qconn call shop-api get orders/17\n"
        "'qconn COMMAND --help' has more of each.");
    for (const auto add :
         {add_check,   add_list,   add_show,        add_plan,     add_apply,      add_graph,       add_ping,   add_explain, add_monitor,
          add_down,    add_impact, add_why_stopped, add_timeline, add_expiring,   add_call,        add_doctor, add_set,     add_add,
          add_remove,  add_enable, add_disable,     add_mute,     add_unmute,     add_maintenance, add_ack,    add_secrets, add_import,
          add_schemes, add_schema, add_settings,    add_docs,     add_completion, add_complete,    add_man})
        add(app, tool);
#ifndef QCONN_WITHOUT_HTTP
    add_auth(app, tool);
#endif
    take_marks_off(app);
    for (CLI::App* command : app.get_subcommands({})) {
        take_marks_off(*command);
        for (CLI::App* inner : command->get_subcommands({})) {
            take_marks_off(*inner);
            inner->fallthrough();
            inner->footer(common_options(app) + "\n\n" + inner->get_footer());
        }
        command->fallthrough();
        command->footer(common_options(app) + "\n\n" + command->get_footer());
    }

    try {
        std::reverse(arguments.begin(), arguments.end());  // the order that this overload wants
        app.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {  // --help, --version
            std::ostringstream text;
            app.exit(error, text, text);
            return run_command(tool, [&tool, help = text.str()] {
                tool.out.text(help);
                return k_ok;
            });
        }
        if (const auto format = format_named(tool.json ? "json" : tool.format_word)) tool.format = *format;
        const std::string message = usage_message(app, error);
        report(tool, message + " (see 'qconn --help')", plain_error("USAGE-ERROR", message));
        return k_usage;
    }
    if (tool.directories.empty()) tool.directories.emplace_back(".");
    tool.out.set_up(tool.no_colour);
    return run_command(tool, [&tool] {
        settle_format(tool);
        if (tool.settings_at_start) read_settings(tool);
        return tool.run();
    });
}
