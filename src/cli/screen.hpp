// SPDX-License-Identifier: Apache-2.0
/// The live screen of `qconn monitor`, drawn from what is known at one moment: no terminal, no clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <qconn/monitor/event.hpp>
#include <qconn/monitor/outage.hpp>

#include "cli/output.hpp"

namespace qconn::cli {

struct TerminalSize {
    std::size_t rows{24};
    std::size_t columns{80};
};

/// What is to be shown.
struct Scene {
    std::vector<ConnectionStatus> statuses;
    std::vector<Outage> outages;
    std::vector<Alert> alerts;
    /// The latest events, the oldest first.
    std::vector<Event> latest;
    std::chrono::system_clock::time_point now;
    /// The last line: which keys there are, or what one has done.
    std::string foot;
};

/// Lines for a terminal of that size, each no wider than it, and fewer than it has rows. What is down stands first, by cause, and has most room; then
/// what is failing or invalid, then the slowest of what is up, as far as there is room; the latest events at the foot.
std::vector<std::string> draw(const Scene& scene, const Output& out, TerminalSize size);

}  // namespace qconn::cli
