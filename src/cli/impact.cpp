// SPDX-License-Identifier: Apache-2.0
/// `qconn impact` and `qconn why-stopped`: what hangs on a connection, and what an interface hangs on.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "cli/present.hpp"
#include "cli/tool.hpp"
#include "cli/watched.hpp"

namespace qconn::cli {
namespace {

/// Those that are reached through it, at however many removes; sorted.
std::vector<std::string> reached_through(const std::vector<ConnectionInfo>& all, const std::string& name) {
    std::set<std::string> found{name};
    const auto leads_on = [&](const ConnectionInfo& info) {
        const Value* via = info.monitoring.find("via");
        if (via == nullptr) via = info.options.find("via");
        return via != nullptr && via->is_list() && std::any_of(via->as_list().begin(), via->as_list().end(), [&](const Value& one) {
                   return one.is_string() && found.count(std::string{one.as_string()}) > 0;
               });
    };
    for (std::size_t before = 0; before != found.size();) {
        before = found.size();
        for (const ConnectionInfo& info : all)
            if (leads_on(info)) found.insert(info.name);
    }
    found.erase(name);
    return {found.begin(), found.end()};
}

Value affected_value(const std::vector<AffectedInterface>& affected) {
    List list;
    for (const AffectedInterface& one : affected)
        list.push_back(Map{{"kind", to_string(one.interface.kind)},
                           {"name", one.interface.name},
                           {"connection", one.connection},
                           {"returns", one.returns},
                           {"why_not", one.why_not}});
    return list;
}

void print_affected(Output& out, std::string_view head, const std::vector<AffectedInterface>& affected, std::string_view asked) {
    if (affected.empty()) return;
    out.line(head);
    for (const AffectedInterface& one : affected) {
        std::string line = "  " + interface_text(one.interface);
        if (one.connection != asked) line += ", which needs " + printable(one.connection);
        if (!one.returns) line += "; does not come back by itself: " + printable(one.why_not);
        out.line(line);
    }
}

void print_impact(Output& out, const Impact& impact) {
    print_affected(out,
                   impact.managed ? "would stop, in this order:" : "would miss it (interfaces are not managed, so nothing is stopped):", impact.stops,
                   impact.connection);
    print_affected(out, "need it, and do not run now:", impact.stopped, impact.connection);
    print_affected(out, "would do without it:", impact.optional, impact.connection);
    if (impact.stops.empty() && impact.stopped.empty() && impact.optional.empty()) out.line("no interface uses it");
}

/// The definitions say what is reached through it; where there are none only the file of the monitor speaks.
std::optional<Loaded> definitions(Tool& tool, bool needed) {
    try {
        return load(tool, false);
    } catch (const NotFound&) {
        if (needed) throw;
        return std::nullopt;
    }
}

int impact(Tool& tool, const std::vector<std::string>& given) {
    const std::string name = single_name(tool, given, "connection");
    const auto now = std::chrono::system_clock::now();
    const auto snapshot = read_watched(tool);
    const auto loaded = definitions(tool, !snapshot);
    const bool defined = loaded && loaded->registry->contains(name);
    if (!snapshot) require_connection(*loaded->registry, name);

    std::optional<Impact> found;
    if (snapshot) found = impact_in(*snapshot, name);
    if (snapshot && !found && !defined) {
        std::vector<std::string> names;
        for (const ConnectionStatus& one : snapshot->connections) names.push_back(one.name);
        throw NotFound("the monitor knows no connection '" + printable(name) + "'" + suggestion(name, names));
    }
    const auto behind = defined ? reached_through(loaded->registry->infos(), name) : std::vector<std::string>{};

    Map document{{"connection", name},
                 {"source", source_value(tool, snapshot, now)},
                 {"reached_through", List(behind.begin(), behind.end())},
                 {"managed", found ? Value{found->managed} : Value{}},
                 {"stops", found ? affected_value(found->stops) : Value{}},
                 {"stopped", found ? affected_value(found->stopped) : Value{}},
                 {"optional", found ? affected_value(found->optional) : Value{}}};
    const auto tell = [&](Output& out) {
        if (snapshot) out.line(out.paint(Style::dim, "from " + source_text(tool, *snapshot, now)));
        out.line("if " + out.paint(Style::bold, printable(name)) + " went down now:");
        for (const std::string& one : behind) out.line("  " + printable(one) + " is reached through it");
        if (found) return print_impact(out, *found);
        if (behind.empty()) out.line("  nothing is reached through it (option via)");
        out.line(snapshot ? "The monitor does not know this connection yet."
                          : "What it would stop is in the file of the monitor: name that with --monitor-state FILE or QCONN_MONITOR_STATE.");
    };
    present(tool.out, tool.format, {.document = std::move(document), .text = tell});
    return k_ok;
}

InterfaceKind kind_named(const std::string& word) {
    for (const InterfaceKind kind : {InterfaceKind::workflow, InterfaceKind::service, InterfaceKind::job})
        if (word == to_string(kind)) return kind;
    throw UsageError("'" + printable(word) + "' is no kind of interface; there are: workflow, service, job");
}

Value reasons_value(const std::vector<StopReason>& reasons) {
    List list;
    for (const StopReason& one : reasons)
        list.push_back(Map{{"cause", to_string(one.cause)}, {"name", one.name}, {"text", one.text}, {"because", reasons_value(one.because)}});
    return list;
}

int why_stopped(Tool& tool, const std::vector<std::string>& given) {
    const auto words = positional(tool, given);
    if (words.size() != 2) throw UsageError("give kind and name of an interface: qconn why-stopped service orders");
    const InterfaceKey key{kind_named(words[0]), words[1]};
    const MonitorSnapshot snapshot = require_watched(tool, "why an interface does not run");
    const auto now = std::chrono::system_clock::now();

    std::vector<std::string> of_kind;
    const InterfaceInfo* info = nullptr;
    for (const InterfaceInfo& one : snapshot.interfaces) {
        if (one.kind == key.kind) of_kind.push_back(one.name);
        if (one.kind == key.kind && one.name == key.name) info = &one;
    }
    if (info == nullptr) throw NotFound("the monitor has no " + interface_text(key) + suggestion(key.name, of_kind));
    WhyStopped why{key, info->state, {}};
    for (const WhyStopped& one : snapshot.why_stopped)
        if (one.interface == key) why = one;

    const auto tell = [&](Output& out) {
        out.line(out.paint(Style::dim, "from " + source_text(tool, snapshot, now)));
        std::string line;
        for (const char c : to_text(why)) {
            if (c != '\n') {
                line += c;
                continue;
            }
            out.line(printable(line));
            line.clear();
        }
    };
    present(tool.out, tool.format,
            {.document = Map{{"kind", to_string(key.kind)},
                             {"name", key.name},
                             {"state", to_string(why.state)},
                             {"source", source_value(tool, snapshot, now)},
                             {"reasons", reasons_value(why.reasons)}},
             .columns = {{"cause"}, {"name"}, {"text"}},
             .rows = "reasons",
             .text = tell});
    return why.state == InterfaceState::running ? k_ok : k_failed;
}

}  // namespace

void add_impact(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("impact", "Show what would stop if a connection went down now");
    auto names = std::make_shared<std::vector<std::string>>();
    command->add_option("name", *names, "Connection")->type_name("NAME");
    command->footer(
        "What is reached through it (option via) the definitions say; which workflows, services and jobs would stop, the file of a\n"
        "monitor (--monitor-state).\n\n"
        "Examples:\n"
        "  qconn impact gateway --monitor-state /var/lib/app/monitor.state\n"
        "  qconn impact gateway --json | jq '.stops[].name'");
    command->callback([&tool, names] { tool.run = [&tool, names] { return impact(tool, *names); }; });
}

void add_why_stopped(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("why-stopped", "Show why a workflow, service or job does not run");
    auto words = std::make_shared<std::vector<std::string>>();
    command->add_option("interface", *words, "Kind (workflow, service, job) and name")->type_name("KIND NAME");
    command->footer(
        "From the file of a monitor (--monitor-state). Exit code 1 where it does not run.\n\n"
        "Examples:\n"
        "  qconn why-stopped service orders --monitor-state /var/lib/app/monitor.state\n"
        "  qconn why-stopped workflow night-run --json");
    command->callback([&tool, words] { tool.run = [&tool, words] { return why_stopped(tool, *words); }; });
}

}  // namespace qconn::cli
