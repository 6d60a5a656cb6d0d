// SPDX-License-Identifier: Apache-2.0
/// Calls the functions of interfaces in the place of what calls for them, at a time that is given.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/monitor/monitor.hpp>

#include "monitor/call_queue.hpp"
#include "monitor/dependency_graph.hpp"
#include "monitor/engine.hpp"
#include "monitor/explain.hpp"

namespace qconn::testing {

/// As monitor::InterfaceHub, with the same graph and queue, but without threads.
/// @note One thread at a time.
class InlineHub {
public:
    using Graph = monitor::DependencyGraph;
    using Id = Graph::Id;
    using Tell = std::function<void(EventKind kind, const std::string& name)>;
    using StatusOf = std::function<std::optional<ConnectionStatus>(std::string_view connection)>;

    InlineHub(const MonitorOptions& options, Tell tell);

    /// @throws Error INTERFACE-ERROR
    Id add(InterfaceOptions options, monitor::Moment now);
    void remove(Id id) noexcept;
    /// @throws Error INTERFACE-ERROR for a circle
    void depend(Id id, std::string_view connection, Dependency how);

    Graph& graph() noexcept { return graph_; }
    const Graph& graph() const noexcept { return graph_; }
    /// Calls what is due now. Nothing where it is called from inside that.
    void run(monitor::Moment now);
    /// When there will be more to call.
    Clock::time_point wake() const noexcept { return wake_; }

    InterfaceInfo info(Id id) const;
    std::vector<InterfaceInfo> infos() const;
    Impact impact(std::string_view connection, StatusOf status) const { return monitor::impact_of(graph_, connection, facts(std::move(status))); }
    WhyStopped why_stopped(InterfaceKind kind, std::string_view name, StatusOf status) const;

private:
    struct Entry {
        InterfaceOptions options;
        std::string start_error{};
        std::chrono::system_clock::time_point since{};
    };
    monitor::CallQueue::Lane lane(Id id) const;
    void queue_changed();
    monitor::CallQueue::Next next(monitor::Moment now);
    void act(Id id, monitor::Moment now);
    monitor::Facts facts(StatusOf status) const;

    const Tell tell_;
    Graph graph_;
    monitor::CallQueue queue_;
    std::map<Id, std::shared_ptr<Entry>> entries_;
    Clock::time_point wake_{Clock::time_point::max()};
    Id last_id_{0};
    bool inside_{false};
};

}  // namespace qconn::testing
