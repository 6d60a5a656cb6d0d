// SPDX-License-Identifier: Apache-2.0
/// `qconn apply`: what `qconn plan` told, done.
#include <CLI/CLI.hpp>

#include "cli/deployment.hpp"
#include "cli/in_file.hpp"
#include "cli/plan_report.hpp"
#include "cli/prompt.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

struct ApplyArguments {
    std::vector<std::string> next;
    std::string to;
    bool force{false};
    bool yes{false};
    bool dry_run{false};
};

/// Unlocking is the one change that a locked connection takes.
void require_all_unlocked(const Registry& registry, const Plan& plan) {
    for (const Plan::Connection& one : plan.connections) {
        const bool unlocks = one.changes.size() == 1 && one.changes.front().what == "locked";
        if (one.effect == Plan::Effect::added || unlocks) continue;
        require_unlocked(registry, one.name, one.effect == Plan::Effect::removed ? "removed" : "changed");
    }
}

Value files_value(const Deployment& deployment) {
    List files;
    for (const Deployment::File& file : deployment.files()) files.push_back(Map{{"file", file.path}, {"step", to_string(file.step)}});
    return files;
}

int apply(Tool& tool, const ApplyArguments& arguments) {
    const std::string next = single_name(tool, arguments.next, "new directory");
    if (arguments.to.empty() && tool.directories.size() != 1)
        throw UsageError("--dir names several directories; --to says which one is to become what \"" + printable(next) + "\" is");
    const std::string to = arguments.to.empty() ? tool.directories.front() : arguments.to;
    tool.directories = {to};
    Deployment deployment{next, to, tool.settings().registry()};
    const auto registry = make_registry(tool);
    require_readable(tool, registry->load(tool.directories).diagnostics);
    const PlanReport report = report_of(tool, registry->plan({next}));
    const Plan& plan = report.plan;

    require_all_unlocked(*registry, plan);
    const bool refused = plan.breaks() && !arguments.force;
    const bool changes = !deployment.files().empty() && !refused && !arguments.dry_run;
    if (changes && !arguments.yes && at_terminal()) {
        write_plan(report, tool.out);
        tool.out.flush();
        if (!confirm("Do this to " + counted(deployment.files().size(), "file") + " in " + printable(to) + "?"))
            throw UsageError("broken off; nothing was changed");
    }
    if (changes) deployment.carry_out();

    Value document = plan_value(report);
    document.as_map().set("applied", changes);
    document.as_map().set("files", files_value(deployment));
    const auto write = [&](Output& out) {
        if (!changes || arguments.yes || !at_terminal()) write_plan(report, out);
        if (refused)
            out.line("nothing was done, as something would break; --force does it all the same");
        else if (arguments.dry_run)
            out.line("nothing was done (--dry-run)");
        else
            out.line(deployment.files().empty() ? "nothing to do" : counted(deployment.files().size(), "file") + " changed in " + printable(to));
    };
    present(tool.out, tool.format, {.document = std::move(document), .columns = plan_columns(), .rows = "connections", .text = write});
    return refused ? k_failed : k_ok;
}

}  // namespace

void add_apply(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("apply", "Put the definitions of another directory in place, after telling what that changes");
    auto arguments = std::make_shared<ApplyArguments>();
    command->add_option("dir", arguments->next, "The new directory")->type_name("DIR");
    command->add_option("--to", arguments->to, "The directory that is to become like it; default: --dir")->type_name("DIR");
    command->add_flag("--yes,-y", arguments->yes, "Do not ask at a terminal");
    command->add_flag("--force", arguments->force, "Also where connections become stale or invalid");
    command->add_flag("--dry-run", arguments->dry_run, "Tell, and do nothing");
    command->footer(
        "Files with definitions are replaced, added and removed until both directories hold the same ones; other files are left alone, and so are "
        "the\n"
        "files that are the same already. All of it is done or, where something fails, nothing. Programs that watch the directory take it over. "
        "Exit\n"
        "code 1 where something would break, as of plan; locked connections are refused.\n\n"
        "Examples:\n"
        "  qconn --dir /etc/qconn apply build/connections\n"
        "  qconn apply build/connections --to /etc/qconn --yes --json | jq '.files'");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return apply(tool, *arguments); }; });
}

}  // namespace qconn::cli
