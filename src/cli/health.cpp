// SPDX-License-Identifier: Apache-2.0
#include "cli/health.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <qconn/base/error.hpp>
#include <qconn/base/url.hpp>
#include <qconn/base/wall_time.hpp>
#include <qconn/net/endpoint.hpp>

#include "cli/output.hpp"

namespace qconn::cli {
namespace {

// A client keeps connections open while its ping makes another; the rest of the process has files of its own.
constexpr std::uint64_t k_files_per_connection = 2;
constexpr std::uint64_t k_files_besides = 64;

void append(std::string& text, std::string_view more, std::string_view between = "; ") {
    if (!text.empty()) text += between;
    text += more;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) append(text, word, ", ");
    return text;
}

void worsen(Finding& finding, Health health, std::string_view advice) {
    finding.health = std::max(finding.health, health);
    append(finding.advice, advice, " ");
}

/// "3.0.15" to "3.0": what a system update keeps.
std::string_view minor_version(std::string_view version) {
    const auto first = version.find('.');
    return first == std::string_view::npos ? version : version.substr(0, version.find('.', first + 1));
}

}  // namespace

std::string_view to_string(Health health) noexcept {
    static constexpr std::array<std::string_view, 3> k_words{"ok", "warning", "problem"};
    return k_words[static_cast<std::size_t>(health)];
}

Finding judge_libraries(const BuildInfo& build) {
    Finding finding{"libraries", Health::ok, "qconn " + build.version};
    for (const LibraryInfo& library : build.libraries) {
        append(finding.found, library.name + " " + library.version, ", ");
        if (!library.lacks.empty()) {
            finding.found += " (without " + joined(library.lacks) + ")";
            const bool tls =
                std::any_of(library.lacks.begin(), library.lacks.end(), [](const auto& one) { return one == "SSL" || one == "OpenSSL"; });
            worsen(finding, tls ? Health::problem : Health::warning,
                   "Use a " + library.name + " that has " + joined(library.lacks) + (tls ? ": HTTPS does not work without." : "."));
        }
        if (!library.built_with.empty() && minor_version(library.version) != minor_version(library.built_with)) {
            finding.found += " (built with " + library.built_with + ")";
            worsen(finding, Health::warning, "Build qconn anew with the headers of " + library.name + " " + library.version + ".");
        }
    }
    return finding;
}

Finding judge_trust(const SystemTrust& trust) {
    Finding finding{"authorities", Health::ok, counted(trust.certificates, "certificate")};
    for (const SystemTrust::Place& place : trust.places) {
        if (place.certificates > 0) append(finding.found, std::to_string(place.certificates) + " in " + place.path);
        if (place.problem.empty()) continue;
        append(finding.found, place.problem);
        worsen(finding, Health::warning, "Make " + place.path + " readable, with certificates in PEM form.");
    }
    if (trust.certificates == 0) {
        std::string places;
        for (const SystemTrust::Place& place : trust.places) append(places, place.path, " and ");
        finding.found = "none in " + places;
        worsen(finding, Health::problem,
               "Install the system's authorities (Debian: ca-certificates), or name them with SSL_CERT_FILE: no certificate of a server can be "
               "verified.");
    }
    if (!trust.expired.empty()) {
        append(finding.found, std::to_string(trust.expired.size()) + " expired and not used: " + trust.expired.front().subject +
                                  (trust.expired.size() > 1 ? " and others" : ""));
        // Distributions keep some whose time is over: nobody who operates the machine can do anything about them, and needs to.
        constexpr std::size_t k_stragglers = 10;
        if (trust.expired.size() == trust.certificates)
            worsen(finding, Health::problem, "Renew them: all have expired. Or is the clock wrong?");
        else if (trust.expired.size() * k_stragglers > trust.certificates)
            worsen(finding, Health::warning, "Update the authorities; what an expired one has signed is refused.");
    }
    return finding;
}

std::vector<std::string> nameservers(std::string_view configuration) {
    std::vector<std::string> servers;
    while (!configuration.empty()) {
        std::string_view line = configuration.substr(0, configuration.find('\n'));
        configuration.remove_prefix(std::min(line.size() + 1, configuration.size()));
        constexpr std::string_view k_word = "nameserver";
        const auto start = line.find_first_not_of(" \t", line.starts_with(k_word) ? k_word.size() : std::string_view::npos);
        if (start == std::string_view::npos || start == k_word.size()) continue;
        line.remove_prefix(start);
        servers.emplace_back(line.substr(0, line.find_first_of(" \t\r#;")));
    }
    return servers;
}

Finding judge_resolver(const ResolverFacts& facts) {
    using namespace std::chrono_literals;
    Finding finding{"resolver", Health::ok, {}};
    const auto servers = nameservers(facts.configuration.value_or(""));
    finding.found = !facts.configuration ? "/etc/resolv.conf cannot be read" : servers.empty() ? "/etc/resolv.conf names no server" : joined(servers);
    if (servers.empty())
        worsen(finding, Health::warning,
               "Name servers in /etc/resolv.conf; without, only names of /etc/hosts and a server on this machine are found.");
    if (!facts.error.empty()) {
        append(finding.found, "localhost is not found: " + facts.error);
        worsen(finding, Health::problem, "See to localhost in /etc/hosts and to 'hosts: files dns' in /etc/nsswitch.conf.");
    } else if (!facts.time) {
        append(finding.found, "no answer for localhost");
        worsen(finding, Health::problem, "The system's resolver hangs: see whether the servers in /etc/resolv.conf answer.");
    } else {
        append(finding.found, "localhost in " + duration_text(*facts.time));
        if (*facts.time > 1s) worsen(finding, Health::warning, "Look-ups are slow: see whether the first server in /etc/resolv.conf answers.");
    }
    return finding;
}

Finding judge_proxies(const std::vector<std::pair<std::string, std::string>>& variables) {
    Finding finding{"proxies", Health::ok, {}};
    const auto has = [&](std::string_view name) {
        return std::any_of(variables.begin(), variables.end(), [&](const auto& one) { return one.first == name; });
    };
    for (const auto& [name, value] : variables) {
        const bool exceptions = name == "no_proxy" || name == "NO_PROXY";
        // As Proxy::parse reads it: without a scheme it is a URL all the same, whose password is masked.
        append(finding.found, name + "=" + (exceptions ? value : mask_url(value.find("://") == std::string::npos ? "http://" + value : value)), ", ");
        if (exceptions || value.empty()) continue;
        try {
            Proxy::parse(value);
        } catch (const Error& error) { worsen(finding, Health::warning, "Correct " + name + ": " + std::string{error.message()} + "."); }
    }
    if (has("HTTP_PROXY") && !has("http_proxy"))
        worsen(finding, Health::warning, "HTTP_PROXY is never read, as in CGI programs strangers set it: use http_proxy.");
    if (variables.empty()) finding.found = "none in the environment";
    return finding;
}

Finding judge_clock(const ClockFacts& facts) {
    using namespace std::chrono_literals;
    Finding finding{"clock", Health::ok, rfc3339(facts.now) + ", " + facts.zone};
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(facts.now)};
    if (date.year() < std::chrono::year{2025} || date.year() >= std::chrono::year{2100})
        worsen(finding, Health::problem, "Set the clock: certificates and tokens are judged by it.");
    if (facts.synchronised) finding.found += *facts.synchronised ? ", synchronised" : ", not synchronised";
    if (facts.drift > 100ms || facts.drift < -100ms) {
        finding.found += ", set by " + duration_text(facts.drift < 0ns ? -facts.drift : facts.drift) + " during these checks";
        worsen(finding, Health::warning, "Something sets the clock in steps: let one service alone adjust it.");
    }
    if (!facts.unknown_zone.empty())
        worsen(finding, Health::warning,
               "TZ names '" + facts.unknown_zone + "', which the system does not know (Debian: tzdata); it takes UTC instead.");
    return finding;
}

Finding judge_files(std::uint64_t soft, std::uint64_t hard, std::size_t connections) {
    const auto text = [](std::uint64_t limit) { return limit == UINT64_MAX ? std::string{"unlimited"} : std::to_string(limit); };
    const std::uint64_t needed = k_files_per_connection * connections + k_files_besides;
    Finding finding{"open files", Health::ok,
                    text(soft) + " (hard limit " + text(hard) + "), about " + std::to_string(needed) + " for " + counted(connections, "connection")};
    if (soft >= needed) return finding;
    worsen(finding, soft < k_files_besides ? Health::problem : Health::warning,
           (hard >= needed ? "Raise the limit: ulimit -n "
                           : "Raise the hard limit (limits.conf, LimitNOFILE of the service) and the limit: ulimit -n ") +
               std::to_string(needed) + ".");
    return finding;
}

Finding judge_ports(const std::optional<std::string>& range, std::size_t connections) {
    Finding finding{"local ports", Health::ok, "not told by the system"};
    if (!range) return finding;
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    const char* end = range->data() + range->size();
    const auto first = std::from_chars(range->data(), end, low);
    const char* next = std::find_if(first.ptr, end, [](char c) { return c != ' ' && c != '\t'; });
    if (first.ec != std::errc{} || std::from_chars(next, end, high).ec != std::errc{}) return finding;
    const std::size_t ports = high >= low ? high - low + 1 : 0;
    finding.found = std::to_string(low) + " to " + std::to_string(high) + ": " + std::to_string(ports);
    if (ports < k_files_per_connection * connections + k_files_besides)
        worsen(finding, ports == 0 ? Health::problem : Health::warning,
               "Widen net.ipv4.ip_local_port_range (sysctl): ports of closed connections stay taken for a minute.");
    return finding;
}

Finding judge_watches(const WatchFacts& facts) {
    Finding finding{"file watches", Health::ok, counted(facts.places, "place") + " to watch"};
    if (facts.most_watches) append(finding.found, "at most " + std::to_string(*facts.most_watches) + " watches", ", ");
    if (facts.most_instances) append(finding.found, std::to_string(*facts.most_instances) + " instances a user", ", ");
    if (!facts.error.empty()) {
        append(finding.found, facts.error);
        worsen(finding, Health::warning,
               "Raise fs.inotify.max_user_watches and max_user_instances (sysctl); until then files are looked at every few seconds.");
    }
    return finding;
}

Finding judge_state(const StateFacts& facts) {
    Finding finding{"state file", Health::ok, facts.file};
    if (facts.file.empty()) {
        finding.found = "none: what operators set ends with the process";
        return finding;
    }
    if (!facts.exists) finding.found += ", not there yet";
    if (!facts.unreadable.empty()) {
        append(finding.found, facts.unreadable, ", ");
        worsen(finding, Health::problem, "Make it readable or put it aside: no setting of an operator holds.");
    }
    if (!facts.unwritable.empty()) {
        append(finding.found, facts.unwritable, ", ");
        worsen(finding, Health::problem, "Let this user write to its directory: what operators set would be lost.");
    }
    return finding;
}

}  // namespace qconn::cli
