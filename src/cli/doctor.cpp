// SPDX-License-Identifier: Apache-2.0
/// `qconn doctor`: whether this machine and this process can carry the connections, before any of them is asked.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <set>

#include <qconn/core/module.hpp>

#include "cli/health.hpp"
#include "cli/machine.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

/// The definitions, and what is to be said of them.
struct Definitions {
    std::optional<Loaded> loaded;
    Finding finding{"definitions"};
    std::size_t size() const { return loaded ? loaded->registry->size() : 0; }
};

Definitions definitions(Tool& tool) {
    Definitions all;
    try {
        all.loaded = read_definitions(tool);
    } catch (const NotFound& error) {
        all.finding.health = Health::warning;
        all.finding.found = error.what();
        all.finding.advice = "Name directories or files with --dir; the limits below are judged without connections.";
        return all;
    }
    const LoadReport& report = all.loaded->report;
    const auto errors = static_cast<std::size_t>(
        std::count_if(report.diagnostics.begin(), report.diagnostics.end(), [](const Diagnostic& d) { return d.severity == Severity::error; }));
    all.finding.found = counted(all.size(), "connection") + " in " + counted(report.files, "file");
    if (report.invalid > 0) all.finding.found += ", " + std::to_string(report.invalid) + " invalid";
    if (errors == 0) return all;
    all.finding.found += ", " + counted(errors, "error");
    all.finding.health = Health::problem;
    all.finding.advice = "Correct what 'qconn check' shows.";
    return all;
}

Finding modules(const Tool& tool) {
    Finding finding{"modules", Health::ok, {}};
    std::set<std::string> names;
    for (const Scheme* scheme : tool.catalogue.schemes())
        if (scheme->module)
            names.insert(scheme->module->version.empty() ? scheme->module->name : scheme->module->name + " " + scheme->module->version);
    for (const std::string& name : names) (finding.found += finding.found.empty() ? "" : ", ") += name;
    if (names.empty()) finding.found = "none";
    for (const Error& error : tool.failed_modules) {
        finding.health = Health::problem;
        finding.found += "; " + std::string{error.message()};
        finding.advice = "Correct --module or QCONN_MODULES: connections of its schemes are invalid without it.";
    }
    return finding;
}

/// The directories with definitions and those on the way to them, as a watch looks at each.
std::vector<std::string> watched_places(const Tool& tool) {
    std::set<std::string> places;
    for (const std::string& given : tool.directories) {
        std::error_code ec;
        std::filesystem::path at = std::filesystem::absolute(given, ec).lexically_normal();
        if (!std::filesystem::is_directory(at, ec)) at = at.parent_path();
        for (; !at.empty(); at = at.parent_path()) {
            places.insert(at.string());
            if (at == at.parent_path()) break;
        }
    }
    return {places.begin(), places.end()};
}

std::vector<Finding> examine(Tool& tool) {
    const auto wall = std::chrono::system_clock::now();
    const auto steady = std::chrono::steady_clock::now();
    const Definitions defined = definitions(tool);
    const std::size_t connections = defined.size();
    const auto [soft, hard] = file_limits();
    std::vector<Finding> findings{judge_libraries(build_info()),
                                  judge_trust(system_trust()),
                                  judge_resolver(resolver_facts()),
                                  judge_proxies(proxy_variables()),
                                  judge_files(soft, hard, connections),
                                  judge_ports(text_of("/proc/sys/net/ipv4/ip_local_port_range"), connections),
                                  judge_watches(watch_facts(watched_places(tool))),
                                  judge_state(state_facts(tool.state)),
                                  modules(tool),
                                  defined.finding};
    ClockFacts clock = clock_facts();
    clock.drift = (std::chrono::system_clock::now() - wall) - (std::chrono::steady_clock::now() - steady);
    findings.insert(findings.begin() + 4, judge_clock(clock));
    return findings;
}

Style style_of(Health health) noexcept { return health == Health::ok ? Style::good : health == Health::warning ? Style::warn : Style::bad; }

void print(Output& out, const std::vector<Finding>& findings) {
    std::size_t widest = 0;
    for (const Finding& one : findings) widest = std::max(widest, one.check.size());
    for (const Finding& one : findings) {
        const std::string_view word = to_string(one.health);
        out.line(out.paint(style_of(one.health), word) + std::string(9 - word.size(), ' ') + one.check +
                 std::string(widest - one.check.size() + 2, ' ') + printable(one.found));
        if (!one.advice.empty()) out.line(std::string(widest + 11, ' ') + out.paint(Style::bold, "do: ") + printable(one.advice));
    }
}

Value build_value(const BuildInfo& build) {
    const auto words = [](const std::vector<std::string>& all) { return List(all.begin(), all.end()); };
    List libraries;
    for (const LibraryInfo& one : build.libraries) {
        libraries.push_back(Map{{"name", one.name},
                                {"version", one.version},
                                {"built_with", one.built_with},
                                {"features", words(one.features)},
                                {"lacks", words(one.lacks)}});
    }
    return Map{{"version", build.version}, {"compiler", build.compiler}, {"libraries", std::move(libraries)}};
}

int doctor(Tool& tool) {
    const auto findings = examine(tool);
    Health worst = Health::ok;
    List rows;
    for (const Finding& one : findings) {
        worst = std::max(worst, one.health);
        rows.push_back(Map{{"check", one.check}, {"health", to_string(one.health)}, {"found", one.found}, {"advice", one.advice}});
    }
    present(tool.out, tool.format,
            {.document = Map{{"health", to_string(worst)}, {"checks", std::move(rows)}, {"build", build_value(build_info())}},
             .columns = {{"check"}, {"health"}, {"found"}, {"advice"}},
             .rows = "checks",
             .text = [&](Output& out) { print(out, findings); }});
    return worst == Health::problem ? k_failed : k_ok;
}

}  // namespace

void add_doctor(CLI::App& app, Tool& tool) {
    auto* command =
        app.add_subcommand("doctor", "Examine this machine: libraries, authorities, resolver, clock, limits; what to do about each finding");
    command->footer(
        "Asks no remote end. Exit code 1 where there is a problem; warnings alone give 0.\n\n"
        "Examples:\n"
        "  qconn doctor\n"
        "  qconn doctor --dir /etc/qconn --json | jq '.checks[] | select(.health != \"ok\")'");
    command->callback([&tool] { tool.run = [&tool] { return doctor(tool); }; });
}

}  // namespace qconn::cli
