// SPDX-License-Identifier: Apache-2.0
#include "settings/tables.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <qconn/core/scheme.hpp>
#include <qconn/settings/settings.hpp>

#include "schemes/tls_options.hpp"

namespace qconn {

namespace settings {

namespace {

using std::chrono::milliseconds;

constexpr double k_longest = 366.0 * 24 * 3600 * 1000;  // a year, in milliseconds

/// Adds the settings of one options struct.
template <class Options>
class Adder {
public:
    explicit Adder(OptionTable<Options>& table) : table_{table} {}

    OptionSpec& time(std::string name, milliseconds Options::*member, double minimum, std::string help) {
        OptionSpec& spec = number(std::move(name), member, minimum, std::move(help));
        spec.unit = Unit::milliseconds;
        spec.maximum = k_longest;
        spec.fallback = static_cast<long long>((Options{}.*member).count());
        return spec;
    }
    template <class Number>
    OptionSpec& count(std::string name, Number Options::*member, double minimum, std::string help) {
        OptionSpec& spec = number(std::move(name), member, minimum, std::move(help));
        spec.fallback = static_cast<long long>(Options{}.*member);
        return spec;
    }
    OptionSpec& flag(std::string name, bool Options::*member, std::string help) {
        OptionSpec& spec = table_.add(std::move(name), member, OptionType::boolean, std::move(help));
        spec.fallback = Options{}.*member;
        return spec;
    }

private:
    template <class Number>
    OptionSpec& number(std::string name, Number Options::*member, double minimum, std::string help) {
        OptionSpec& spec = table_.add(std::move(name), member, OptionType::integer, std::move(help));
        spec.minimum = minimum;
        if constexpr (std::is_integral_v<Number> && sizeof(Number) < sizeof(std::int64_t))
            spec.maximum = static_cast<double>(std::numeric_limits<Number>::max());
        return spec;
    }
    OptionTable<Options>& table_;
};

constexpr double k_most_threads = 1024;

OptionTable<RuntimeOptions> make_runtime() {
    OptionTable<RuntimeOptions> table;
    Adder add{table};
    add.count("io_threads", &RuntimeOptions::io_threads, 1, "Threads that wait for sockets and timers").maximum = k_most_threads;
    add.count("blocking_threads", &RuntimeOptions::blocking_threads, 1, "Most threads for work that can only block; started when needed").maximum =
        k_most_threads;
    add.count("resolver_threads", &RuntimeOptions::resolver_threads, 1,
              "Most threads that resolve names; started when needed. So many look-ups can hang at once, further ones fail")
        .maximum = k_most_threads;
    return table;
}

OptionTable<MonitorOptions> make_monitor() {
    OptionTable<MonitorOptions> table;
    Adder add{table};
    OptionSpec& interval = add.time("interval", &MonitorOptions::interval, 0, "Time between two pings of one connection; 0: only manual pings");
    interval.aliases = {"ping-interval", "qorus.ping-interval"};
    interval.check = [](const Value& v) {
        return v.as_int64() != 0 && v.as_int64() < 100 ? std::string{"must be 0 or at least 100 ms"} : std::string{};
    };
    add.time("timeout", &MonitorOptions::timeout, 1, "A ping that has not ended by then has failed").aliases = {"ping-timeout", "qorus.ping-timeout"};
    OptionSpec& fast = add.time("fast", &MonitorOptions::fast, 0, "Time to the next ping after a first failure");
    fast.fallback = {};
    fast.fallback_text = "a tenth of the interval, from 100 ms to 2 s";
    add.count("fall", &MonitorOptions::fall, 1, "Failures in a row that make a connection down");
    add.count("rise", &MonitorOptions::rise, 1, "Successes in a row that make a down connection up");
    add.time("interval_down", &MonitorOptions::interval_down, 0, "The same while it is down; 0: as ever");
    add.time("min_up", &MonitorOptions::min_up, 0, "Once up a connection is not down before so long, however many pings fail");
    add.time("min_down", &MonitorOptions::min_down, 0, "Once down a connection is not up before so long, however many pings succeed");
    add.time("restart_delay", &MonitorOptions::restart_delay, 0,
             "What depends on a connection that came back starts again only once it has been up for so long");
    add.count("flap_changes", &MonitorOptions::flap_changes, 0,
              "A connection flaps when it goes down more often than this within flap_window; what depends on it then stays stopped; 0: never")
        .maximum = 1000;
    add.time("flap_window", &MonitorOptions::flap_window, 1000, "See flap_changes");
    add.time("slow", &MonitorOptions::slow, 0, "A ping that takes longer is slow, and told of; 0: half of timeout, and only shown");
    OptionSpec& depth = table.add("depth", OptionType::string, "How far pings go", [](MonitorOptions& o, const Value& v) {
        for (const PingDepth one : {PingDepth::standard, PingDepth::connect, PingDepth::tls, PingDepth::auth, PingDepth::full})
            if (v.as_string() == to_string(one)) o.depth = one;
    });
    depth.fallback = to_string(MonitorOptions{}.depth);
    depth.allowed = {{"standard", "as each scheme has it"}, {"connect", ""}, {"tls", ""}, {"auth", ""}, {"full", ""}};
    add.flag("ping_after_failed_use", &MonitorOptions::ping_after_failed_use,
             "A call on a client that did not reach its remote end, or got no answer, asks for a ping at once");
    add.flag("count_uses", &MonitorOptions::count_uses, "A call on a client that was answered counts as a good ping");
    add.count("max_in_flight", &MonitorOptions::max_in_flight, 1, "Pings under way at once");
    add.count("max_per_host", &MonitorOptions::max_per_host, 1, "Pings under way at once to one host and port");
    OptionSpec& full =
        add.count("alert_fs_full", &MonitorOptions::alert_fs_full, 1, "Used part of a file system above which FILESYSTEM-FULL is raised");
    full.aliases = {"alert-fs-full", "qorus.alert-fs-full"};
    full.unit = Unit::percent;
    full.maximum = 100;
    OptionSpec& days = add.count("alert_certificate_days", &MonitorOptions::alert_certificate_days, 0,
                                 "CERTIFICATE-EXPIRES and CREDENTIAL-EXPIRES are raised when fewer days are left; 0: once it is over");
    days.maximum = 3660;
    add.time("alert_late_answer", &MonitorOptions::alert_late_answer, 0,
             "SOCKET-OPERATION-WARNING is raised when the answer to a call begins so late; 0: never");
    OptionSpec& throughput = add.count("alert_throughput", &MonitorOptions::alert_throughput, 0,
                                       "SOCKET-THROUGHPUT-WARNING is raised when the answer to a call brings fewer bytes in a second; 0: never");
    throughput.unit = Unit::bytes;
    throughput.aliases = {"socket-min-throughput", "qorus.socket-min-throughput"};
    add.time("alert_throughput_time", &MonitorOptions::alert_throughput_time, 1, "Answers that take less time to arrive say nothing about that")
        .aliases = {"socket-min-throughput-ms", "qorus.socket-min-throughput-ms"};
    add.flag("group_alerts", &MonitorOptions::group_alerts, "Connections that go down for one cause have one alert; false: each has its own");
    add.flag("manage_interfaces", &MonitorOptions::manage_interfaces,
             "Interfaces are stopped and started as their connections go down and come up; alerts and events come in any case")
        .aliases = {"manage-interfaces", "qorus.manage-interfaces"};
    add.count("restarts_at_once", &MonitorOptions::restarts_at_once, 0,
              "Start functions of interfaces that run at once after an outage; 0: no limit");
    add.count("restarts_per_second", &MonitorOptions::restarts_per_second, 0,
              "Interfaces whose start is begun in a second after an outage; 0: no limit");
    add.flag("history", &MonitorOptions::history, "What was is remembered of each connection, and the latest events of all");
    OptionSpec& state = table.add("state_file", &MonitorOptions::state_file, OptionType::string,
                                  "File that keeps what the monitor knows over restarts, and shows it to the tool");
    state.fallback_text = "none";
    state.file = true;
    state.environment = true;
    state.example = "/var/lib/app/monitor.state";
    return table;
}

OptionTable<WatchOptions> make_watch() {
    OptionTable<WatchOptions> table;
    Adder add{table};
    add.time("debounce", &WatchOptions::debounce, 0, "How long nothing must have changed before definitions are read again");
    add.time("at_most", &WatchOptions::at_most, 0, "Where changes do not end: longest time until they are read");
    add.time("poll", &WatchOptions::poll, 10, "Time between two looks at the files where the system does not tell of changes");
    add.flag("notified", &WatchOptions::notified, "The system tells of changes; false: only by looking");
    return table;
}

OptionTable<DefinitionLimits> make_definition_limits() {
    OptionTable<DefinitionLimits> table;
    Adder add{table};
    OptionSpec& size = add.count("definition_size", &DefinitionLimits::max_file_size, 1024, "Largest file of definitions");
    size.unit = Unit::bytes;
    size.maximum = 1e9;
    add.count("definition_depth", &DefinitionLimits::max_depth, 2, "Maps and lists inside each other in a file of definitions").maximum = 500;
    add.count("definition_nodes", &DefinitionLimits::max_nodes, 100, "Values in a file of definitions, aliases counted as often as they are used")
        .maximum = 1e9;
    return table;
}

OptionTable<FileLimits> make_file_limits() {
    OptionTable<FileLimits> table;
    Adder add{table};
    OptionSpec& size = add.count("file_size", &FileLimits::max_size, 1024, "Largest file that a definition refers to by a URL");
    size.unit = Unit::bytes;
    size.maximum = 1e9;
    add.time("file_timeout", &FileLimits::timeout, 1, "Longest time in which it must have been read");
    return table;
}

/// Without members: what sets them reads the values by name.
std::vector<OptionSpec> registry_specs() {
    OptionSpec state;
    state.name = "state_file";
    state.help = "File that keeps what operators set for connections (enabled, tags …) over restarts";
    state.fallback_text = "none";
    state.file = true;
    state.environment = true;
    state.example = "/var/lib/app/state.json";
    OptionSpec properties;
    properties.name = "properties_file";
    properties.help = "File with credentials that definitions leave out, by domain and key";
    properties.fallback_text = "none";
    properties.file = true;
    properties.environment = true;
    properties.example = "/etc/app/properties.yaml";
    OptionSpec secrets;
    secrets.name = "secrets_file";
    secrets.help = "Private file with the secrets that definitions leave out, by connection and option";
    secrets.fallback_text = "none";
    secrets.file = true;
    secrets.environment = true;
    secrets.example = "/etc/app/secrets.yaml";
    OptionSpec suffix;
    suffix.name = "suffix";
    suffix.help = "Files of a directory that end so are read as definitions";
    suffix.fallback = RegistryOptions{}.suffix;
    suffix.check = [](const Value& v) { return v.as_string().find('/') == std::string_view::npos ? std::string{} : "it must not hold a '/'"; };
    OptionSpec modules;
    modules.name = "modules";
    modules.type = OptionType::any;
    modules.help = "Modules with further schemes, by name or path: a list, or text with commas or colons between them";
    modules.aliases = {"connection-modules", "qorus.connection-modules"};
    modules.fallback_text = "none";
    modules.check = [](const Value& v) {
        const bool texts = v.is_list() && std::all_of(v.as_list().begin(), v.as_list().end(), [](const Value& one) { return one.is_string(); });
        return texts || v.is_string() ? std::string{} : std::string{"must be a list of names, or text"};
    };
    return {state, properties, secrets, suffix, modules};
}

/// Those of the TLS options that make sense for all connections. Verification is not among them: it is switched off by name, one at a time.
constexpr std::array k_tls{"ca_file", "ca_directory",  "ca_only", "min_version",          "max_version",
                           "ciphers", "cipher_suites", "groups",  "signature_algorithms", "reuse_sessions"};
constexpr std::array k_http_limits{"max_head_size", "max_body_size", "max_expansion"};

std::vector<OptionSpec> tls_specs() {
    const auto& all = tls_table().specs();
    std::vector<OptionSpec> specs;
    for (const std::string name : k_tls) {
        const auto found = std::find_if(all.begin(), all.end(), [&](const OptionSpec& spec) { return spec.name == "ssl_" + name; });
        OptionSpec spec = *found;
        spec.aliases.push_back(spec.name);
        spec.name = name;
        spec.content.clear();
        specs.push_back(std::move(spec));
    }
    return specs;
}

/// Of the schemes over HTTP, where this build has them.
std::vector<OptionSpec> http_limit_specs() {
    std::vector<OptionSpec> specs;
    const Scheme* http = builtin_catalogue().find("http");
    for (const char* name : k_http_limits)
        if (const OptionSpec* spec = http ? http->option(name) : nullptr) specs.push_back(*spec);
    return specs;
}

Section make_section(std::string name, std::string help, std::vector<OptionSpec> specs) {
    Section section;
    section.name = std::move(name);
    section.help = std::move(help);
    section.entry.scheme.names = {section.name};
    section.entry.scheme.options = std::move(specs);
    core::index_options(section.entry);
    return section;
}

std::vector<OptionSpec> limit_specs() {
    std::vector<OptionSpec> all = definition_limits_table().specs();
    for (const auto& more : {file_limits_table().specs(), http_limit_specs()}) all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::string variable_of(const std::string& full_name) {
    if (full_name == "registry.state_file") return "QCONN_STATE";
    if (full_name == "registry.secrets_file") return "QCONN_SECRETS";
    if (full_name == "monitor.state_file") return "QCONN_MONITOR_STATE";
    if (full_name == "registry.modules") return "QCONN_MODULES";
    std::string name = "QCONN_" + full_name;
    for (char& c : name) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
}

}  // namespace

const OptionTable<RuntimeOptions>& runtime_table() {
    static const auto table = make_runtime();
    return table;
}
const OptionTable<MonitorOptions>& monitor_table() {
    static const auto table = make_monitor();
    return table;
}
const OptionTable<WatchOptions>& watch_table() {
    static const auto table = make_watch();
    return table;
}
const OptionTable<DefinitionLimits>& definition_limits_table() {
    static const auto table = make_definition_limits();
    return table;
}

const OptionTable<FileLimits>& file_limits_table() {
    static const auto table = make_file_limits();
    return table;
}
const OptionTable<WithTls>& tls_table() {
    static const auto table = [] {
        OptionTable<WithTls> made;
        schemes::add_tls_options(made);
        return made;
    }();
    return table;
}

const std::vector<Section>& sections() {
    static const std::vector<Section> all = [] {
        std::vector<Section> made;
        made.push_back(make_section("runtime", "Threads.", runtime_table().specs()));
        made.push_back(make_section("monitor", "How connections are pinged.", monitor_table().specs()));
        made.push_back(make_section("registry", "Where definitions and what belongs to them are.", registry_specs()));
        made.push_back(make_section("watch", "How changed files are noticed.", watch_table().specs()));
        made.push_back(
            make_section("limits", "What may come from outside. Those of answers are defaults of the options of that name.", limit_specs()));
        made.push_back(make_section("tls", "Defaults of the options of that name with `ssl_` before it, for connections that do not say otherwise.",
                                    tls_specs()));
        return made;
    }();
    return all;
}

const Section* find_section(std::string_view name) noexcept {
    for (const Section& section : sections())
        if (section.name == name) return &section;
    return nullptr;
}

const core::SchemeEntry& all_by_full_name() {
    static const std::unique_ptr<const core::SchemeEntry> entry = [] {
        auto made = std::make_unique<core::SchemeEntry>();
        made->scheme.names = {"settings"};
        for (const SettingSpec& setting : setting_specs()) {
            OptionSpec spec = setting.option;
            const std::string section = setting.name.substr(0, setting.name.find('.') + 1);
            std::vector<std::string> aliases;
            for (const std::string& alias : spec.aliases) {
                aliases.push_back(alias);
                if (alias.find('.') == std::string::npos) aliases.push_back(section + alias);
            }
            spec.name = setting.name;
            spec.aliases = std::move(aliases);
            made->scheme.options.push_back(std::move(spec));
        }
        core::index_options(*made);
        return made;
    }();
    return *entry;
}

const std::vector<SchemeDefault>& scheme_defaults() {
    static const std::vector<SchemeDefault> all = [] {
        std::vector<SchemeDefault> made;
        for (const std::string name : k_tls) made.push_back({"tls." + name, "ssl_" + name});
        for (const OptionSpec& spec : http_limit_specs()) made.push_back({"limits." + spec.name, spec.name});
        return made;
    }();
    return all;
}

}  // namespace settings

const std::vector<SettingSpec>& setting_specs() {
    static const std::vector<SettingSpec> all = [] {
        std::vector<SettingSpec> made;
        for (const settings::Section& section : settings::sections()) {
            for (const OptionSpec& option : section.entry.scheme.options) {
                const std::string name = section.name + "." + option.name;
                made.push_back({name, settings::variable_of(name), option});
            }
        }
        return made;
    }();
    return all;
}

}  // namespace qconn
