// SPDX-License-Identifier: Apache-2.0
#include <qconn/monitor/settings.hpp>

#include <string>
#include <utility>

#include <qconn/core/scheme.hpp>

namespace qconn {

namespace {

OptionTable<MonitorOptions> make_table() {
    OptionTable<MonitorOptions> t;
    const MonitorOptions defaults;
    const auto milliseconds = [&t](std::string name, std::chrono::milliseconds MonitorOptions::*member, std::string help) -> OptionSpec& {
        OptionSpec& spec = t.add(std::move(name), member, OptionType::integer, std::move(help));
        spec.unit = Unit::milliseconds;
        spec.minimum = 0;
        return spec;
    };
    const auto count = [&t](std::string name, auto MonitorOptions::*member, int minimum, std::string help) -> OptionSpec& {
        OptionSpec& spec = t.add(std::move(name), member, OptionType::integer, std::move(help));
        spec.minimum = minimum;
        return spec;
    };
    OptionSpec& interval = milliseconds("interval", &MonitorOptions::interval, "time between two pings of one connection; 0: only manual pings");
    interval.aliases = {"ping-interval", "qorus.ping-interval"};
    interval.fallback = defaults.interval.count();
    interval.check = [](const Value& v) {
        return v.as_int64() != 0 && v.as_int64() < 100 ? std::string{"must be 0 or at least 100 ms"} : std::string{};
    };
    OptionSpec& timeout = milliseconds("timeout", &MonitorOptions::timeout, "a ping that has not ended by then has failed");
    timeout.aliases = {"ping-timeout", "qorus.ping-timeout"};
    timeout.fallback = defaults.timeout.count();
    timeout.minimum = 1;
    OptionSpec& fast = milliseconds("fast", &MonitorOptions::fast, "time to the next ping after a first failure");
    fast.fallback_text = "a tenth of the interval, from 100 ms to 2 s";
    count("fall", &MonitorOptions::fall, 1, "failures in a row that make a connection down").fallback = defaults.fall;
    count("rise", &MonitorOptions::rise, 1, "successes in a row that make a down connection up").fallback = defaults.rise;
    count("max_in_flight", &MonitorOptions::max_in_flight, 1, "pings under way at once").fallback = Value{defaults.max_in_flight};
    count("max_per_host", &MonitorOptions::max_per_host, 1, "pings under way at once to one host and port").fallback = Value{defaults.max_per_host};
    OptionSpec& full = count("alert_fs_full", &MonitorOptions::alert_fs_full, 1, "used part of a file system above which FILESYSTEM-FULL is raised");
    full.aliases = {"alert-fs-full", "qorus.alert-fs-full"};
    full.unit = Unit::percent;
    full.maximum = 100;
    full.fallback = defaults.alert_fs_full;
    OptionSpec& manage = t.add("manage_interfaces", &MonitorOptions::manage_interfaces, OptionType::boolean,
                               "interfaces are stopped and started as their connections go down and come up");
    manage.aliases = {"manage-interfaces", "qorus.manage-interfaces"};
    manage.fallback = defaults.manage_interfaces;
    return t;
}

const OptionTable<MonitorOptions>& table() {
    static const OptionTable<MonitorOptions> instance = make_table();
    return instance;
}

/// The settings as the options of a scheme, so that they are checked and converted by the rules of definitions.
const Catalogue& catalogue() {
    static const Catalogue instance = [] {
        Scheme scheme;
        scheme.names = {"settings"};
        scheme.family = "monitor";
        scheme.title = "Monitor settings";
        scheme.help = "How connections are pinged.";
        scheme.example_url = "settings://monitor";
        scheme.options = table().specs();
        scheme.clients = client_types<>({});
        scheme.make_client = [](const ResolvedDefinition&, const Runtime&) { return std::shared_ptr<Client>{}; };
        scheme.make_ping = [](const ResolvedDefinition&, PingDepth, const Runtime&) { return PingPlan{NetPing{}}; };
        Catalogue made;
        made.add(std::move(scheme));
        return made;
    }();
    return instance;
}

}  // namespace

const std::vector<OptionSpec>& monitor_settings() { return table().specs(); }

MonitorOptions monitor_options(const Map& settings) {
    Definition definition;
    definition.name = "settings";
    definition.url = "settings://monitor";
    definition.options = settings;
    Diagnostics found;
    if (!catalogue().check(definition, found)) {
        for (const Diagnostic& d : found)
            if (d.severity == Severity::error)
                throw Error{Errc::invalid_argument, "SETTINGS-ERROR",
                            "the settings of the monitor are wrong: " + d.message + (d.hint.empty() ? "" : "; " + d.hint)}
                    .with_reason(Reason::bad_value);
    }
    MonitorOptions options;
    table().apply(definition.options, options);
    return options;
}

}  // namespace qconn
