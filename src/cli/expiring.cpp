// SPDX-License-Identifier: Apache-2.0
/// `qconn expiring`: certificates of servers and of connections, and tokens; what expires first comes first.
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

/// Connections whose server could not be asked, and why.
struct Unseen {
    std::string name;
    std::string error;
};

/// Something that ends.
struct Row {
    std::string connection;
    std::string_view kind;
    std::string subject;
    std::string issuer;
    WallTime not_before;
    WallTime expires;
    std::string fingerprint;
};

struct Seen {
    std::vector<Row> rows;
    std::vector<Unseen> unseen;
};

Row row_of(const ConnectionCertificate& one) {
    const ServerCertificate& has = one.certificate;
    return {one.connection, "server certificate", has.subject, has.issuer, has.not_before, has.expires, has.sha256};
}

Row row_of(const ConnectionCredential& one) {
    const Credential& has = one.credential;
    return {one.connection, to_string(has.kind),         has.subject, has.issuer, has.valid_from.value_or(WallTime{}),
            *has.expires,   std::string{has.fingerprint}};
}

/// What ends first comes first; what has no end is left out.
std::vector<Row> rows_of(const std::vector<ConnectionCertificate>& certificates, const std::vector<ConnectionCredential>& credentials) {
    std::vector<Row> rows;
    for (const auto& one : certificates) rows.push_back(row_of(one));
    for (const auto& one : credentials)
        if (one.credential.expires) rows.push_back(row_of(one));
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.expires < b.expires; });
    return rows;
}

bool has_something_that_ends(const PingPlan& plan) {
    if (plan.credentials) return true;
    const auto* net = std::get_if<std::shared_ptr<const NetPing>>(&plan.what);
    if (net == nullptr) return false;
    const Endpoint& endpoint = (*net)->endpoint;
    return endpoint.tls || (*net)->start_tls || (endpoint.proxy && endpoint.proxy->kind == Proxy::Kind::https);
}

/// By a handshake with each that speaks TLS, or has a token.
Seen seen_by_pinging(Tool& tool, std::chrono::milliseconds timeout) {
    constexpr std::size_t k_at_once = 64;
    const Loaded loaded = load(tool, false);
    Seen found;
    std::vector<std::string> names;
    for (const ConnectionInfo& info : loaded.registry->infos()) {
        if (!info.enabled) continue;
        try {
            if (has_something_that_ends(loaded.registry->ping_plan(info.name, PingDepth::tls))) names.push_back(info.name);
        } catch (const Error& error) { found.unseen.push_back({info.name, error.what()}); }
    }
    const auto probes = ping_each(*loaded.registry, names, PingDepth::tls, timeout, k_at_once);
    std::vector<ConnectionCertificate> certificates;
    std::vector<ConnectionCredential> credentials;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const PingResult& result = probes[i].result;
        for (const Credential& one : result.credentials) credentials.push_back({names[i], one});
        if (result.tls && !result.tls->chain.empty()) {
            const TlsCertificate& shown = result.tls->chain.front();
            certificates.push_back({names[i], {shown.subject, shown.issuer, shown.not_before, shown.not_after, shown.sha256}});
        } else if (result.error) {
            found.unseen.push_back({names[i], result.error->what()});
        }
    }
    found.rows = rows_of(certificates, credentials);
    return found;
}

std::int64_t days_left(WallTime expires, WallTime now) { return std::chrono::floor<std::chrono::hours>(expires - now).count() / 24; }

Value row_value(const Row& one, WallTime now) {
    return Map{{"connection", one.connection},
               {"kind", one.kind},
               {"expires", rfc3339(one.expires)},
               {"days_left", days_left(one.expires, now)},
               {"expired", one.expires <= now},
               {"subject", one.subject},
               {"issuer", one.issuer},
               {"not_before", one.not_before == WallTime{} ? Value{} : Value{rfc3339(one.not_before)}},
               {"sha256", one.fingerprint}};
}

std::string left_text(WallTime expires, WallTime now) {
    return expires <= now ? "expired " + age_text(now - expires) + " ago" : "in " + age_text(expires - now);
}

int expiring(Tool& tool, const ExpiringArguments& arguments) {
    const auto within = duration_option("--within", arguments.within);
    const auto timeout = arguments.timeout.empty() ? tool.settings().monitor().timeout : duration_option("--timeout", arguments.timeout);
    if (timeout.count() == 0) throw UsageError("--timeout: a ping needs time; write 500ms, 30s, 5m or 1h");
    const auto snapshot = arguments.ping ? std::nullopt : read_watched(tool);
    const Seen found = snapshot ? Seen{rows_of(snapshot->certificates, snapshot->credentials), {}} : seen_by_pinging(tool, timeout);

    const auto now = std::chrono::system_clock::now();
    List rows;
    Table table{{"EXPIRES", "", "CONNECTION", "WHAT", "SUBJECT", "ISSUER"}};
    std::size_t soon = 0;
    for (const Row& one : found.rows) {
        const bool is_soon = one.expires <= now + within;
        if (is_soon) ++soon;
        if (!is_soon && !arguments.all) continue;
        const Style style = one.expires <= now ? Style::bad : is_soon ? Style::warn : Style::plain;
        rows.push_back(row_value(one, now));
        table.add({rfc3339(one.expires).substr(0, 10),
                   {left_text(one.expires, now), style},
                   one.connection,
                   std::string{one.kind},
                   one.subject,
                   one.issuer});
    }
    const auto tell = [&](Output& out) {
        if (!table.empty()) out.text(table.render(out));
        for (const Unseen& one : found.unseen) out.line(out.paint(Style::dim, "not seen: " + printable(one.name) + ": " + printable(one.error)));
        out.line(std::to_string(soon) + " of " + std::to_string(found.rows.size()) + (soon == 1 ? " expires" : " expire") + " within " +
                 arguments.within + (snapshot ? ", from " + source_text(tool, *snapshot, now) : std::string{}));
    };
    present(tool.out, tool.format,
            {.document = std::move(rows),
             .columns = {{"connection"}, {"expires"}, {"days_left"}, {"expired"}, {"subject"}, {"issuer"}, {"not_before"}, {"sha256"}, {"kind"}},
             .text = tell});
    return soon == 0 ? k_ok : k_failed;
}

}  // namespace

void add_expiring(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("expiring", "Show which certificates and tokens expire soon");
    auto arguments = std::make_shared<ExpiringArguments>();
    command->add_option("--within", arguments->within, "How soon; default 30d")->type_name("TIME");
    command->add_flag("--all", arguments->all, "List the others too");
    command->add_flag("--ping", arguments->ping, "Ask all servers now, also where there is a file of a monitor");
    command->add_option("--timeout", arguments->timeout, "Longest time for one ping; default: the setting monitor.timeout, 30s")->type_name("TIME");
    command->footer(
        "Certificates of servers, those that connections show of themselves, and tokens that only a person can replace.\n"
        "From the file of a monitor where --monitor-state or QCONN_MONITOR_STATE names one, otherwise by a handshake with each server.\n"
        "Exit code 1 where one expires that soon, or has.\n\n"
        "Examples:\n"
        "  qconn expiring --within 14d\n"
        "  qconn expiring --all --format csv > certificates.csv");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return expiring(tool, *arguments); }; });
}

}  // namespace qconn::cli
