// SPDX-License-Identifier: Apache-2.0
/// `qconn plan`: what other definitions would change, before they are put in place.
#include <CLI/CLI.hpp>
#include <algorithm>

#include <qconn/base/error.hpp>
#include <qconn/core/plan.hpp>

#include "cli/describe.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

struct PlanArguments {
    std::vector<std::string> next;
    std::vector<std::string> against;
    bool exit_code{false};
};

std::string_view effect_word(Plan::Effect effect) noexcept {
    switch (effect) {
        case Plan::Effect::added: return "added";
        case Plan::Effect::removed: return "removed";
        case Plan::Effect::updated: return "updated";
    }
    return "";
}

Style style_of(const Plan::Connection& one) noexcept {
    if (one.breaks()) return Style::bad;
    return one.effect == Plan::Effect::added ? Style::good : one.effect == Plan::Effect::removed ? Style::warn : Style::plain;
}

/// "updated, reconnects, becomes stale".
std::string what_happens(const Plan::Connection& one) {
    std::string text{effect_word(one.effect)};
    if (one.reconnects) text += ", reconnects";
    if (one.breaks()) (text += ", becomes ") += validity_word(one.validity_after);
    if (one.effect == Plan::Effect::updated && one.validity_before != Validity::valid && one.validity_after == Validity::valid)
        text += ", becomes valid";
    return text;
}

std::string value_text(const Value& value) { return value.is_null() ? std::string{"-"} : plain_text(value); }

Value connection_value(const Plan::Connection& one) {
    List changes;
    for (const Plan::Change& change : one.changes) changes.push_back(Map{{"what", change.what}, {"before", change.before}, {"after", change.after}});
    return Map{{"name", one.name},
               {"effect", effect_word(one.effect)},
               {"reconnects", one.reconnects},
               {"breaks", one.breaks()},
               {"validity_before", validity_word(one.validity_before)},
               {"validity_after", validity_word(one.validity_after)},
               {"problem", one.problem},
               {"changes", std::move(changes)}};
}

Value plan_value(const Plan& plan) {
    List connections;
    for (const Plan::Connection& one : plan.connections) connections.push_back(connection_value(one));
    List kept;
    for (const Plan::Kept& one : plan.kept) {
        for (const Plan::Override& what : one.overrides)
            kept.push_back(Map{{"name", one.name}, {"what", what.what}, {"in_file", what.in_file}, {"in_use", what.in_use}});
    }
    List diagnostics;
    for (const Diagnostic& d : plan.diagnostics) diagnostics.push_back(diagnostic_value(d));
    return Map{{"differs", !plan.empty()},
               {"breaks", plan.breaks()},
               {"connections", std::move(connections)},
               {"kept", std::move(kept)},
               {"unchanged", static_cast<std::uint64_t>(plan.unchanged)},
               {"diagnostics", std::move(diagnostics)}};
}

std::string summary(const Plan& plan) {
    const auto count = [&](auto&& is) { return static_cast<std::size_t>(std::count_if(plan.connections.begin(), plan.connections.end(), is)); };
    const auto of = [&](Plan::Effect effect) { return std::to_string(count([&](const Plan::Connection& one) { return one.effect == effect; })); };
    std::string text = of(Plan::Effect::added) + " added, " + of(Plan::Effect::updated) + " updated, " + of(Plan::Effect::removed) + " removed, " +
                       std::to_string(plan.unchanged) + " unchanged";
    if (const std::size_t n = count([](const Plan::Connection& one) { return one.reconnects; }); n > 0)
        text += "; " + std::to_string(n) + (n == 1 ? " reconnects" : " reconnect");
    if (const std::size_t n = count([](const Plan::Connection& one) { return one.breaks(); }); n > 0)
        text += "; " + std::to_string(n) + (n == 1 ? " becomes" : " become") + " stale or invalid";
    return text;
}

void write(const Plan& plan, Output& out) {
    for (const Plan::Connection& one : plan.connections) {
        out.line(out.paint(style_of(one), printable(one.name)) + "  " + what_happens(one));
        Table table;
        for (const Plan::Change& change : one.changes)
            table.add({"   ", {change.what, Style::dim}, value_text(change.before), "->", value_text(change.after)});
        out.text(table.render(out));
    }
    for (const Plan::Kept& one : plan.kept) {
        for (const Plan::Override& what : one.overrides) {
            const std::string how = what.what == "definition" ? std::string{"changed by code since"}
                                                              : value_text(what.in_use) + " was set, whatever the file says (" +
                                                                    (what.in_file.is_null() ? "nothing" : value_text(what.in_file)) + ")";
            out.line(out.paint(Style::dim, printable(one.name)) + "  keeps its " + what.what + ": " + printable(how));
        }
    }
    if (!plan.connections.empty() || !plan.kept.empty()) out.line();
    for (const Diagnostic& d : plan.diagnostics) {
        if (d.severity != Severity::error) continue;
        out.text(render(d, out.colour()));
        out.line();
    }
    out.line(summary(plan));
}

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
    present(tool.out, tool.format,
            {.document = plan_value(plan),
             .columns = {{"name"}, {"effect"}, {"reconnects"}, {"breaks"}, {"validity_before"}, {"validity_after"}, {"problem"}},
             .rows = "connections",
             .text = [&](Output& out) { write(plan, out); }});
    return plan.breaks() || (arguments.exit_code && !plan.empty()) ? k_failed : k_ok;
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
