// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include <qconn/monitor/event.hpp>
#include <qconn/monitor/history.hpp>
#include <qconn/monitor/monitor_error.hpp>

namespace qconn {

namespace {

class MonitorCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "qconn.monitor"; }
    std::string message(int code) const override {
        return static_cast<MonitorErrc>(code) == MonitorErrc::interface ? "an interface cannot be used" : "unknown error of the monitor";
    }
};

}  // namespace

const std::error_category& monitor_category() noexcept {
    static const MonitorCategory category;
    return category;
}

std::error_code make_error_code(MonitorErrc code) noexcept { return {static_cast<int>(code), monitor_category()}; }

std::string_view to_string(ConnectionState state) noexcept {
    constexpr std::array<std::string_view, 6> names{"unknown", "up", "failing", "down", "disabled", "invalid"};
    return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(PingOutcome outcome) noexcept {
    constexpr std::array<std::string_view, 3> names{"ok", "failed", "inconclusive"};
    return names[static_cast<std::size_t>(outcome)];
}

}  // namespace qconn
