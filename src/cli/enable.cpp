// SPDX-License-Identifier: Apache-2.0
/// `qconn enable` and `qconn disable`: what an operator decides about a connection, whatever its file says.
#include <CLI/CLI.hpp>

#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

int set_enabled(Tool& tool, const std::vector<std::string>& given, bool yes) {
    const auto names = positional(tool, given);
    if (names.empty()) throw UsageError("the names of connections are missing");
    require_state(tool);
    List done;
    {
        const Loaded loaded = load(tool, false);
        for (const std::string& name : names) require_connection(*loaded.registry, name);  // all or nothing
        for (const std::string& name : names) {
            const bool changed = yes ? loaded.registry->enable(name) : loaded.registry->disable(name);
            done.push_back(Map{{"name", name}, {"enabled", yes}, {"changed", changed}});
        }
    }
    // What could not be written has been told in the log: another look says whether it holds.
    const Loaded again = load(tool, false);
    bool holds = true;
    for (const std::string& name : names) holds = holds && again.registry->info(name).enabled == yes;
    if (!holds) return k_failed;
    const auto tell = [&](Output& out) {
        for (const Value& one : done)
            out.line(printable(one["name"].as_string()) + (yes ? "  enabled" : "  disabled") +
                     (one["changed"].as_bool() ? "" : " (it was so already)"));
    };
    present(tool.out, tool.format, {.document = done, .text = tell});
    return k_ok;
}

void add(CLI::App& app, Tool& tool, const char* word, bool yes) {
    auto* command = app.add_subcommand(word, yes ? "Let connections be used and pinged, whatever their files say"
                                                 : "Take connections out of use: no client, no pings, whatever their files say");
    auto names = std::make_shared<std::vector<std::string>>();
    command->add_option("name", *names, "Connections")->type_name("NAME");
    command->footer(
        "It is kept in the file that --state, QCONN_STATE or registry.state_file of the settings names. Programs that use that file read it when "
        "they start; those that watch or reload follow it.\n\n"
        "Examples:\n"
        "  qconn " +
        std::string{word} + " shop-api --state /var/lib/qconn/state.json\n  QCONN_STATE=state.json qconn " + word + " shop-api inbox");
    command->callback([&tool, names, yes] { tool.run = [&tool, names, yes] { return set_enabled(tool, *names, yes); }; });
}

}  // namespace

void add_enable(CLI::App& app, Tool& tool) { add(app, tool, "enable", true); }
void add_disable(CLI::App& app, Tool& tool) { add(app, tool, "disable", false); }

}  // namespace qconn::cli
