// SPDX-License-Identifier: Apache-2.0
#include "cli/watched.hpp"

#include <qconn/base/error.hpp>
#include <qconn/base/wall_time.hpp>

#include "cli/output.hpp"

namespace qconn::cli {

namespace {

constexpr std::string_view k_how =
    "a program keeps one with monitor.state_file of the settings (or MonitorOptions::state_file), 'qconn monitor' with --monitor-state FILE";

}  // namespace

std::optional<MonitorSnapshot> read_watched(const Tool& tool) {
    if (tool.monitor_state.empty()) return std::nullopt;
    try {
        return read_monitor_state(tool.monitor_state);
    } catch (const Error& error) {
        if (error.reason() != Reason::missing) throw;
        throw NotFound("there is no file of a monitor \"" + printable(tool.monitor_state) + "\": " + std::string{k_how});
    }
}

MonitorSnapshot require_watched(const Tool& tool, std::string_view what) {
    if (auto snapshot = read_watched(tool)) return std::move(*snapshot);
    throw NotFound("only the file of a monitor says " + std::string{what} + ": name it with --monitor-state FILE or QCONN_MONITOR_STATE; " +
                   std::string{k_how});
}

std::string source_text(const Tool& tool, const MonitorSnapshot& snapshot, std::chrono::system_clock::time_point now) {
    return printable(tool.monitor_state) + ", written " + age_text(now - snapshot.written) + " ago" +
           (snapshot.running ? "" : "; the monitor has been stopped, nobody has watched since");
}

Value source_value(const Tool& tool, const std::optional<MonitorSnapshot>& snapshot, std::chrono::system_clock::time_point now) {
    if (!snapshot) return Value{};
    return Map{{"file", tool.monitor_state},
               {"written", rfc3339(snapshot->written)},
               {"age_s", std::chrono::duration_cast<std::chrono::seconds>(now - snapshot->written).count()},
               {"running", snapshot->running}};
}

std::string interface_text(const InterfaceKey& key) { return printable(to_string(key)); }

}  // namespace qconn::cli
