// SPDX-License-Identifier: Apache-2.0
/// `qconn mute`, `unmute`, `maintenance` and `ack`: what an operator says of connections for a while, into the file of --state.
#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/describe.hpp"
#include "cli/duration.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

struct SilenceArguments {
    std::vector<std::string> names;
    std::string duration;
    std::string from;
    std::string until;
    std::string note;
    std::string by;
};

/// Who is at the keyboard, as far as the system tells.
std::string user_name() {
    for (const char* variable : {"SUDO_USER", "LOGNAME", "USER"})
        if (const char* value = std::getenv(variable); value != nullptr && *value != '\0') return value;
    const passwd* entry = ::getpwuid(::geteuid());
    return entry != nullptr ? entry->pw_name : "uid " + std::to_string(::geteuid());
}

std::string who(const SilenceArguments& arguments) { return arguments.by.empty() ? user_name() : arguments.by; }

Silence silence(const SilenceArguments& arguments, Silence::Kind kind) {
    if (!arguments.duration.empty() && !arguments.until.empty()) throw UsageError("--for and --until say the same; leave one of them out");
    Silence silence;
    silence.kind = kind;
    if (!arguments.from.empty()) silence.from = instant_option("--from", arguments.from);
    if (!arguments.until.empty()) silence.until = instant_option("--until", arguments.until);
    if (!arguments.duration.empty()) {
        const auto time = duration_option("--for", arguments.duration);
        if (time.count() == 0) throw UsageError("--for: it needs time; write 30m, 2h or 1d");
        silence.until = (arguments.from.empty() ? std::chrono::system_clock::now() : silence.from) + time;
    }
    if (kind == Silence::Kind::maintenance && !silence.until)
        throw UsageError("say how long it takes: --for 2h, or --until 22:00; 'qconn unmute' ends it before that");
    silence.by = who(arguments);
    silence.note = arguments.note;
    return silence;
}

/// Changes all or none, and looks again whether that holds: what could not be written has been told in the log.
/// @param tell  what now holds of one, for people
int change(Tool& tool, const SilenceArguments& arguments, const std::function<void(Registry&, const std::string&)>& make,
           const std::function<bool(const ConnectionInfo&)>& holds, const std::function<std::string(const ConnectionInfo&)>& tell) {
    const auto names = positional(tool, arguments.names);
    if (names.empty()) throw UsageError("the names of connections are missing");
    require_state(tool);
    {
        const Loaded loaded = load(tool, false);
        for (const std::string& name : names) require_connection(*loaded.registry, name);
        for (const std::string& name : names) make(*loaded.registry, name);
    }
    const Loaded again = load(tool, false);
    List done;
    std::vector<std::string> lines;
    for (const std::string& name : names) {
        const ConnectionInfo info = again.registry->info(name);
        if (!holds(info)) return k_failed;
        done.push_back(Map{{"name", name}, {"silence", silence_value(info)}, {"acknowledged", acknowledged_value(info)}});
        lines.push_back(printable(name) + "  " + printable(tell(info)));
    }
    present(tool.out, tool.format, {.document = std::move(done), .text = [&](Output& out) {
                                        for (const std::string& line : lines) out.line(line);
                                    }});
    return k_ok;
}

/// Files keep milliseconds.
bool is_same(const Silence& kept, const Silence& wanted) {
    if (kept.kind != wanted.kind || kept.note != wanted.note || kept.by != wanted.by || kept.until.has_value() != wanted.until.has_value())
        return false;
    return !kept.until || std::chrono::abs(*kept.until - *wanted.until) < std::chrono::seconds{1};
}

int set_silence(Tool& tool, const SilenceArguments& arguments, Silence::Kind kind) {
    const Silence wanted = silence(arguments, kind);
    return change(
        tool, arguments, [&](Registry& registry, const std::string& name) { registry.set_silence(name, wanted); },
        [&](const ConnectionInfo& info) { return info.silence && is_same(*info.silence, wanted); },
        [](const ConnectionInfo& info) { return to_text(*info.silence); });
}

int unmute(Tool& tool, const SilenceArguments& arguments) {
    return change(
        tool, arguments, [](Registry& registry, const std::string& name) { registry.set_silence(name, std::nullopt); },
        [](const ConnectionInfo& info) { return !info.silence; }, [](const ConnectionInfo&) { return std::string{"silenced no more"}; });
}

int acknowledge(Tool& tool, const SilenceArguments& arguments) {
    const std::string by = who(arguments);
    return change(
        tool, arguments, [&](Registry& registry, const std::string& name) { registry.acknowledge(name, by, arguments.note); },
        [&](const ConnectionInfo& info) { return info.acknowledged && info.acknowledged->by == by && info.acknowledged->note == arguments.note; },
        [&](const ConnectionInfo&) { return "seen to by " + by + (arguments.note.empty() ? "" : ": " + arguments.note); });
}

constexpr const char* k_kept =
    "It is kept in the file that --state, QCONN_STATE or registry.state_file of the settings names; programs that use that file follow it.\n\n"
    "Examples:\n";

std::shared_ptr<SilenceArguments> add_command(CLI::App& app, Tool& tool, const char* word, const char* help, const std::string& footer,
                                              const std::function<int(Tool&, const SilenceArguments&)>& run) {
    auto* command = app.add_subcommand(word, help);
    auto arguments = std::make_shared<SilenceArguments>();
    command->add_option("name", arguments->names, "Connections")->type_name("NAME");
    command->footer(footer);
    command->callback([&tool, arguments, run] { tool.run = [&tool, arguments, run] { return run(tool, *arguments); }; });
    return arguments;
}

void add_span(CLI::App& command, SilenceArguments& arguments) {
    command.add_option("--for", arguments.duration, "How long")->type_name("TIME");
    command.add_option("--until", arguments.until, "Until when: 22:00, 2026-05-01T22:00:00Z")->type_name("INSTANT");
    command.add_option("--from", arguments.from, "From when; default: now")->type_name("INSTANT");
}

void add_remark(CLI::App& command, SilenceArguments& arguments) {
    command.add_option("--note", arguments.note, "Why")->type_name("TEXT");
    command.add_option("--by", arguments.by, "Who; default: the user")->type_name("WHO");
}

}  // namespace

void add_mute(CLI::App& app, Tool& tool) {
    const auto arguments =
        add_command(app, tool, "mute", "Have nobody called for connections for a while: they are pinged and judged as ever, no alert is told",
                    std::string{"Without --for and --until until 'qconn unmute'. "} + k_kept +
                        "  qconn mute shop-api --for 2h --note 'their datacentre moves'\n  qconn mute shop-api stock --until 07:00",
                    [](Tool& t, const SilenceArguments& a) { return set_silence(t, a, Silence::Kind::mute); });
    add_span(*app.get_subcommand("mute"), *arguments);
    add_remark(*app.get_subcommand("mute"), *arguments);
}

void add_unmute(CLI::App& app, Tool& tool) {
    add_command(app, tool, "unmute", "End what mute or maintenance said", std::string{k_kept} + "  qconn unmute shop-api", unmute);
}

void add_maintenance(CLI::App& app, Tool& tool) {
    const auto arguments =
        add_command(app, tool, "maintenance", "Expect connections to be down for a while: no alert is told, and it does not count against them",
                    std::string{k_kept} + "  qconn maintenance stock --for 2h --note 'new disks'\n  qconn maintenance stock --from 22:00 --for 4h",
                    [](Tool& t, const SilenceArguments& a) { return set_silence(t, a, Silence::Kind::maintenance); });
    add_span(*app.get_subcommand("maintenance"), *arguments);
    add_remark(*app.get_subcommand("maintenance"), *arguments);
}

void add_ack(CLI::App& app, Tool& tool) {
    const auto arguments = add_command(
        app, tool, "ack", "Note that somebody sees to what is wrong with connections now",
        std::string{"It counts for the alerts that stand now; they go on standing until they are cleared, and later ones are nobody's again.\n"} +
            k_kept + "  qconn ack shop-api --note 'ticket 4711'",
        acknowledge);
    add_remark(*app.get_subcommand("ack"), *arguments);
}

}  // namespace qconn::cli
