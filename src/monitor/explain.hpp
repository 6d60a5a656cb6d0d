// SPDX-License-Identifier: Apache-2.0
/// Answers of operators' questions, from the graph of interfaces. Pure.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/monitor/event.hpp>
#include <qconn/monitor/impact.hpp>

#include "monitor/dependency_graph.hpp"

namespace qconn::monitor {

/// What the graph does not know.
struct Facts {
    /// Of a connection; none where there is none of that name.
    std::function<std::optional<ConnectionStatus>(std::string_view connection)> status;
    /// Of an interface: when what it is doing, or did last, began; none: nothing yet.
    std::function<std::optional<std::chrono::system_clock::time_point>(DependencyGraph::Id id)> since;
    std::function<std::string(DependencyGraph::Id id)> start_error;
};

/// Why it does not run; empty where it does.
std::vector<StopReason> reasons_of(const DependencyGraph& graph, DependencyGraph::Id id, const Facts& facts);

/// What would happen if that connection went down.
Impact impact_of(DependencyGraph graph, std::string_view connection, const Facts& facts);

}  // namespace qconn::monitor
