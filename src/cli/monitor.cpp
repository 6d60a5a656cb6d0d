// SPDX-License-Identifier: Apache-2.0
/// `qconn monitor`: watches all connections until it is told to stop.
#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <csignal>

#include <qconn/admin/metrics_server.hpp>
#include <qconn/base/log.hpp>
#include <qconn/base/wall_time.hpp>
#include <qconn/core/watch.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/monitor/to_value.hpp>

#include "cli/duration.hpp"
#include "cli/live.hpp"
#include "cli/present.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

struct MonitorArguments {
    std::string interval;
    std::string timeout;
    std::string fast;
    std::string duration;
    std::string metrics;
    bool no_watch{false};
    std::optional<int> fall;
    std::optional<int> rise;
};

MonitorOptions monitor_options(const Tool& tool, const MonitorArguments& arguments) {
    MonitorOptions options = tool.settings().monitor();
    if (!arguments.interval.empty()) options.interval = duration_option("--interval", arguments.interval);
    if (options.interval < std::chrono::milliseconds{100}) throw UsageError("--interval: at least 100ms");
    if (!arguments.timeout.empty()) options.timeout = duration_option("--timeout", arguments.timeout);
    if (options.timeout.count() == 0) throw UsageError("--timeout: a ping needs time; write 500ms, 30s, 5m or 1h");
    if (!arguments.fast.empty()) options.fast = duration_option("--fast", arguments.fast);
    options.fall = arguments.fall.value_or(options.fall);
    options.rise = arguments.rise.value_or(options.rise);
    if (options.fall < 1) throw UsageError("--fall: at least 1");
    if (options.rise < 1) throw UsageError("--rise: at least 1");
    return options;
}

/// From "9464", "0.0.0.0:9464" or "[::]:9464"; nothing where it is not asked for.
std::optional<ServerOptions> metrics_options(const std::string& text) {
    if (text.empty()) return std::nullopt;
    ServerOptions options;
    const auto colon = text.rfind(':');
    std::string_view port{text};
    if (colon != std::string::npos) {
        options.host = text.substr(0, colon);
        port.remove_prefix(colon + 1);
        if (options.host.size() > 2 && options.host.front() == '[' && options.host.back() == ']')
            options.host = options.host.substr(1, options.host.size() - 2);
        else if (options.host.find(':') != std::string::npos)
            throw UsageError("--metrics: write an IPv6 address in brackets: [::1]:9464");
    }
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), options.port);
    if (error != std::errc{} || end != port.data() + port.size() || options.host.empty())
        throw UsageError("--metrics: write a port, or an address and a port: 9464, 0.0.0.0:9464");
    return options;
}

std::vector<Column> event_columns() {
    return {{"event"}, {"name"},  {"state"},     {"from"},     {"phase"},  {"reason"},  {"error"},   {"time"},        {"mono_ns"},
            {"seq"},   {"alert"}, {"transient"}, {"silenced"}, {"outage"}, {"members"}, {"skipped"}, {"qorus_event"}, {"qorus_code"}};
}

Style style_of(EventKind kind) noexcept {
    switch (kind) {
        case EventKind::up:
        case EventKind::recovered:
        case EventKind::start:
        case EventKind::outage_over:
        case EventKind::alert_cleared: return Style::good;
        case EventKind::down:
        case EventKind::invalid:
        case EventKind::outage:
        case EventKind::stop: return Style::bad;
        case EventKind::failing:
        case EventKind::alert: return Style::warn;
        case EventKind::enabled:
        case EventKind::disabled:
        case EventKind::added:
        case EventKind::updated:
        case EventKind::removed:
        case EventKind::silenced:
        case EventKind::unsilenced: return Style::plain;
    }
    return Style::plain;
}

Style style_of(ConnectionState state) noexcept {
    switch (state) {
        case ConnectionState::up: return Style::good;
        case ConnectionState::down:
        case ConnectionState::invalid: return Style::bad;
        case ConnectionState::failing: return Style::warn;
        case ConnectionState::unknown:
        case ConnectionState::disabled: return Style::dim;
    }
    return Style::plain;
}

Table::Row event_row(const Event& event) {
    return {{rfc3339(event.time), Style::dim}, {std::string{to_string(event.kind)}, style_of(event.kind)}, event.name, event.error};
}

/// One line of text an event, for logs and pipes.
std::string event_text(const Event& event, const Output& out) {
    std::string word{to_string(event.kind)};
    const std::string blanks(word.size() < 13 ? 13 - word.size() : 0, ' ');
    std::string line = rfc3339(event.time) + "  " + out.paint(style_of(event.kind), word) + blanks + "  " + printable(event.name);
    if (!event.error.empty()) line += "  " + printable(event.error);
    return line += '\n';
}

constexpr std::array k_states{ConnectionState::down,    ConnectionState::failing,  ConnectionState::invalid,
                              ConnectionState::unknown, ConnectionState::disabled, ConnectionState::up};

std::array<std::size_t, k_states.size()> count_states(const std::vector<ConnectionStatus>& statuses) {
    std::array<std::size_t, k_states.size()> counts{};
    for (const ConnectionStatus& status : statuses) {
        for (std::size_t i = 0; i < k_states.size(); ++i) counts[i] += status.state == k_states[i] ? 1 : 0;
    }
    return counts;
}

/// "12 connections: 1 down, 11 up".
std::string counts_text(const std::vector<ConnectionStatus>& statuses, const Output& out) {
    const auto counts = count_states(statuses);
    std::string text = counted(statuses.size(), "connection") + ":";
    bool first = true;
    for (std::size_t i = 0; i < k_states.size(); ++i) {
        if (counts[i] == 0) continue;
        text += first ? " " : ", ";
        text += out.paint(style_of(k_states[i]), std::to_string(counts[i]) + " " + std::string{to_string(k_states[i])});
        first = false;
    }
    return text;
}

/// Phase and reason first: the words of the failure are cut where the terminal is narrow.
std::string why(const ConnectionStatus& status) {
    if (status.phase == Phase::none) return status.error;
    return std::string{to_string(status.phase)} + " " + std::string{to_string(status.reason)} + "  " + status.error;
}

/// The table for terminals: what needs attention first, the latest events below.
std::vector<std::string> screen(const Monitor& monitor, const std::deque<Event>& latest, const Output& out, TerminalSize size) {
    const auto statuses = monitor.statuses();
    const auto now = std::chrono::system_clock::now();
    std::vector<std::string> lines;
    lines.push_back(out.paint(Style::bold, "qconn monitor") + "  " + counts_text(statuses, out) + "  " +
                    out.paint(Style::dim, rfc3339(now).substr(11, 8) + "Z, Ctrl-C ends"));
    lines.emplace_back();

    const std::size_t below = latest.empty() ? 0 : std::min<std::size_t>(latest.size(), std::max<std::size_t>(size.rows / 4, 3)) + 1;
    const std::size_t room = size.rows > below + 5 ? size.rows - below - 5 : 1;
    Table table{{"NAME", "STATE", "SINCE", "LAST PING", "LATENCY", "WHY"}};
    std::size_t shown = 0;
    for (const ConnectionState state : k_states) {
        for (const ConnectionStatus& status : statuses) {
            if (status.state != state || shown == room) continue;
            ++shown;
            const bool pinged = status.checked != std::chrono::system_clock::time_point{};
            table.add({status.name,
                       {std::string{to_string(status.state)}, style_of(status.state)},
                       age_text(now - status.since),
                       pinged ? age_text(now - status.checked) + " ago" : "-",
                       pinged && status.failures == 0 ? duration_text(status.latency) : "-",
                       why(status)});
        }
    }
    for (std::string& line : table.lines(out, size.columns)) lines.push_back(std::move(line));
    if (shown < statuses.size()) lines.push_back(out.paint(Style::dim, "... and " + std::to_string(statuses.size() - shown) + " more"));
    if (below > 0) {
        lines.emplace_back();
        Table events;
        for (std::size_t i = latest.size() - (below - 1); i < latest.size(); ++i) events.add(event_row(latest[i]));
        for (std::string& line : events.lines(out, size.columns)) lines.push_back(std::move(line));
    }
    if (lines.size() >= size.rows) lines.resize(std::max<std::size_t>(size.rows, 2) - 1);
    return lines;
}

/// The loop of one run: events come from the monitor's threads, everything is written by this one.
class Session {
public:
    Session(Tool& tool, const MonitorOptions& options, std::optional<ServerOptions> metrics, bool watch)
        : tool_{tool}, signals_{{SIGINT, SIGTERM, SIGHUP}}, options_{options}, metrics_{std::move(metrics)}, watch_{watch} {}

    int run(std::optional<std::chrono::milliseconds> duration) {
        // The signals are blocked by now, so that every thread of the runtime that starts below inherits that.
        const bool table = tool_.out.is_terminal() && !for_programs();
        Loaded loaded = load(tool_);
        tool_.out.flush();
        Registry& registry = *loaded.registry;
        Monitor monitor{registry, options_};
        const Subscription watching = monitor.subscribe([this](const Event& event) { inbox_.put(event); });
        std::optional<MetricsServer> metrics;
        if (metrics_) {
            metrics_->runtime = registry.runtime();
            metrics.emplace(monitor, *metrics_);
            std::fputs(("qconn: note: metrics at " + metrics->url() + "\n").c_str(), stderr);
        }
        std::optional<FullScreen> full_screen;
        if (table) full_screen.emplace();

        const auto began = Clock::now();
        const Deadline end = duration ? Deadline{began + *duration} : Deadline{};
        monitor.start();
        Watch files;
        if (watch_) {
            WatchOptions watching_files = tool_.settings().watch();
            watching_files.on_reload = tell_errors;
            files = registry.watch(watching_files);
        }
        try {
            while (!stopped_) {
                if (!deliver(table)) break;
                if (table && !write(FullScreen::frame(screen(monitor, latest_, tool_.out, terminal_size())))) break;
                if (end.has_passed()) break;
                wait(registry, earlier(end, table ? Deadline{std::chrono::seconds{1}} : Deadline{}));
            }
            monitor.stop();
            deliver(table);
        } catch (...) {
            monitor.stop();
            throw;
        }
        full_screen.reset();
        summarise(monitor, Clock::now() - began);
        return k_ok;
    }

private:
    bool for_programs() const noexcept { return tool_.format != Format::table; }

    /// False when nobody reads any more.
    bool write(std::string_view text) { return reader_gone_ ? false : !(reader_gone_ = !stream_.write(text, signals_)); }

    bool deliver(bool table) {
        for (const Event& event : inbox_.take()) {
            ++events_;
            if (table) {
                latest_.push_back(event);
                if (latest_.size() > 100) latest_.pop_front();
            } else if (!write(for_programs() ? rows_.next(to_value(event)) : event_text(event, tool_.out))) {
                return false;
            }
        }
        return !reader_gone_;
    }

    void wait(Registry& registry, Deadline until) {
        const Wake wake = wait_for(signals_, inbox_, until);
        if (wake.reader_gone) {
            reader_gone_ = true;
            stopped_ = true;
        }
        if (wake.signal == SIGHUP) {
            tell_errors(registry.reload());
        } else if (wake.signal != 0) {
            stream_.hurry();
            stopped_ = true;
        }
    }

    static void tell_errors(const LoadReport& report) {
        if (has_errors(report.diagnostics))
            std::fputs("qconn: note: the definitions were read again and have errors; 'qconn check' shows them\n", stderr);
    }

    void summarise(const Monitor& monitor, Clock::duration time) {
        if (reader_gone_) return;
        Output plain;  // standard output belongs to the events alone where a program reads it
        const std::string text = "watched " + counts_text(monitor.statuses(), for_programs() ? plain : tool_.out) + "; " + counted(events_, "event") +
                                 " in " + duration_text(time) + "\n";
        if (for_programs())
            std::fputs(text.c_str(), stderr);
        else
            write(text);
    }

    Tool& tool_;
    Signals signals_;
    const MonitorOptions options_;
    std::optional<ServerOptions> metrics_;
    const bool watch_;
    RowStream rows_{tool_.format, event_columns()};
    Inbox inbox_;
    Stream stream_;
    std::deque<Event> latest_;
    std::size_t events_{0};
    bool stopped_{false};
    bool reader_gone_{false};
};

int monitor(Tool& tool, const MonitorArguments& arguments) {
    const MonitorOptions options = monitor_options(tool, arguments);
    std::optional<std::chrono::milliseconds> duration;
    if (!arguments.duration.empty()) duration = duration_option("--for", arguments.duration);
    return Session{tool, options, metrics_options(arguments.metrics), !arguments.no_watch}.run(duration);
}

}  // namespace

void add_monitor(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("monitor", "Ping all connections on schedule and tell what goes down and comes back");
    auto arguments = std::make_shared<MonitorArguments>();
    command
        ->add_option("--interval", arguments->interval,
                     "Time between two pings of one connection; default: the setting monitor.interval, 30s; at least 100ms")
        ->type_name("TIME");
    command->add_option("--timeout", arguments->timeout, "Longest time for one ping; default: monitor.timeout, 30s")->type_name("TIME");
    command->add_option("--fall", arguments->fall, "Failures in a row that make a connection down; default: monitor.fall, 2")->type_name("N");
    command->add_option("--rise", arguments->rise, "Successes in a row that make it up again; default: monitor.rise, 1")->type_name("N");
    command
        ->add_option("--fast", arguments->fast, "Time to the next ping after a first failure; default: monitor.fast, interval/10 within 100ms and 2s")
        ->type_name("TIME");
    command->add_option("--for", arguments->duration, "End after that time; default: at SIGINT or SIGTERM")->type_name("TIME");
    command
        ->add_option("--metrics", arguments->metrics,
                     "Serve metrics for Prometheus at /metrics of this port, of 127.0.0.1 unless an address is given")
        ->type_name("[HOST:]PORT");
    command->add_flag("--no-watch", arguments->no_watch, "Do not read definitions again when their files change");
    command->footer(
        "On a terminal it shows a table, otherwise a line an event; with --json one object a line with event, name, state, from,\n"
        "phase, reason, error, time, mono_ns, seq, alert, transient, outage, members, skipped, qorus_event and qorus_code, with --format csv a "
        "record each.\n"
        "Definitions are read again when their files change, and at SIGHUP.\n"
        "Times: 100ms, 1s, 5m, 1h; a bare number is seconds.\n"
        "SIGINT, SIGTERM and the end of --for end it with a summary and exit code 0, whatever is up or down then.\n\n"
        "Examples:\n"
        "  qconn monitor\n"
        "  qconn monitor --interval 5s --fall 3\n"
        "  qconn monitor --metrics 9464\n"
        "  qconn monitor --json --for 1h | jq -r 'select(.event == \"down\") | .name + \" \" + .error'");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return monitor(tool, *arguments); }; });
}

}  // namespace qconn::cli
