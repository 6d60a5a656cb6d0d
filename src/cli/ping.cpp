// SPDX-License-Identifier: Apache-2.0
/// `qconn ping`: do the remote ends answer?
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "cli/duration.hpp"
#include "cli/present.hpp"
#include "cli/probe.hpp"
#include "cli/progress.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

struct PingArguments {
    std::vector<std::string> names;
    bool all{false};
    std::string depth{"standard"};
    std::string timeout;
    std::size_t parallel{64};
};

/// Pings all names, so many at a time, and hands each outcome to `done` on the calling thread as it comes.
class Fleet {
public:
    using Done = std::function<void(std::size_t index, const Probe& probe)>;

    Fleet(Registry& registry, const std::vector<std::string>& names, PingDepth depth, std::chrono::milliseconds timeout)
        : registry_{registry}, names_{names}, depth_{depth}, timeout_{timeout} {}

    void run(std::size_t parallel, const Done& done) {
        std::vector<std::jthread> workers;  // joined after everything has been handed out
        for (std::size_t i = 0; i < std::min(parallel, names_.size()); ++i) workers.emplace_back([this] { work(); });
        for (std::size_t left = names_.size(); left > 0; --left) {
            std::unique_lock lock{mutex_};
            ready_.wait(lock, [this] { return !finished_.empty(); });
            auto [index, probe] = std::move(finished_.front());
            finished_.pop_front();
            lock.unlock();
            try {
                done(index, probe);
            } catch (...) {
                next_ = names_.size();  // the workers finish only what they have begun
                throw;
            }
        }
    }

private:
    void work() {
        for (std::size_t i = next_++; i < names_.size(); i = next_++) {
            Probe one = probe(registry_, names_[i], depth_, Deadline{timeout_}, false);
            const std::lock_guard lock{mutex_};
            finished_.emplace_back(i, std::move(one));
            ready_.notify_one();
        }
    }

    Registry& registry_;
    const std::vector<std::string>& names_;
    const PingDepth depth_;
    const std::chrono::milliseconds timeout_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<std::pair<std::size_t, Probe>> finished_;  // guarded by mutex_
};

Value probe_value(const std::string& name, const Probe& probe) {
    const auto& error = probe.result.error;
    return Map{{"name", name},
               {"state", to_string(probe.verdict)},
               {"time_ms", static_cast<double>(probe.result.time.count()) / 1e6},
               {"phase", to_string(error ? error->phase() : Phase::none)},
               {"reason", to_string(error ? error->reason() : Reason::none)},
               {"error", error ? Value{error->what()} : Value{}}};
}

/// One line for people, as soon as it is known.
std::string probe_text(const Output& out, const std::string& name, std::size_t widest, const Probe& probe) {
    std::string text = out.paint(style_of(probe.verdict), to_string(probe.verdict));
    text.append(14 - to_string(probe.verdict).size(), ' ');
    text += printable(name);
    text.append(widest - std::min(widest, width(printable(name))) + 2, ' ');
    if (probe.result.time.count() > 0) text += duration_text(probe.result.time) + "  ";
    if (probe.result.error) text += printable(probe.result.error->what());
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

using Counts = std::array<std::size_t, 5>;  // by Verdict

/// "3 up, 1 down".
std::string counts_text(const Counts& counts) {
    std::string text;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        if (!text.empty()) text += ", ";
        (text += std::to_string(counts[i]) + " ") += to_string(static_cast<Verdict>(i));
    }
    return text;
}

int ping(Tool& tool, const PingArguments& arguments) {
    const PingDepth depth = depth_option(arguments.depth);
    const auto timeout = arguments.timeout.empty() ? tool.settings().monitor().timeout : duration_option("--timeout", arguments.timeout);
    if (timeout.count() == 0) throw UsageError("--timeout: a ping needs time; write 500ms, 30s, 5m or 1h");
    if (arguments.parallel == 0) throw UsageError("--parallel: at least 1");
    std::vector<std::string> names = positional(tool, arguments.names);
    if (arguments.all == !names.empty()) throw UsageError("give the names of connections, or --all");

    const Loaded loaded = load(tool, false);
    Registry& registry = *loaded.registry;
    if (arguments.all) names = registry.names();
    for (const std::string& name : names) require_connection(registry, name);

    std::size_t widest = 0;
    for (const std::string& name : names) widest = std::max(widest, width(name));
    List values(names.size());
    Counts counts{};
    Fleet fleet{registry, names, depth, timeout};
    {
        std::atomic<std::size_t> done{0};
        std::atomic<std::size_t> failed{0};
        const auto began = std::chrono::steady_clock::now();
        Progress progress{[&] {
            return "pinged " + std::to_string(done.load()) + " of " + std::to_string(names.size()) + ", " + std::to_string(failed.load()) +
                   " not up, " + age_text(std::chrono::steady_clock::now() - began);
        }};
        fleet.run(arguments.parallel, [&](std::size_t index, const Probe& probe) {
            ++counts[static_cast<std::size_t>(probe.verdict)];
            ++done;
            if (probe.verdict != Verdict::up) ++failed;
            values[index] = probe_value(names[index], probe);
            if (tool.format != Format::table) return;
            tool.out.line(probe_text(tool.out, names[index], widest, probe));
            progress.aside([&] { tool.out.flush(); });
        });
    }

    present(
        tool.out, tool.format,
        {.document = std::move(values), .columns = {{"name"}, {"state"}, {"time_ms"}, {"phase"}, {"reason"}, {"error"}}, .text = [&](Output& out) {
             if (names.size() > 1) out.line(counts_text(counts));
         }});
    const std::size_t disabled = counts[static_cast<std::size_t>(Verdict::disabled)];
    const std::size_t fine = counts[static_cast<std::size_t>(Verdict::up)] + (arguments.all ? disabled : 0);
    return fine == names.size() ? k_ok : k_failed;
}

}  // namespace

void add_ping(CLI::App& app, Tool& tool) {
    auto* command = app.add_subcommand("ping", "Ping connections once: does the remote end answer?");
    auto arguments = std::make_shared<PingArguments>();
    command->add_option("name", arguments->names, "Connections")->type_name("NAME");
    command->add_flag("--all", arguments->all, "All connections; disabled ones are listed and do not count");
    command->add_option("--depth", arguments->depth, "How far; standard: as the monitor")->type_name("standard|connect|tls|auth|full");
    command->add_option("--timeout", arguments->timeout, "Longest time for one ping; default: the setting monitor.timeout, 30s")->type_name("TIME");
    command->add_option("--parallel", arguments->parallel, "Pings at a time; default 64")->type_name("N");
    command->footer(
        "Exit code 0 where all are up, otherwise 1. It asks once and changes no state; 'qconn explain NAME' shows the phases.\n\n"
        "Examples:\n"
        "  qconn ping shop-api\n"
        "  qconn ping --all --timeout 5s\n"
        "  qconn ping shop-api --depth full --json");
    command->callback([&tool, arguments] { tool.run = [&tool, arguments] { return ping(tool, *arguments); }; });
}

}  // namespace qconn::cli
