// SPDX-License-Identifier: Apache-2.0
#include "cli/watched.hpp"

#include <cstdio>

#include <qconn/base/error.hpp>
#include <qconn/base/wall_time.hpp>

#include "cli/output.hpp"

namespace qconn::cli {

namespace {

constexpr std::string_view k_how =
    "a program keeps one with monitor.state_file of the settings (or MonitorOptions::state_file), 'qconn monitor' with --monitor-state FILE";

/// Nothing where it is not there.
std::optional<MonitorSnapshot> read(const std::string& path) {
    try {
        return read_monitor_state(path);
    } catch (const Error& error) {
        if (error.reason() != Reason::missing) throw;
        return std::nullopt;
    }
}

std::string no_file(const Tool& tool) { return "there is no file of a monitor \"" + printable(tool.monitor_state) + "\""; }

}  // namespace

std::optional<MonitorSnapshot> read_watched(const Tool& tool) {
    if (tool.monitor_state.empty()) return std::nullopt;
    auto snapshot = read(tool.monitor_state);
    if (!snapshot) std::fprintf(stderr, "qconn: note: %s\n", no_file(tool).c_str());
    return snapshot;
}

MonitorSnapshot require_watched(const Tool& tool, std::string_view what) {
    if (tool.monitor_state.empty())
        throw NotFound("only the file of a monitor says " + std::string{what} + ": name it with --monitor-state FILE or QCONN_MONITOR_STATE; " +
                       std::string{k_how});
    if (auto snapshot = read(tool.monitor_state)) return std::move(*snapshot);
    throw NotFound(no_file(tool) + ": " + std::string{k_how});
}

std::string source_text(const Tool& tool, const MonitorSnapshot& snapshot, std::chrono::system_clock::time_point now) {
    // A monitor that runs writes once a minute at least, or a little less often where that takes it long.
    constexpr std::chrono::minutes k_doubtful{5};
    std::string text = printable(tool.monitor_state) + ", written " + age_text(now - snapshot.written) + " ago";
    if (!snapshot.running) text += "; the monitor has been stopped, nobody has watched since";
    if (snapshot.running && now - snapshot.written > k_doubtful) text += "; a monitor that runs would have written since: see whether it does";
    return text;
}

Value source_value(const Tool& tool, const std::optional<MonitorSnapshot>& snapshot, std::chrono::system_clock::time_point now) {
    if (!snapshot) return Value{};
    return Map{{"file", tool.monitor_state},
               {"written", rfc3339(snapshot->written)},
               {"age_s", std::chrono::duration_cast<std::chrono::seconds>(now - snapshot->written).count()},
               {"running", snapshot->running}};
}

std::optional<Impact> impact_in(const MonitorSnapshot& snapshot, const std::string& connection) {
    try {
        return qconn::impact(snapshot, connection);
    } catch (const Error& error) {
        if (error.reason() != Reason::not_found) throw;
        return std::nullopt;
    }
}

std::string interface_text(const InterfaceKey& key) { return printable(to_string(key)); }

}  // namespace qconn::cli
