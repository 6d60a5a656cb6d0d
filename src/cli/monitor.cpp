// SPDX-License-Identifier: Apache-2.0
/// `qconn monitor`: watches all connections until it is told to stop.
#include <CLI/CLI.hpp>
#include <atomic>
#include <charconv>
#include <csignal>
#include <deque>

#include <qconn/admin/metrics_server.hpp>
#include <qconn/base/log.hpp>
#include <qconn/base/wall_time.hpp>
#include <qconn/core/watch.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/monitor/to_value.hpp>

#include "cli/duration.hpp"
#include "cli/live.hpp"
#include "cli/present.hpp"
#include "cli/screen.hpp"
#include "cli/states.hpp"
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
    options.state_file = tool.monitor_state;
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

/// One line of text an event, for logs and pipes.
std::string event_text(const Event& event, const Output& out) {
    std::string word{to_string(event.kind)};
    const std::string blanks(word.size() < 13 ? 13 - word.size() : 0, ' ');
    std::string line = rfc3339(event.time) + "  " + out.paint(style_of(event.kind), word) + blanks + "  " + printable(event.name);
    if (!event.error.empty()) line += "  " + printable(event.error);
    return line += '\n';
}

/// Pings that a key has asked for: so many at a time, whatever the caps of the monitor say.
class ByHand {
public:
    /// All that is down now; those that wait from before are among them.
    void ask(const Monitor& monitor) {
        names_.clear();
        for (const ConnectionStatus& status : monitor.statuses())
            if (status.state == ConnectionState::down) names_.push_back(status.name);
        asked_ = names_.size();
        go_on_ = true;
    }
    void go_on(Monitor& monitor) {
        while (!names_.empty() && *under_way_ < k_at_once) {
            ++*under_way_;
            monitor.async_ping(std::move(names_.back()), Deadline{}, [count = under_way_](const Result<PingResult>&) { --*count; });
            names_.pop_back();
        }
    }
    /// "pinging 12 that are down, 3 to go"; empty where nobody has asked.
    std::string text() const {
        if (!go_on_) return {};
        const std::size_t left = names_.size() + *under_way_;
        if (asked_ == 0) return "nothing is down";
        if (left > 0) return "pinging " + std::to_string(asked_) + " that are down, " + std::to_string(left) + " to go";
        return "pinged " + std::to_string(asked_) + " that were down";
    }

private:
    static constexpr std::size_t k_at_once = 256;

    std::vector<std::string> names_;
    std::size_t asked_{0};
    bool go_on_{false};
    const std::shared_ptr<std::atomic<std::size_t>> under_way_ =
        std::make_shared<std::atomic<std::size_t>>(0);  // outlives a ping that is cancelled late
};

/// A terminal that shows the live screen: for as long as it lives, and not while the job is stopped.
class Terminal {
public:
    Terminal() { enter(); }
    void suspend() {
        leave();
        suspend_job();
        enter();
    }
    /// After the job has been continued: whoever had the terminal meanwhile may have left it otherwise.
    void renew() {
        leave();
        enter();
    }
    Keyboard& keyboard() noexcept { return *keyboard_; }

private:
    void enter() {
        keyboard_.emplace();
        screen_.emplace();
    }
    void leave() {
        screen_.reset();
        keyboard_.reset();
    }
    std::optional<Keyboard> keyboard_;
    std::optional<FullScreen> screen_;
};

/// The loop of one run: events come from the monitor's threads, everything is written by this one.
class Session {
public:
    Session(Tool& tool, const MonitorOptions& options, std::optional<ServerOptions> metrics, bool watch)
        : tool_{tool},
          live_{tool.out.is_terminal() && tool.format == Format::table},
          signals_{live_ ? std::vector{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH} : std::vector{SIGINT, SIGTERM, SIGHUP}},
          options_{options},
          metrics_{std::move(metrics)},
          watch_{watch} {}

    int run(std::optional<std::chrono::milliseconds> duration) {
        // The signals are blocked by now, so that every thread of the runtime that starts below inherits that.
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
        if (live_) terminal_.emplace();

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
                if (!deliver()) break;
                if (live_ && !show(monitor)) break;
                if (end.has_passed()) break;
                wait(registry, monitor, end);
            }
            monitor.stop();
            deliver();
        } catch (...) {
            monitor.stop();
            throw;
        }
        terminal_.reset();
        summarise(monitor, Clock::now() - began);
        return k_ok;
    }

private:
    /// The screen is not drawn more often, whatever happens.
    static constexpr std::chrono::milliseconds k_between{100};
    static constexpr std::chrono::seconds k_tick{1};

    bool for_programs() const noexcept { return tool_.format != Format::table; }

    /// False when nobody reads any more.
    bool write(std::string_view text) { return reader_gone_ ? false : !(reader_gone_ = !stream_.write(text, signals_)); }

    bool deliver() {
        for (const Event& event : inbox_.take()) {
            ++events_;
            if (live_) {
                latest_.push_back(event);
                if (latest_.size() > 100) latest_.pop_front();
            } else if (!write(for_programs() ? rows_.next(to_value(event)) : event_text(event, tool_.out))) {
                return false;
            }
        }
        return !reader_gone_;
    }

    bool show(Monitor& monitor) {
        by_hand_.go_on(monitor);
        Scene scene{monitor.statuses(), monitor.outages(), monitor.alerts(), {latest_.begin(), latest_.end()}, std::chrono::system_clock::now(),
                    "Ctrl-C ends"};
        if (terminal_->keyboard().there()) scene.foot = "q ends   p pings all that is down now";
        if (const std::string done = by_hand_.text(); !done.empty()) scene.foot += "   " + done;
        return write(FullScreen::frame(draw(scene, tool_.out, terminal_size())));
    }

    void wait(Registry& registry, Monitor& monitor, Deadline end) {
        if (!live_) return follow(wait_for(signals_, &inbox_, nullptr, end), registry, monitor);
        const Wake at_once = wait_for(signals_, nullptr, &terminal_->keyboard(), earlier(end, Deadline{k_between}));
        follow(at_once, registry, monitor);
        if (at_once.signal != 0 || at_once.key != 0 || stopped_ || end.has_passed()) return;
        follow(wait_for(signals_, &inbox_, &terminal_->keyboard(), earlier(end, Deadline{k_tick})), registry, monitor);
    }

    void follow(const Wake& wake, Registry& registry, Monitor& monitor) {
        if (wake.reader_gone) {
            reader_gone_ = true;
            stopped_ = true;
        }
        if (wake.key == 'p') by_hand_.ask(monitor);
        if (wake.key == 'q') stopped_ = true;
        switch (wake.signal) {
            case 0:
            case SIGWINCH: return;
            case SIGHUP: return tell_errors(registry.reload());
            case SIGTSTP: return terminal_->suspend();
            case SIGCONT: return terminal_->renew();
            default: stream_.hurry(); stopped_ = true;
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
    const bool live_;
    Signals signals_;
    const MonitorOptions options_;
    std::optional<ServerOptions> metrics_;
    const bool watch_;
    RowStream rows_{tool_.format, event_columns()};
    Inbox inbox_;
    Stream stream_;
    std::optional<Terminal> terminal_;
    ByHand by_hand_;
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
