// SPDX-License-Identifier: Apache-2.0
/// `qconn timeline`: what happened, in order.
#include <CLI/CLI.hpp>

#include <qconn/base/wall_time.hpp>
#include <qconn/monitor/names.hpp>
#include <qconn/monitor/to_value.hpp>

#include "cli/duration.hpp"
#include "cli/present.hpp"
#include "cli/states.hpp"
#include "cli/tool.hpp"
#include "cli/watched.hpp"

namespace qconn::cli {
namespace {

struct TimelineArguments {
    std::vector<std::string> names;
    std::vector<std::string> kinds;
    std::string since;
    std::optional<std::size_t> last;
};

EventKind kind_named(const std::string& word) {
    std::vector<std::string> known;
    for (const EventName& one : event_names()) known.emplace_back(one.name);
    if (const auto kind = event_kind(word)) return *kind;
    throw UsageError("--kind: '" + printable(word) + "' is no kind of event" + suggestion(word, known));
}

int timeline(Tool& tool, const TimelineArguments& arguments) {
    TimelineFilter filter;
    filter.names = positional(tool, arguments.names);
    for (const std::string& word : arguments.kinds) filter.kinds.push_back(kind_named(word));
    if (!arguments.since.empty()) filter.from = std::chrono::system_clock::now() - duration_option("--since", arguments.since);
    if (arguments.last) filter.most = *arguments.last;
    const MonitorSnapshot snapshot = require_watched(tool, "what has happened");

    const auto events = filtered(snapshot.timeline, filter);
    List rows;
    for (const Event& event : events) rows.push_back(to_value(event));
    const auto tell = [&](Output& out) {
        Table table;
        for (const Event& event : events)
            table.add({{rfc3339(event.time), Style::dim}, {std::string{to_string(event.kind)}, style_of(event.kind)}, event.name, event.error});
        out.text(table.render(out));
        out.line(out.paint(Style::dim, counted(events.size(), "event") + " from " + source_text(tool, snapshot, std::chrono::system_clock::now())));
    };
    present(tool.out, tool.format, {.document = std::move(rows), .columns = event_columns(), .text = tell});
    return k_ok;
}

}  // namespace

void add_timeline(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("timeline", "Show what has happened, in order");
    auto arguments = std::make_shared<TimelineArguments>();
    command->add_option("name", arguments->names, "Connections and interfaces; patterns such as 'db-*'; default: all")->type_name("NAME");
    command->add_option("--since", arguments->since, "Only the last so long")->type_name("TIME");
    command->add_option("--kind", arguments->kinds, "Only events of this kind: down, up, outage ...; may be given several times")
        ->type_name("KIND")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command->add_option("--last", arguments->last, "Only the latest so many")->type_name("N");
    command->footer(
        "From the file of a monitor (--monitor-state), which has the latest 1000 events. Their fields are those of 'qconn monitor --json'.\n\n"
        "Examples:\n"
        "  qconn timeline --since 2h --monitor-state /var/lib/app/monitor.state\n"
        "  qconn timeline 'db-*' --kind down --kind up\n"
        "  qconn timeline --since 1d --format csv > yesterday.csv");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return timeline(tool, *arguments); }; });
}

}  // namespace qconn::cli
