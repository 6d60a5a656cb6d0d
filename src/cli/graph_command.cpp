// SPDX-License-Identifier: Apache-2.0
/// `qconn graph`: which connections reach which host, from which file, through which proxy, and which interfaces need them.
#include <CLI/CLI.hpp>
#include <map>

#include "cli/causes.hpp"
#include "cli/describe.hpp"
#include "cli/graph.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"
#include "cli/watched.hpp"

namespace qconn::cli {
namespace {

std::vector<Route> routes(const Registry& registry) {
    std::vector<Route> all;
    for (const ConnectionInfo& info : registry.infos()) {
        auto own = routes_of(info, registry.catalogue().find(info.scheme));
        all.insert(all.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
    }
    return all;
}

/// Those that need it or could do without.
std::vector<std::string> users_of(const std::string& connection, const std::vector<Use>& uses) {
    std::vector<std::string> names;
    for (const Use& one : uses)
        if (one.connection == connection && one.how != Use::How::offered) names.push_back(one.interface);
    return names;
}

Value route_value(const Route& route, const std::vector<Use>& uses) {
    const auto users = users_of(route.connection, uses);
    return Map{{"connection", route.connection},
               {"status", route.status},
               {"scheme", route.scheme},
               {"file", route.file},
               {"target", route.target},
               {"proxy", route.proxy.empty() ? Value{} : Value{route.proxy}},
               {"interfaces", List(users.begin(), users.end())}};
}

/// By target: who is affected when that host is down.
void print(Output& out, const std::vector<Route>& all, const std::vector<Use>& uses) {
    std::map<std::string, std::vector<const Route*>> by_target;
    for (const Route& one : all) by_target[one.target].push_back(&one);
    for (const auto& [target, users] : by_target) {
        out.line(out.paint(Style::bold, printable(target)));
        Table table;
        for (const Route* one : users) {
            constexpr std::size_t k_named = 4;
            const auto by = users_of(one->connection, uses);
            table.add({" ",
                       one->connection,
                       {one->status, status_style(one->status)},
                       one->scheme,
                       {one->file, Style::dim},
                       one->proxy.empty() ? std::string{} : "through " + one->proxy,
                       by.empty() ? std::string{} : "used by " + names_text(by, k_named)});
        }
        out.text(table.render(out));
    }
}

int graph(Tool& tool) {
    const Loaded loaded = load(tool);
    const auto all = routes(*loaded.registry);
    const auto snapshot = read_watched(tool);
    const auto uses = snapshot ? uses_of(snapshot->interfaces) : std::vector<Use>{};
    if (tool.format == Format::dot) {
        tool.out.text(dot_text(all, uses));
        return k_ok;
    }
    List rows;
    for (const Route& one : all) rows.push_back(route_value(one, uses));
    present(tool.out, tool.format,
            {.document = std::move(rows),
             .columns = {{"connection"}, {"status"}, {"scheme"}, {"file"}, {"target"}, {"proxy"}, {"interfaces"}},
             .text = [&](Output& out) { print(out, all, uses); }});
    return k_ok;
}

}  // namespace

void add_graph(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("graph", "Show which connections reach which host, from which file, through which proxy, and what uses them");
    add_formats(*command, tool, {Format::dot});
    command->footer(
        "From the definitions; which workflows, services and jobs use a connection is added where there is a file of a monitor\n"
        "(--monitor-state).\n\n"
        "Examples:\n"
        "  qconn graph\n"
        "  qconn graph --format dot | dot -Tsvg > connections.svg");
    command->callback([&tool] { tool.run = [&tool] { return graph(tool); }; });
}

}  // namespace qconn::cli
