// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_report.hpp"

#include <algorithm>

#include "cli/describe.hpp"
#include "cli/watched.hpp"

namespace qconn::cli {
namespace {

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
std::string what_happens(const Plan::Connection& one, const PlanReport& report) {
    std::string text{effect_word(one.effect)};
    if (one.reconnects) text += ", reconnects";
    if (const auto known = report.stops.find(one.name); known != report.stops.end()) {
        for (const InterfaceKey& stopped : known->second) text += ", stops " + interface_text(stopped);
    } else if (one.stops_dependents()) {
        text += ", stops what depends on it";
    }
    if (one.breaks()) (text += ", becomes ") += validity_word(one.validity_after);
    if (one.effect == Plan::Effect::updated && one.validity_before != Validity::valid && one.validity_after == Validity::valid)
        text += ", becomes valid";
    return text;
}

std::string value_text(const Value& value) { return value.is_null() ? std::string{"-"} : plain_text(value); }

/// Null where nobody can tell.
Value stops_value(const Plan::Connection& one, const PlanReport& report) {
    const auto known = report.stops.find(one.name);
    if (known == report.stops.end()) return one.stops_dependents() ? Value{} : Value{List{}};
    List stops;
    for (const InterfaceKey& stopped : known->second) stops.push_back(Map{{"kind", to_string(stopped.kind)}, {"name", stopped.name}});
    return stops;
}

Value connection_value(const Plan::Connection& one, const PlanReport& report) {
    List changes;
    for (const Plan::Change& change : one.changes) changes.push_back(Map{{"what", change.what}, {"before", change.before}, {"after", change.after}});
    return Map{{"name", one.name},
               {"effect", effect_word(one.effect)},
               {"reconnects", one.reconnects},
               {"stops_dependents", one.stops_dependents()},
               {"stops", stops_value(one, report)},
               {"breaks", one.breaks()},
               {"validity_before", validity_word(one.validity_before)},
               {"validity_after", validity_word(one.validity_after)},
               {"problem", one.problem},
               {"changes", std::move(changes)}};
}

}  // namespace

PlanReport report_of(const Tool& tool, Plan plan) {
    PlanReport report{std::move(plan)};
    const auto snapshot = read_watched(tool);
    if (!snapshot) return report;
    for (const Plan::Connection& one : report.plan.connections) {
        if (!one.stops_dependents()) continue;
        const auto found = impact_in(*snapshot, one.name);
        if (!found) continue;
        for (const AffectedInterface& stopped : found->stops) report.stops[one.name].push_back(stopped.interface);
        report.stops.try_emplace(one.name);
    }
    return report;
}

Value plan_value(const PlanReport& report) {
    const Plan& plan = report.plan;
    List connections;
    for (const Plan::Connection& one : plan.connections) connections.push_back(connection_value(one, report));
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

namespace {

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

}  // namespace

void write_plan(const PlanReport& report, Output& out) {
    const Plan& plan = report.plan;
    for (const Plan::Connection& one : plan.connections) {
        out.line(out.paint(style_of(one), printable(one.name)) + "  " + what_happens(one, report));
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

std::vector<Column> plan_columns() {
    return {{"name"}, {"effect"}, {"reconnects"}, {"stops_dependents"}, {"breaks"}, {"validity_before"}, {"validity_after"}, {"problem"}};
}

}  // namespace qconn::cli
