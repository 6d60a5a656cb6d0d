// SPDX-License-Identifier: Apache-2.0
/// `qconn plan`: what other definitions would change, before they are put in place.
#include <CLI/CLI.hpp>

#include <qconn/base/error.hpp>

#include "cli/plan_report.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

struct PlanArguments {
    std::vector<std::string> next;
    std::vector<std::string> against;
    bool exit_code{false};
};

int plan(Tool& tool, const PlanArguments& arguments) {
    const auto next = positional(tool, arguments.next);
    if (next.empty()) throw UsageError("the new directory is missing: qconn plan DIR compares what --dir names with it");
    if (!arguments.against.empty()) tool.directories = arguments.against;
    const auto registry = make_registry(tool);
    Plan plan;
    try {
        require_readable(tool, registry->load(tool.directories).diagnostics);
        plan = registry->plan(next);
    } catch (const Error& error) {
        if (error.name() == "LOAD-ERROR" && error.reason() == Reason::not_found) throw NotFound(error.what());
        throw;
    }
    const PlanReport report = report_of(tool, std::move(plan));
    present(tool.out, tool.format, {.document = plan_value(report), .columns = plan_columns(), .rows = "connections", .text = [&](Output& out) {
                                        write_plan(report, out);
                                    }});
    return report.plan.breaks() || (arguments.exit_code && !report.plan.empty()) ? k_failed : k_ok;
}

}  // namespace

void add_plan(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("plan", "Tell what other definitions would change: added, removed, what reconnects, what breaks");
    auto arguments = std::make_shared<PlanArguments>();
    command->add_option("dir", arguments->next, "The new directories or files")->type_name("DIR");
    command->add_option("--against", arguments->against, "What is in place now; default: --dir; may be given several times")
        ->type_name("DIR")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command->add_flag("--exit-code", arguments->exit_code, "End with 1 for any difference, not only where something breaks");
    command->footer(
        "Both are compared as if the new directory were put in the place of the other; nothing is changed and nobody is asked. Clients and pings\n"
        "of what reconnects are made anew. Exit code 1 where a connection becomes stale or invalid that is not so now.\n\n"
        "Examples:\n"
        "  qconn --dir /etc/qconn plan build/connections\n"
        "  qconn plan new/ --against old/ --exit-code\n"
        "  qconn plan new/ --json | jq -r '.connections[] | select(.reconnects) | .name'");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return plan(tool, *arguments); }; });
}

}  // namespace qconn::cli
