// SPDX-License-Identifier: Apache-2.0
/// `qconn graph`: which connections reach which host, from which file, through which proxy.
#include <CLI/CLI.hpp>
#include <map>

#include "cli/describe.hpp"
#include "cli/graph.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

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

Value route_value(const Route& route) {
    return Map{{"connection", route.connection}, {"status", route.status},
               {"scheme", route.scheme},         {"file", route.file},
               {"target", route.target},         {"proxy", route.proxy.empty() ? Value{} : Value{route.proxy}}};
}

/// By target: who is affected when that host is down.
void print(Output& out, const std::vector<Route>& all) {
    std::map<std::string, std::vector<const Route*>> by_target;
    for (const Route& one : all) by_target[one.target].push_back(&one);
    for (const auto& [target, users] : by_target) {
        out.line(out.paint(Style::bold, printable(target)));
        Table table;
        for (const Route* one : users) {
            table.add({" ",
                       one->connection,
                       {one->status, status_style(one->status)},
                       one->scheme,
                       {one->file, Style::dim},
                       one->proxy.empty() ? std::string{} : "through " + one->proxy});
        }
        out.text(table.render(out));
    }
}

int graph(Tool& tool) {
    const Loaded loaded = load(tool);
    const auto all = routes(*loaded.registry);
    if (tool.format == Format::dot) {
        tool.out.text(dot_text(all));
        return k_ok;
    }
    List rows;
    for (const Route& one : all) rows.push_back(route_value(one));
    present(tool.out, tool.format,
            {.document = std::move(rows),
             .columns = {{"connection"}, {"status"}, {"scheme"}, {"file"}, {"target"}, {"proxy"}},
             .text = [&](Output& out) { print(out, all); }});
    return k_ok;
}

}  // namespace

void add_graph(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("graph", "Show which connections reach which host, from which file, through which proxy");
    add_formats(*command, tool, {Format::dot});
    command->footer(
        "From the definitions alone; what programs use a connection they do not say.\n\n"
        "Examples:\n"
        "  qconn graph\n"
        "  qconn graph --format dot | dot -Tsvg > connections.svg");
    command->callback([&tool] { tool.run = [&tool] { return graph(tool); }; });
}

}  // namespace qconn::cli
