// SPDX-License-Identifier: Apache-2.0
/// `qconn ping`: do the remote ends answer?
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <map>

#include <qconn/monitor/outage.hpp>

#include "cli/causes.hpp"
#include "cli/duration.hpp"
#include "cli/fleet.hpp"
#include "cli/present.hpp"
#include "cli/probe.hpp"
#include "cli/progress.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

struct PingArguments {
    std::vector<std::string> names;
    bool all{false};
    std::string depth{"standard"};
    std::string timeout;
    std::size_t parallel{64};
};

Value probe_value(const std::string& name, const Probe& probe) {
    const auto& error = probe.result.error;
    return Map{{"name", name},
               {"state", to_string(probe.verdict)},
               {"time_ms", static_cast<double>(probe.result.time.count()) / 1e6},
               {"phase", to_string(error ? error->phase() : Phase::none)},
               {"reason", to_string(error ? error->reason() : Reason::none)},
               {"error", error ? Value{error->what()} : Value{}},
               {"kind", Value{}},
               {"cause", Value{}},
               {"advice", Value{}}};
}

/// What is at fault, into the rows of those that are down.
void tell_causes(List& rows, const std::vector<OutageGroup>& groups) {
    std::map<std::string_view, Map*> by_name;
    for (Value& row : rows) by_name.emplace(row["name"].as_string(), &row.as_map());
    for (const OutageGroup& group : groups) {
        const Value common = group_value(group);
        for (const std::string& name : group.names)
            for (const char* member : {"kind", "cause", "advice"}) by_name.at(name)->set(member, common[member]);
    }
}

/// One line for people, as soon as it is known.
std::string probe_text(const Output& out, const std::string& name, std::size_t widest, const Probe& probe) {
    std::string text = out.paint(style_of(probe.verdict), to_string(probe.verdict));
    text.append(14 - to_string(probe.verdict).size(), ' ');
    text += printable(name);
    text.append(widest - std::min(widest, width(printable(name))) + 2, ' ');
    if (probe.result.time.count() > 0) text += duration_text(probe.result.time) + "  ";
    if (probe.result.error) text += printable(probe.result.error->what());
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

using Counts = std::array<std::size_t, 5>;  // by Verdict

/// "3 up, 1 down".
std::string counts_text(const Counts& counts) {
    std::string text;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        if (!text.empty()) text += ", ";
        (text += std::to_string(counts[i]) + " ") += to_string(static_cast<Verdict>(i));
    }
    return text;
}

int ping(Tool& tool, const PingArguments& arguments) {
    const PingDepth depth = depth_option(arguments.depth);
    const auto timeout = arguments.timeout.empty() ? tool.settings().monitor().timeout : duration_option("--timeout", arguments.timeout);
    if (timeout.count() == 0) throw UsageError("--timeout: a ping needs time; write 500ms, 30s, 5m or 1h");
    if (arguments.parallel == 0) throw UsageError("--parallel: at least 1");
    std::vector<std::string> names = positional(tool, arguments.names);
    if (arguments.all == !names.empty()) throw UsageError("give the names of connections, or --all");

    const Loaded loaded = load(tool, false);
    Registry& registry = *loaded.registry;
    if (arguments.all) names = registry.names();
    for (const std::string& name : names) require_connection(registry, name);

    std::size_t widest = 0;
    for (const std::string& name : names) widest = std::max(widest, width(name));
    List values(names.size());
    Counts counts{};
    std::vector<FoundDown> down;
    Fleet fleet{registry, names, depth, timeout};
    {
        std::atomic<std::size_t> done{0};
        std::atomic<std::size_t> failed{0};
        const auto began = std::chrono::steady_clock::now();
        Progress progress{[&] {
            return "pinged " + std::to_string(done.load()) + " of " + std::to_string(names.size()) + ", " + std::to_string(failed.load()) +
                   " not up, " + age_text(std::chrono::steady_clock::now() - began);
        }};
        fleet.run(arguments.parallel, [&](std::size_t index, const Probe& probe) {
            ++counts[static_cast<std::size_t>(probe.verdict)];
            ++done;
            if (probe.verdict != Verdict::up) ++failed;
            if (probe.verdict == Verdict::down) down.push_back({names[index], probe.result.error});
            values[index] = probe_value(names[index], probe);
            if (tool.format != Format::table) return;
            tool.out.line(probe_text(tool.out, names[index], widest, probe));
            progress.aside([&] { tool.out.flush(); });
        });
    }

    const auto groups = group_outages(registry, down);
    tell_causes(values, groups);
    const auto tell = [&](Output& out) {
        if (names.size() < 2) return;
        out.line(counts_text(counts));
        if (groups.empty()) return;
        out.line();
        print_causes(out, groups, {.total = names.size()});
    };
    present(tool.out, tool.format,
            {.document = std::move(values),
             .columns = {{"name"}, {"state"}, {"time_ms"}, {"phase"}, {"reason"}, {"error"}, {"kind"}, {"cause"}, {"advice"}},
             .text = tell});
    const std::size_t disabled = counts[static_cast<std::size_t>(Verdict::disabled)];
    const std::size_t fine = counts[static_cast<std::size_t>(Verdict::up)] + (arguments.all ? disabled : 0);
    return fine == names.size() ? k_ok : k_failed;
}

}  // namespace

void add_ping(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("ping", "Ping connections once: does the remote end answer?");
    auto arguments = std::make_shared<PingArguments>();
    command->add_option("name", arguments->names, "Connections")->type_name("NAME");
    command->add_flag("--all", arguments->all, "All connections; disabled ones are listed and do not count");
    command->add_option("--depth", arguments->depth, "How far; standard: as the monitor")->type_name("standard|connect|tls|auth|full");
    command->add_option("--timeout", arguments->timeout, "Longest time for one ping; default: the setting monitor.timeout, 30s")->type_name("TIME");
    command->add_option("--parallel", arguments->parallel, "Pings at a time; default 64")->type_name("N");
    command->footer(
        "Exit code 0 where all are up, otherwise 1. It asks once and changes no state; of several it says at the end what is at fault.\n"
        "'qconn explain NAME' shows the phases.\n\n"
        "Examples:\n"
        "  qconn ping shop-api\n"
        "  qconn ping --all --timeout 5s\n"
        "  qconn ping shop-api --depth full --json");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return ping(tool, *arguments); }; });
}

}  // namespace qconn::cli
