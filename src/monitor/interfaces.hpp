// SPDX-License-Identifier: Apache-2.0
/// Calls the start and stop functions of interfaces, one at a time for each, when the graph of dependencies says so.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
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

#include "monitor/dependency_graph.hpp"
#include "monitor/explain.hpp"
#include "monitor/start_pace.hpp"
#include "monitor/state.hpp"
#include "net/blocking_pool.hpp"

namespace qconn::monitor {

/// All interfaces of a monitor.
///
/// Functions run on threads of its own, started as they are needed: k_at_once at a time, but one that takes longer than k_slow does not count any
/// more, so that what hangs holds up nobody else, until k_threads hang.
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
    /// It has come up from unknown or down.
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
    enum class Queued : std::uint8_t { no, urgent, restart };
    struct Entry {
        InterfaceOptions options;
        std::string start_error;
        std::chrono::system_clock::time_point since;  // what it does, or did last, began
        bool removed{false};
        Queued queued{Queued::no};
        int stoppers{0};  // threads in stop(), which run the function themselves
        // Of the function that runs:
        std::thread::id caller;  // none: none runs
        Clock::time_point begun;
        bool on_pool{false};
        bool is_restart{false};
        bool waits{false};  // in here, for others
    };
    using Lock = std::unique_lock<std::mutex>;

    void make(Id id, std::string_view connection, Dependency how);
    /// Queues what is due since the graph was changed.
    void look();
    void look_at(Id id);
    bool is_restart(Id id) const { return graph_.due(id) == DependencyGraph::Act::start && !graph_.at(id).asked(); }
    void want_worker();
    void work();
    /// The next that may begin now; none: `until` says when to ask again.
    std::optional<Id> next(Clock::time_point& until);
    std::optional<Id> pop(std::deque<Id>& queue, Queued which);
    /// Functions of the pool's that run not longer than that already. @param first  set to when the first of them will have
    std::size_t running_for(Clock::duration limit, bool restarts_only, Clock::time_point& first) const;
    /// Does what is due for one; `lock` is released meanwhile.
    void act(Id id, const std::shared_ptr<Entry>& entry, Lock& lock, bool on_pool);
    /// The one in whose function the calling thread is.
    std::shared_ptr<Entry> called_from() const;
    /// Waits until none of these functions runs, but not for the one that it is called from, nor from inside one for another that waits likewise.
    template <class Which>
    void wait_for_end(Lock& lock, Which which);
    InterfaceInfo info_locked(Id id) const;
    Facts facts_locked(const StatusOf& status) const;

    static constexpr std::size_t k_at_once = 8;
    static constexpr std::size_t k_threads = 64;
    static constexpr std::chrono::milliseconds k_slow{500};
    // A restart that takes longer does not count for MonitorOptions::restarts_at_once any more.
    static constexpr std::chrono::seconds k_slow_restart{10};

    const Runtime runtime_;
    const Tell tell_;
    const std::shared_ptr<net::BlockingPool> pool_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_:
    DependencyGraph graph_;
    StartPace pace_;
    const std::size_t restarts_at_once_;
    std::map<Id, std::shared_ptr<Entry>> entries_;
    std::deque<Id> urgent_;    // stops, and starts by hand
    std::deque<Id> restarts_;  // as fast as the pace allows
    std::vector<std::shared_ptr<Entry>> running_;  // their functions
    std::size_t workers_{0};  // threads of the pool in work(), or on their way there
    bool lookout_{false};  // one of them waits until something may begin
    Id last_id_{0};
    bool closed_{false};
};

}  // namespace qconn::monitor
