// SPDX-License-Identifier: Apache-2.0
/// Calls the start and stop functions of interfaces, one at a time for each, when the graph of dependencies says so.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/net/runtime.hpp>

#include "monitor/call_queue.hpp"
#include "monitor/dependency_graph.hpp"
#include "monitor/explain.hpp"
#include "monitor/state.hpp"
#include "net/blocking_pool.hpp"

namespace qconn::monitor {

/// All interfaces of a monitor.
///
/// Functions run on threads of its own, started as they are needed; how many at once, and when, says a CallQueue.
/// @note Thread-safe. No function of the application's is called with a lock held.
class InterfaceHub : public std::enable_shared_from_this<InterfaceHub> {
public:
    using Id = DependencyGraph::Id;
    /// Tells that one is being stopped or started.
    using Tell = std::function<void(EventKind kind, const std::string& name)>;
    using StatusOf = std::function<std::optional<ConnectionStatus>(std::string_view connection)>;

    InterfaceHub(Runtime runtime, const MonitorOptions& options, Tell tell);

    /// @throws Error INTERFACE-ERROR
    Id add(InterfaceOptions options);
    /// Waits for a function of its that is running, except from inside it and on an I/O thread.
    void remove(Id id) noexcept;
    /// No function is begun after it has returned.
    /// @param wait  for those running, except for one that it is called from
    void close(bool wait) noexcept;

    /// @throws Error INTERFACE-ERROR for a circle
    void depend(Id id, std::string_view connection, Dependency how);
    /// As depend(), where it does not depend on it yet.
    void depend_newly(Id id, std::string_view connection, Dependency how);
    /// What the state of a connection means. Waits for nothing.
    void hold(std::string_view connection, Hold hold);
    /// It has come up from unknown or down: what failed for it is worth another try, once hold() releases it.
    void came_up(std::string_view connection);

    void stop(Id id);
    void start(Id id);
    void set_running(Id id, bool running);
    void set_autostart(Id id, bool yes);
    void set_manage(bool yes);
    bool manage() const noexcept;
    void set_group(std::string_view group, bool enabled);
    std::vector<std::string> disabled_groups() const;
    bool stop_all(Deadline deadline);
    void start_all();

    InterfaceInfo info(Id id) const;
    std::vector<InterfaceInfo> infos() const;
    bool knows(std::string_view connection) const;
    Impact impact(std::string_view connection, const StatusOf& status) const;
    WhyStopped why_stopped(InterfaceKind kind, std::string_view name, const StatusOf& status) const;

private:
    struct Entry {
        InterfaceOptions options;
        std::string start_error;
        std::chrono::system_clock::time_point since;  // what it does, or did last, began
        bool removed{false};
        int stoppers{0};         // threads in stop(), which run the function themselves
        std::thread::id caller;  // inside one of its functions; none: none runs
        bool waits{false};       // that function waits in here for others
    };
    using Lock = std::unique_lock<std::mutex>;

    void make(Id id, std::string_view connection, Dependency how);
    /// Queues what is due since the graph was changed.
    void look();
    void look_at(Id id);
    CallQueue::Lane lane(Id id) const;
    void want_worker();
    void work();
    /// The next of the queue for which something is due.
    CallQueue::Next next();
    /// Does what is due for one; `lock` is released meanwhile.
    void act(Id id, const std::shared_ptr<Entry>& entry, Lock& lock, bool on_pool);
    /// The one in whose function the calling thread is.
    std::shared_ptr<Entry> called_from() const;
    /// Waits until none of these functions runs, but not for the one that it is called from, nor from inside one for another that waits likewise.
    template <class Which>
    void wait_for_end(Lock& lock, Which which);
    InterfaceInfo info_locked(Id id) const;
    Facts facts_locked(const StatusOf& status) const;

    const Runtime runtime_;
    const Tell tell_;
    const std::shared_ptr<net::BlockingPool> pool_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_:
    DependencyGraph graph_;
    CallQueue queue_;
    std::map<Id, std::shared_ptr<Entry>> entries_;
    std::vector<std::shared_ptr<Entry>> running_;  // their functions
    std::size_t workers_{0};                       // threads of the pool in work(), or on their way there
    bool lookout_{false};                          // one of them waits until something may begin
    Id last_id_{0};
    bool closed_{false};
};

}  // namespace qconn::monitor
