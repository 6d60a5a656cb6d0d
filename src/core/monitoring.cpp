// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/monitoring.hpp>

#include <utility>

#include "core/catalogue_impl.hpp"
#include "core/maintenance_window.hpp"
#include "core/monitoring_rules.hpp"

namespace qconn {

namespace {

using R = MonitoringRules;

OptionTable<R> make_table() {
    OptionTable<R> table;
    const auto rule = [&table](std::string name, auto member, int example, std::string help) -> OptionSpec& {
        OptionSpec& spec = table.add(std::move(name), member, OptionType::integer, std::move(help));
        spec.example = example;
        spec.fallback_text = "as the monitor";
        return spec;
    };
    const auto time = [&rule](std::string name, auto member, double least, int example, std::string help) -> OptionSpec& {
        OptionSpec& spec = rule(std::move(name), member, example, std::move(help));
        spec.unit = Unit::milliseconds;
        spec.minimum = least;
        spec.maximum = 366.0 * 24 * 3600 * 1000;
        return spec;
    };
    const auto count = [&rule](std::string name, auto member, double least, int example, std::string help) {
        OptionSpec& spec = rule(std::move(name), member, example, std::move(help));
        spec.minimum = least;
        spec.maximum = 1000;
    };
    time("ping_interval", &R::interval, 0, 5000, "Time between two pings; 0: only pings by hand").check = [](const Value& v) {
        return v.as_int64() != 0 && v.as_int64() < 100 ? std::string{"must be 0 or at least 100 ms"} : std::string{};
    };
    time("ping_interval_down", &R::interval_down, 100, 60000, "The same while it is down");
    time("ping_fast", &R::fast, 10, 500, "Time to the next ping after a first failure");
    time("ping_timeout", &R::timeout, 1, 2000, "A ping that has not ended by then has failed");
    count("ping_fall", &R::fall, 1, 3, "Failures in a row that make it down");
    count("ping_rise", &R::rise, 1, 2, "Successes in a row that make it up again");
    OptionSpec& depth = table.add("ping_depth", OptionType::string, "How far pings go", [](R& rules, const Value& v) {
        for (const PingDepth one : {PingDepth::standard, PingDepth::connect, PingDepth::tls, PingDepth::auth, PingDepth::full})
            if (v.as_string() == to_string(one)) rules.depth = one;
    });
    depth.fallback_text = "as the monitor";
    depth.example = "tls";
    depth.allowed = {{"standard", "as the scheme has it"}, {"connect", ""}, {"tls", ""}, {"auth", ""}, {"full", ""}};
    time("min_up", &R::min_up, 0, 60000, "Once up it is not down before so long, however many pings fail");
    time("min_down", &R::min_down, 0, 60000, "Once down it is not up before so long, however many pings succeed");
    time("restart_delay", &R::restart_delay, 0, 30000, "What depends on it starts again only once it has been up for so long");
    count("flap_changes", &R::flap_changes, 0, 6, "It flaps when it goes down more often than this within flap_window; 0: never");
    time("flap_window", &R::flap_window, 1000, 600000, "See flap_changes");
    OptionSpec& ignore = table.add("ignore_socket_warnings", &R::ignore_socket_warnings, OptionType::boolean,
                                   "No warning about calls that are answered late or slowly (SOCKET-OPERATION-WARNING, SOCKET-THROUGHPUT-WARNING)");
    ignore.fallback_text = "false";
    ignore.example = true;
    const auto texts = [&table](std::string name, std::vector<std::string> R::*member, const char* example, std::string help) -> OptionSpec& {
        OptionSpec& spec = table.add(std::move(name), OptionType::list, std::move(help), [member](R& rules, const Value& v) {
            (rules.*member).clear();
            for (const Value& one : v.as_list()) (rules.*member).emplace_back(one.as_string());
        });
        spec.example = List{example};
        return spec;
    };
    texts("via", &R::via, "gateway", "Names of connections that it is reached through: while one of them is down, that is why this one is").check =
        [](const Value& v) {
            for (const Value& one : v.as_list())
                if (!one.is_string()) return std::string{"must be a list of names"};
            return std::string{};
        };
    texts("maintenance", &R::maintenance, "Sun 02:00-04:00",
          "Windows in which work on it is expected and nobody is called: `DAYS HH:MM-HH:MM`, in local time or with ` UTC` behind it")
        .check = [](const Value& v) {
        for (const Value& one : v.as_list()) {
            if (!one.is_string()) return std::string{"must be a list of texts such as \"Sun 02:00-04:00\""};
            if (const auto window = core::parse_maintenance_window(one.as_string()); !window) return std::string{window.error().message()};
        }
        return std::string{};
    };
    return table;
}

}  // namespace

const OptionTable<MonitoringRules>& monitoring_options() {
    static const OptionTable<R> table = make_table();
    return table;
}

namespace core {

Diagnostics check_monitoring(Map& options) {
    static const SchemeEntry entry = [] {
        SchemeEntry made;
        add_monitoring(made.scheme);
        index_options(made);
        return made;
    }();
    Definition checked;
    checked.options = std::move(options);
    Diagnostics found;
    check_options(entry, checked, found, nullptr, {"the monitor", "rule"});
    std::erase_if(found, [](const Diagnostic& d) { return d.severity != Severity::error; });
    options = std::move(checked.options);
    return found;
}

void apply_monitoring(const Map& options, MonitoringRules& rules) {
    Map fitting;
    for (const OptionSpec& spec : monitoring_options().specs())
        if (const Value* value = options.find(spec.name); value && has_type(*value, spec.type)) fitting.insert(spec.name, *value);
    monitoring_options().apply(fitting, rules);
}

}  // namespace core

}  // namespace qconn
