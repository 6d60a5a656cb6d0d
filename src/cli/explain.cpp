// SPDX-License-Identifier: Apache-2.0
/// `qconn explain`: one ping in slow motion, with evidence, and what to do next.
#include <CLI/CLI.hpp>
#include <algorithm>

#include <qconn/base/wall_time.hpp>
#include <qconn/core/scheme.hpp>
#include "cli/advice.hpp"
#include "cli/describe.hpp"
#include "cli/duration.hpp"
#include "cli/present.hpp"
#include "cli/probe.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

struct ExplainArguments {
    std::vector<std::string> names;
    std::string depth;
    std::string timeout;
};

/// A certificate with less left than this is worth a word though all is well.
constexpr int k_renew_days = 30;

int days_left(const TlsCertificate& certificate) {
    return static_cast<int>(std::chrono::floor<std::chrono::days>(certificate.not_after - std::chrono::system_clock::now()).count());
}

/// Everything that `explain` has found out.
struct Findings {
    ConnectionInfo info;
    std::string depth;  ///< of the judgement
    /// The judgement rests on no I/O at all.
    bool nothing_asked{false};
    Probe judged;
    /// A deeper look where the judgement was good and there is more to see.
    std::optional<Probe> deeper;
    /// The one whose steps are shown.
    const Probe& shown() const { return deeper ? *deeper : judged; }
    std::vector<std::string> next;
};

bool pings_switched_off(const Registry& registry, const std::string& name) {
    const Definition definition = registry.definition(name);
    const Value* off = definition.options.find("disable_automatic_pings");
    return off != nullptr && off->is_bool() && off->as_bool();
}

Findings look(Registry& registry, const std::string& name, const ExplainArguments& arguments, std::chrono::milliseconds timeout) {
    Findings found;
    found.info = registry.info(name);
    const Scheme* scheme = registry.catalogue().find(found.info.scheme);
    const PingDepth depth = arguments.depth.empty() ? PingDepth::standard : depth_option(arguments.depth);
    const PingDepth real = depth == PingDepth::standard && scheme != nullptr ? scheme->standard_depth : depth;
    found.depth = to_string(real);
    found.judged = probe(registry, name, depth, Deadline{timeout}, true);
    // A definition can have its pings send a request (ping_path): then there is nothing deeper to see. Or ask nothing at all: what a connection says
    // then is found out by the deeper look alone.
    const auto& steps = found.judged.result.steps;
    found.nothing_asked = depth == PingDepth::standard && pings_switched_off(registry, name);
    const bool asked =
        !found.nothing_asked && std::any_of(steps.begin(), steps.end(), [](const PingStep& step) { return step.phase == Phase::protocol; });
    if (asked && depth == PingDepth::standard) found.depth = to_string(PingDepth::full);
    if (found.nothing_asked) found.depth = "none";
    if (found.judged.verdict == Verdict::up && arguments.depth.empty() && real != PingDepth::full && !asked) {
        found.deeper = probe(registry, name, PingDepth::full, Deadline{timeout}, true);
    }

    if (found.judged.verdict == Verdict::disabled) {
        found.next.emplace_back("It is disabled: it gives no client and is not monitored. Set 'enabled: true' in its definition.");
    } else if (found.judged.verdict == Verdict::invalid) {
        found.next.emplace_back("The definition cannot be used: correct what is marked above; 'qconn check' goes through all of them.");
    } else if (found.judged.result.error) {
        found.next.emplace_back(advice(*found.judged.result.error));
    } else if (found.deeper && found.deeper->result.error) {
        const Error& error = *found.deeper->result.error;
        found.next.emplace_back((found.nothing_asked ? "The monitor takes it for up, as its ping asks nothing (disable_automatic_pings)"
                                                     : "The monitor takes it for up, as its ping only goes to depth " + found.depth) +
                                ". A request fails; if it should not: " + std::string{advice(error)});
    }
    if (const auto& tls = found.shown().result.tls; tls && !tls->chain.empty() && found.shown().result.ok) {
        const int days = days_left(tls->chain.front());
        if (days < k_renew_days)
            found.next.emplace_back("The server's certificate ends in " + counted(static_cast<std::size_t>(std::max(days, 0)), "day") +
                                    ": have it renewed.");
    }
    if (found.info.validity == Validity::stale) {
        found.next.emplace_back("The file has a newer version that cannot be used (" + found.info.problem + "); the former one is in use.");
    }
    if (found.next.empty()) found.next.emplace_back("Nothing: all is well.");
    return found;
}

Value result_value(const Probe& probe) {
    List steps;
    for (const PingStep& step : probe.result.steps) {
        steps.push_back(Map{{"phase", to_string(step.phase)},
                            {"ok", step.ok},
                            {"time_ms", static_cast<double>(step.time.count()) / 1e6},
                            {"evidence", step.evidence}});
    }
    Value tls;
    if (const auto& info = probe.result.tls) {
        List chain;
        for (const TlsCertificate& certificate : info->chain) {
            List names;
            for (const std::string& name : certificate.names) names.emplace_back(name);
            chain.push_back(Map{{"subject", certificate.subject},
                                {"issuer", certificate.issuer},
                                {"names", std::move(names)},
                                {"not_before", rfc3339(certificate.not_before)},
                                {"not_after", rfc3339(certificate.not_after)},
                                {"days_left", days_left(certificate)},
                                {"sha256", certificate.sha256}});
        }
        tls = Map{{"version", info->version}, {"cipher", info->cipher},   {"group", info->group},
                  {"alpn", info->alpn},       {"verdict", info->verdict}, {"chain", std::move(chain)}};
    }
    return Map{{"state", to_string(probe.verdict)},
               {"time_ms", static_cast<double>(probe.result.time.count()) / 1e6},
               {"error", error_value(probe.result.error)},
               {"steps", std::move(steps)},
               {"tls", std::move(tls)}};
}

Value findings_value(const Findings& found) {
    List next;
    for (const std::string& one : found.next) next.emplace_back(one);
    return Map{{"name", found.info.name},
               {"url", found.info.url},
               {"file", found.info.file},
               {"line", found.info.place.line},
               {"depth", found.depth},
               {"result", result_value(found.judged)},
               {"request", found.deeper ? result_value(*found.deeper) : Value{}},
               {"next", std::move(next)}};
}

void print(Output& out, const Findings& found, const LoadReport& report) {
    out.line(out.paint(Style::bold, printable(found.info.name)) + "  " + printable(found.info.url));
    std::string origin = printable(found.info.file);
    if (found.info.place.line > 0) origin += ":" + std::to_string(found.info.place.line);
    if (!found.info.type.empty()) origin += ", " + found.info.type;
    out.line(out.paint(Style::dim, origin));
    out.line();

    if (found.judged.verdict == Verdict::invalid) {
        for (const Diagnostic& d : report.diagnostics) {
            if (d.connection == found.info.name && d.severity == Severity::error) out.line(render(d, out.colour()));
        }
    }
    const Probe& shown = found.shown();
    if (!shown.result.steps.empty()) {
        Table steps;
        for (const PingStep& step : shown.result.steps) {
            steps.add({std::string{to_string(step.phase)}, step.ok ? Table::Cell{"ok", Style::good} : Table::Cell{"FAILED", Style::bad},
                       duration_text(step.time), step.evidence});
        }
        out.text(steps.render(out));
        out.line();
    }
    if (const auto& tls = shown.result.tls; tls && !tls->chain.empty()) {
        const TlsCertificate& certificate = tls->chain.front();
        std::string names;
        for (const std::string& name : certificate.names) (names += names.empty() ? "" : ", ") += name;
        Table facts;
        facts.add({{"tls", Style::dim}, tls->version + ", " + tls->cipher + (tls->group.empty() ? "" : ", " + tls->group)});
        facts.add({{"certificate", Style::dim}, certificate.subject + (names.empty() ? "" : " for " + names)});
        facts.add({{"issuer", Style::dim}, certificate.issuer});
        const int days = days_left(certificate);
        facts.add({{"valid until", Style::dim},
                   {rfc3339(certificate.not_after) + (days < 0 ? " (ended " + counted(static_cast<std::size_t>(-days), "day") + " ago)"
                                                               : " (" + counted(static_cast<std::size_t>(days), "day") + " left)"),
                    days < 0              ? Style::bad
                    : days < k_renew_days ? Style::warn
                                          : Style::plain}});
        facts.add({{"verified", Style::dim}, tls->verdict});
        out.text(facts.render(out));
        out.line();
    }

    std::string verdict = out.paint(style_of(found.judged.verdict), to_string(found.judged.verdict));
    if (found.judged.verdict == Verdict::up) { verdict += " after " + duration_text(found.judged.result.time) + " (depth " + found.depth + ")"; }
    if (found.judged.result.error) verdict += ": " + printable(found.judged.result.error->what());
    out.line(verdict);
    if (found.deeper && found.deeper->result.error) {
        out.line(out.paint(Style::warn, "a request fails") + ": " + printable(found.deeper->result.error->what()));
    }
    for (const std::string& next : found.next) out.line(out.paint(Style::bold, "next: ") + printable(next));
}

int explain(Tool& tool, const ExplainArguments& arguments) {
    const std::string name = single_name(tool, arguments.names, "connection");
    const auto timeout = arguments.timeout.empty() ? tool.settings().monitor().timeout : duration_option("--timeout", arguments.timeout);
    if (timeout.count() == 0) throw UsageError("--timeout: a ping needs time; write 500ms, 30s, 5m or 1h");
    if (!arguments.depth.empty()) depth_option(arguments.depth);
    const Loaded loaded = load(tool, false);
    require_connection(*loaded.registry, name);
    const Findings found = look(*loaded.registry, name, arguments, timeout);
    present(tool.out, tool.format,
            {.document = findings_value(found), .rows = found.deeper ? "request.steps" : "result.steps", .text = [&](Output& out) {
                 print(out, found, loaded.report);
             }});
    return found.judged.verdict == Verdict::up ? k_ok : k_failed;
}

}  // namespace

void add_explain(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("explain", "Ping one connection in slow motion: each phase, its time and evidence, what to do next");
    auto arguments = std::make_shared<ExplainArguments>();
    command->add_option("name", arguments->names, "Connection")->type_name("NAME");
    command->add_option("--depth", arguments->depth, "How far; default: as the monitor, then a request")->type_name("connect|tls|auth|full");
    command->add_option("--timeout", arguments->timeout, "Longest time for one ping; default: the setting monitor.timeout, 30s")->type_name("TIME");
    command->footer(
        "Exit code 0 where the connection is up as the monitor judges it, otherwise 1.\n\n"
        "Examples:\n"
        "  qconn explain shop-api\n"
        "  qconn explain shop-api --depth tls --timeout 5s\n"
        "  qconn explain shop-api --json | jq '.result.tls.chain[0].days_left'");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return explain(tool, *arguments); }; });
}

}  // namespace qconn::cli
