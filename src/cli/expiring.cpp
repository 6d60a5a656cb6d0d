// SPDX-License-Identifier: Apache-2.0
/// `qconn expiring`: certificates of servers, what expires first comes first.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <variant>

#include <qconn/base/wall_time.hpp>
#include <qconn/net/ping_plan.hpp>

#include "cli/duration.hpp"
#include "cli/fleet.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"
#include "cli/watched.hpp"

namespace qconn::cli {
namespace {

using WallTime = std::chrono::system_clock::time_point;

struct ExpiringArguments {
    std::string within{"30d"};
    std::string timeout;
    bool all{false};
    bool ping{false};
};

/// Connections whose certificate could not be had, and why.
struct Unseen {
    std::string name;
    std::string error;
};

struct Certificates {
    std::vector<ConnectionCertificate> seen;
    std::vector<Unseen> unseen;
};

ServerCertificate server_certificate(const TlsCertificate& one) { return {one.subject, one.issuer, one.not_before, one.not_after, one.sha256}; }

bool speaks_tls(const PingPlan& plan) {
    const auto* net = std::get_if<std::shared_ptr<const NetPing>>(&plan.what);
    if (net == nullptr) return false;
    const Endpoint& endpoint = (*net)->endpoint;
    return endpoint.tls || (*net)->start_tls || (endpoint.proxy && endpoint.proxy->kind == Proxy::Kind::https);
}

/// By a handshake with each that speaks TLS.
Certificates seen_by_pinging(Tool& tool, std::chrono::milliseconds timeout) {
    constexpr std::size_t k_at_once = 64;
    const Loaded loaded = load(tool, false);
    Certificates found;
    std::vector<std::string> names;
    for (const ConnectionInfo& info : loaded.registry->infos()) {
        if (!info.enabled) continue;
        try {
            if (speaks_tls(loaded.registry->ping_plan(info.name, PingDepth::tls))) names.push_back(info.name);
        } catch (const Error& error) { found.unseen.push_back({info.name, error.what()}); }
    }
    const auto probes = ping_each(*loaded.registry, names, PingDepth::tls, timeout, k_at_once);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const PingResult& result = probes[i].result;
        if (result.tls && !result.tls->chain.empty())
            found.seen.push_back({names[i], server_certificate(result.tls->chain.front())});
        else if (result.error)
            found.unseen.push_back({names[i], result.error->what()});
    }
    std::stable_sort(found.seen.begin(), found.seen.end(),
                     [](const ConnectionCertificate& a, const ConnectionCertificate& b) { return a.certificate.expires < b.certificate.expires; });
    return found;
}

std::int64_t days_left(WallTime expires, WallTime now) { return std::chrono::floor<std::chrono::hours>(expires - now).count() / 24; }

Value certificate_value(const ConnectionCertificate& one, WallTime now) {
    const ServerCertificate& certificate = one.certificate;
    return Map{{"connection", one.connection},
               {"expires", rfc3339(certificate.expires)},
               {"days_left", days_left(certificate.expires, now)},
               {"expired", certificate.expires <= now},
               {"subject", certificate.subject},
               {"issuer", certificate.issuer},
               {"not_before", rfc3339(certificate.not_before)},
               {"sha256", certificate.sha256}};
}

std::string left_text(WallTime expires, WallTime now) {
    return expires <= now ? "expired " + age_text(now - expires) + " ago" : "in " + age_text(expires - now);
}

int expiring(Tool& tool, const ExpiringArguments& arguments) {
    const auto within = duration_option("--within", arguments.within);
    const auto timeout = arguments.timeout.empty() ? tool.settings().monitor().timeout : duration_option("--timeout", arguments.timeout);
    if (timeout.count() == 0) throw UsageError("--timeout: a ping needs time; write 500ms, 30s, 5m or 1h");
    const auto snapshot = arguments.ping ? std::nullopt : read_watched(tool);
    const Certificates found = snapshot ? Certificates{snapshot->certificates, {}} : seen_by_pinging(tool, timeout);

    const auto now = std::chrono::system_clock::now();
    List rows;
    Table table{{"EXPIRES", "", "CONNECTION", "SUBJECT", "ISSUER"}};
    std::size_t soon = 0;
    for (const ConnectionCertificate& one : found.seen) {
        const bool is_soon = one.certificate.expires <= now + within;
        if (is_soon) ++soon;
        if (!is_soon && !arguments.all) continue;
        const Style style = one.certificate.expires <= now ? Style::bad : is_soon ? Style::warn : Style::plain;
        rows.push_back(certificate_value(one, now));
        table.add({rfc3339(one.certificate.expires).substr(0, 10),
                   {left_text(one.certificate.expires, now), style},
                   one.connection,
                   one.certificate.subject,
                   one.certificate.issuer});
    }
    const auto tell = [&](Output& out) {
        if (!table.empty()) out.text(table.render(out));
        for (const Unseen& one : found.unseen) out.line(out.paint(Style::dim, "not seen: " + printable(one.name) + ": " + printable(one.error)));
        out.line(std::to_string(soon) + " of " + counted(found.seen.size(), "certificate") + (soon == 1 ? " expires" : " expire") + " within " +
                 arguments.within + (snapshot ? ", from " + source_text(tool, *snapshot, now) : std::string{}));
    };
    present(tool.out, tool.format,
            {.document = std::move(rows),
             .columns = {{"connection"}, {"expires"}, {"days_left"}, {"expired"}, {"subject"}, {"issuer"}, {"not_before"}, {"sha256"}},
             .text = tell});
    return soon == 0 ? k_ok : k_failed;
}

}  // namespace

void add_expiring(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("expiring", "Show which certificates of servers expire soon");
    auto arguments = std::make_shared<ExpiringArguments>();
    command->add_option("--within", arguments->within, "How soon; default 30d")->type_name("TIME");
    command->add_flag("--all", arguments->all, "List the others too");
    command->add_flag("--ping", arguments->ping, "Ask all servers now, also where there is a file of a monitor");
    command->add_option("--timeout", arguments->timeout, "Longest time for one ping; default: the setting monitor.timeout, 30s")->type_name("TIME");
    command->footer(
        "From the file of a monitor where --monitor-state or QCONN_MONITOR_STATE names one, otherwise by a handshake with each server.\n"
        "Exit code 1 where one expires that soon, or has.\n\n"
        "Examples:\n"
        "  qconn expiring --within 14d\n"
        "  qconn expiring --all --format csv > certificates.csv");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return expiring(tool, *arguments); }; });
}

}  // namespace qconn::cli
